//! Limits of public callers: requests and holds of a caller, and the share of rooms that holds take.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{ADMIN, Answer, App, answer, order, with_lone_app, with_settings};
use crate::support::live::{Dashboard, june};
use crate::support::program::{Started, Workplace};

const ON: (&str, &str) = ("public_limits", "on");
/// All test requests come from here, like requests of a proxy.
const PROXY: (&str, &str) = ("trusted_proxies", "127.0.0.1");

/// Sends an order from a client's address.
async fn book_from(app: &App, address: &str, order: &Value) -> Answer {
    answer(app.request(Method::POST, "/v1/bookings").header("X-Forwarded-For", address).json(order)).await
}

fn hold(room_type: &str, contact: u32) -> Value {
    let mut order = order(room_type, 10, 12);
    order["hold"] = json!(true);
    order["contact"]["mobile"] = json!(format!("+35191{contact:07}"));
    order
}

/// Checks for a reached limit, with its policy and Retry-After.
fn limited(answer: &Answer, policy: &str) {
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{policy}: {}", answer.body);
    assert_eq!((&answer.body["code"], &answer.body["violated_policies"]), (&json!("rate_limited"), &json!([policy])));
    let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
    let secs: i64 = header("retry-after").parse().unwrap();
    assert!(secs >= 1 && answer.body["retry_after"] == secs);
    assert!(header("ratelimit-policy").starts_with(&format!("\"{policy}\";q=")), "{}", header("ratelimit-policy"));
    assert_eq!(header("ratelimit"), format!("\"{policy}\";r=0;t={secs}"));
}

#[test]
fn one_address_holds_ten_times_and_writes_thirty_times_a_minute() {
    with_settings(&[ON, PROXY], async |app| {
        let room_type = app.room_type(5_000).await;
        for n in 0..10 {
            assert_eq!(book_from(app, "192.0.2.1", &hold(&room_type, n)).await.status, StatusCode::CREATED);
        }
        limited(&book_from(app, "192.0.2.1", &hold(&room_type, 10)).await, "public-holds-per-net");
        let mut last = book_from(app, "192.0.2.1", &hold(&room_type, 11)).await;
        for n in 12..500 {
            if last.body["violated_policies"] == json!(["public-write"]) {
                break;
            }
            last = book_from(app, "192.0.2.1", &hold(&room_type, n)).await;
        }
        limited(&last, "public-write");
        // Another address is not limited, and headers of a client change nothing.
        assert_eq!(book_from(app, "192.0.2.2", &hold(&room_type, 600)).await.status, StatusCode::CREATED);
        for same in ["203.0.113.7, 192.0.2.1", "::ffff:192.0.2.1"] {
            let refused = book_from(app, same, &hold(&room_type, 601)).await;
            assert_eq!(refused.body["code"], "rate_limited", "{same}: {}", refused.body);
        }
    });
}

#[test]
fn a_thousand_concurrent_holds_become_ten() {
    with_settings(&[ON, PROXY], async |app| {
        let room_type = app.room_type(5_000).await;
        let answers = futures_util::future::join_all((0..1_000).map(|n| {
            let (order, n) = (hold(&room_type, n), u128::from(n));
            // A customer with IPv6 has many addresses.
            let address = std::net::Ipv6Addr::from_bits((0x2001_0db8_0001_0002 << 64) + n);
            async move { book_from(app, &address.to_string(), &order).await.status }
        }));
        let held = answers.await.into_iter().filter(|status| *status == StatusCode::CREATED).count();
        assert_eq!(held, 10);
    });
}

#[test]
fn a_contact_has_three_live_holds_wherever_it_comes_from() {
    with_settings(&[ON, PROXY], async |app| {
        let room_type = app.room_type(5_000).await;
        let from = |n: u8| format!("192.0.2.{n}");
        let mut held = Vec::new();
        for n in 1..=3 {
            held.push(book_from(app, &from(n), &hold(&room_type, 1)).await);
            assert_eq!(held[0].status, StatusCode::CREATED);
        }
        let mut spelt = hold(&room_type, 1);
        spelt["contact"]["mobile"] = json!("+351 91-000-0001");
        limited(&book_from(app, &from(4), &spelt).await, "public-holds-per-contact");
        // A confirmed hold no longer counts.
        let (id, token) = (held[0].body["id"].as_str().unwrap(), held[0].body["manage_token"].as_str().unwrap());
        let confirm = app.request(Method::POST, &format!("/v1/bookings/{id}/confirm")).bearer_auth(token);
        assert_eq!(answer(confirm).await.status, StatusCode::OK);
        assert_eq!(book_from(app, &from(5), &hold(&room_type, 1)).await.status, StatusCode::CREATED);
        limited(&book_from(app, &from(6), &hold(&room_type, 1)).await, "public-holds-per-contact");
        // An expired hold does not count either.
        app.clock.advance(SignedDuration::from_secs(901));
        assert_eq!(book_from(app, &from(7), &hold(&room_type, 1)).await.status, StatusCode::CREATED);
        for n in 8..=10 {
            book_from(app, &from(n), &hold(&room_type, 1)).await;
        }
        limited(&book_from(app, &from(11), &order_of(&room_type, 1)).await, "public-contact");
    });
}

