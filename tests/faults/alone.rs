//! A node that has lost an ownership and cannot know it: it is cut off from Redis, and somebody else has taken over.

use innkeeper::clock::{Clock, System};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use reqwest::Client;
use serde_json::{Value, json};
use uuid::Uuid;

use super::cluster::{Cluster, ROOMS, eventually};
use super::link::Mode;
use super::node::ADMIN;
use super::request::Nodes;
use super::scenario::one_at_a_time;
use super::story::{Answer, Stay, Wish};

/// Everything is sold; its owner is cut off from Redis; all of it is cancelled at the next owner.
#[test]
fn an_owner_that_was_replaced_unknowingly_refuses_nothing_that_is_free() {
    let _alone = one_at_a_time();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let cluster = Cluster::start().await;
        let room_type = cluster.catalogue(1).await[0];
        let nodes = Nodes::at(cluster.nodes.iter().map(|node| node.url()).collect());
        let arrival = System.now().to_zoned(TimeZone::UTC).date().saturating_add(3.days());
        let stay = Stay { arrival, departure: arrival.saturating_add(1.day()) };
        let all = Wish::Book { stay, rooms: ROOMS.into() };
        let Answer::Yes(sold) = nodes.ask(0, "sold", room_type, &all).await else { panic!("nobody was there before") };

        let owner = owner(&cluster, room_type).await;
        cluster.nodes[owner].to_redis.set(Mode::Cut);
        let others: Vec<_> = (0..cluster.nodes.len()).filter(|node| *node != owner).collect();
        let taken_over = async || {
            nodes.look(others[0], room_type, stay).await;
            owns(&cluster, others[0], room_type).await || owns(&cluster, others[1], room_type).await
        };
        eventually("somebody else has taken over", taken_over, || cluster.last_words()).await;
        let cancel = Wish::Cancel { booking: sold.booking, rooms: ROOMS.into(), stay: Some(stay) };
        let cancelled = nodes.ask(others[0], "cancelled", room_type, &cancel).await;
        assert!(matches!(cancelled, Answer::Yes(_)), "{cancelled:?}");

        let looked = nodes.look(owner, room_type, stay).await;
        assert!(looked.is_none_or(|look| look.nights[&arrival] == (0, 0)), "it shows what was");
        let answer = nodes.ask(owner, "booked-again", room_type, &all).await;
        assert!(matches!(answer, Answer::Yes(_) | Answer::Open(_)), "{answer:?}");
    });
}

/// The number of the node that owns it.
async fn owner(cluster: &Cluster, room_type: Uuid) -> usize {
    for number in 0..cluster.nodes.len() {
        if owns(cluster, number, room_type).await {
            return number;
        }
    }
    panic!("nobody owns {room_type}");
}

/// Whether a node thinks that it owns it.
async fn owns(cluster: &Cluster, number: usize, room_type: Uuid) -> bool {
    let url = format!("{}/v1/cluster", cluster.nodes[number].url());
    let told: Value = Client::new().get(url).bearer_auth(ADMIN).send().await.unwrap().json().await.unwrap();
    told["owned"].as_array().unwrap().iter().any(|owned| owned["room_type_id"] == json!(room_type))
}
