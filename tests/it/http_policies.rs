//! Cancellation policies over HTTP: what a guest may give up, and what only the hotel may.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{ADMIN, Answer, App, answer, order, with_app};

/// A booking of three nights with a plan without refund.
async fn non_refundable(app: &App) -> Value {
    let room_type = app.room_type(2).await;
    let plan = json!({"name": "Non-refundable", "price_minor": 8_000, "refundable": false});
    let plan = app.create(&format!("/v1/room-types/{room_type}/rate-plans"), &plan).await;
    let mut order = order(&room_type, 10, 13);
    order["rate_plan_id"] = json!(plan);
    app.book("k", &order).await.body
}

async fn change(app: &App, booking: &Value, token: &str, body: Value) -> Answer {
    let path = format!("/v1/bookings/{}", booking["id"].as_str().unwrap());
    answer(app.request(Method::PATCH, &path).bearer_auth(token).json(&body)).await
}

#[test]
fn a_guest_gives_up_a_part_only_while_cancelling_is_free() {
    with_app(async |app| {
        let booking = non_refundable(app).await;
        let guest = booking["manage_token"].as_str().unwrap();
        let shorter = || json!({"checkout_date": "2026-06-11"});
        let refused = change(app, &booking, guest, shorter()).await;
        assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("change_not_free")));
        assert!(refused.body["detail"].as_str().unwrap().contains("ask the hotel"), "{}", refused.body);
        let longer = change(app, &booking, guest, json!({"checkout_date": "2026-06-14"})).await;
        assert_eq!((longer.status, &longer.body["total_minor"]), (StatusCode::OK, &json!(32_000)), "{}", longer.body);
        let allowed = change(app, &booking, ADMIN, shorter()).await;
        assert_eq!((allowed.status, &allowed.body["total_minor"]), (StatusCode::OK, &json!(8_000)), "{}", allowed.body);
    });
}

/// A booking of three nights, arriving tomorrow, with free cancellation until a day before.
async fn free_for_two_more_hours(app: &App) -> (String, Value) {
    let room_type = app.room_type(2).await;
    let hotel = app.get(&format!("/v1/room-types/{room_type}")).await.body["hotel_id"].as_str().unwrap().to_owned();
    let tiers = json!([{"hours_before_check_in": 24, "fee": {"type": "none"}}]);
    let plan = json!({"name": "Semi", "price_minor": 10_000, "cancellation_tiers": tiers});
    let plan = app.create(&format!("/v1/room-types/{room_type}/rate-plans"), &plan).await;
    let mut order = order(&room_type, 10, 13);
    order["rate_plan_id"] = json!(plan);
    (order["checkin_date"], order["checkout_date"]) = (json!("2026-05-02"), json!("2026-05-05"));
    let booked = app.book("k", &order).await;
    assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
    (hotel, booked.body)
}

async fn act(app: &App, booking: &Value, token: &str, verb: &str) -> Answer {
    let path = format!("/v1/bookings/{}/{verb}", booking["id"].as_str().unwrap());
    answer(app.request(Method::POST, &path).bearer_auth(token)).await
}

/// What cancelling would cost now.
async fn fee(app: &App, booking: &Value) -> Value {
    let preview = act(app, booking, ADMIN, "cancel?dry_run=true").await;
    assert_eq!(preview.status, StatusCode::OK, "{}", preview.body);
    preview.body["fee_minor"].clone()
}

#[test]
fn no_later_setting_of_the_hotel_moves_a_deadline_that_was_sold() {
    with_app(async |app| {
        let (hotel, booking) = free_for_two_more_hours(app).await;
        let path = format!("/v1/hotels/{hotel}");
        assert_eq!(booking["cancellation_policy"]["tiers"][0]["until"], "2026-05-01T14:00:00Z");
        assert_eq!(fee(app, &booking).await, 0);
        let earlier = app.admin(Method::PATCH, &path, &json!({"check_in_time": "06:00"})).await;
        assert_eq!(earlier.status, StatusCode::OK, "{}", earlier.body);
        assert_eq!(fee(app, &booking).await, 0);
        let eastern = json!({"timezone": "Asia/Tokyo", "force": "Ana, wrong since the opening"});
        assert_eq!(app.admin(Method::PATCH, &path, &eastern).await.status, StatusCode::OK);
        assert_eq!(fee(app, &booking).await, 0);
        app.clock.set("2026-05-01T14:00:01Z".parse().unwrap());
        assert_eq!(fee(app, &booking).await, 10_000);

        // The hotel's present settings apply to a new arrival: 06:00 in Tokyo, a day before.
        let moved =
            change(app, &booking, ADMIN, json!({"checkin_date": "2026-05-12", "checkout_date": "2026-05-15"})).await;
        assert_eq!(moved.body["cancellation_policy"]["tiers"][0]["until"], "2026-05-10T21:00:00Z", "{}", moved.body);
        let longer = change(app, &booking, ADMIN, json!({"checkout_date": "2026-05-16"})).await;
        assert_eq!(longer.body["cancellation_policy"], moved.body["cancellation_policy"]);
    });
}