fn order_of(room_type: &str, contact: u32) -> Value {
    let mut order = hold(room_type, contact);
    order["hold"] = json!(false);
    order
}

#[test]
fn public_holds_take_half_of_a_night_and_cannot_grow_beyond() {
    with_settings(&[ON, PROXY], async |app| {
        let room_type = app.room_type(6).await;
        let mut two = hold(&room_type, 1);
        two["rooms"] = json!(2);
        (two["num_guests"], two["guests"]) = (json!(2), json!(vec![json!({"name": "Ana", "age": 30}); 2]));
        let held = book_from(app, "192.0.2.1", &two).await;
        assert_eq!(held.status, StatusCode::CREATED, "{}", held.body);
        two["contact"]["mobile"] = json!("+351910000002");
        let refused = book_from(app, "192.0.2.2", &two).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["code"]),
            (429, &json!("too_many_holds")),
            "{}",
            refused.body
        );
        assert!(refused.headers.contains_key("retry-after"));
        // A changed hold cannot exceed the share either; it may be confirmed, and others may book.
        let path = format!("/v1/bookings/{}", held.body["id"].as_str().unwrap());
        let token = held.body["manage_token"].as_str().unwrap();
        let grow = app.request(Method::PATCH, &path).bearer_auth(token);
        let guests = json!(vec![json!({"name": "Ana", "age": 30}); 4]);
        let grown = answer(grow.json(&json!({"rooms": 4, "guests": guests}))).await;
        assert_eq!(grown.body["code"], "too_many_holds", "{}", grown.body);
        let mut booked = two.clone();
        booked["hold"] = json!(false);
        assert_eq!(book_from(app, "192.0.2.3", &booked).await.status, StatusCode::CREATED);
        // The hotel's own holds have no limit.
        assert_eq!(app.admin(Method::POST, "/v1/bookings", &two).await.status, StatusCode::CREATED);
    });
}

#[test]
fn the_administrator_probes_and_a_server_without_limits_are_not_limited() {
    with_settings(&[ON], async |app| {
        let room_type = app.room_type(5_000).await;
        for _ in 0..40 {
            let held = app.admin(Method::POST, "/v1/bookings", &hold(&room_type, 1)).await;
            assert_eq!(held.status, StatusCode::CREATED, "{}", held.body);
        }
        let read = async |token: &str| {
            let request = app.request(Method::GET, "/v1/hotels?limit=1").bearer_auth(token);
            answer(request).await.status
        };
        for _ in 0..601 {
            assert_eq!(read(ADMIN).await, StatusCode::OK);
        }
        assert_eq!(app.get("/healthz").await.status, StatusCode::OK);
        // Another spelling of an address or a wrong token does not avoid the limit.
        for (path, token) in [("/%761/bookings", ""), ("/v1/bookings", "wrong")] {
            let mut statuses = Vec::new();
            while statuses.last() != Some(&StatusCode::TOO_MANY_REQUESTS) && statuses.len() < 500 {
                let request = app.request(Method::POST, path);
                let request = if token.is_empty() { request } else { request.bearer_auth(token) };
                statuses.push(answer(request).await.status);
            }
            assert_eq!(statuses.last(), Some(&StatusCode::TOO_MANY_REQUESTS), "{path}");
        }
        assert_eq!(read(ADMIN).await, StatusCode::OK);
    });
    with_lone_app(async |app| {
        let room_type = app.room_type(5_000).await;
        for _ in 0..40 {
            assert_eq!(book_from(app, "192.0.2.1", &hold(&room_type, 1)).await.status, StatusCode::CREATED);
        }
    });
}

#[test]
fn the_header_of_an_untrusted_proxy_is_ignored() {
    with_settings(&[ON], async |app| {
        let room_type = app.room_type(5_000).await;
        for n in 0..10 {
            book_from(app, &format!("192.0.2.{n}"), &hold(&room_type, n)).await;
        }
        limited(&book_from(app, "192.0.2.99", &hold(&room_type, 99)).await, "public-holds-per-net");
        let forged = app.request(Method::POST, "/v1/bookings").header("innkeeper-client", "192.0.2.98");
        limited(&answer(forged.json(&hold(&room_type, 98))).await, "public-holds-per-net");
    });
}

