//! Requests that a client gives up at a frozen or unreachable node: they have no effect later.

use std::time::Duration;

use innkeeper::clock::{Clock, System};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::cluster::{Cluster, ROOMS, eventually};
use super::history::{Answer, Operation, Stay};
use super::link::Mode;
use super::node::Way;
use super::request::{Nodes, PATIENT};
use super::scenario::alone;

const TTL_SECS: u64 = 1;
/// A node answers within this time, and is frozen for longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
const SETTINGS: &[(&str, &str)] = &[("ANSWER_WITHIN_SECS", "2")];
/// The time-out of the clients.
const IMPATIENT: Duration = Duration::from_millis(300);

#[rstest]
#[case::the_owner_is_frozen(true, None)]
#[case::another_node_is_frozen(false, None)]
#[case::a_node_cannot_be_reached(false, Some(Mode::Hung))]
fn a_request_that_its_client_gave_up_has_no_effect_later(#[case] at_the_owner: bool, #[case] hangs: Option<Mode>) {
    alone(async |_| {
        let cluster = Cluster::start_set(TTL_SECS, SETTINGS, Way::Door).await;
        let room_type = cluster.catalogue(1).await[0];
        let nodes = Nodes::at(cluster.nodes.iter().map(|node| node.url()).collect(), PATIENT);
        let stay = a_night();
        let all = Operation::Book { stay, rooms: ROOMS.into(), hold: false };
        let one = Operation::Book { stay, rooms: 1, hold: false };
        nodes.look(0, room_type, stay).await;
        let mut owner = 0;
        while !nodes.owns(owner, room_type).await {
            owner = (owner + 1) % 3;
        }
        let (away, here) = if at_the_owner { (owner, (owner + 1) % 3) } else { ((owner + 1) % 3, owner) };

        match hangs {
            Some(mode) => cluster.nodes[away].door.set(mode),
            None => cluster.nodes[away].signal("STOP"),
        }
        let struck = Instant::now();
        // One client closes its connection, and one keeps it, as a proxy may.
        let impatient = Nodes::at(cluster.nodes.iter().map(|node| node.url()).collect(), IMPATIENT);
        let given_up = impatient.ask(away, "hung-up", room_type, &one).await;
        assert!(matches!(given_up, Answer::Open(_)), "{given_up:?}");
        let mut kept = send(&cluster, away, "kept", room_type, stay).await;

        let mut sold = None;
        let is_sold = async || {
            if let Answer::Ack(ack) = nodes.ask(here, "all", room_type, &all).await {
                sold = Some(ack);
            }
            sold.is_some()
        };
        eventually("everything is sold elsewhere", is_sold, || cluster.last_words()).await;
        for key in ["hung-up", "kept"] {
            let told = nodes.ask(here, key, room_type, &one).await;
            assert!(matches!(told, Answer::No(_)), "{key}: {told:?}");
        }
        let cancel = Operation::Cancel { booking: sold.unwrap().booking, rooms: ROOMS.into(), stay: Some(stay) };
        assert!(matches!(nodes.ask(here, "cancel", room_type, &cancel).await, Answer::Ack(_)));

        sleep_until(struck + ANSWER_WITHIN + Duration::from_millis(500)).await;
        match hangs {
            Some(_) => {
                // The node measures the age of such a request from its bytes; only the closed connection shows that it
                // is old.
                drop(kept);
                cluster.nodes[away].door.set(Mode::Open);
            }
            None => {
                cluster.nodes[away].signal("CONT");
                let mut answer = String::new();
                kept.read_to_string(&mut answer).await.unwrap();
                assert!(answer.contains("503") && answer.contains("\"expired\""), "{answer}");
            }
        }
        cluster.ready(away).await;
        // The node has answered the same request once more, so the earlier one is finished.
        eventually(
            "it shows the nights",
            async || nodes.look(away, room_type, stay).await.is_some(),
            || cluster.last_words(),
        )
        .await;
        let seen = nodes.look(here, room_type, stay).await.unwrap();
        assert_eq!(seen.nights[&stay.arrival], (0, 0), "a refused booking exists");
    });
}

