//! The composed application: its health and metrics, and an orderly shutdown that loses nothing.

use reqwest::{Method, StatusCode};

use crate::support::app::{order, with_app, with_settings, with_test_database};
use crate::support::test_database::TestDatabase;

#[test]
fn a_running_server_answers_health_readiness_and_metrics() {
    with_app(async |app| {
        let room_type = app.room_type(1).await;
        assert_eq!(app.book("1", &order(&room_type, 1, 2)).await.status, StatusCode::CREATED);
        for path in ["/healthz", "/readyz"] {
            assert_eq!(app.get(path).await.status, StatusCode::OK);
        }
        let metrics = app.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
        let names = ["bookings_total{outcome=\"confirmed\"}", "decide_seconds_bucket", "commit_seconds_bucket"];
        for name in names.into_iter().chain(["commit_batch_size", "mailbox_depth", "live_actors", "panics_total"]) {
            assert!(metrics.contains(&format!("innkeeper_{name}")), "{name} is missing in {metrics}");
        }
    });
}

#[test]
fn a_booking_exists_after_a_restart_and_its_key_gets_the_same_answer() {
    let place = TestDatabase::new();
    let (order, booked) = with_test_database(&place, &[], async |app| {
        let room_type = app.room_type(1).await;
        let order = order(&room_type, 1, 2);
        let booked = app.book("once", &order).await;
        assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
        (order, booked.body)
    });
    with_test_database(&place, &[], async |app| {
        let again = app.book("once", &order).await;
        assert_eq!((again.status, &again.body), (StatusCode::CREATED, &booked));
        let found = app.admin_get(&format!("/v1/bookings/{}", booked["id"].as_str().unwrap())).await;
        assert_eq!(found.body["status"], "confirmed");
        assert!(found.headers.contains_key("etag"));
    });
}

#[test]
fn every_answer_of_a_server_that_drains_is_the_last_on_its_connection() {
    with_app(async |app| {
        let says_so = async |path| {
            let answer = app.request(Method::GET, path).send().await.unwrap();
            answer.headers().get("connection").is_some_and(|connection| connection == "close")
        };
        assert!(!says_so("/readyz").await);
        app.running.begin_draining();
        for path in ["/readyz", "/v1/hotels", "/nowhere"] {
            assert!(says_so(path).await, "{path}");
        }
    });
}

#[test]
fn without_an_administrators_token_there_is_no_administrator() {
    with_settings(&[("admin_token", "")], async |app| {
        assert_eq!(app.admin_get("/v1/bookings").await.status, StatusCode::UNAUTHORIZED);
    });
}
