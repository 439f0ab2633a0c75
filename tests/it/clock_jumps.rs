//! A clock that jumps ahead and is set back: no night stays closed, and holds end in time.

use innkeeper::domain::BookingId;
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::app::{App, NOW, order, with_lone_app};
use crate::support::eventually::eventually;

async fn open_nights(app: &App, room_type: &str) -> usize {
    let path = format!("/v1/room-types/{room_type}/availability?from=2026-05-02&to=2026-07-01");
    // Past days may be refused.
    let nights = app.get(&path).await.body["nights"].as_array().cloned().unwrap_or_default();
    nights.iter().filter(|night| night["free"].as_u64() > Some(0) && night["closed"] == json!(false)).count()
}

async fn is_offered(app: &App) -> bool {
    let found = app.get("/v1/search?city=Lisbon&checkin_date=2026-05-03&checkout_date=2026-05-05").await;
    !found.body["items"].as_array().is_none_or(Vec::is_empty)
}

#[test]
fn nights_that_seemed_past_are_sold_again() {
    with_lone_app(async |app| {
        let room_type = app.room_type(9).await;
        assert_eq!(open_nights(app, &room_type).await, 60);
        assert!(is_offered(app).await);

        for days in [10, 100] {
            app.clock.advance(SignedDuration::from_hours(24 * days));
            // The actor and the search index drop the past days: a fact moves the index's calendar.
            let mut late = order(&room_type, 1, 2);
            late["checkin_date"] = json!("2026-09-01");
            late["checkout_date"] = json!("2026-09-02");
            assert_eq!(app.book(&format!("ahead{days}"), &late).await.status, StatusCode::CREATED);
            eventually("search has let it go", async || !is_offered(app).await).await;
            assert!(open_nights(app, &room_type).await < 60);

            app.clock.set(NOW.parse().unwrap());
            assert_eq!(open_nights(app, &room_type).await, 60);
            let booked = app.book(&format!("back{days}"), &order(&room_type, 1, 2)).await;
            assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
            eventually("search offers it again", async || is_offered(app).await).await;
        }
    });
}

/// Its timer uses the clock as it was when the timer was set.
#[test]
fn a_hold_whose_end_was_skipped_ends_at_the_next_check_of_the_clock() {
    with_lone_app(async |app| {
        let room_type = app.room_type(1).await;
        let mut order = order(&room_type, 1, 2);
        order["hold"] = json!(true);
        let held = app.book("k", &order).await;
        assert_eq!(held.status, StatusCode::CREATED, "{}", held.body);
        let id: BookingId = held.body["id"].as_str().unwrap().parse().unwrap();
        app.clock.advance(SignedDuration::from_hours(1));
        app.running.engine.recover().await.unwrap();
        let status = async || app.running.store.booking(id).await.unwrap().unwrap().status.name();
        eventually("it is ended", async || status().await == "expired").await;
    });
}
