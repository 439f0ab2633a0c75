//! Idempotency-Key where the administrator creates hotels, room types, rate plans and services.

use futures_util::future::join_all;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{ADMIN, Answer, App, answer, with_app, with_test_database};
use crate::support::cluster::with_nodes;
use crate::support::test_database::TestDatabase;

/// Requests that create one object each: address and body.
type Creations = [(String, Value); 4];

/// One request for each kind of object, for the hotel and the room type that are created first.
async fn creations(app: &App) -> Creations {
    let room_type = app.room_type(3).await;
    let hotel = app.get(&format!("/v1/room-types/{room_type}")).await.body["hotel_id"].as_str().unwrap().to_owned();
    let casa =
        json!({"name": "Casa", "city": "Lisbon", "country": "PT", "timezone": "Europe/Lisbon", "currency": "EUR"});
    let twin = json!({"name": "Twin", "max_adults": 2, "max_children": 0, "max_occupancy": 2, "rooms": 5});
    [
        ("/v1/hotels".to_owned(), casa),
        (format!("/v1/hotels/{hotel}/room-types"), twin),
        (format!("/v1/room-types/{room_type}/rate-plans"), json!({"name": "Early", "price_minor": 8_000})),
        (format!("/v1/hotels/{hotel}/services"), json!({"name": "Spa", "basis": "per_stay", "price_minor": 2_500})),
    ]
}

async fn post(app: &App, key: &str, path: &str, body: &Value) -> Answer {
    let request = app.request(Method::POST, path).bearer_auth(ADMIN).header("Idempotency-Key", key);
    answer(request.json(body)).await
}

/// How many objects the list at this address has.
async fn count(app: &App, path: &str) -> usize {
    app.get(&format!("{path}?limit=200")).await.body["items"].as_array().unwrap().len()
}

fn is_replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

fn assert_repeats(again: &Answer, first: &Answer) {
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
    for name in ["location", "etag"] {
        assert_eq!(again.headers[name], first.headers[name]);
    }
    assert!(is_replayed(again), "{:?}", again.headers);
}

#[test]
fn a_repeat_gets_the_first_answer_and_creates_nothing() {
    with_app(async |app| {
        for (number, (path, body)) in creations(app).await.iter().enumerate() {
            let (before, key) = (count(app, path).await, format!("create-{number}"));
            let first = post(app, &key, path, body).await;
            assert_eq!((first.status, is_replayed(&first)), (StatusCode::CREATED, false), "{path}: {}", first.body);
            assert_eq!(app.get(first.headers["location"].to_str().unwrap()).await.body, first.body);
            assert_repeats(&post(app, &key, path, body).await, &first);
            assert_eq!(count(app, path).await, before + 1, "{path}");
        }
    });
}

#[test]
fn without_a_key_every_request_creates() {
    with_app(async |app| {
        for (path, body) in creations(app).await {
            let before = count(app, &path).await;
            let ids = [app.create(&path, &body).await, app.create(&path, &body).await];
            assert_ne!(ids[0], ids[1]);
            assert_eq!(count(app, &path).await, before + 2, "{path}");
        }
    });
}

#[test]
fn a_key_that_was_used_for_another_request_is_refused() {
    with_app(async |app| {
        let creations = creations(app).await;
        for (number, (path, body)) in creations.iter().enumerate() {
            let key = format!("create-{number}");
            assert_eq!(post(app, &key, path, body).await.status, StatusCode::CREATED);
            let before = count(app, path).await;
            let mut other = body.clone();
            other["name"] = json!("Other");
            let (elsewhere, another_body) = &creations[(number + 1) % creations.len()];
            for (path, body) in [(path, &other), (elsewhere, another_body)] {
                let refused = post(app, &key, path, body).await;
                assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", refused.body);
                assert_eq!(refused.body["code"], "idempotency_key_reused", "{path}");
            }
            assert_eq!(count(app, path).await, before, "{path}");
        }
    });
}

#[test]
fn concurrent_repeats_create_once() {
    with_app(async |app| {
        for (number, (path, body)) in creations(app).await.iter().enumerate() {
            let (before, key) = (count(app, path).await, format!("create-{number}"));
            let answers = join_all((0..8).map(|_| post(app, &key, path, body))).await;
            let first = answers.iter().find(|answer| !is_replayed(answer)).expect("one of them is the first");
            assert_eq!(first.status, StatusCode::CREATED, "{path}: {}", first.body);
            for again in answers.iter().filter(|answer| is_replayed(answer)) {
                assert_repeats(again, first);
            }
            assert_eq!(answers.iter().filter(|answer| !is_replayed(answer)).count(), 1, "{path}");
            assert_eq!(count(app, path).await, before + 1, "{path}");
        }
    });
}

#[test]
fn a_refused_request_leaves_its_key_unused() {
    with_app(async |app| {
        for (number, (path, body)) in creations(app).await.iter().enumerate() {
            let key = format!("create-{number}");
            let mut nameless = body.clone();
            nameless["name"] = json!(" ");
            assert_eq!(post(app, &key, path, &nameless).await.body["code"], "invalid_request", "{path}");
            let made = post(app, &key, path, body).await;
            assert_eq!((made.status, is_replayed(&made)), (StatusCode::CREATED, false), "{path}: {}", made.body);
        }
    });
}

#[test]
fn the_first_answer_outlives_a_restart_and_later_changes_until_its_key_expires() {
    let place = TestDatabase::new();
    let (creations, firsts) = with_test_database(&place, &[], async |app| {
        let creations = creations(app).await;
        let mut firsts = Vec::new();
        for (path, body) in &creations {
            let first = post(app, path, path, body).await;
            let (location, renamed) = (first.headers["location"].to_str().unwrap(), json!({"name": "New"}));
            assert_eq!(app.admin(Method::PATCH, location, &renamed).await.body["name"], "New");
            firsts.push(first);
        }
        (creations, firsts)
    });
    with_test_database(&place, &[], async |app| {
        for ((path, body), first) in creations.iter().zip(&firsts) {
            assert_repeats(&post(app, path, path, body).await, first);
        }
        app.clock.advance(SignedDuration::from_hours(25));
        for ((path, body), first) in creations.iter().zip(&firsts) {
            let next = post(app, path, path, body).await;
            assert_eq!((next.status, is_replayed(&next)), (StatusCode::CREATED, false), "{path}: {}", next.body);
            assert_ne!(next.body["id"], first.body["id"]);
        }
    });
}

#[test]
fn a_repeat_at_another_node_gets_the_first_answer() {
    with_nodes(2, async |cluster| {
        let [one, other] = &cluster.nodes[..] else { panic!("two nodes") };
        for (number, (path, body)) in creations(one).await.iter().enumerate() {
            let key = format!("create-{number}");
            let first = post(one, &key, path, body).await;
            assert_eq!(first.status, StatusCode::CREATED, "{path}: {}", first.body);
            assert_repeats(&post(other, &key, path, body).await, &first);

            let (before, key) = (count(one, path).await, format!("both-{number}"));
            let nodes = [one, other, one, other, one, other];
            let answers = join_all(nodes.map(|node| post(node, &key, path, body))).await;
            for answer in &answers {
                assert_eq!((answer.status, &answer.body), (StatusCode::CREATED, &answers[0].body), "{path}");
            }
            assert_eq!(answers.iter().filter(|answer| !is_replayed(answer)).count(), 1, "{path}");
            assert_eq!(count(one, path).await, before + 1, "{path}");
        }
    });
}
