//! Live inventory: snapshot, change, resume.

use reqwest::Method;
use serde_json::json;

use crate::support::app::{order, with_lone_app};
use crate::support::live::{Dashboard, Projection, june, june_after};

#[test]
fn a_snapshot_has_all_nights_and_a_change_the_changed_ones() {
    with_lone_app(async |app| {
        let room_type = app.room_type(3).await;
        app.book("a", &order(&room_type, 10, 12)).await;
        let mut dashboard = Dashboard::open(app).await;
        dashboard.send(&june(&room_type)).await;
        let snapshot = dashboard.next().await;
        assert_eq!((&snapshot["type"], &snapshot["from"]), (&json!("snapshot"), &json!("2026-06-01")));
        assert_eq!((&snapshot["room_type_id"], &snapshot["sequence"]), (&json!(room_type), &json!(2)));
        let tenth = |column: &str| snapshot[column][9].as_i64().unwrap();
        assert_eq!(["physical", "sold", "held", "free", "price_minor"].map(tenth), [3, 1, 0, 2, 10_000]);
        assert_eq!(snapshot["price_minor"].as_array().unwrap().len(), 30);

        let mut hold = order(&room_type, 11, 14);
        hold["hold"] = json!(true);
        app.book("b", &hold).await;
        let expected = json!({"type": "change", "room_type_id": room_type, "sequence": 3, "from": "2026-06-11",
            "sold": [1, 0, 0], "held": [1, 1, 1], "free": [1, 2, 2], "cause": "held"});
        assert_eq!(dashboard.next().await, expected);
    });
}

#[test]
fn only_watched_nights_are_sent() {
    with_lone_app(async |app| {
        let room_type = app.room_type(3).await;
        let mut dashboard = Dashboard::open(app).await;
        let mut window = june(&room_type);
        (window["from"], window["to"]) = (json!("2026-06-10"), json!("2026-06-12"));
        dashboard.send(&window).await;
        assert_eq!(dashboard.next().await["sold"], json!([0, 0]));
        app.book("before", &order(&room_type, 8, 10)).await;
        app.book("into", &order(&room_type, 9, 11)).await;
        app.book("after", &order(&room_type, 12, 14)).await;
        let change = dashboard.next().await;
        assert_eq!(
            (&change["from"], &change["sold"], &change["sequence"]),
            (&json!("2026-06-10"), &json!([1]), &json!(3))
        );
        assert!(dashboard.is_silent().await);
    });
}

#[test]
fn prices_and_capacity_come_as_a_fresh_snapshot() {
    with_lone_app(async |app| {
        let room_type = app.room_type(3).await;
        let (mut dashboard, _) = Dashboard::watching(app, &room_type).await;
        let items =
            json!({"items": [{"from": "2026-06-10", "to": "2026-06-11", "physical": 5, "price_minor": 15_000}]});
        app.admin(Method::PUT, &format!("/v1/room-types/{room_type}/nights"), &items).await;
        let snapshot = dashboard.next().await;
        let tenth = |column: &str| snapshot[column][9].as_i64().unwrap();
        assert_eq!(["physical", "free", "price_minor"].map(tenth), [5, 5, 15_000]);
        let closed = json!({"items": [{"from": "2026-06-10", "to": "2026-06-11", "stop_sell": true}]});
        app.admin(Method::PUT, &format!("/v1/room-types/{room_type}/nights"), &closed).await;
        assert!(dashboard.next().await["price_minor"][9].is_null());
        let elsewhere = json!({"items": [{"from": "2026-07-10", "to": "2026-07-11", "stop_sell": true}]});
        app.admin(Method::PUT, &format!("/v1/room-types/{room_type}/nights"), &elsewhere).await;
        assert!(dashboard.is_silent().await);
    });
}

#[test]
fn a_client_that_resumes_gets_the_missed_changes() {
    with_lone_app(async |app| {
        let room_type = app.room_type(9).await;
        let (dashboard, mut projection) = Dashboard::watching(app, &room_type).await;
        drop(dashboard);
        let booked = app.book("a", &order(&room_type, 10, 13)).await;
        app.book("b", &order(&room_type, 11, 12)).await;
        let cancel = format!("/v1/bookings/{}/cancel", booked.body["id"].as_str().unwrap());
        app.admin(Method::POST, &cancel, &json!({})).await;

        let mut again = Dashboard::open(app).await;
        again.send(&june_after(&room_type, projection.sequence)).await;
        let frames = [again.next().await, again.next().await, again.next().await];
        let told =
            frames.each_ref().map(|frame| (frame["sequence"].as_u64().unwrap(), frame["cause"].as_str().unwrap()));
        assert_eq!(told, [(2, "booked"), (3, "booked"), (4, "cancelled")]);
        assert_eq!(
            frames.each_ref().map(|frame| frame["sold"].clone()),
            [json!([1, 1, 1]), json!([2]), json!([0, 1, 0])]
        );
        assert_eq!(frames[1]["free"], json!([7]));
        frames.iter().for_each(|frame| assert!(projection.follow(frame)));
        assert_eq!(again.next().await, json!({"type": "current", "room_type_id": room_type, "sequence": 4}));
        assert_eq!(projection, Projection::of(app, &room_type).await);
    });
}

