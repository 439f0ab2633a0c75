//! ETags, conditions and keys: an ETag changes with its content, an outdated condition has no effect, and a write
//! without a change leaves no trace.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{ADMIN, Answer, App, answer, order, with_app};

fn availability(room_type: &str) -> String {
    format!("/v1/room-types/{room_type}/availability?from=2026-06-01&to=2026-07-01")
}

/// The status of a read with a known ETag.
async fn again(app: &App, path: &str, known: &Answer) -> StatusCode {
    answer(app.request(Method::GET, path).header("If-None-Match", &known.headers["etag"])).await.status
}

async fn change(app: &App, method: Method, path: &str, body: &Value, seen: &str) -> Answer {
    answer(app.request(method, path).bearer_auth(ADMIN).header("If-Match", seen).json(body)).await
}

async fn hotel_of(app: &App, room_type: &str) -> String {
    app.get(&format!("/v1/room-types/{room_type}")).await.body["hotel_id"].as_str().unwrap().to_owned()
}

/// Every event so far.
async fn history(app: &App) -> Value {
    app.settled().await;
    app.admin_get("/v1/events?limit=200").await.body["items"].clone()
}

#[test]
fn a_shorter_horizon_changes_the_etag_of_the_availability() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let seen = app.get(&availability(&room_type)).await;
        assert_eq!(again(app, &availability(&room_type), &seen).await, StatusCode::NOT_MODIFIED);
        let hotel = hotel_of(app, &room_type).await;
        app.admin(Method::PATCH, &format!("/v1/hotels/{hotel}"), &json!({"horizon_nights": 40})).await;
        let now = app.get(&availability(&room_type)).await;
        assert!(now.body["nights"].as_array().unwrap().len() < seen.body["nights"].as_array().unwrap().len());
        assert_ne!(now.headers["etag"], seen.headers["etag"]);
        assert_eq!(again(app, &availability(&room_type), &seen).await, StatusCode::OK);
        assert_eq!(again(app, &availability(&room_type), &now).await, StatusCode::NOT_MODIFIED);
    });
}

#[test]
fn midnight_changes_the_etag_of_the_availability() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let path = format!("/v1/room-types/{room_type}/availability?from=2026-05-01&to=2026-05-04");
        let seen = app.get(&path).await;
        app.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(again(app, &path, &seen).await, StatusCode::OK);
        assert_eq!(app.get(&path).await.body["nights"][0]["date"], "2026-05-02");
    });
}

#[test]
fn the_etag_of_the_availability_is_a_condition_for_booking() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let tag = app.get(&availability(&room_type)).await.headers["etag"].clone();
        let book = |key: &'static str| {
            let request = app.request(Method::POST, "/v1/bookings").header("Idempotency-Key", key);
            answer(request.header("If-Match", &tag).json(&order(&room_type, 10, 12)))
        };
        assert_eq!(book("a").await.status, StatusCode::CREATED);
        assert_eq!(book("b").await.status, StatusCode::PRECONDITION_FAILED);
    });
}

#[test]
fn the_etag_of_yesterdays_availability_is_stale_although_nothing_was_booked() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let tag = app.get(&availability(&room_type)).await.headers["etag"].to_str().unwrap().to_owned();
        let book = async |key: &'static str| {
            let request = app.request(Method::POST, "/v1/bookings").header("Idempotency-Key", key);
            answer(request.header("If-Match", &tag).json(&order(&room_type, 10, 12))).await.status
        };
        assert_eq!(book("today").await, StatusCode::CREATED);
        let tag = app.get(&availability(&room_type)).await.headers["etag"].to_str().unwrap().to_owned();
        // Past midnight in Lisbon, and within the time for which a key is kept.
        app.clock.advance(SignedDuration::from_hours(13));
        let request = app.request(Method::POST, "/v1/bookings").header("If-Match", &tag);
        assert_eq!(answer(request.json(&order(&room_type, 10, 12))).await.status, StatusCode::PRECONDITION_FAILED);
        let nights = json!({"items": [{"from": "2026-06-10", "to": "2026-06-11", "price_minor": 9_000}]});
        let set = app.request(Method::PUT, &format!("/v1/room-types/{room_type}/nights")).bearer_auth(ADMIN);
        assert_eq!(answer(set.header("If-Match", &tag).json(&nights)).await.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(book("today").await, StatusCode::CREATED, "a repeat gets the first answer");
    });
}

