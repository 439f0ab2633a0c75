//! Search over HTTP: what it offers is sold.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, with_app};

const STAY: &str = "checkin_date=2026-06-10&checkout_date=2026-06-13";

async fn hotel(app: &App, name: &str, rooms: &[(&str, u32, u16)]) {
    let body = json!({"name": name, "city": "Porto", "country": "PT", "timezone": "Europe/Lisbon", "currency": "EUR"});
    let hotel = app.create("/v1/hotels", &body).await;
    for (name, price, rooms) in rooms {
        let body = json!({"name": name, "max_adults": 2, "max_children": 1, "max_occupancy": 3, "rooms": rooms});
        let room_type = app.create(&format!("/v1/hotels/{hotel}/room-types"), &body).await;
        let plan = json!({"name": "Flexible", "price_minor": price});
        app.create(&format!("/v1/room-types/{room_type}/rate-plans"), &plan).await;
    }
}

async fn search(app: &App, query: &str) -> Value {
    let found = app.get(&format!("/v1/search?{query}")).await;
    assert_eq!(found.status, StatusCode::OK, "{}", found.body);
    found.body
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|offer| offer["hotel"]["name"].as_str().unwrap()).collect()
}

#[test]
fn the_cheapest_hotel_comes_first_and_pages_do_not_overlap() {
    with_app(async |app| {
        hotel(app, "Dear", &[("Suite", 30_000, 1), ("Double", 20_000, 1)]).await;
        hotel(app, "Cheap", &[("Double", 5_000, 1)]).await;
        hotel(app, "Middle", &[("Double", 10_000, 1), ("Closed", 1_000, 0)]).await;
        let all = search(app, &format!("city=porto&{STAY}")).await;
        assert_eq!(names(&all), ["Cheap", "Middle", "Dear"]);
        let dear = &all["items"][2];
        assert_eq!((&dear["total_minor"], &dear["currency"]), (&json!(60_000), &json!("EUR")));
        assert_eq!(dear["room_types"][0]["nights_minor"], json!([20_000, 20_000, 20_000]));
        assert_eq!(dear["room_types"].as_array().unwrap().len(), 2);

        let first = search(app, &format!("city=Porto&{STAY}&limit=2")).await;
        let cursor = first["next_cursor"].as_str().unwrap();
        let rest = search(app, &format!("city=Porto&{STAY}&limit=2&cursor={cursor}")).await;
        assert_eq!((names(&first), names(&rest)), (vec!["Cheap", "Middle"], vec!["Dear"]));
        assert_eq!(rest["next_cursor"], Value::Null);
        assert_eq!(search(app, &format!("city=Faro&{STAY}")).await["items"], json!([]));
    });
}

#[test]
fn what_search_offers_booking_accepts() {
    with_app(async |app| {
        hotel(app, "One", &[("Double", 5_000, 1), ("Suite", 9_000, 2)]).await;
        let mut sold = 0;
        loop {
            let page = search(app, &format!("city=Porto&{STAY}&adults=2&children=1")).await;
            let Some(offer) = page["items"].get(0).map(|hotel| hotel["room_types"][0].clone()) else { break };
            let booked = app
                .book(
                    &format!("k{sold}"),
                    &json!({
                        "room_type_id": offer["room_type_id"], "rate_plan_id": offer["rate_plan_id"],
                        "checkin_date": "2026-06-10", "checkout_date": "2026-06-13", "rooms": 1, "num_guests": 3,
                        "guests": [{"name": "A", "age": 40}, {"name": "B", "age": 40}, {"name": "C", "age": 4}],
                        "contact": {"mobile": "+351912345678"},
                    }),
                )
                .await;
            assert_eq!((booked.status, &booked.body["total_minor"]), (StatusCode::CREATED, &offer["total_minor"]));
            sold += 1;
        }
        assert_eq!(sold, 3);
    });
}

#[test]
fn a_search_is_checked_like_a_booking() {
    with_app(async |app| {
        for (query, pointer) in [
            (STAY.to_owned(), "/city"),
            ("city=Porto&checkin_date=2026-06-13&checkout_date=2026-06-10".to_owned(), "/checkout_date"),
            (format!("city=Porto&{STAY}&adults=0"), "/adults"),
            (format!("city=Porto&{STAY}&rooms=9999999999999999999999"), "/rooms"),
            (format!("city=Porto&{STAY}&pets=1"), "/pets"),
            (format!("city=Porto&{STAY}&cursor=AAAA"), "/cursor"),
        ] {
            let refused = app.get(&format!("/v1/search?{query}")).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
            assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.body);
        }
    });
}