#[test]
fn a_client_that_missed_nothing_gets_current() {
    with_lone_app(async |app| {
        let room_type = app.room_type(9).await;
        let mut dashboard = Dashboard::open(app).await;
        let mut frame = june(&room_type);
        frame["after"] = json!(1);
        dashboard.send(&frame).await;
        assert_eq!(dashboard.next().await, json!({"type": "current", "room_type_id": room_type, "sequence": 1}));
    });
}

#[test]
fn a_client_with_too_old_or_future_sequence_gets_a_snapshot() {
    with_lone_app(async |app| {
        let room_type = app.room_type(99).await;
        for key in 0..70 {
            app.book(&key.to_string(), &order(&room_type, 10, 11)).await;
        }
        for after in [1, 1_000] {
            let mut dashboard = Dashboard::open(app).await;
            dashboard.send(&june_after(&room_type, after)).await;
            let snapshot = dashboard.next().await;
            assert_eq!((&snapshot["type"], &snapshot["sequence"]), (&json!("snapshot"), &json!(71)));
            assert!(snapshot.get("conflated").is_none());
        }
    });
}

#[test]
fn a_missed_change_of_prices_means_a_snapshot() {
    with_lone_app(async |app| {
        let room_type = app.room_type(9).await;
        let plan = json!({"name": "Saver", "price_minor": 9_000});
        app.create(&format!("/v1/room-types/{room_type}/rate-plans"), &plan).await;
        let mut dashboard = Dashboard::open(app).await;
        dashboard.send(&june_after(&room_type, 1)).await;
        let snapshot = dashboard.next().await;
        assert_eq!((&snapshot["type"], &snapshot["price_minor"][0]), (&json!("snapshot"), &json!(9_000)));
    });
}

#[test]
fn a_hotel_is_watched_with_the_room_types_it_gets_later() {
    with_lone_app(async |app| {
        let room_type = app.room_type(3).await;
        let hotel = app.get(&format!("/v1/room-types/{room_type}")).await.body["hotel_id"].clone();
        let mut dashboard = Dashboard::open(app).await;
        let subscribe =
            json!({"type": "subscribe", "id": 7, "hotel_id": hotel, "from": "2026-06-01", "to": "2026-06-03"});
        dashboard.send(&subscribe).await;
        assert_eq!(dashboard.next().await["room_type_id"], json!(room_type));
        let single = json!({"name": "Single", "max_adults": 1, "max_children": 0, "max_occupancy": 1, "rooms": 2});
        let single = app.create(&format!("/v1/hotels/{}/room-types", hotel.as_str().unwrap()), &single).await;
        loop {
            let frame = dashboard.next().await;
            if frame["room_type_id"] == json!(single) {
                assert_eq!((&frame["type"], &frame["physical"]), (&json!("snapshot"), &json!([2, 2])));
                break;
            }
        }
    });
}

#[test]
fn a_hotel_without_room_types_can_be_watched() {
    with_lone_app(async |app| {
        let hotel =
            json!({"name": "Casa", "city": "Faro", "country": "PT", "timezone": "Europe/Lisbon", "currency": "EUR"});
        let hotel = app.create("/v1/hotels", &hotel).await;
        let mut dashboard = Dashboard::open(app).await;
        let subscribe =
            json!({"type": "subscribe", "id": "all", "hotel_id": hotel, "from": "2026-06-01", "to": "2026-06-03"});
        dashboard.send(&subscribe).await;
        assert_eq!(dashboard.next().await, json!({"type": "current", "id": "all"}));
    });
}

#[test]
fn after_unsubscribing_nothing_is_sent() {
    with_lone_app(async |app| {
        let room_type = app.room_type(3).await;
        let (mut dashboard, _) = Dashboard::watching(app, &room_type).await;
        dashboard.send(&json!({"type": "unsubscribe", "id": "june"})).await;
        assert!(dashboard.is_silent().await);
        app.book("a", &order(&room_type, 10, 12)).await;
        assert!(dashboard.is_silent().await);
        dashboard.send(&json!({"type": "unsubscribe", "id": "june"})).await;
        let error = dashboard.next().await;
        assert_eq!((&error["code"], &error["id"]), (&json!("no_such_subscription"), &json!("june")));
    });
}

#[test]
fn a_subscription_of_the_same_name_is_replaced() {
    with_lone_app(async |app| {
        let room_type = app.room_type(3).await;
        let (mut dashboard, _) = Dashboard::watching(app, &room_type).await;
        let mut next = june(&room_type);
        (next["from"], next["to"]) = (json!("2026-06-20"), json!("2026-06-22"));
        dashboard.send(&next).await;
        assert_eq!(dashboard.next().await["sold"], json!([0, 0]));
        app.book("a", &order(&room_type, 10, 12)).await;
        app.book("b", &order(&room_type, 20, 21)).await;
        assert_eq!(dashboard.next().await["from"], json!("2026-06-20"));
        assert!(dashboard.is_silent().await);
    });
}

#[test]
fn an_expired_hold_is_sent() {
    with_lone_app(async |app| {
        let room_type = app.room_type(3).await;
        let (mut dashboard, _) = Dashboard::watching(app, &room_type).await;
        let mut hold = order(&room_type, 10, 11);
        hold["hold"] = json!(true);
        app.book("a", &hold).await;
        assert_eq!(dashboard.next().await["held"], json!([1]));
        app.clock.advance(jiff::SignedDuration::from_mins(20));
        Projection::of(app, &room_type).await;
        let change = dashboard.next().await;
        assert_eq!((&change["cause"], &change["free"]), (&json!("expired"), &json!([3])));
    });
}
