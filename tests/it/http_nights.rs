//! Nights over HTTP: availability, and its bulk change.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{Answer, App, answer, order, with_app};

async fn set(app: &App, room_type: &str, items: Value) -> Answer {
    app.admin(Method::PUT, &format!("/v1/room-types/{room_type}/nights"), &json!({"items": items})).await
}

async fn nights(app: &App, room_type: &str) -> Value {
    app.get(&format!("/v1/room-types/{room_type}/availability?from=2026-06-10&to=2026-06-13")).await.body["nights"]
        .clone()
}

#[test]
fn availability_counts_what_is_sold_and_held_and_knows_its_version() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let path = format!("/v1/room-types/{room_type}/availability?from=2026-06-10&to=2026-06-12");
        app.book("a", &order(&room_type, 10, 11)).await;
        let mut held = order(&room_type, 10, 12);
        held["hold"] = json!(true);
        app.book("b", &held).await;
        let seen = app.get(&path).await;
        let first = &seen.body["nights"][0];
        assert_eq!(
            (&first["date"], &first["physical"], &first["sold"], &first["held"], &first["free"]),
            (&json!("2026-06-10"), &json!(3), &json!(1), &json!(1), &json!(1))
        );
        assert_eq!((&first["closed"], &first["price_minor"]), (&json!(false), &json!(10_000)));
        assert_eq!(seen.body["nights"].as_array().unwrap().len(), 2);
        let tag = seen.headers["etag"].to_str().unwrap();
        assert_eq!(tag, format!("\"{}-20260501-20280430\"", seen.body["sequence"]));

        let again = || answer(app.request(Method::GET, &path).header("If-None-Match", &seen.headers["etag"]));
        assert_eq!(again().await.status, StatusCode::NOT_MODIFIED);
        app.book("c", &order(&room_type, 10, 11)).await;
        assert_eq!(again().await.status, StatusCode::OK);
    });
}

#[test]
fn a_range_ends_after_it_begins_within_a_year() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        for range in [
            "from=2026-06-10&to=2026-06-10",
            "from=2026-06-10&to=2028-06-10",
            "from=2026-06-10",
            "from=10.6.&to=2026-06-12",
        ] {
            let refused = app.get(&format!("/v1/room-types/{room_type}/availability?{range}")).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{range}");
        }
    });
}

