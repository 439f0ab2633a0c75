//! Hotels, room types, rate plans and services over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{Answer, App, answer, order, with_app};

fn hotel() -> Value {
    json!({"name": "Casa", "city": "Lisbon", "country": "PT", "timezone": "Europe/Lisbon", "currency": "EUR"})
}

async fn patch(app: &App, path: &str, body: Value) -> Answer {
    app.admin(Method::PATCH, path, &body).await
}

fn pointers(answer: &Answer) -> Vec<&str> {
    answer.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

#[test]
fn a_hotel_is_created_read_and_changed() {
    with_app(async |app| {
        let made = app.admin(Method::POST, "/v1/hotels", &hotel()).await;
        assert_eq!(made.status, StatusCode::CREATED);
        let path = made.headers["location"].to_str().unwrap();
        assert_eq!(path, format!("/v1/hotels/{}", made.body["id"].as_str().unwrap()));
        assert_eq!((&made.body["max_nights"], &made.body["check_in_time"]), (&json!(30), &json!("15:00")));
        assert_eq!(app.get(path).await.body, made.body);

        let changes = json!({"max_nights": 60, "coordinates": {"latitude": 38.7, "longitude": -9.1}});
        let changed = patch(app, path, changes).await;
        assert_eq!((changed.status, &changed.body["max_nights"]), (StatusCode::OK, &json!(60)));
        let reset = patch(app, path, json!({"max_nights": null, "coordinates": null})).await;
        assert_eq!((&reset.body["max_nights"], &reset.body["coordinates"]), (&json!(30), &Value::Null));
        assert_eq!(app.get(path).await.body, made.body);
    });
}

#[test]
fn every_mistake_in_a_hotel_is_named_at_once() {
    with_app(async |app| {
        let wrong = json!({"name": " ", "city": "L", "country": "XX", "timezone": "Mars/Olympus", "currency": "EUR",
            "max_nights": 0});
        let refused = app.admin(Method::POST, "/v1/hotels", &wrong).await;
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid_request"))
        );
        assert_eq!(pointers(&refused), ["/name", "/country", "/timezone", "/max_nights"]);
        assert_eq!(app.get("/v1/hotels").await.body, json!({"items": [], "next_cursor": null}));
    });
}

#[test]
fn a_patch_is_as_strict_as_a_body() {
    with_app(async |app| {
        let path = format!("/v1/hotels/{}", app.create("/v1/hotels", &hotel()).await);
        for (body, pointer) in [
            (json!({"nmae": "x"}), "/nmae"),
            (json!({"name": null}), "/name"),
            (json!({"name": 1}), "/name"),
            (json!({"currency": "USD"}), "/currency"),
            (json!([]), ""),
        ] {
            let refused = patch(app, &path, body).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
            assert_eq!(pointers(&refused), [pointer]);
        }
    });
}

