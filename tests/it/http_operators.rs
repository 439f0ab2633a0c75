//! The listener of operators, and the public listener.

use reqwest::{Client, Method, StatusCode};

use crate::support::app::{answer, with_settings};
use crate::support::program::Workplace;

const OPERATORS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

#[test]
fn the_listener_of_operators_is_the_only_one_for_health_and_metrics() {
    with_settings(&[("ops_listen", "127.0.0.1:0")], async |app| {
        let client = Client::new();
        for path in OPERATORS {
            let told = client.get(format!("{}{path}", app.running.ops_url())).send().await.unwrap();
            assert_eq!(told.status(), StatusCode::OK, "{path}");
            assert!(told.headers().contains_key("x-content-type-options"), "{path}");
        }
        for path in ["/healthz", "/readyz", "/metrics", "/%6Detrics", "/healt%68z"] {
            let hidden = app.get(path).await;
            assert_eq!((hidden.status.as_u16(), hidden.body["code"].as_str()), (404, Some("not_found")), "{path}");
        }
        for path in ["/v1/hotels", "/docs/", "/openapi.json", "/nothing"] {
            let elsewhere = client.get(format!("{}{path}", app.running.ops_url())).send().await.unwrap();
            assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(app.get("/v1/hotels").await.status, StatusCode::OK);
        app.running.begin_draining();
        let draining = client.get(format!("{}/readyz", app.running.ops_url())).send().await.unwrap();
        assert_eq!(draining.status(), StatusCode::SERVICE_UNAVAILABLE);
    });
}

#[test]
fn without_a_listener_of_operators_the_public_one_answers() {
    with_settings(&[], async |app| {
        assert_eq!(app.running.ops_url(), app.running.url());
        for path in OPERATORS {
            assert_eq!(app.request(Method::GET, path).send().await.unwrap().status(), StatusCode::OK, "{path}");
        }
    });
}

#[test]
fn ready_uses_the_listener_of_operators() {
    let workplace = Workplace::sqlite();
    let message = workplace.run_with(&["ready"], &[("INNKEEPER_OPS_LISTEN", "127.0.0.1:9")]).failed(1);
    assert!(message.contains("127.0.0.1:9"), "{message}");
    let message = workplace.run_with(&["ready"], &[("INNKEEPER_OPS_LISTEN", "somewhere")]).failed(2);
    assert!(message.contains("ops_listen must be an address and a port"), "{message}");
}

#[test]
fn a_page_is_compressed_once_and_has_an_etag() {
    with_settings(&[], async |app| {
        for (path, media) in [
            ("/openapi.json", "application/json"),
            ("/asyncapi.json", "application/json"),
            ("/docs/", "text/html"),
            ("/docs/swagger-ui-bundle.js", "text/javascript"),
        ] {
            let plain = app.request(Method::GET, path).send().await.unwrap();
            assert!(plain.headers()["content-type"].to_str().unwrap().starts_with(media), "{path}");
            let tag = plain.headers()["etag"].clone();
            let size = plain.bytes().await.unwrap().len();
            let gzip = app.request(Method::GET, path).header("Accept-Encoding", "br, gzip").send().await.unwrap();
            assert_eq!(
                (&gzip.headers()["content-encoding"], &gzip.headers()["vary"]),
                (&"gzip".parse().unwrap(), &"accept-encoding".parse().unwrap())
            );
            assert!(gzip.bytes().await.unwrap().len() < size, "{path}");
            let known = app.request(Method::GET, path).header("If-None-Match", &tag).send().await.unwrap();
            assert_eq!((known.status(), &known.headers()["etag"]), (StatusCode::NOT_MODIFIED, &tag), "{path}");
        }
        assert_eq!(app.get("/docs/nothing.js").await.body["code"], "not_found");
        let none = answer(app.request(Method::GET, "/healthz").header("Accept-Encoding", "*;q=0")).await;
        assert_eq!((none.status.as_u16(), none.body["code"].as_str()), (406, Some("not_acceptable")));
    });
}
