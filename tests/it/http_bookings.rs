//! Bookings over HTTP: create, read, change, confirm, cancel, check in, check out and list.

use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{ADMIN, Answer, App, answer, order, with_app};

async fn post(app: &App, path: &str, token: &str) -> Answer {
    answer(app.request(Method::POST, path).bearer_auth(token)).await
}

async fn get(app: &App, path: &str, token: &str) -> Answer {
    answer(app.request(Method::GET, path).bearer_auth(token)).await
}

async fn patch(app: &App, path: &str, token: &str, body: Value) -> Answer {
    answer(app.request(Method::PATCH, path).bearer_auth(token).json(&body)).await
}

fn token(booking: &Value) -> &str {
    booking["manage_token"].as_str().unwrap()
}

fn path(booking: &Value) -> String {
    format!("/v1/bookings/{}", booking["id"].as_str().unwrap())
}

fn held(room_type: &str) -> Value {
    let mut order = order(room_type, 10, 13);
    order["hold"] = json!(true);
    order
}

async fn free(app: &App, room_type: &str) -> Vec<u64> {
    let path = format!("/v1/room-types/{room_type}/availability?from=2026-06-10&to=2026-06-13");
    app.get(&path).await.body["nights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|night| night["free"].as_u64().unwrap())
        .collect()
}

#[test]
fn a_booking_is_read_with_its_token() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let made = app.book("k1", &order(&room_type, 10, 13)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let booking = &made.body;
        assert_eq!(made.headers["location"].to_str().unwrap(), path(booking));
        assert_eq!(made.headers["etag"].to_str().unwrap(), format!("\"{}\"", booking["sequence"]));
        assert_eq!(
            (&booking["status"], &booking["total_minor"], &booking["currency"]),
            (&json!("confirmed"), &json!(30_000), &json!("EUR"))
        );
        assert_eq!(booking["nights"][0], json!({"date": "2026-06-10", "price_minor": 10_000}));
        assert_eq!(booking["guests"], json!([{"name": "Ana Lopes", "age": 34}]));
        assert!(booking.get("expires_at").is_none() && booking.get("fee_minor").is_none());

        for token in [token(booking), ADMIN] {
            let read = get(app, &path(booking), token).await;
            assert_eq!((read.status, &read.body), (StatusCode::OK, booking));
        }
        let unchanged =
            app.request(Method::GET, &path(booking)).bearer_auth(ADMIN).header("If-None-Match", &made.headers["etag"]);
        assert_eq!(answer(unchanged).await.status, StatusCode::NOT_MODIFIED);
    });
}

#[test]
fn a_caller_without_the_token_cannot_learn_which_bookings_exist() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let booking = app.book("k1", &order(&room_type, 10, 13)).await.body;
        let other = app.book("k2", &order(&room_type, 10, 13)).await.body;
        let unknown = json!({"id": "01950000-0000-7000-8000-00000000ffff"});
        let there = get(app, &path(&booking), token(&other)).await;
        let not_there = get(app, &path(&unknown), token(&other)).await;
        for refused in [&there, &not_there] {
            assert_eq!((refused.status, &refused.body["code"]), (StatusCode::NOT_FOUND, &json!("no_such_booking")));
        }
        assert_eq!(there.body["detail"], not_there.body["detail"]);
        assert_eq!(get(app, &path(&unknown), ADMIN).await.status, StatusCode::NOT_FOUND);
        assert_eq!(app.get(&path(&booking)).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(post(app, &format!("{}/cancel", path(&booking)), token(&other)).await.status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn a_key_has_one_effect_and_one_answer() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let first = app.book("k1", &order(&room_type, 10, 13)).await;
        let again = app.book("k1", &order(&room_type, 10, 13)).await;
        assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
        assert_eq!(again.headers["idempotent-replayed"], "true");
        assert_eq!(again.headers["location"], first.headers["location"]);
        assert!(!first.headers.contains_key("idempotent-replayed"));

        let other = app.book("k1", &order(&room_type, 10, 12)).await;
        assert_eq!(
            (other.status, &other.body["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency_key_reused"))
        );
        assert_eq!(free(app, &room_type).await, [2, 2, 2]);
    });
}

#[test]
fn concurrent_repeats_over_http_join_the_first() {
    with_app(async |app| {
        let room_type = app.room_type(5).await;
        let order = order(&room_type, 10, 13);
        let answers = futures_util::future::join_all((0..20).map(|_| app.book("same", &order))).await;
        assert!(answers.iter().all(|answer| answer.status == StatusCode::CREATED && answer.body == answers[0].body));
        assert_eq!(free(app, &room_type).await, [4, 4, 4]);
    });
}