#[test]
fn nights_with_if_match_need_the_version_that_was_read() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let path = format!("/v1/room-types/{room_type}/nights");
        let price = |price: i64| {
            json!({"items": [
            {"from": "2026-06-10", "to": "2026-06-11", "price_minor": price},
            {"from": "2026-06-20", "to": "2026-06-21", "price_minor": price}]})
        };
        let seen = app.get(&availability(&room_type)).await;
        let tag = seen.headers["etag"].to_str().unwrap();
        let first = change(app, Method::PUT, &path, &price(15_000), tag).await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.body);
        assert_eq!([&first.body["items"][0]["status"], &first.body["items"][1]["status"]], ["applied", "applied"]);

        let events = history(app).await;
        for stale in [tag.to_owned(), seen.body["sequence"].to_string()] {
            let refused = change(app, Method::PUT, &path, &price(9_000), &stale).await;
            assert_eq!((refused.status, &refused.body["code"]), (StatusCode::PRECONDITION_FAILED, &json!("stale")));
        }
        assert_eq!(app.get(&availability(&room_type)).await.body["nights"][9]["price_minor"], 15_000);
        assert_eq!(history(app).await, events);
        let malformed = change(app, Method::PUT, &path, &price(9_000), "yesterday").await;
        assert_eq!((malformed.status, &malformed.body["code"]), (StatusCode::BAD_REQUEST, &json!("malformed_header")));
        assert_eq!(change(app, Method::PUT, &path, &price(9_000), "*").await.status, StatusCode::OK);
    });
}

#[test]
fn a_change_of_a_booking_without_a_difference_has_no_effect() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let booked = app.book("a", &order(&room_type, 10, 12)).await;
        let path = format!("/v1/bookings/{}", booked.body["id"].as_str().unwrap());
        let events = history(app).await;
        let members = ["checkin_date", "checkout_date", "rooms", "num_guests", "guests"];
        let present: Vec<_> = members.iter().map(|name| (*name, booked.body[name].clone())).collect();
        let one_by_one = present.iter().map(|(name, value)| json!({*name: value}));
        let all: Value = json!(present.iter().cloned().collect::<BTreeMap<_, _>>());
        for same in one_by_one.chain([json!({}), all]) {
            let changed = app.admin(Method::PATCH, &path, &same).await;
            assert_eq!((changed.status, &changed.headers["etag"]), (StatusCode::OK, &booked.headers["etag"]), "{same}");
            assert_eq!(changed.body, booked.body);
        }
        let keyed = app.request(Method::PATCH, &path).bearer_auth(ADMIN).header("Idempotency-Key", "k");
        assert_eq!(answer(keyed.json(&json!({}))).await.headers["etag"], booked.headers["etag"]);
        let stale = change(app, Method::PATCH, &path, &json!({}), "\"1\"").await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        let other = app.admin(Method::PATCH, &path, &json!({"num_guests": 2})).await;
        assert_eq!((other.status, &other.body["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid_request")));
        assert_eq!(other.body["errors"][0]["pointer"], "/num_guests");
        assert_eq!(other.body["errors"][0]["rule"], "guests_match");
        assert_eq!(history(app).await, events);
        let moved = app.admin(Method::PATCH, &path, &json!({"checkin_date": "2026-06-11"})).await;
        assert_ne!(moved.headers["etag"], booked.headers["etag"]);
    });
}