#[test]
fn a_seal_that_no_node_made_is_no_way_around_a_limit() {
    with_settings(&[ON], async |app| {
        let mut refused = Vec::new();
        while refused.last() != Some(&StatusCode::TOO_MANY_REQUESTS) && refused.len() < 100 {
            let request = app.request(Method::POST, "/v1/bookings").header("innkeeper-forwarded", "a.b.c");
            refused.push(answer(request).await.status);
        }
        assert_eq!(refused.last(), Some(&StatusCode::TOO_MANY_REQUESTS));
        for header in ["innkeeper-forwarded", "innkeeper-client", "x-request-id"] {
            let request = app.request(Method::GET, "/healthz").header(header, "x".repeat(17_000));
            assert_eq!(answer(request).await.body["code"], "headers_too_large", "{header}");
        }
    });
}

#[test]
fn a_proxy_that_names_no_address_is_told_so() {
    with_settings(&[ON, PROXY], async |app| {
        let refused = answer(app.request(Method::GET, "/v1/hotels").header("X-Forwarded-For", "unknown")).await;
        assert_eq!((refused.status, &refused.body["code"]), (StatusCode::BAD_REQUEST, &json!("malformed_header")));
    });
}

#[test]
fn a_repeat_of_a_key_is_not_charged_to_its_contact() {
    with_settings(&[ON], async |app| {
        let room_type = app.room_type(1).await;
        app.admin(Method::POST, "/v1/bookings", &order_of(&room_type, 1)).await;
        for _ in 0..15 {
            let refused = app.book("the-same", &order_of(&room_type, 2)).await;
            assert_eq!(refused.body["code"], "sold_out", "{}", refused.body);
        }
        let first = (0..10).map(|n| format!("key-{n}"));
        let mut last = Value::Null;
        for key in first {
            last = app.book(&key, &order_of(&room_type, 2)).await.body;
        }
        assert_eq!((&last["code"], &last["violated_policies"]), (&json!("rate_limited"), &json!(["public-contact"])));
    });
}

#[test]
fn a_repeat_of_a_hold_is_answered_at_the_limit_too() {
    with_settings(&[ON], async |app| {
        let room_type = app.room_type(5_000).await;
        let first = app.book("key-0", &hold(&room_type, 1)).await;
        for n in 1..3 {
            assert_eq!(app.book(&format!("key-{n}"), &hold(&room_type, 1)).await.status, StatusCode::CREATED);
        }
        let again = app.book("key-0", &hold(&room_type, 1)).await;
        assert_eq!((&again.body["id"], again.status), (&first.body["id"], StatusCode::CREATED), "{}", again.body);
        limited(&app.book("key-3", &hold(&room_type, 1)).await, "public-holds-per-contact");
    });
}

#[test]
fn a_subscription_counts_as_a_read() {
    with_settings(&[ON], async |app| {
        let room_type = app.room_type(1).await;
        let mut dashboard = Dashboard::open(app).await;
        while app.get("/v1/hotels?limit=1").await.status == StatusCode::OK {}
        let mut frame = json!({});
        for _ in 0..100 {
            dashboard.send(&june(&room_type)).await;
            frame = dashboard.next().await;
            if frame["type"] == "error" {
                break;
            }
            // A connection may send 50 frames a second.
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        assert_eq!((&frame["code"], &frame["id"]), (&json!("rate_limited"), &json!("june")), "{frame}");
        assert!(frame["retry_after"].as_i64().unwrap() >= 1);
        assert!(dashboard.is_silent().await, "the connection stays");
    });
}

#[test]
fn the_demo_logs_that_it_has_no_limits() {
    for (demo, is_said) in [(true, true), (false, false)] {
        let workplace = Workplace::new();
        let arguments = [&["serve", "--listen", "127.0.0.1:0"][..], if demo { &["--demo"] } else { &[] }].concat();
        let mut command = workplace.command(&arguments);
        let log = std::fs::File::create(workplace.path().join("log")).unwrap();
        command.env_remove("INNKEEPER_PUBLIC_LIMITS").stdout(Stdio::piped()).stderr(log);
        let mut started = Started(command.spawn().unwrap());
        let greeting = BufReader::new(started.0.stdout.take().unwrap()).lines();
        assert!(greeting.map_while(Result::ok).any(|line| line.contains("is open")));
        // The program writes its whole log before it exits.
        assert_eq!(started.terminate(), Some(0));
        let said = std::fs::read_to_string(workplace.path().join("log")).unwrap();
        assert_eq!(said.contains("public callers are not limited"), is_said, "{said}");
    }
}