#[test]
fn sold_out_names_the_nights_and_when_a_hold_runs_out() {
    with_app(async |app| {
        let room_type = app.room_type(1).await;
        app.book("h", &held(&room_type)).await;
        let refused = app.book("late", &order(&room_type, 9, 11)).await;
        assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("sold_out")));
        assert_eq!(
            refused.body["nights"],
            json!([{"date": "2026-06-10", "reason": "sold_out", "free": 0, "wanted": 1}])
        );
        let retry_after: i64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((800..=901).contains(&retry_after), "{retry_after}");
        assert_eq!(refused.body["retry_after"], retry_after);
    });
}

#[test]
fn a_booking_with_if_match_needs_the_version_that_was_read() {
    with_app(async |app| {
        let room_type = app.room_type(3).await;
        let seen = app.get(&format!("/v1/room-types/{room_type}/availability?from=2026-06-10&to=2026-06-13")).await;
        let book = |key: &'static str, tag: String| {
            let request = app.request(Method::POST, "/v1/bookings").header("Idempotency-Key", key);
            answer(request.header("If-Match", tag).json(&order(&room_type, 10, 13)))
        };
        let tag = seen.headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(book("a", tag.clone()).await.status, StatusCode::CREATED);
        let stale = book("b", tag.clone()).await;
        assert_eq!((stale.status, &stale.body["code"]), (StatusCode::PRECONDITION_FAILED, &json!("stale")));
        let now = stale.body["sequence"].as_u64().unwrap();
        assert_eq!(book("b", now.to_string()).await.status, StatusCode::CREATED);
        assert_eq!(book("c", "W/\"1\"".to_owned()).await.body["code"], "malformed_header");
    });
}

#[test]
fn a_hold_is_confirmed_in_time_or_gone() {
    with_app(async |app| {
        let room_type = app.room_type(1).await;
        let hold = app.book("h", &held(&room_type)).await.body;
        assert_eq!((&hold["status"], &hold["expires_at"]), (&json!("held"), &json!("2026-05-01T12:15:00Z")));
        let confirmed = post(app, &format!("{}/confirm", path(&hold)), token(&hold)).await;
        assert_eq!((confirmed.status, &confirmed.body["status"]), (StatusCode::OK, &json!("confirmed")));
        let twice = post(app, &format!("{}/confirm", path(&hold)), token(&hold)).await;
        assert_eq!((twice.status, &twice.body["code"]), (StatusCode::CONFLICT, &json!("illegal_move")));

        post(app, &format!("{}/cancel", path(&hold)), token(&hold)).await;
        let late = app.book("l", &held(&room_type)).await.body;
        app.clock.advance(SignedDuration::from_mins(16));
        let gone = post(app, &format!("{}/confirm", path(&late)), token(&late)).await;
        assert_eq!((gone.status, &gone.body["code"]), (StatusCode::GONE, &json!("hold_expired")));
        assert_eq!(app.book("n", &order(&room_type, 10, 13)).await.status, StatusCode::CREATED);
    });
}

#[test]
fn a_dry_run_shows_the_fee_and_cancelling_frees_the_nights() {
    with_app(async |app| {
        let room_type = app.room_type(1).await;
        let hotel = app.get(&format!("/v1/room-types/{room_type}")).await.body["hotel_id"].clone();
        let plan = json!({"name": "Half", "price_minor": 5_000, "cancellation_tiers": [
            {"hours_before_check_in": 0, "fee": {"type": "percent", "percent": 50}}]});
        app.create(&format!("/v1/room-types/{room_type}/rate-plans"), &plan).await;
        let mut cheapest = order(&room_type, 10, 13);
        cheapest["rate_plan"] = json!("cheapest");
        let booking = app.book("k", &cheapest).await.body;
        assert_eq!((&booking["hotel_id"], &booking["total_minor"]), (&hotel, &json!(15_000)));

        let cancel = format!("{}/cancel", path(&booking));
        let quote = post(app, &format!("{cancel}?dry_run=true"), token(&booking)).await;
        assert_eq!((&quote.body["status"], &quote.body["fee_minor"]), (&json!("cancelled"), &json!(7_500)));
        assert!(!quote.headers.contains_key("etag"));
        assert_eq!(get(app, &path(&booking), ADMIN).await.body, booking);

        let cancelled = post(app, &cancel, token(&booking)).await;
        assert_eq!((&cancelled.body["status"], &cancelled.body["fee_minor"]), (&json!("cancelled"), &json!(7_500)));
        assert_eq!(free(app, &room_type).await, [1, 1, 1]);
        assert_eq!(post(app, &format!("{cancel}?dry=true"), ADMIN).await.body["errors"][0]["pointer"], "/dry");
    });
}

