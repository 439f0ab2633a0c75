//! Search over HTTP: every offer can be booked.

use actix_web::http::header::HeaderValue;
use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use innkeeper::http::{Audience, Dependencies, configure};
use innkeeper::search::Index;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{App, answer, order, with_app};

const STAY: &str = "checkin_date=2026-06-10&checkout_date=2026-06-13";

async fn hotel(app: &App, name: &str, rooms: &[(&str, u32, u16)]) -> String {
    hotel_at(app, name, Value::Null, rooms).await
}

/// A hotel in Porto with coordinates: room types by name, price and number of rooms.
async fn hotel_at(app: &App, name: &str, coordinates: Value, rooms: &[(&str, u32, u16)]) -> String {
    let body = json!({"name": name, "city": "Porto", "country": "PT", "timezone": "Europe/Lisbon", "currency": "EUR",
        "coordinates": coordinates});
    let hotel = app.create("/v1/hotels", &body).await;
    for (name, price, rooms) in rooms {
        let body = json!({"name": name, "max_adults": 2, "max_children": 1, "max_occupancy": 3, "rooms": rooms});
        let room_type = app.create(&format!("/v1/hotels/{hotel}/room-types"), &body).await;
        let plan = json!({"name": "Flexible", "price_minor": price});
        app.create(&format!("/v1/room-types/{room_type}/rate-plans"), &plan).await;
    }
    hotel
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
            (format!("city=Porto&latitude=1&longitude=1&radius_km=1&{STAY}"), "/city"),
            (format!("latitude=1&radius_km=1&{STAY}"), "/longitude"),
            (format!("city=Porto&radius_km=1&{STAY}"), "/latitude"),
            (format!("latitude=1&longitude=1&{STAY}"), "/radius_km"),
            (format!("latitude=90.1&longitude=1&radius_km=1&{STAY}"), "/latitude"),
            (format!("latitude=1&longitude=NaN&radius_km=1&{STAY}"), "/longitude"),
            (format!("latitude=1&longitude=1&radius_km=0&{STAY}"), "/radius_km"),
            (format!("latitude=1&longitude=1&radius_km=500.1&{STAY}"), "/radius_km"),
            (format!("latitude=1&longitude=1&radius_km=inf&{STAY}"), "/radius_km"),
            (format!("latitude=north&longitude=1&radius_km=1&{STAY}"), "/latitude"),
            (format!("city=Porto&sort=distance&{STAY}"), "/sort"),
            (format!("city=Porto&sort=stars&{STAY}"), "/sort"),
        ] {
            let refused = app.get(&format!("/v1/search?{query}")).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
            assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.body);
        }
    });
}

#[test]
fn around_a_place_hotels_come_by_price_or_by_distance() {
    with_app(async |app| {
        let at = |latitude: f64| json!({"latitude": latitude, "longitude": -8.6});
        hotel_at(app, "Far and cheap", at(41.3), &[("Double", 5_000, 1)]).await;
        hotel_at(app, "Near and dear", at(41.101), &[("Double", 20_000, 1)]).await;
        hotel_at(app, "In between", at(41.2), &[("Double", 10_000, 1)]).await;
        hotel_at(app, "Too far", at(41.6), &[("Double", 1_000, 1)]).await;
        hotel(app, "Nowhere", &[("Double", 1_000, 1)]).await;
        let around = format!("latitude=41.1&longitude=-8.6&radius_km=30&{STAY}");
        let by_price = search(app, &around).await;
        assert_eq!(names(&by_price), ["Far and cheap", "In between", "Near and dear"]);
        let by_distance = search(app, &format!("{around}&sort=distance")).await;
        assert_eq!(names(&by_distance), ["Near and dear", "In between", "Far and cheap"]);
        let distances: Vec<_> =
            by_distance["items"].as_array().unwrap().iter().map(|offer| &offer["distance_km"]).collect();
        assert_eq!(distances, [&json!(0.111), &json!(11.12), &json!(22.239)]);
        assert!(search(app, &format!("city=Porto&{STAY}")).await["items"][0].get("distance_km").is_none());

        let first = search(app, &format!("{around}&sort=distance&limit=2")).await;
        let cursor = first["next_cursor"].as_str().unwrap();
        let rest = search(app, &format!("{around}&sort=distance&limit=2&cursor={cursor}")).await;
        assert_eq!((names(&rest), &rest["next_cursor"]), (vec!["Far and cheap"], &Value::Null));
        let refused = app.get(&format!("/v1/search?{around}&sort=price&cursor={cursor}")).await;
        assert_eq!(refused.body["errors"][0]["pointer"], "/cursor", "{}", refused.body);
    });
}

