//! The event feed over HTTP.

use innkeeper::clock::Clock;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{App, order, with_app, with_settings};

async fn feed(app: &App, query: &str) -> Value {
    app.settled().await;
    let page = app.admin_get(&format!("/v1/events{query}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    page.body
}

fn causes(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|event| event["cause"].as_str().unwrap()).collect()
}

#[test]
fn all_events_are_read_in_order_and_page_by_page() {
    with_app(async |app| {
        let (one, two) = (app.room_type(3).await, app.room_type(3).await);
        let booked = app.book("a", &order(&two, 10, 12)).await.body;
        app.book("b", &order(&one, 10, 12)).await;
        let cancel = format!("/v1/bookings/{}/cancel", booked["id"].as_str().unwrap());
        app.admin(Method::POST, &cancel, &json!({})).await;

        let all = feed(app, "").await;
        assert_eq!(causes(&all), ["rate_plan_set", "rate_plan_set", "booked", "booked", "cancelled"]);
        assert_eq!(
            (&all["next_cursor"], &all["more"]),
            (&json!(all["items"][4]["position"].to_string()), &json!(false))
        );
        let event = &all["items"][2];
        assert_eq!((&event["room_type_id"], &event["sequence"]), (&json!(two), &json!(2)));
        assert_eq!((&event["booking_id"], &event["at"]), (&booked["id"], &json!("2026-05-01T12:00:00Z")));
        let nights = ["2026-06-10", "2026-06-11"].map(|date| json!({"date": date, "sold_delta": 1, "held_delta": 0}));
        assert_eq!(event["nights"], json!(nights));

        let first = feed(app, "?limit=3").await;
        assert_eq!(first["more"], true);
        let rest = feed(app, &format!("?cursor={}", first["next_cursor"].as_str().unwrap())).await;
        assert_eq!(causes(&rest), ["booked", "cancelled"]);
        let last = rest["next_cursor"].as_str().unwrap();
        let tail = feed(app, &format!("?cursor={last}")).await;
        assert_eq!(tail, json!({"items": [], "next_cursor": last, "more": false}));
        let ends = json!({"items": [], "next_cursor": null, "more": false});
        assert_eq!(feed(app, &format!("?after={last}")).await, ends, "the older parameter ends as it always did");
    });
}

#[test]
fn a_follower_that_begins_before_the_first_event_misses_nothing() {
    with_app(async |app| {
        let nothing = feed(app, "").await;
        assert_eq!((&nothing["items"], &nothing["more"]), (&json!([]), &json!(false)));
        let room_type = app.room_type(3).await;
        let first = feed(app, &format!("?cursor={}", nothing["next_cursor"].as_str().unwrap())).await;
        assert_eq!(causes(&first), ["rate_plan_set"]);
        assert_eq!(first["items"][0]["room_type_id"], room_type);
    });
}

#[test]
fn a_cursor_beyond_the_end_is_of_another_history() {
    with_app(async |app| {
        app.room_type(3).await;
        let end: u64 = feed(app, "").await["next_cursor"].as_str().unwrap().parse().unwrap();
        for beyond in [end + 1_000_000_000, i64::MAX.unsigned_abs()] {
            let gone = app.admin_get(&format!("/v1/events?cursor={beyond}")).await;
            assert_eq!((gone.status, &gone.body["code"]), (StatusCode::GONE, &json!("events_gone")));
            assert!(gone.body["detail"].as_str().unwrap().contains("begin without a cursor"), "{}", gone.body);
        }
    });
}

#[test]
fn events_have_the_new_prices_capacity_and_plans() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let path = format!("/v1/room-types/{room_type}");
        let items = json!({"items": [{"from": "2026-06-10", "to": "2026-06-11", "physical": 5, "price_minor": 15_000,
            "force": "The manager"}]});
        app.admin(Method::PUT, &format!("{path}/nights"), &items).await;
        app.admin(Method::PATCH, &path, &json!({"rooms": 4})).await;
        let events = feed(app, "?after=0").await;
        assert_eq!(events["items"][0]["rate_plan"]["price_minor"], 10_000);
        let set = &events["items"][1];
        assert_eq!((&set["cause"], &set["nights"][0]["physical"]), (&json!("nights_set"), &json!(5)));
        assert_eq!(set["rates"][0]["price_minor"], 15_000);
        assert_eq!((&set["rates"][0]["from"], &set["rates"][0]["to"]), (&json!("2026-06-10"), &json!("2026-06-11")));
        assert_eq!(events["items"][2]["room_type"]["rooms"], 4);
        assert!(!events.to_string().contains("The manager"));
    });
}

