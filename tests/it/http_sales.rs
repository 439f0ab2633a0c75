//! Sales over HTTP: which plan is sold, who stays in which room, and the price of a change.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{ADMIN, Answer, App, answer, order, with_app};

async fn change(app: &App, booking: &Value, token: &str, body: Value) -> Answer {
    let path = format!("/v1/bookings/{}", booking["id"].as_str().unwrap());
    answer(app.request(Method::PATCH, &path).bearer_auth(token).json(&body)).await
}

#[test]
fn where_several_plans_sell_a_booking_names_one_and_search_shows_them_all() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let strict = json!({"name": "Non-refundable", "price_minor": 8_000, "refundable": false});
        let strict = app.create(&format!("/v1/room-types/{room_type}/rate-plans"), &strict).await;
        let refused = app.book("a", &order(&room_type, 10, 12)).await;
        assert_eq!((refused.status.as_u16(), &refused.body["code"]), (422, &json!("rate_plan_required")));
        assert_eq!(refused.body["errors"][0]["pointer"], "/rate_plan_id");
        let plans = refused.body["rate_plans"].as_array().unwrap();
        let told: Vec<_> =
            plans.iter().map(|plan| (&plan["name"], &plan["total_minor"], &plan["refundable"])).collect();
        let expected =
            [(json!("Non-refundable"), json!(16_000), json!(false)), (json!("Flexible"), json!(20_000), json!(true))];
        assert_eq!(told, expected.each_ref().map(|(name, total, refundable)| (name, total, refundable)));

        let found = app.get("/v1/search?city=Lisbon&checkin_date=2026-06-10&checkout_date=2026-06-12").await;
        let offered = &found.body["items"][0]["room_types"][0];
        assert_eq!((&offered["rate_plan_id"], &offered["total_minor"]), (&json!(strict), &json!(16_000)));
        let offered = offered["rate_plans"].as_array().unwrap();
        assert_eq!(offered[0]["cancellation_policy"]["refundable"], false);
        assert_eq!(offered[1]["cancellation_policy"]["tiers"][0]["until"], "2026-06-10T14:00:00Z");
        for (key, plan) in ["b", "c"].into_iter().zip(offered) {
            let mut named = order(&room_type, 10, 12);
            named["rate_plan_id"] = plan["rate_plan_id"].clone();
            let booked = app.book(key, &named).await;
            assert_eq!((booked.status, &booked.body["total_minor"]), (StatusCode::CREATED, &plan["total_minor"]));
        }

        let mut cheapest = order(&room_type, 10, 12);
        cheapest["rate_plan"] = json!("cheapest");
        assert_eq!(app.book("d", &cheapest).await.body["rate_plan_id"], json!(strict));
        for (word, id, pointer) in [("cheapest", json!(strict), "/rate_plan"), ("dearest", Value::Null, "/rate_plan")] {
            let mut wrong = order(&room_type, 10, 12);
            (wrong["rate_plan"], wrong["rate_plan_id"]) = (json!(word), id);
            let refused = app.book("e", &wrong).await;
            assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["pointer"]), (422, &json!(pointer)));
        }
    });
}

#[test]
fn every_room_has_an_adult_unless_the_hotel_forces_it() {
    with_app(async |app| {
        let room_type = app.room_type(9).await;
        let mut three = order(&room_type, 10, 11);
        three["rooms"] = json!(3);
        let mut child = order(&room_type, 10, 11);
        child["guests"] = json!([{"name": "Rui Lopes", "age": 7}]);
        let book = async |order: &Value, token: Option<&str>| {
            let request = app.request(Method::POST, "/v1/bookings").json(order);
            let request = match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            };
            answer(request).await
        };
        for order in [&three, &child] {
            for token in [None, Some(ADMIN)] {
                let refused = book(order, token).await;
                assert_eq!((refused.status.as_u16(), &refused.body["code"]), (422, &json!("occupancy")));
            }
            let mut forced = order.clone();
            forced["force"] = json!("Ana, parents next door");
            assert_eq!(book(&forced, None).await.body["code"], "forbidden");
            let booked = book(&forced, Some(ADMIN)).await;
            assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
        }
        let one = app.book("k", &order(&room_type, 10, 11)).await.body;
        let guest = one["manage_token"].as_str().unwrap();
        assert_eq!(change(app, &one, guest, json!({"rooms": 2})).await.body["code"], "occupancy");
        assert_eq!(change(app, &one, guest, json!({"rooms": 2, "force": "me"})).await.body["code"], "forbidden");
        assert_eq!(change(app, &one, ADMIN, json!({"rooms": 2, "force": "Ana"})).await.status, StatusCode::OK);
        let stay = "checkin_date=2026-06-10&checkout_date=2026-06-11";
        let search = app.get(&format!("/v1/search?city=Lisbon&{stay}&adults=1&rooms=3")).await;
        assert_eq!((search.status.as_u16(), &search.body["errors"][0]["pointer"]), (422, &json!("/adults")));
        assert_eq!(app.get(&format!("/v1/search?city=Lisbon&{stay}&rooms=3")).await.status, StatusCode::OK);
    });
}

#[test]
fn a_sold_room_keeps_its_price_when_another_is_added() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let mut two = order(&room_type, 10, 12);
        (two["num_guests"], two["guests"]) =
            (json!(2), json!([{"name": "Ana Lopes", "age": 34}, {"name": "Rui Lopes", "age": 36}]));
        let booking = app.book("k", &two).await.body;
        let dearer = json!({"items": [{"from": "2026-06-01", "to": "2026-07-01", "price_minor": 15_000}]});
        app.admin(Method::PUT, &format!("/v1/room-types/{room_type}/nights"), &dearer).await;
        let guest = booking["manage_token"].as_str().unwrap();
        let grown = change(app, &booking, guest, json!({"rooms": 2})).await;
        assert_eq!((grown.status, &grown.body["total_minor"]), (StatusCode::OK, &json!(50_000)), "{}", grown.body);
        let groups =
            json!([{"rooms": 1, "nights_minor": [10_000, 10_000]}, {"rooms": 1, "nights_minor": [15_000, 15_000]}]);
        assert_eq!(grown.body["room_groups"], groups);
        // As stored.
        let path = format!("/v1/bookings/{}", booking["id"].as_str().unwrap());
        assert_eq!(app.admin_get(&path).await.body, grown.body);
        let shrunk = change(app, &booking, guest, json!({"rooms": 1})).await;
        assert_eq!((&shrunk.body["total_minor"], &shrunk.body["nights"]), (&json!(20_000), &booking["nights"]));
    });
}