#[test]
fn a_time_zone_with_live_bookings_is_changed_only_by_force_and_says_what_moves() {
    with_app(async |app| {
        let (hotel, booking) = free_for_two_more_hours(app).await;
        let path = format!("/v1/hotels/{hotel}");
        let before = app.get(&path).await;
        let refused = app.admin(Method::PATCH, &path, &json!({"timezone": "Pacific/Auckland"})).await;
        assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("live_bookings")));
        assert_eq!(refused.body["errors"][0]["pointer"], "/timezone");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("Live bookings: 1.") && detail.contains("2026-05-02"), "{detail}");
        assert_eq!(app.get(&path).await.body, before.body);
        // Setting the same zone again has no effect.
        let same = app.admin(Method::PATCH, &path, &json!({"timezone": "Europe/Lisbon"})).await;
        assert_eq!((same.status, &same.body), (StatusCode::OK, &before.body));
        for (force, pointer) in [(json!(" "), "/force"), (json!(true), "/force")] {
            let refused = app.admin(Method::PATCH, &path, &json!({"timezone": "Asia/Tokyo", "force": force})).await;
            assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.body);
        }

        let forced = app.admin(Method::PATCH, &path, &json!({"timezone": "Pacific/Auckland", "force": "Ana"})).await;
        let expected = json!({
            "live_bookings": 1, "today_before": "2026-05-01", "today_after": "2026-05-02",
            "check_in_before": "2026-05-01T14:00:00Z", "check_in_after": "2026-05-01T03:00:00Z",
        });
        assert_eq!((forced.status, &forced.body["moved"]), (StatusCode::OK, &expected), "{}", forced.body);
        let now = app.get(&path).await;
        assert_eq!(now.headers["etag"], forced.headers["etag"]);
        assert!(now.body.get("moved").is_none() && now.body["timezone"] == "Pacific/Auckland");

        assert_eq!(act(app, &booking, ADMIN, "cancel").await.status, StatusCode::OK);
        let free = app.admin(Method::PATCH, &path, &json!({"timezone": "Europe/Lisbon"})).await;
        assert_eq!((free.status, free.body.get("moved")), (StatusCode::OK, None));
    });
}

#[test]
fn cancelling_after_the_last_deadline_costs_as_much_as_a_no_show() {
    with_app(async |app| {
        let (_, booking) = free_for_two_more_hours(app).await;
        let policy = &booking["cancellation_policy"];
        let first_night = json!({"type": "nights", "nights": 1});
        assert_eq!((&policy["late_cancellation_fee"], &policy["no_show_fee"]), (&first_night, &first_night));
        app.clock.set("2026-05-02T18:00:00Z".parse().unwrap());
        assert_eq!(fee(app, &booking).await, 10_000);
        assert_eq!(act(app, &booking, ADMIN, "no-show").await.body["fee_minor"], 10_000);
    });
}

#[test]
fn the_fee_after_the_last_deadline_is_a_member_of_the_plan() {
    with_app(async |app| {
        let room_type = app.room_type(1).await;
        let plans = format!("/v1/room-types/{room_type}/rate-plans");
        let percent = |percent: u8| json!({"type": "percent", "percent": percent});
        let plan = json!({"name": "Semi", "price_minor": 9_000, "no_show_fee": percent(80)});
        let path = format!("/v1/rate-plans/{}", app.create(&plans, &plan).await);
        assert_eq!(app.get(&path).await.body["late_cancellation_fee"], percent(80));
        let patch = async |body: Value| app.admin(Method::PATCH, &path, &body).await.body;
        // It follows the no-show fee until it has a value, and again after that is removed.
        assert_eq!(patch(json!({"no_show_fee": percent(70)})).await["late_cancellation_fee"], percent(70));
        let own = patch(json!({"late_cancellation_fee": percent(60)})).await;
        assert_eq!((&own["late_cancellation_fee"], &own["no_show_fee"]), (&percent(60), &percent(70)));
        assert_eq!(patch(json!({"late_cancellation_fee": null})).await["late_cancellation_fee"], percent(70));
        let wrong = patch(json!({"late_cancellation_fee": percent(101)})).await;
        assert_eq!(wrong["errors"][0]["pointer"], "/late_cancellation_fee/percent");
    });
}

#[test]
fn a_past_stay_cannot_be_changed() {
    with_app(async |app| {
        let room_type = app.room_type(2).await;
        let unused = app.book("a", &order(&room_type, 10, 13)).await.body;
        let arrived = app.book("b", &order(&room_type, 10, 13)).await.body;
        app.clock.set("2026-06-10T16:00:00Z".parse().unwrap());
        assert_eq!(act(app, &arrived, ADMIN, "check-in").await.status, StatusCode::OK);
        // Check-out is at 11:00 in Lisbon.
        app.clock.set("2026-06-13T10:00:00Z".parse().unwrap());
        let guests = json!({"guests": [{"name": "Rui Lopes", "age": 40}], "num_guests": 1});
        for booking in [&unused, &arrived] {
            let guest = booking["manage_token"].as_str().unwrap();
            let refused = change(app, booking, guest, guests.clone()).await;
            assert_eq!((refused.status, &refused.body["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("too_late")));
        }
        for token in [ADMIN, unused["manage_token"].as_str().unwrap()] {
            for verb in ["cancel", "cancel?dry_run=true"] {
                let refused = act(app, &unused, token, verb).await;
                assert_eq!(refused.body["code"], "too_late", "{verb}: {}", refused.body);
            }
            let later = json!({"checkin_date": "2026-06-20", "checkout_date": "2026-06-21"});
            assert_eq!(change(app, &unused, token, later).await.body["code"], "too_late");
        }
        assert_eq!(act(app, &unused, ADMIN, "check-in").await.body["code"], "too_late");
        // Actions that only the hotel may do.
        assert_eq!(act(app, &unused, ADMIN, "no-show").await.status, StatusCode::OK);
        assert_eq!(change(app, &arrived, ADMIN, guests).await.status, StatusCode::OK);
        assert_eq!(act(app, &arrived, ADMIN, "check-out").await.status, StatusCode::OK);
    });
}