#[test]
fn the_feed_is_for_the_administrator_and_knows_its_parameters() {
    with_app(async |app| {
        assert_eq!(app.get("/v1/events").await.status, StatusCode::UNAUTHORIZED);
        for bad in [
            "?after=-1",
            "?after=x",
            "?limit=0",
            "?limit=201",
            "?cursor=",
            "?cursor=1&after=1",
            "?after=9223372036854775808",
        ] {
            let refused = app.admin_get(&format!("/v1/events{bad}")).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        }
    });
}

#[test]
fn a_cursor_before_deleted_events_answers_410() {
    with_settings(&[("event_retention_secs", "3600")], async |app| {
        let room_type = app.room_type(3).await;
        app.book("a", &order(&room_type, 10, 12)).await;
        let old = feed(app, "").await["items"][0]["position"].as_u64().unwrap();
        let later = app.clock.now() + jiff::SignedDuration::from_hours(3);
        app.settled().await;
        app.running.store.trim_events(later, 100).await.unwrap();
        app.book("b", &order(&room_type, 10, 12)).await;
        let gone = app.admin_get(&format!("/v1/events?after={}", old - 1)).await;
        assert_eq!((gone.status, &gone.body["code"]), (StatusCode::GONE, &json!("events_gone")));
        assert_eq!(causes(&feed(app, "").await), ["booked"]);
    });
}

/// Every second night has another price, so no nights form a range: each event is large.
#[test]
fn a_page_is_bounded_in_bytes_and_no_event_is_missed() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let hotel = app.get(&format!("/v1/room-types/{room_type}")).await.body["hotel_id"].clone();
        let hotel = format!("/v1/hotels/{}", hotel.as_str().unwrap());
        app.admin(Method::PATCH, &hotel, &json!({"horizon_nights": 3660})).await;
        let path = format!("/v1/room-types/{room_type}/nights");
        let item = |price, weekdays: Value| json!({"from": "2026-06-01", "to": "2036-04-01", "price_minor": price, "weekdays": weekdays});
        let alternating = (0..8).map(|price| item(100 + price, json!(["mon", "wed", "fri"])));
        let whole = item(500, json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]));
        let items: Vec<_> = alternating.chain([whole]).collect();
        let set = app.admin(Method::PUT, &path, &json!({"items": items})).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.body);

        let (mut after, mut told, mut pages) = (0, Vec::new(), 0);
        loop {
            let page = feed(app, &format!("?limit=200&after={after}")).await;
            let items = page["items"].as_array().unwrap();
            let Some(last) = items.last() else { break };
            assert!(page.to_string().len() < 2 * 1024 * 1024, "{}", page.to_string().len());
            told.extend(items.iter().filter(|event| event["room_type_id"] == room_type.as_str()).cloned());
            (after, pages) = (last["position"].as_u64().unwrap(), pages + 1);
        }
        let sequences: Vec<_> = told.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
        assert_eq!(sequences, (1..=10).collect::<Vec<_>>());
        assert!(pages > 1, "one page has all of it");
        let whole = &told[9]["rates"];
        assert_eq!((whole.as_array().unwrap().len(), &whole[0]["to"]), (1, &json!("2036-04-01")));
    });
}

#[test]
fn no_event_has_guests_data() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        app.book("a", &order(&room_type, 10, 12)).await;
        let text = feed(app, "").await.to_string();
        for personal in ["Ana", "Lopes", "351912345678", "manage_token"] {
            assert!(!text.contains(personal), "{text}");
        }
    });
}
