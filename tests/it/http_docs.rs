//! The API description: complete, offline and correct. Its examples are sent to the demo's hotels.

use innkeeper::cli::demo;
use innkeeper::clock::Clock;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::app::{ADMIN, App, answer, with_app};

/// The address with the examples of its parameters filled in.
fn address(path: &str, operation: &Value, booking: &str) -> String {
    let (mut path, mut query) = (path.replace("{booking_id}", booking), Vec::new());
    for parameter in operation["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        let Some(example) = parameter.get("example") else { continue };
        let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
        match parameter["in"].as_str().unwrap() {
            "path" => path = path.replace(&format!("{{{name}}}"), &example),
            "query" => query.push(format!("{name}={example}")),
            _ => {}
        }
    }
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// Sends an example of the document. Returns the status and the id of a created object.
async fn send(app: &App, document: &Value, method: &str, path: &str, booking: &str) -> (StatusCode, String) {
    let operation = &document["paths"][path][method];
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let mut request = app.request(method, &address(path, operation, booking)).bearer_auth(ADMIN);
    if let Some(content) = operation["requestBody"]["content"].as_object() {
        let (media, body) = content.iter().next().unwrap();
        request = request.json(&body["example"]).header("Content-Type", media);
    }
    let answer = answer(request).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.body);
    assert!(operation["responses"].get(answer.status.as_str()).is_some(), "{path}: {} is not described", answer.status);
    (answer.status, answer.body["id"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn every_example_works_when_it_is_sent_to_the_demo() {
    with_app(async |app| {
        demo::fill(&*app.running.store, &app.running.engine, app.clock.now()).await.unwrap();
        let document = app.get("/openapi.json").await.body;
        let mut sent = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            // Operations on a booking depend on each other, and follow below in order.
            if path.contains("{booking_id}") || path == "/docs" || path == "/v1/ws" {
                continue;
            }
            for method in item.as_object().unwrap().keys() {
                send(app, &document, method, path, "").await;
                sent += 1;
            }
        }
        let (_, booking) = send(app, &document, "post", "/v1/bookings", "").await;
        let one = "/v1/bookings/{booking_id}";
        for (method, path) in [
            ("get", one.to_owned()),
            ("patch", one.to_owned()),
            ("post", format!("{one}/confirm")),
            ("post", format!("{one}/cancel")),
        ] {
            send(app, &document, method, &path, &booking).await;
            sent += 1;
        }
        assert_eq!(sent, 34);
    });
}

#[test]
fn the_document_has_todays_dates_and_only_those_differ_from_the_printed_one() {
    with_app(async |app| {
        let served = app.get("/openapi.json").await.body;
        let example = &served["paths"]["/v1/bookings"]["post"]["requestBody"]["content"]["application/json"]["example"];
        assert_eq!(example["checkin_date"], "2026-05-31");
        let printed = serde_json::to_value(innkeeper::http::openapi()).unwrap();
        assert_eq!(served["components"], printed["components"]);
    });
}

#[test]
fn swagger_ui_needs_no_other_server() {
    with_app(async |app| {
        let page = app.request(Method::GET, "/docs").send().await.unwrap();
        assert_eq!((page.status(), page.url().path()), (StatusCode::OK, "/docs/"));
        let html = page.text().await.unwrap();
        assert!(html.contains("swagger-ui") && !html.contains("https://") && !html.contains("http://"), "{html}");
        let script = app.request(Method::GET, "/docs/swagger-ui-bundle.js").send().await.unwrap();
        assert_eq!(script.status(), StatusCode::OK);
        let start =
            app.request(Method::GET, "/docs/swagger-initializer.js").send().await.unwrap().text().await.unwrap();
        assert!(start.contains("/openapi.json"), "{start}");
    });
}

#[test]
fn health_and_metrics_answer() {
    with_app(async |app| {
        assert_eq!(app.get("/healthz").await.body["status"], "ok");
        assert_eq!(app.get("/readyz").await.body["status"], "ok");
        app.get("/v1/hotels/not-an-id").await;
        let metrics = app.request(Method::GET, "/metrics").send().await.unwrap();
        assert!(metrics.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
        let text = metrics.text().await.unwrap();
        let counted = text.lines().any(|line| {
            line.starts_with("http_requests_total") && line.contains("/v1/hotels/{id}") && line.contains("\"404\"")
        });
        assert!(counted, "{text}");
        assert!(text.contains("http_request_duration_seconds"), "{text}");
    });
}