#[test]
fn a_cursor_continues_after_the_last_page() {
    with_app(async |app| {
        for n in 0..5 {
            let body = json!({"name": format!("Casa {n}"), "city": "Porto", "country": "PT",
                "timezone": "Europe/Lisbon", "currency": "EUR"});
            app.create("/v1/hotels", &body).await;
        }
        app.create("/v1/hotels", &hotel()).await;
        let (mut names, mut path) = (Vec::new(), "/v1/hotels?city=porto&limit=2".to_owned());
        for _ in 0..3 {
            let page = app.get(&path).await.body;
            names.extend(page["items"].as_array().unwrap().iter().map(|hotel| hotel["name"].clone()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/hotels?city=porto&limit=2&cursor={cursor}");
        }
        assert_eq!(names, ["Casa 0", "Casa 1", "Casa 2", "Casa 3", "Casa 4"]);
    });
}

#[test]
fn a_room_type_cannot_lose_rooms_that_are_sold() {
    with_app(async |app| {
        let room_type = app.room_type(2).await;
        let path = format!("/v1/room-types/{room_type}");
        for key in ["a", "b"] {
            assert_eq!(app.book(key, &order(&room_type, 10, 12)).await.status, StatusCode::CREATED);
        }
        let refused = patch(app, &path, json!({"rooms": 1})).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.body["code"], "capacity_below_sold");
        assert_eq!(refused.body["nights"][0]["date"], "2026-06-10");
        assert_eq!(app.get(&path).await.body["rooms"], 2);

        let more = patch(app, &path, json!({"rooms": 3, "overbooking_allowance": -1})).await;
        assert_eq!((more.status, &more.body["overbooking_allowance"]), (StatusCode::OK, &json!(-1)));
        assert_eq!(app.get(&path).await.body, more.body);
    });
}

#[test]
fn a_rate_plan_says_whether_it_is_refundable_and_its_tiers_agree() {
    with_app(async |app| {
        let room_type = app.room_type(1).await;
        let plans = format!("/v1/room-types/{room_type}/rate-plans");
        let body = json!({"name": "Semi", "price_minor": 9_000, "cancellation_tiers": [
            {"hours_before_check_in": 24, "fee": {"type": "percent", "percent": 50}},
            {"hours_before_check_in": 72, "fee": {"type": "none"}}]});
        let path = format!("/v1/rate-plans/{}", app.create(&plans, &body).await);
        let plan = app.get(&path).await.body;
        assert_eq!(
            (&plan["refundable"], &plan["cancellation_tiers"][0]["hours_before_check_in"]),
            (&json!(true), &json!(72))
        );

        let fixed = patch(app, &path, json!({"no_show_fee": {"type": "fixed", "amount_minor": 500}})).await.body;
        assert_eq!(fixed["no_show_fee"], json!({"type": "fixed", "amount_minor": 500}));
        let falling = patch(app, &path, json!({"no_show_fee": {"type": "none"}})).await;
        let error = &falling.body["errors"][0];
        assert_eq!((&error["pointer"], &error["rule"]), (&json!("/late_cancellation_fee"), &json!("fee_order")));
        let late = json!({"type": "percent", "percent": 50});
        let free = patch(app, &path, json!({"no_show_fee": {"type": "none"}, "late_cancellation_fee": late})).await;
        assert_eq!((free.status, &free.body["no_show_fee"]), (StatusCode::OK, &json!({"type": "none"})));
        let halved = patch(app, &path, json!({"no_show_fee": {"percent": 50}})).await;
        assert_eq!(halved.body["errors"][0]["rule"], "required", "{}", halved.body);

        let strict = patch(app, &path, json!({"refundable": false})).await.body;
        assert_eq!((&strict["cancellation_tiers"], &strict["no_show_fee"]["percent"]), (&json!([]), &json!(100)));
        let tiers = json!([{"hours_before_check_in": 0, "fee": {"type": "none"}}]);
        let lenient = patch(app, &path, json!({"cancellation_tiers": tiers})).await.body;
        assert_eq!(lenient["refundable"], true);
        let torn = patch(app, &path, json!({"refundable": false, "cancellation_tiers": tiers})).await;
        assert_eq!(torn.body["errors"][0]["rule"], "contradiction");
        assert_eq!(app.get(&plans).await.body["items"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn a_new_service_can_be_ordered_and_a_changed_one_costs_what_it_costs_now() {
    with_app(async |app| {
        let room_type = app.room_type(5).await;
        let hotel = app.get(&format!("/v1/room-types/{room_type}")).await.body["hotel_id"].as_str().unwrap().to_owned();
        app.book("before", &order(&room_type, 1, 2)).await;
        let breakfast = json!({"name": "Breakfast", "basis": "per_person_night", "price_minor": 1_500});
        let service = app.create(&format!("/v1/hotels/{hotel}/services"), &breakfast).await;

        let mut with_breakfast = order(&room_type, 10, 12);
        with_breakfast["services"] = json!([{"service_id": service}]);
        assert_eq!(app.book("one", &with_breakfast).await.body["total_minor"], 23_000);
        let changed = patch(app, &format!("/v1/services/{service}"), json!({"price_minor": 2_000})).await;
        assert_eq!(changed.status, StatusCode::OK);
        let dearer = app.book("two", &with_breakfast).await.body;
        assert_eq!((&dearer["total_minor"], &dearer["services"][0]["amount_minor"]), (&json!(24_000), &json!(4_000)));
    });
}

#[test]
fn what_does_not_exist_is_404_with_a_code_of_its_own() {
    with_app(async |app| {
        let id = "01950000-0000-7000-8000-00000000ffff";
        for (path, code) in [
            (format!("/v1/hotels/{id}"), "no_such_hotel"),
            (format!("/v1/hotels/{id}/room-types"), "no_such_hotel"),
            (format!("/v1/hotels/{id}/services"), "no_such_hotel"),
            (format!("/v1/room-types/{id}"), "no_such_room_type"),
            (format!("/v1/room-types/{id}/rate-plans"), "no_such_room_type"),
            (format!("/v1/room-types/{id}/availability?from=2026-06-01&to=2026-06-02"), "no_such_room_type"),
            (format!("/v1/rate-plans/{id}"), "no_such_rate_plan"),
            (format!("/v1/services/{id}"), "no_such_service"),
            ("/v1/hotels/casa".to_owned(), "not_found"),
        ] {
            let missing = app.get(&path).await;
            assert_eq!((missing.status, &missing.body["code"]), (StatusCode::NOT_FOUND, &json!(code)), "{path}");
        }
        for (path, body) in
            [("hotels", json!({})), ("room-types", json!({})), ("rate-plans", json!({})), ("services", json!({}))]
        {
            assert_eq!(patch(app, &format!("/v1/{path}/{id}"), body).await.status, StatusCode::NOT_FOUND, "{path}");
        }
    });
}

#[test]
fn writing_needs_the_administrators_token() {
    with_app(async |app| {
        let write = |token: Option<&'static str>| {
            let request = app.request(Method::POST, "/v1/hotels").json(&hotel());
            answer(match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            })
        };
        for token in [None, Some("wrong"), Some("")] {
            let refused = write(token).await;
            assert_eq!((refused.status, &refused.body["code"]), (StatusCode::UNAUTHORIZED, &json!("unauthorized")));
            assert!(refused.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        }
        let basic = app.request(Method::POST, "/v1/hotels").basic_auth("admin", Some("admin")).json(&hotel());
        assert_eq!(answer(basic).await.status, StatusCode::UNAUTHORIZED);
    });
}