#[test]
fn a_repeated_key_of_a_cancellation_has_no_second_effect() {
    with_app(async |app| {
        let room_type = app.room_type(1).await;
        let booking = app.book("k", &order(&room_type, 10, 13)).await.body;
        let cancel = || {
            let request = app.request(Method::POST, &format!("{}/cancel", path(&booking)));
            answer(request.bearer_auth(token(&booking)).header("Idempotency-Key", "c1"))
        };
        let (first, again) = (cancel().await, cancel().await);
        assert_eq!((again.status, &again.body), (StatusCode::OK, &first.body));
        assert_eq!(again.headers["idempotent-replayed"], "true");
    });
}

#[test]
fn an_amendment_takes_and_gives_back_the_difference() {
    with_app(async |app| {
        let room_type = app.room_type(1).await;
        let booking = app.book("k", &order(&room_type, 10, 13)).await.body;
        let later = patch(
            app,
            &path(&booking),
            token(&booking),
            json!({"checkin_date": "2026-06-12", "checkout_date": "2026-06-14"}),
        )
        .await;
        assert_eq!((later.status, &later.body["total_minor"]), (StatusCode::OK, &json!(20_000)), "{}", later.body);
        assert_eq!(free(app, &room_type).await, [1, 1, 0]);

        let stale = app
            .request(Method::PATCH, &path(&booking))
            .bearer_auth(ADMIN)
            .header("If-Match", booking["sequence"].to_string());
        let stale = answer(stale.json(&json!({"checkout_date": "2026-06-15"}))).await;
        assert_eq!((stale.status, &stale.body["sequence"]), (StatusCode::PRECONDITION_FAILED, &later.body["sequence"]));

        for (body, pointer, code) in [
            (json!({"rooms": null}), "/rooms", "invalid_request"),
            (json!({"contact": {}}), "/contact", "invalid_request"),
            (json!({"num_guests": 2}), "/num_guests", "invalid_request"),
            (json!({"guests": [{"name": "Ana", "age": 200}]}), "/guests/0/age", "invalid_request"),
            (json!({"checkout_date": "2026-06-12"}), "/checkout_date", "empty_stay"),
        ] {
            let refused = patch(app, &path(&booking), ADMIN, body).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
            assert_eq!((&refused.body["errors"][0]["pointer"], &refused.body["code"]), (&json!(pointer), &json!(code)));
        }
        app.book("other", &order(&room_type, 10, 12)).await;
        let taken = patch(app, &path(&booking), ADMIN, json!({"checkin_date": "2026-06-11"})).await;
        assert_eq!((taken.status, &taken.body["nights"][0]["date"]), (StatusCode::CONFLICT, &json!("2026-06-11")));
    });
}

