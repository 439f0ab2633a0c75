//! The edge of every request: limits, ids, and one shape for every error.

use std::net::TcpListener;

use actix_web::middleware::from_fn;
use actix_web::{App as Routes, HttpServer, web};
use innkeeper::http;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{ADMIN, Answer, App, answer, order, with_app};

async fn raw(app: &App, body: impl Into<reqwest::Body>, media: &str) -> Answer {
    let request = app.request(Method::POST, "/v1/bookings").header("Content-Type", media);
    answer(request.body(body)).await
}

#[test]
fn every_error_is_a_problem_document_that_carries_the_requests_id() {
    with_app(async |app| {
        for (method, path, status, code) in [
            (Method::GET, "/nowhere", 404, "not_found"),
            (Method::GET, "/v1/hotels/", 404, "not_found"),
            (Method::GET, "/docs/nothing.js", 404, "not_found"),
            (Method::DELETE, "/v1/hotels", 405, "method_not_allowed"),
            (Method::POST, "/v1/hotels", 401, "unauthorized"),
        ] {
            let request = app.request(method, path).header("X-Request-ID", "mine-1");
            let refused = answer(request).await;
            assert_eq!((refused.status.as_u16(), refused.body["code"].as_str()), (status, Some(code)), "{path}");
            assert_eq!(refused.headers["content-type"], "application/problem+json");
            assert_eq!(refused.headers["x-request-id"], "mine-1");
            let body = &refused.body;
            assert_eq!(
                (&body["request_id"], &body["instance"], &body["status"]),
                (&json!("mine-1"), &json!(path), &json!(status))
            );
            assert_eq!(body["type"], format!("urn:innkeeper:problem:{code}"));
            assert!(body["title"].is_string() && body["detail"].is_string());
        }
    });
}

#[test]
fn a_wrong_method_gets_the_allowed_ones() {
    with_app(async |app| {
        let refused = answer(app.request(Method::PUT, "/v1/hotels")).await;
        assert_eq!(refused.headers["allow"], "GET, HEAD, POST");
        assert_eq!(answer(app.request(Method::HEAD, "/v1/hotels")).await.status, StatusCode::OK);
    });
}

#[test]
fn a_request_without_a_valid_id_gets_one() {
    with_app(async |app| {
        let made = app.get("/healthz").await;
        assert_eq!(made.headers["x-request-id"].len(), 36);
        let forged = answer(app.request(Method::GET, "/healthz").header("X-Request-ID", "a b")).await;
        assert_eq!(forged.headers["x-request-id"].len(), 36);
        assert_eq!(made.headers["x-content-type-options"], "nosniff");
        assert_eq!(made.headers["cache-control"], "no-store");
    });
}

