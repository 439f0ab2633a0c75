//! An owner that is cut off from Redis and does not know that another node has taken over.

use innkeeper::clock::{Clock, System};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::cluster::{Cluster, ROOMS, eventually};
use super::history::{Ack, Answer, Operation, Stay};
use super::link::Mode;
use super::node::Way;
use super::request::{Nodes, PATIENT};
use super::scenario::{LEASE_TTL_SECS, alone};

/// All rooms are sold. The owner is cut off from Redis. Then all bookings are cancelled at the next owner.
#[test]
fn an_owner_replaced_without_notice_refuses_no_free_night() {
    alone(async |_| {
        let cluster = Cluster::start(LEASE_TTL_SECS, Way::Door).await;
        let room_type = cluster.catalogue(1).await[0];
        let nodes = Nodes::at(cluster.nodes.iter().map(|node| node.url()).collect(), PATIENT);
        let arrival = System.now().to_zoned(TimeZone::UTC).date().saturating_add(3.days());
        let stay = Stay { arrival, departure: arrival.saturating_add(1.day()) };
        let all = Operation::Book { stay, rooms: ROOMS.into(), hold: false };
        let sold = granted(&cluster, &nodes, 0, "sold", room_type, &all).await;

        let mut owner = 0;
        while !nodes.owns(owner, room_type).await {
            owner += 1;
            assert!(owner < cluster.nodes.len(), "no node owns it");
        }
        cluster.nodes[owner].to_redis.set(Mode::Cut);
        let others: Vec<_> = (0..cluster.nodes.len()).filter(|node| *node != owner).collect();
        let taken_over = async || {
            nodes.look(others[0], room_type, stay).await;
            nodes.owns(others[0], room_type).await || nodes.owns(others[1], room_type).await
        };
        eventually("another node has taken over", taken_over, || cluster.last_words()).await;
        let cancel = Operation::Cancel { booking: sold.booking, rooms: ROOMS.into(), stay: Some(stay) };
        granted(&cluster, &nodes, others[0], "cancelled", room_type, &cancel).await;

        let looked = nodes.look(owner, room_type, stay).await;
        assert!(looked.is_none_or(|look| look.nights[&arrival] == (0, 0)), "it shows what was");
        let answer = nodes.ask(owner, "booked-again", room_type, &all).await;
        assert!(matches!(answer, Answer::Ack(_) | Answer::Open(_)), "{answer:?}");
    });
}

/// Repeats a request with one key until its outcome is known. Returns what was accepted.
async fn granted(
    cluster: &Cluster,
    nodes: &Nodes,
    node: usize,
    key: &str,
    room_type: Uuid,
    operation: &Operation,
) -> Ack {
    let mut answer = Answer::Open(String::new());
    let is_settled = async || {
        answer = nodes.ask(node, key, room_type, operation).await;
        !matches!(answer, Answer::Open(_))
    };
    eventually("there is a ack or a no", is_settled, || cluster.last_words()).await;
    let Answer::Ack(ack) = answer else { panic!("{key}: {answer:?}") };
    ack
}