#[test]
fn only_the_administrator_checks_in_and_out() {
    with_app(async |app| {
        let room_type = app.room_type(2).await;
        let booking = app.book("k", &order(&room_type, 10, 13)).await.body;
        let check_in = format!("{}/check-in", path(&booking));
        let guest = post(app, &check_in, token(&booking)).await;
        assert_eq!((guest.status, &guest.body["code"]), (StatusCode::FORBIDDEN, &json!("forbidden")));
        assert_eq!(post(app, &check_in, "wrong").await.status, StatusCode::UNAUTHORIZED);
        let early = post(app, &check_in, ADMIN).await;
        assert_eq!((early.status, &early.body["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("too_early")));

        let late = app.book("late", &order(&room_type, 4, 5)).await.body;
        app.clock.set("2026-06-10T16:00:00Z".parse().unwrap());
        let late = post(app, &format!("{}/check-in", path(&late)), ADMIN).await;
        assert_eq!((late.status, &late.body["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("too_late")));
        assert_eq!(post(app, &check_in, ADMIN).await.body["status"], "in_house");
        app.clock.set("2026-06-12T09:00:00Z".parse().unwrap());
        let back = patch(app, &path(&booking), ADMIN, json!({"checkout_date": "2026-06-11"})).await;
        assert_eq!(
            (back.status, &back.body["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("departure_in_the_past"))
        );
        assert_eq!(post(app, &format!("{}/check-out", path(&booking)), ADMIN).await.body["status"], "checked_out");

        let absent = app.book("n", &order(&room_type, 12, 13)).await.body;
        let no_show = post(app, &format!("{}/no-show", path(&absent)), ADMIN).await.body;
        assert_eq!((&no_show["status"], &no_show["fee_minor"]), (&json!("no_show"), &json!(10_000)));
        let unknown = "/v1/bookings/01950000-0000-7000-8000-00000000ffff/check-in";
        assert_eq!(post(app, unknown, ADMIN).await.body["code"], "no_such_booking");
    });
}

#[test]
fn every_broken_rule_of_a_stay_has_a_code() {
    with_app(async |app| {
        let room_type = app.room_type(2).await;
        let id = "01950000-0000-7000-8000-00000000ffff";
        let change = |member: &str, value: Value| {
            let mut order = order(&room_type, 10, 13);
            order[member] = value;
            order
        };
        for (order, status, code) in [
            (change("checkout_date", json!("2026-07-30")), 422, "too_many_nights"),
            (change("checkout_date", json!("2026-06-10")), 422, "invalid_request"),
            (change("room_type_id", json!(id)), 404, "no_such_room_type"),
            (change("rate_plan_id", json!(id)), 422, "unknown_rate_plan"),
            (change("services", json!([{"service_id": id, "quantity": 1}])), 422, "unknown_service"),
            (change("guests", json!([{"name": "Rui", "age": 3}])), 422, "occupancy"),
            (change("num_guests", json!(2)), 422, "invalid_request"),
            (change("guests", json!([["Ana", 34]])), 422, "invalid_request"),
            (change("contact", json!({"mobile": "912345678"})), 422, "invalid_request"),
            (change("rooms", json!(3)), 409, "sold_out"),
            (change("hold", json!(true)), 201, "none"),
        ] {
            let refused = app.book(code, &order).await;
            assert_eq!(refused.status.as_u16(), status, "{}", refused.body);
            assert_eq!(refused.body["code"].as_str().unwrap_or("none"), code);
        }
        let mut past = order(&room_type, 10, 13);
        (past["checkin_date"], past["checkout_date"]) = (json!("2026-04-30"), json!("2026-05-02"));
        assert_eq!(app.book("past", &past).await.body["code"], "arrival_in_the_past");
        (past["checkin_date"], past["checkout_date"]) = (json!("2030-04-30"), json!("2030-05-02"));
        assert_eq!(app.book("far", &past).await.body["code"], "beyond_horizon");
    });
}

#[test]
fn the_administrator_lists_bookings_with_filters() {
    with_app(async |app| {
        let (one, other) = (app.room_type(9).await, app.room_type(9).await);
        for (index, room_type) in [&one, &one, &other].into_iter().enumerate() {
            let mut order = order(room_type, 10 + index as u8, 14);
            order["external_reference"] = json!(format!("ref-{index}"));
            order["contact"] =
                json!({"mobile": format!("+35191234567{index}"), "email": format!("guest{index}@example.com")});
            assert_eq!(app.book(&format!("k{index}"), &order).await.status, StatusCode::CREATED);
        }
        for (query, found) in [
            (String::new(), 3),
            (format!("?room_type_id={one}"), 2),
            ("?external_reference=ref-2".into(), 1),
            ("?contact=%2B351912345671".into(), 1),
            ("?contact=guest0@example.com".into(), 1),
            ("?arrival_from=2026-06-11&arrival_to=2026-06-12".into(), 1),
            ("?status=confirmed".into(), 3),
            ("?status=cancelled".into(), 0),
        ] {
            let list = app.admin_get(&format!("/v1/bookings{query}")).await;
            assert_eq!(list.status, StatusCode::OK, "{query}: {}", list.body);
            assert_eq!(list.body["items"].as_array().unwrap().len(), found, "{query}");
        }
        let page = app.admin_get("/v1/bookings?limit=2").await.body;
        let rest =
            app.admin_get(&format!("/v1/bookings?limit=2&cursor={}", page["next_cursor"].as_str().unwrap())).await.body;
        assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
        for (query, pointer) in [
            ("status=asleep", "/status"),
            ("contact=%20351912345671", "/contact"),
            ("limit=201", "/limit"),
            ("cursor=x", "/cursor"),
            ("arrival_from=2026-02-30", "/arrival_from"),
            ("hotel=1", "/hotel"),
        ] {
            let refused = app.admin_get(&format!("/v1/bookings?{query}")).await;
            assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.body);
        }
        assert_eq!(app.get("/v1/bookings").await.status, StatusCode::UNAUTHORIZED);
    });
}
