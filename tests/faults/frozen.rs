//! Requests under way to an owner that freezes.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::abandoned::a_night;
use super::cluster::{Cluster, eventually};
use super::history::{Answer, Operation};
use super::node::{ADMIN, Way};
use super::request::Nodes;
use super::scenario::alone;

/// Another node takes over from a frozen owner after this time.
const TTL_SECS: u64 = 3;
/// Longer than any time-out here: an answer within it came from another node.
const SETTINGS: &[(&str, &str)] = &[("ANSWER_WITHIN_SECS", "90"), ("REQUEST_TIMEOUT_SECS", "1")];
const PATIENT: Duration = Duration::from_secs(60);

/// A cluster, its nodes, a room type and its owner.
async fn owned() -> (Cluster, Nodes, uuid::Uuid, usize) {
    let cluster = Cluster::start_set(TTL_SECS, SETTINGS, Way::Straight).await;
    let room_type = cluster.catalogue(1).await[0];
    let nodes = Nodes::at(cluster.nodes.iter().map(|node| node.url()).collect(), PATIENT);
    let mut owner = None;
    let is_owned = async || {
        nodes.look(0, room_type, a_night()).await;
        for node in 0..cluster.nodes.len() {
            if nodes.owns(node, room_type).await {
                owner = Some(node);
            }
        }
        owner.is_some()
    };
    eventually("a node owns it", is_owned, || cluster.last_words()).await;
    let owner = owner.unwrap();
    (cluster, nodes, room_type, owner)
}

#[test]
fn a_request_follows_the_room_type_when_its_owner_freezes() {
    alone(async |_| {
        let (cluster, nodes, room_type, owner) = owned().await;
        let (door, stay) = ((owner + 1) % 3, a_night());
        cluster.nodes[owner].signal("STOP");
        let operation = Operation::Book { stay, rooms: 1, hold: false };
        let unkeyed = async {
            let body = json!({
                "room_type_id": room_type, "checkin_date": stay.arrival, "checkout_date": stay.departure, "rooms": 1,
                "num_guests": 1, "guests": [{"name": "Ana Lopes", "age": 34}], "contact": {"mobile": "+351912345678"},
            });
            let client = reqwest::Client::builder().timeout(PATIENT).build().unwrap();
            let book = client.post(format!("{}/v1/bookings", cluster.nodes[door].url())).bearer_auth(ADMIN).json(&body);
            let answer = book.send().await.unwrap();
            (answer.status(), answer.json::<Value>().await.unwrap())
        };
        let (keyed, looked, unkeyed) =
            tokio::join!(nodes.ask(door, "keyed", room_type, &operation), nodes.look(door, room_type, stay), unkeyed,);
        let told = cluster.last_words();
        assert!(matches!(keyed, Answer::Ack(_)), "{keyed:?}\n{told}");
        assert!(looked.is_some(), "{told}");
        // The owner may have done it before it froze, and without a key there is no way to know.
        assert_eq!((unkeyed.0, &unkeyed.1["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("interrupted")), "{told}");
        cluster.nodes[owner].signal("CONT");
    });
}

#[test]
fn a_freeze_of_a_second_loses_no_answer() {
    alone(async |_| {
        let (cluster, nodes, room_type, owner) = owned().await;
        let (door, stay) = ((owner + 1) % 3, a_night());
        let look = async || {
            let looks = (0..24).map(|_| nodes.look(door, room_type, stay));
            futures_util::future::join_all(looks).await.into_iter().filter(Option::is_some).count()
        };
        // The connections are open and idle.
        assert_eq!(look().await, 24);
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        cluster.nodes[owner].signal("STOP");
        let thaw = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            cluster.nodes[owner].signal("CONT");
        };
        let operation = Operation::Book { stay, rooms: 1, hold: false };
        let (seen, booked, ()) = tokio::join!(look(), nodes.ask(door, "keyed", room_type, &operation), thaw);
        assert_eq!(seen, 24, "{}", cluster.last_words());
        assert!(matches!(booked, Answer::Ack(_)), "{booked:?}");
    });
}