#[test]
fn an_unchanged_answer_is_not_sent_again() {
    with_app(async |app| {
        let hotel = hotel(app, "One", &[("Double", 5_000, 1)]).await;
        let room_type = search(app, &format!("city=Porto&{STAY}")).await["items"][0]["room_types"][0]["room_type_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let search = format!("/v1/search?city=Porto&{STAY}");
        let calendar = format!("/v1/hotels/{hotel}/calendar?from=2026-06-01&to=2026-06-30");
        let mut tags = Vec::new();
        for path in [&search, &calendar] {
            let first = app.get(path).await;
            let tag = first.headers["etag"].to_str().unwrap().to_owned();
            assert!(tag.starts_with('"') && first.headers["cache-control"] == "no-cache");
            let again = answer(app.request(Method::GET, path).header("If-None-Match", &tag)).await;
            assert_eq!((again.status, &again.body), (StatusCode::NOT_MODIFIED, &Value::Null));
            tags.push(tag);
        }
        assert_eq!(app.book("k", &order(&room_type, 12, 13)).await.status, StatusCode::CREATED);
        for (path, tag) in [&search, &calendar].into_iter().zip(tags) {
            let changed = answer(app.request(Method::GET, path).header("If-None-Match", &tag)).await;
            assert_eq!(changed.status, StatusCode::OK);
        }
    });
}

#[test]
fn a_calendar_shows_the_cheapest_price_of_every_arrival_or_why_there_is_none() {
    with_app(async |app| {
        let hotel = hotel(app, "One", &[("Double", 5_000, 1), ("Suite", 9_000, 1)]).await;
        let page = search(app, &format!("city=Porto&{STAY}")).await;
        let ids: Vec<_> =
            page["items"][0]["room_types"].as_array().unwrap().iter().map(|it| &it["room_type_id"]).collect();
        let (double, suite) = (ids[0].as_str().unwrap(), ids[1].as_str().unwrap());
        for (key, room_type, first, departure) in [("a", double, 3, 4), ("b", double, 5, 6), ("c", suite, 5, 6)] {
            assert_eq!(app.book(key, &order(room_type, first, departure)).await.status, StatusCode::CREATED);
        }
        let shut = json!({"items": [{"from": "2026-06-08", "to": "2026-06-09", "closed_to_arrival": true}]});
        for room_type in [double, suite] {
            app.admin(Method::PUT, &format!("/v1/room-types/{room_type}/nights"), &shut).await;
        }
        let window = "from=2026-06-02&to=2026-06-10&nights=2";
        let calendar = app.get(&format!("/v1/hotels/{hotel}/calendar?{window}&adults=2")).await.body;
        assert_eq!((&calendar["hotel_id"], &calendar["nights"]), (&json!(hotel), &json!(2)));
        assert_eq!(calendar["currency"], "EUR");
        let days = calendar["days"].as_array().unwrap();
        let told: Vec<_> = days
            .iter()
            .map(|day| day["reason"].as_str().map_or_else(|| day["total_minor"].to_string(), str::to_owned))
            .collect();
        let expected = ["18000", "18000", "sold_out", "sold_out", "10000", "10000", "restricted", "10000"];
        assert_eq!(told, expected);
        assert_eq!((&days[0]["checkin_date"], &days[0]["room_type_id"]), (&json!("2026-06-02"), &json!(suite)));
        assert!(days[0]["rate_plan_id"].is_string() && days[0].get("reason").is_none());
        assert_eq!((&days[2]["total_minor"], &days[2]["room_type_id"]), (&Value::Null, &Value::Null));

        let crowd = app.get(&format!("/v1/hotels/{hotel}/calendar?{window}&adults=9")).await.body;
        assert_eq!(crowd["days"][0]["reason"], "occupancy");
        let past = app.get(&format!("/v1/hotels/{hotel}/calendar?from=2026-04-29&to=2026-05-02")).await.body;
        assert_eq!(
            (&past["days"][0]["reason"], &past["days"][2]["total_minor"]),
            (&json!("arrival_in_the_past"), &json!(5_000))
        );
    });
}

#[test]
fn a_hotel_without_rooms_has_a_closed_calendar_and_an_unknown_one_has_none() {
    with_app(async |app| {
        let empty = hotel(app, "Empty", &[]).await;
        let window = "from=2026-06-01&to=2026-06-02";
        let calendar = app.get(&format!("/v1/hotels/{empty}/calendar?{window}")).await;
        assert_eq!(calendar.body["days"][0]["reason"], "closed", "{}", calendar.body);
        let unknown = app.get(&format!("/v1/hotels/{}/calendar?{window}", uuid::Uuid::nil())).await;
        assert_eq!((unknown.status, &unknown.body["code"]), (StatusCode::NOT_FOUND, &json!("no_such_hotel")));
        for (query, pointer) in [
            ("from=2026-06-02&to=2026-06-02", "/to"),
            ("from=2026-06-01&to=2027-06-03", "/to"),
            ("from=2026-06-01", "/to"),
            ("from=2026-06-01&to=2026-06-02&nights=0", "/nights"),
            ("from=2026-06-01&to=2026-06-02&nights=1001", "/nights"),
            ("from=2026-06-01&to=2026-06-02&adults=0", "/adults"),
            ("from=2026-06-01&to=2026-06-02&city=Porto", "/city"),
        ] {
            let refused = app.get(&format!("/v1/hotels/{empty}/calendar?{query}")).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
            assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.body);
        }
        let last = app.get(&format!("/v1/hotels/{empty}/calendar?from=9999-12-30&to=9999-12-31&nights=5")).await;
        assert_eq!(last.body["days"][0]["reason"], "beyond_horizon");
    });
}

#[test]
fn during_the_build_of_the_index_only_search_answers_503() {
    with_app(async |app| {
        let dependencies = Dependencies { search: Index::default(), ..app.dependencies() };
        let application = actix_web::App::new().configure(configure(dependencies, Audience::Everybody));
        let starting = init_service(application).await;
        for path in ["/readyz".to_owned(), format!("/v1/search?city=Porto&{STAY}")] {
            let refused = call_service(&starting, TestRequest::get().uri(&path).to_request()).await;
            let retry_after = refused.headers().get("retry-after").cloned();
            assert_eq!((refused.status().as_u16(), retry_after), (503, Some(HeaderValue::from_static("1"))));
            let problem: Value = read_body_json(refused).await;
            assert_eq!(problem["code"], "starting", "{path}");
        }
        let hotels = TestRequest::get().uri("/v1/hotels").to_request();
        assert!(call_service(&starting, hotels).await.status().is_success());
    });
}