#[test]
fn setting_present_values_has_no_effect() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let hotel = hotel_of(app, &room_type).await;
        let service = json!({"name": "Breakfast", "basis": "per_stay", "price_minor": 1_000});
        let service = app.create(&format!("/v1/hotels/{hotel}/services"), &service).await;
        let plans = app.get(&format!("/v1/room-types/{room_type}/rate-plans")).await.body;
        let plan = plans["items"][0]["id"].as_str().unwrap().to_owned();
        let nights =
            json!({"items": [{"from": "2026-06-10", "to": "2026-06-12", "price_minor": 15_000, "physical": 4}]});
        let path = format!("/v1/room-types/{room_type}/nights");
        app.admin(Method::PUT, &path, &nights).await;

        let (events, seen) = (history(app).await, app.get(&availability(&room_type)).await);
        let set = app.admin(Method::PUT, &path, &nights).await.body;
        assert_eq!((&set["items"][0]["status"], &set["items"][0]["changed"]), (&json!("applied"), &json!(0)));
        assert_eq!(set["items"][0]["sequence"], seen.body["sequence"]);
        for (path, same) in [
            (format!("/v1/hotels/{hotel}"), json!({"currency": "EUR"})),
            (format!("/v1/room-types/{room_type}"), json!({"rooms": 3})),
            (format!("/v1/rate-plans/{plan}"), json!({"price_minor": 10_000})),
            (format!("/v1/services/{service}"), json!({"price_minor": 1_000})),
        ] {
            let before = app.get(&path).await;
            for body in [json!({}), same] {
                let after = app.admin(Method::PATCH, &path, &body).await;
                assert_eq!((after.status, &after.headers["etag"]), (StatusCode::OK, &before.headers["etag"]), "{path}");
            }
        }
        assert_eq!(history(app).await, events);
        assert_eq!(again(app, &availability(&room_type), &seen).await, StatusCode::NOT_MODIFIED);
    });
}

/// Members that identify an object. A PATCH does not take them.
const IDS: [&str; 3] = ["id", "hotel_id", "room_type_id"];

#[test]
fn every_member_of_the_catalogue_that_repeats_its_present_value_changes_nothing() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let hotel = hotel_of(app, &room_type).await;
        let service = json!({"name": "Breakfast", "basis": "per_stay", "price_minor": 1_000});
        let service = app.create(&format!("/v1/hotels/{hotel}/services"), &service).await;
        let plans = format!("/v1/room-types/{room_type}/rate-plans");
        let flexible = app.get(&plans).await.body["items"][0]["id"].as_str().unwrap().to_owned();
        let strict = app.create(&plans, &json!({"name": "Strict", "price_minor": 1, "refundable": false})).await;
        let tiers = json!([{"hours_before_check_in": 24, "fee": {"type": "percent", "percent": 50}}]);
        let fee = json!({"type": "fixed", "amount_minor": 700});
        let custom =
            json!({"name": "Own", "price_minor": 2, "cancellation_tiers": tiers, "late_cancellation_fee": fee});
        let custom = app.create(&plans, &custom).await;
        let hotel = format!("/v1/hotels/{hotel}");
        let place = json!({"coordinates": {"latitude": 38.7223, "longitude": -9.1393}, "check_in_time": "14:30"});
        assert_eq!(app.admin(Method::PATCH, &hotel, &place).await.status, StatusCode::OK);

        let events = history(app).await;
        let plan = |id: &str| format!("/v1/rate-plans/{id}");
        let service = format!("/v1/services/{service}");
        let room_type = format!("/v1/room-types/{room_type}");
        for path in [hotel, room_type, service, plan(&flexible), plan(&strict), plan(&custom)] {
            let before = app.get(&path).await;
            let mut present = before.body.as_object().unwrap().clone();
            present.retain(|name, _| !IDS.contains(&name.as_str()));
            let one_by_one = present.iter().map(|(name, value)| json!({name: value}));
            for same in one_by_one.chain([json!(present)]) {
                let after = app.admin(Method::PATCH, &path, &same).await;
                assert_eq!(after.status, StatusCode::OK, "{path} {same}: {}", after.body);
                assert_eq!((&after.headers["etag"], &after.body), (&before.headers["etag"], &before.body), "{same}");
            }
        }
        assert_eq!(history(app).await, events, "no fact was recorded");
        let half = json!({"type": "percent", "percent": 50});
        let changed = app.admin(Method::PATCH, &plan(&flexible), &json!({"no_show_fee": half})).await;
        assert_eq!(changed.body["late_cancellation_fee"], half, "it still follows the no-show fee");
    });
}

#[test]
fn a_key_is_refused_where_it_would_not_be_stored() {
    with_app(async |app| {
        let request = app.request(Method::POST, "/v1/cluster/drain").bearer_auth(ADMIN);
        let refused = answer(request.header("Idempotency-Key", "drain-1").json(&json!({}))).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
        assert_eq!(refused.body["code"], "idempotency_key_unsupported");
    });
}