#[test]
fn a_bulk_change_handles_each_item_separately() {
    with_app(async |app| {
        let room_type = app.room_type(2).await;
        for key in ["a", "b"] {
            app.book(key, &order(&room_type, 10, 12)).await;
        }
        let done = set(
            app,
            &room_type,
            json!([
                {"from": "2026-06-01", "to": "2026-07-01", "weekdays": ["fri"], "price_minor": 15_000},
                {"from": "2026-06-10", "to": "2026-06-13", "physical": 1},
                {"from": "2026-06-12", "to": "2026-06-13", "stop_sell": true, "min_nights_arrival": 2},
                {"from": "2020-06-12", "to": "2020-06-13", "out_of_order": 1},
                {"from": "2026-06-10", "to": "2026-06-11", "physical": 1, "force": "The manager"},
            ]),
        )
        .await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
        let items = done.body["items"].as_array().unwrap();
        let statuses: Vec<_> = items.iter().map(|item| item["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["applied", "refused", "applied", "refused", "applied"]);
        assert_eq!(items[0]["changed"], 4);
        assert_eq!(items[1]["problem"]["code"], "capacity_below_sold");
        assert_eq!(items[1]["problem"]["nights"].as_array().unwrap().len(), 2);
        assert_eq!(items[3]["problem"]["code"], "outside_horizon");

        let now = nights(app, &room_type).await;
        assert_eq!((&now[0]["physical"], &now[0]["forced"], &now[0]["free"]), (&json!(1), &json!(1), &json!(0)));
        assert_eq!((&now[2]["closed"], &now[2]["price_minor"]), (&json!(true), &Value::Null));
        assert_eq!(now[2]["restrictions"]["min_nights_arrival"], 2);

        set(
            app,
            &room_type,
            json!([{"from": "2026-06-12", "to": "2026-06-13", "stop_sell": null, "price_minor": null}]),
        )
        .await;
        let plan = format!("/v1/room-types/{room_type}/rate-plans");
        let plan = app.get(&plan).await.body["items"][0]["id"].clone();
        set(
            app,
            &room_type,
            json!([{"from": "2026-06-12", "to": "2026-06-13", "stop_sell": false},
            {"from": "2026-06-12", "to": "2026-06-13", "rate_plan_id": plan, "price_minor": 11_000}]),
        )
        .await;
        let reset = nights(app, &room_type).await;
        assert_eq!((&reset[2]["closed"], &reset[2]["price_minor"]), (&json!(false), &json!(11_000)));
    });
}

#[test]
fn closed_nights_and_forbidden_lengths_are_refused_with_their_reasons() {
    with_app(async |app| {
        let room_type = app.room_type(2).await;
        set(
            app,
            &room_type,
            json!([
                {"from": "2026-06-10", "to": "2026-06-11", "stop_sell": true},
                {"from": "2026-06-20", "to": "2026-06-21", "min_nights_arrival": 3},
            ]),
        )
        .await;
        let closed = app.book("a", &order(&room_type, 10, 11)).await;
        assert_eq!((closed.status, &closed.body["code"]), (StatusCode::CONFLICT, &json!("closed")));
        assert_eq!(closed.body["nights"][0]["reason"], "stop_sell");
        let short = app.book("b", &order(&room_type, 20, 21)).await;
        assert_eq!((short.status, &short.body["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("restricted")));
        assert_eq!(short.body["nights"], json!([{"date": "2026-06-20", "reason": "min_nights", "min": 3}]));
    });
}

#[test]
fn one_malformed_item_stops_the_whole_change() {
    with_app(async |app| {
        let room_type = app.room_type(2).await;
        let good = json!({"from": "2026-06-10", "to": "2026-06-13", "physical": 1});
        for (bad, pointer) in [
            (json!({"from": "2026-06-10"}), "/items/1/to"),
            (json!({"from": "2026-06-10", "to": "2026-06-09"}), "/items/1/to"),
            (json!({"from": "2026-06-10", "to": "2026-06-11", "physical": 10_001}), "/items/1/physical"),
            (json!({"from": "2026-06-10", "to": "2026-06-11", "weekdays": ["funday"]}), "/items/1/weekdays/0"),
            (json!({"from": "2026-06-10", "to": "2026-06-13", "weekdays": [], "stop_sell": true}), "/items/1/weekdays"),
            (json!({"from": "2026-06-10", "to": "2026-06-11", "color": "red"}), "/items/1/color"),
        ] {
            let refused = set(app, &room_type, json!([good, bad])).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
            assert_eq!(refused.body["errors"][0]["pointer"], pointer);
        }
        assert_eq!(set(app, &room_type, json!([])).await.body["errors"][0]["pointer"], "/items");
        let many = vec![good.clone(); 1_001];
        assert_eq!(set(app, &room_type, json!(many)).await.body["errors"][0]["rule"], "items_range");
        assert_eq!(nights(app, &room_type).await[0]["physical"], 2);
    });
}

#[test]
fn a_price_needs_a_plan_where_there_are_two() {
    with_app(async |app| {
        let room_type = app.room_type(2).await;
        let plan = json!({"name": "Other", "price_minor": 8_000});
        app.create(&format!("/v1/room-types/{room_type}/rate-plans"), &plan).await;
        let refused = set(app, &room_type, json!([{"from": "2026-06-10", "to": "2026-06-11", "price_minor": 1}])).await;
        assert_eq!(refused.body["errors"][0]["pointer"], "/items/0/rate_plan_id");
    });
}

#[test]
fn a_forced_night_sells_nothing_until_enough_guests_have_left() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let mut guests = Vec::new();
        for key in ["a", "b", "c"] {
            guests.push(app.book(key, &order(&room_type, 10, 11)).await);
        }
        let change = async |key: &str, value: Value| {
            let item = json!({"from": "2026-06-10", "to": "2026-06-11", "out_of_order": value, "force": key});
            let done = set(app, &room_type, json!([item])).await;
            assert_eq!(done.body["items"][0]["status"], "applied", "{}", done.body);
        };
        // (sold, forced, free)
        let night = async || {
            let now = nights(app, &room_type).await[0].clone();
            ["sold", "forced", "free"].map(|member| now[member].as_u64().unwrap())
        };
        change("Rui, burst pipe", json!(2)).await;
        assert_eq!(night().await, [3, 2, 0]);
        for (gone, expected) in [(0, [2, 1, 0]), (1, [1, 0, 0])] {
            let booking = &guests[gone].body;
            let path = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
            let token = booking["manage_token"].as_str().unwrap();
            let left = answer(app.request(Method::POST, &path).bearer_auth(token)).await;
            assert_eq!(left.status, StatusCode::OK, "{}", left.body);
            assert_eq!(night().await, expected);
            let refused = app.book("d", &order(&room_type, 10, 11)).await;
            assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("sold_out")));
        }
        change("Rui, repaired", Value::Null).await;
        assert_eq!(night().await, [1, 0, 2]);
        assert_eq!(app.book("d", &order(&room_type, 10, 11)).await.status, StatusCode::CREATED);
    });
}