/// A booking over its own connection, which only the answer closes.
async fn send(cluster: &Cluster, node: usize, key: &str, room_type: Uuid, stay: Stay) -> TcpStream {
    let body = json!({
        "room_type_id": room_type, "checkin_date": stay.arrival, "checkout_date": stay.departure, "rooms": 1,
        "num_guests": 1, "guests": [{"name": "Ana Lopes", "age": 34}], "contact": {"mobile": "+351912345678"},
        "external_reference": key, "hold": false,
    })
    .to_string();
    let address = cluster.nodes[node].url().strip_prefix("http://").unwrap().to_owned();
    let head = [
        "POST /v1/bookings HTTP/1.1".to_owned(),
        format!("Host: {address}"),
        format!("Authorization: Bearer {}", super::node::ADMIN),
        format!("Idempotency-Key: {key}"),
        "Content-Type: application/json".to_owned(),
        "Connection: close".to_owned(),
        format!("Content-Length: {}", body.len()),
    ];
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{}\r\n\r\n{body}", head.join("\r\n")).as_bytes()).await.unwrap();
    stream
}

/// A night for which nothing else is sold.
pub fn a_night() -> Stay {
    let arrival = System.now().to_zoned(TimeZone::UTC).date().saturating_add(3.days());
    Stay { arrival, departure: arrival.saturating_add(1.day()) }
}

/// A node that cannot reach the database leaves its requests to a node that can, also where it needs no database.
#[rstest]
#[case::cut_off(Mode::Cut)]
#[case::silent(Mode::Hung)]
fn a_node_that_cannot_reach_the_database_leaves_its_requests_to_one_that_can(#[case] mode: Mode) {
    alone(async |_| {
        let cluster = Cluster::start_set(TTL_SECS, SETTINGS, Way::Straight).await;
        let room_type = cluster.catalogue(1).await[0];
        let nodes = Nodes::at(cluster.nodes.iter().map(|node| node.url()).collect(), PATIENT);
        let (stay, cut_off) = (a_night(), 2);
        cluster.nodes[cut_off].to_database.set(mode);
        let operation = Operation::Book { stay, rooms: 1, hold: false };
        let mut booked = None;
        let is_booked = async || {
            if let Answer::Ack(ack) = nodes.ask(cut_off, "k", room_type, &operation).await {
                booked = Some(ack);
            }
            booked.is_some()
        };
        eventually("it is booked at the node that is cut off", is_booked, || cluster.last_words()).await;
        let booking = booked.unwrap().booking;

        let client = reqwest::Client::new();
        let url = |path: &str| format!("{}{path}", cluster.nodes[cut_off].url());
        let get =
            async |path: &str| client.get(url(path)).bearer_auth(super::node::ADMIN).send().await.unwrap().status();
        let days = format!("from={}&to={}", stay.arrival, stay.departure);
        for path in [
            format!("/v1/bookings/{booking}"),
            format!("/v1/room-types/{room_type}"),
            format!("/v1/room-types/{room_type}/availability?{days}"),
            "/v1/hotels".to_owned(),
            "/v1/events".to_owned(),
        ] {
            assert_eq!(get(&path).await, StatusCode::OK, "{path}");
        }
        let cancel = client.post(url(&format!("/v1/bookings/{booking}/cancel"))).bearer_auth(super::node::ADMIN);
        assert_eq!(cancel.send().await.unwrap().status(), StatusCode::OK, "without a key");
        // Not safe to repeat, and begins with a read of the store: forwarded when the database is known to be away.
        let patch = async || {
            let request = client.patch(url(&format!("/v1/room-types/{room_type}"))).bearer_auth(super::node::ADMIN);
            request.json(&json!({"rooms": 5})).send().await.unwrap().status() == StatusCode::OK
        };
        eventually("it is changed", patch, || cluster.last_words()).await;
    });
}
