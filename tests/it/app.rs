//! The composed application: what it says about itself, and that an orderly end loses nothing.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{self, ADMIN, App, answer};

fn order(app: &App, room_type: &str) -> Value {
    let arrival = app.today().tomorrow().unwrap();
    json!({
        "room_type_id": room_type, "checkin_date": arrival, "checkout_date": arrival.tomorrow().unwrap(), "rooms": 1,
        "num_guests": 1, "guests": [{"name": "Ana Lopes", "age": 34}], "contact": {"mobile": "+351912345678"},
    })
}

#[test]
fn it_lives_is_ready_and_shows_its_metrics() {
    support::run(async {
        let app = support::app().await;
        let room_type = app.room_type_with_rooms(1).await;
        let booked = answer(app.post("/v1/bookings", &order(&app, &room_type)).header("Idempotency-Key", "1")).await;
        assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
        for path in ["/healthz", "/readyz"] {
            assert_eq!(answer(app.get(path)).await.status, StatusCode::OK);
        }
        let metrics = app.get("/metrics").send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains("innkeeper_bookings_total{outcome=\"confirmed\"}"), "{metrics}");
        assert!(metrics.contains("innkeeper_panics_total"), "{metrics}");
        app.stop().await;
    });
}

#[test]
fn a_booking_is_there_after_a_restart_and_its_key_gets_the_same_answer() {
    support::run(async {
        let folder = tempfile::tempdir().unwrap();
        let app = support::app_in(folder.path(), &[]).await;
        let room_type = app.room_type_with_rooms(1).await;
        let order = order(&app, &room_type);
        let booked = answer(app.post("/v1/bookings", &order).header("Idempotency-Key", "once")).await;
        assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
        app.stop().await;

        let app = support::app_in(folder.path(), &[]).await;
        let again = answer(app.post("/v1/bookings", &order).header("Idempotency-Key", "once")).await;
        assert_eq!((again.status, &again.body), (StatusCode::CREATED, &booked.body));
        let id = booked.body["id"].as_str().unwrap();
        let found = answer(app.get(&format!("/v1/bookings/{id}")).bearer_auth(ADMIN)).await;
        assert_eq!(found.body["status"], "confirmed");
        assert!(found.headers.contains_key("etag"));
        app.verify().await;
        app.stop().await;
    });
}
