//! Entries that the database refuses: the caller gets a final answer, and no other caller notices.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::sold;
use crate::support::app::{Answer, App, order, with_test_database, with_unreliable_journal_on};
use crate::support::test_database::{TestDatabase, is_postgres_run};

/// The database refuses every booking with this reference, like a value that passes every validation.
const POISON: &str = "poison";

/// A database that refuses this reference, and a room type in it.
async fn poisoned(place: &TestDatabase, app: &App) -> String {
    let room_type = app.room_type(60).await;
    let guard = match is_postgres_run() {
        true => "ALTER TABLE bookings ADD CONSTRAINT no_poison CHECK (external_reference IS DISTINCT FROM 'poison')",
        false => {
            "CREATE TRIGGER no_poison BEFORE INSERT ON bookings WHEN new.external_reference = 'poison'
             BEGIN SELECT RAISE(ABORT, 'no poison'); END"
        }
    };
    place.execute(guard).await;
    room_type
}

fn poisonous(room_type: &str) -> Value {
    let mut order = order(room_type, 1, 2);
    order["external_reference"] = json!(POISON);
    order
}

fn assert_final(answer: &Answer) {
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("unstorable")));
    assert!(!answer.headers.contains_key("retry-after"), "{:?}", answer.headers);
}

#[test]
fn one_refused_booking_does_not_affect_others() {
    let place = TestDatabase::new();
    with_test_database(&place, &[], async |app| {
        let room_type = poisoned(&place, app).await;
        let (fine, poison) = (order(&room_type, 1, 2), poisonous(&room_type));
        let book = async |number: usize| match number % 10 {
            5 => (true, app.book(&format!("k{number}"), &poison).await),
            _ => (false, app.book(&format!("k{number}"), &fine).await),
        };
        for (is_poison, answer) in join_all((0..50).map(book)).await {
            match is_poison {
                true => assert_final(&answer),
                false => assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body),
            }
        }
        assert_eq!(sold(app, &room_type).await, 45);
    });
}

#[test]
fn a_repeat_of_a_refused_booking_does_not_reload_the_actor() {
    let place = TestDatabase::new();
    let room_type = with_test_database(&place, &[], async |app| poisoned(&place, app).await);
    with_unreliable_journal_on(&place, &[], async |app, journal| {
        assert_final(&app.book("k", &poisonous(&room_type)).await);
        assert_eq!(sold(app, &room_type).await, 0);
        let claims = journal.claimed();
        for _ in 0..5 {
            assert_final(&app.book("k", &poisonous(&room_type)).await);
        }
        assert_eq!(journal.claimed(), claims);
        // Nothing was stored with the key, so a correct request may use it.
        let right = app.book("k", &order(&room_type, 1, 2)).await;
        assert_eq!(right.status, StatusCode::CREATED, "{}", right.body);
        assert_eq!(journal.claimed(), claims);
    });
}

/// Another program changed the rows: memory was wrong, and is right after a reload.
#[test]
fn a_booking_that_contradicts_what_is_stored_is_decided_again() {
    let place = TestDatabase::new();
    with_test_database(&place, &[], async |app| {
        let room_type = app.room_type(2).await;
        assert_eq!(app.book("k1", &order(&room_type, 1, 2)).await.status, StatusCode::CREATED);
        place.execute("UPDATE nights SET physical = 1, capacity = 1").await;
        let refused = app.book("k2", &order(&room_type, 1, 2)).await;
        assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("sold_out")));
        assert_eq!(sold(app, &room_type).await, 1);
    });
}

/// Objects that are no facts are written without an actor.
#[test]
fn a_refused_hotel_is_not_a_failure_of_the_database() {
    let place = TestDatabase::new();
    with_test_database(&place, &[], async |app| {
        let guard = match is_postgres_run() {
            true => "ALTER TABLE hotels ADD CONSTRAINT no_poison CHECK (name <> 'poison')",
            false => {
                "CREATE TRIGGER no_poison BEFORE INSERT ON hotels WHEN new.name = 'poison'
                 BEGIN SELECT RAISE(ABORT, 'no poison'); END"
            }
        };
        place.execute(guard).await;
        let hotel = |name: &str| json!({"name": name, "city": "Lisbon", "country": "PT", "timezone": "Europe/Lisbon", "currency": "EUR"});
        assert_final(&app.admin(Method::POST, "/v1/hotels", &hotel(POISON)).await);
        assert_eq!(app.admin(Method::POST, "/v1/hotels", &hotel("Casa")).await.status, StatusCode::CREATED);
        assert_eq!(app.get("/readyz").await.status, StatusCode::OK);
    });
}
