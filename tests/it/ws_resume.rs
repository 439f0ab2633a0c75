//! A dashboard that reconnects, or stays connected, gets a snapshot when its nights changed without a fact.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{App, order, with_lone_app};
use crate::support::live::{Dashboard, june_after};

/// Watches from today on, the first of May, into June.
fn may_after(room_type: &str, after: u64) -> Value {
    let mut frame = june_after(room_type, after);
    frame["from"] = json!("2026-05-01");
    frame["to"] = json!("2026-06-10");
    frame
}

async fn booked(app: &App) -> (String, u64) {
    let room_type = app.room_type(3).await;
    let sequence = app.book("a", &order(&room_type, 10, 12)).await.body["sequence"].as_u64().unwrap();
    (room_type, sequence)
}

/// The type of the first frame of a client that reconnects.
async fn back(app: &App, wish: &Value) -> String {
    let mut dashboard = Dashboard::open(app).await;
    dashboard.send(wish).await;
    dashboard.next().await["type"].as_str().unwrap().to_owned()
}

async fn set(app: &App, room_type: &str, settings: &Value) {
    let hotel = app.get(&format!("/v1/room-types/{room_type}")).await.body["hotel_id"].as_str().unwrap().to_owned();
    let answer = app.admin(Method::PATCH, &format!("/v1/hotels/{hotel}"), settings).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

#[test]
fn a_client_that_resumes_unchanged_nights_gets_current() {
    with_lone_app(async |app| {
        let (room_type, sequence) = booked(app).await;
        assert_eq!(back(app, &may_after(&room_type, sequence)).await, "current");
        // Dashboards show neither of these.
        set(app, &room_type, &json!({"name": "Casa Nova", "max_nights": 20})).await;
        app.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(back(app, &june_after(&room_type, sequence)).await, "current");
    });
}

#[test]
fn a_client_that_resumes_after_a_new_horizon_gets_a_snapshot() {
    with_lone_app(async |app| {
        let (room_type, sequence) = booked(app).await;
        set(app, &room_type, &json!({"horizon_nights": 50})).await;
        assert_eq!(back(app, &june_after(&room_type, sequence)).await, "snapshot");
        assert_eq!(back(app, &june_after(&room_type, sequence - 1)).await, "snapshot");
        let sequence = app.book("b", &order(&room_type, 3, 4)).await.body["sequence"].as_u64().unwrap();
        assert_eq!(back(app, &june_after(&room_type, sequence)).await, "current");
    });
}

#[test]
fn a_client_that_resumes_after_midnight_gets_a_snapshot() {
    with_lone_app(async |app| {
        let (room_type, sequence) = booked(app).await;
        app.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(back(app, &may_after(&room_type, sequence)).await, "snapshot");
        assert_eq!(back(app, &june_after(&room_type, sequence)).await, "current");
    });
}

#[test]
fn a_connected_dashboard_gets_a_snapshot_at_midnight_and_after_a_change_of_settings() {
    with_lone_app(async |app| {
        let (room_type, sequence) = booked(app).await;
        let mut watching = Dashboard::open(app).await;
        watching.send(&may_after(&room_type, sequence)).await;
        assert_eq!(watching.next().await["type"], "current");

        app.clock.advance(SignedDuration::from_hours(24));
        let told = watching.next().await;
        assert_eq!((&told["type"], &told["from"]), (&json!("snapshot"), &json!("2026-05-02")));
        assert_eq!(told["sold"].as_array().unwrap().len(), 39);

        set(app, &room_type, &json!({"horizon_nights": 20})).await;
        let told = watching.next().await;
        assert_eq!((&told["type"], told["sold"].as_array().unwrap().len()), (&json!("snapshot"), 20));
        assert_eq!(told["sequence"], sequence);
    });
}
