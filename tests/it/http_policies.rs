//! Cancellation policies over HTTP: what a guest may give back, and what only the hotel may.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{ADMIN, Answer, App, answer, order, with_app};

/// A booking of three nights under a plan that refunds nothing.
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
fn a_guest_does_not_leave_in_part_where_leaving_costs_a_fee_unless_the_hotel_allows_it() {
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