#[test]
fn a_body_must_be_json_and_well_formed() {
    with_app(async |app| {
        for (body, media, status, code) in [
            ("{", "application/json", 400, "malformed_json"),
            ("", "application/json", 400, "malformed_json"),
            ("{} {}", "application/json", 400, "malformed_json"),
            ("{}", "text/plain", 415, "unsupported_media_type"),
            ("a=b", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
            ("{}", "application/json; charset=utf-8", 422, "invalid_request"),
            ("[]", "application/json", 422, "invalid_request"),
        ] {
            let refused = raw(app, body, media).await;
            assert_eq!(
                (refused.status.as_u16(), refused.body["code"].as_str()),
                (status, Some(code)),
                "{body} {media}"
            );
        }
        let packed = app.request(Method::POST, "/v1/bookings").header("Content-Encoding", "gzip").json(&json!({}));
        assert_eq!(answer(packed).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let untyped = app.request(Method::POST, "/v1/bookings").body("{}");
        assert_eq!(answer(untyped).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    });
}

#[test]
fn a_field_that_breaks_a_rule_is_pointed_at() {
    with_app(async |app| {
        let room_type = app.room_type(1).await;
        let good = order(&room_type, 10, 13).to_string();
        let id = room_type.as_str();
        for (from, to, pointer, rule) in [
            ("\"2026-06-10\"", "\"2026-02-30\"", "/checkin_date", "type"),
            ("\"2026-06-10\"", "\"10/06/2026\"", "/checkin_date", "type"),
            ("\"rooms\":1", "\"rooms\":\"1\"", "/rooms", "type"),
            ("\"rooms\":1", "\"rooms\":1.5", "/rooms", "type"),
            ("\"rooms\":1", "\"rooms\":99999999999999999999", "/rooms", "type"),
            ("\"rooms\":1", "\"rooms\":1e999", "/rooms", "type"),
            ("\"rooms\":1", "\"rooms\":9223372036854775807", "/rooms", "rooms_range"),
            ("\"rooms\":1", "\"rooms\":1,\"rooms\":2", "/rooms", "duplicate_field"),
            ("\"rooms\":1", "\"rooms\":1,\"agreed_price\":0", "/agreed_price", "unknown_field"),
            (",\"rooms\":1", "", "/rooms", "required"),
            ("\"age\":34", "\"age\":151", "/guests/0/age", "age_range"),
            ("\"age\":34", "\"age\":34,\"vip\":true", "/guests/0/vip", "unknown_field"),
            ("\"+351912345678\"", "\"12\"", "/contact/mobile", "e164"),
            (id, "room", "/room_type_id", "type"),
        ] {
            let body = good.replacen(from, to, 1);
            assert_ne!(body, good, "{from}");
            let refused = raw(app, body, "application/json").await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{to}: {}", refused.body);
            let error = &refused.body["errors"][0];
            assert_eq!((error["pointer"].as_str(), error["rule"].as_str()), (Some(pointer), Some(rule)), "{to}");
        }
    });
}

#[test]
fn an_unknown_parameter_is_refused() {
    with_app(async |app| {
        let room_type = app.room_type(1).await;
        let read = format!("/v1/room-types/{room_type}");
        for path in [format!("{read}?expand=hotel"), "/v1/hotels?expand=hotel".to_owned()] {
            let refused = app.get(&path).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
            assert_eq!(
                (&refused.body["errors"][0]["pointer"], &refused.body["errors"][0]["rule"]),
                (&json!("/expand"), &json!("unknown_field"))
            );
        }
        assert_eq!(app.get(&format!("{read}?")).await.status, StatusCode::OK);
        assert_eq!(app.get("/healthz?probe=1").await.status, StatusCode::OK);
    });
}

#[test]
fn requests_that_are_too_large_are_refused_and_the_server_continues() {
    with_app(async |app| {
        let huge = raw(app, vec![b' '; http::limits::MAX_BOOKING_BODY + 1], "application/json").await;
        assert_eq!((huge.status, huge.body["code"].as_str()), (StatusCode::PAYLOAD_TOO_LARGE, Some("body_too_large")));
        let long = app.get(&format!("/v1/hotels?city={}", "x".repeat(9_000))).await;
        assert_eq!((long.status, long.body["code"].as_str()), (StatusCode::URI_TOO_LONG, Some("uri_too_long")));
        let heavy = answer(app.request(Method::GET, "/v1/hotels").header("X-Filler", "x".repeat(17_000))).await;
        assert_eq!((heavy.status.as_u16(), heavy.body["code"].as_str()), (431, Some("headers_too_large")));
        let deep = raw(app, "[".repeat(10_000), "application/json").await;
        assert!(deep.status.is_client_error());
        assert_eq!(app.get("/healthz").await.status, StatusCode::OK);
    });
}

#[test]
fn invalid_headers_are_refused() {
    with_app(async |app| {
        let room_type = app.room_type(1).await;
        let order = order(&room_type, 10, 13);
        let long = "k".repeat(256);
        for (name, value) in
            [("Idempotency-Key", ""), ("Idempotency-Key", "a b"), ("Idempotency-Key", &long), ("If-Match", "now")]
        {
            let refused = answer(app.request(Method::POST, "/v1/bookings").header(name, value).json(&order)).await;
            assert_eq!(
                (refused.status, refused.body["code"].as_str()),
                (StatusCode::BAD_REQUEST, Some("malformed_header"))
            );
        }
        let wrong = app.request(Method::POST, "/v1/bookings").bearer_auth("wrong").json(&order);
        assert_eq!(answer(wrong).await.status, StatusCode::UNAUTHORIZED);
        let right = app.request(Method::POST, "/v1/bookings").bearer_auth(ADMIN).json(&order);
        assert_eq!(answer(right).await.status, StatusCode::CREATED);
    });
}

#[test]
fn a_move_takes_no_body_but_an_empty_object() {
    with_app(async |app| {
        let room_type = app.room_type(1).await;
        let booking = app.book("k", &order(&room_type, 10, 13)).await.body;
        let cancel = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
        let post = |body: &'static str| answer(app.request(Method::POST, &cancel).bearer_auth(ADMIN).body(body));
        assert_eq!(post("{\"fee\":0}").await.body["errors"][0]["pointer"], "/fee");
        assert_eq!(post("nonsense").await.body["code"], "malformed_json");
        assert_eq!(post("{}").await.status, StatusCode::OK);
    });
}

#[test]
fn a_server_that_shuts_down_answers_503() {
    with_app(async |app| {
        let room_type = app.room_type(1).await;
        app.running.engine.shutdown().await;
        let refused = app.book("k", &order(&room_type, 10, 13)).await;
        assert_eq!(
            (refused.status, refused.body["code"].as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, Some("shutting_down"))
        );
        assert_eq!(refused.headers["retry-after"], "5");
    });
}

#[test]
fn a_panic_ends_one_request_only() {
    with_app(async |app| {
        let edge = web::Data::new(app.dependencies().edge());
        let draining = edge.draining.clone();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/panic", listener.local_addr().unwrap());
        let panics = async || -> actix_web::HttpResponse { panic!("on purpose") };
        let server = HttpServer::new(move || {
            let routes = Routes::new().app_data(edge.clone()).wrap(from_fn(http::edge::around));
            routes.route("/panic", web::get().to(panics))
        });
        let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        let handle = server.handle();
        let serving = tokio::spawn(server);
        for _ in 0..2 {
            let failed = answer(reqwest::Client::new().get(&url).header("X-Request-ID", "p-1")).await;
            assert_eq!((failed.status.as_u16(), failed.body["code"].as_str()), (500, Some("internal")));
            assert_eq!(failed.headers["x-request-id"], "p-1");
            assert_eq!(failed.body["request_id"], "p-1");
            assert!(!failed.body.to_string().contains("on purpose"));
            assert!(!failed.headers.contains_key("connection"));
        }
        draining.begin();
        let failed = answer(reqwest::Client::new().get(&url)).await;
        assert_eq!(failed.headers["connection"], "close", "there will be no other on this connection");
        handle.stop(false).await;
        serving.await.unwrap().unwrap();
    });
}
