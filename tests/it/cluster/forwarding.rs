//! A request can be sent to any node.

use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{ADMIN, answer, order, with_lone_app};
use crate::support::cluster::with_nodes;
use crate::support::counted::counted;
use crate::support::eventually::eventually;

/// Carries the credentials of the node that forwards.
const FORWARDED: &str = "innkeeper-forwarded";
const ANSWERED: &str = "innkeeper_forwards_total{outcome=\"answered\"}";

#[test]
fn a_client_may_use_any_node() {
    with_nodes(3, async |cluster| {
        let (room_type, owner) = cluster.room_type(3).await;
        let (mut sequences, before) = (Vec::new(), counted(ANSWERED));
        for (index, node) in cluster.nodes.iter().enumerate() {
            let booked = node.book(&format!("key-{index}"), &order(&room_type, 1, 3)).await;
            assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
            assert!(booked.headers["location"].to_str().unwrap().starts_with("/v1/bookings/"));
            let other = booked.headers.get("innkeeper-answered-by").map(|name| name.to_str().unwrap());
            let expected = (index != owner).then(|| format!("node-{owner}"));
            assert_eq!(other, expected.as_deref(), "a balancer learns where to go");
            sequences.push(booked.body["sequence"].as_u64().unwrap());
        }
        assert!(sequences.is_sorted_by(|a, b| a + 1 == *b), "{sequences:?}");
        assert!(counted(ANSWERED) >= before + 2.0, "two of the three had to ask");
        for node in &cluster.nodes {
            let path = format!("/v1/room-types/{room_type}/availability?from=2026-06-01&to=2026-06-03");
            let seen = node.get(&path).await;
            assert_eq!(seen.body["nights"][0]["free"], 0);
            let tag = seen.headers["etag"].to_str().unwrap();
            let again = answer(node.request(Method::GET, &path).header("If-None-Match", tag)).await;
            assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        }
        assert_eq!(cluster.owner(&room_type).await, Some(owner), "asking moves nothing");
    });
}

#[test]
fn every_operation_works_at_every_node() {
    with_nodes(2, async |cluster| {
        let (room_type, owner) = cluster.room_type(3).await;
        let node = &cluster.nodes[1 - owner];
        let booked = node.book("key", &order(&room_type, 1, 3)).await.body;
        let booking = format!("/v1/bookings/{}", booked["id"].as_str().unwrap());
        let amended = node.admin(Method::PATCH, &booking, &json!({"checkout_date": "2026-06-04"})).await;
        assert_eq!((amended.status, &amended.body["checkout_date"]), (StatusCode::OK, &json!("2026-06-04")));
        let preview = answer(node.request(Method::POST, &format!("{booking}/cancel?dry_run=true")).bearer_auth(ADMIN));
        assert_eq!(preview.await.body["status"], "cancelled");
        let cancelled = answer(node.request(Method::POST, &format!("{booking}/cancel")).bearer_auth(ADMIN)).await;
        assert_eq!(cancelled.body["status"], "cancelled");

        let item = json!({"from": "2026-06-01", "to": "2026-06-05", "physical": 1});
        let nights = format!("/v1/room-types/{room_type}/nights");
        let set = node.admin(Method::PUT, &nights, &json!({"items": [item, item]})).await;
        assert_eq!(set.body["items"][0]["status"], "applied", "{}", set.body);
        let changed = node.admin(Method::PATCH, &format!("/v1/room-types/{room_type}"), &json!({"rooms": 4})).await;
        assert_eq!((changed.status, &changed.body["rooms"]), (StatusCode::OK, &json!(4)));
        let plan = json!({"name": "Saver", "price_minor": 9_000});
        node.create(&format!("/v1/room-types/{room_type}/rate-plans"), &plan).await;
        assert_eq!(cluster.owner(&room_type).await, Some(owner));
    });
}

#[test]
fn a_body_of_every_allowed_size_is_forwarded() {
    with_nodes(2, async |cluster| {
        let (room_type, owner) = cluster.room_type(3).await;
        let items = json!({"items": [{"from": "2026-06-01", "to": "2026-06-05", "physical": 5}]});
        let padded = format!("{items}{}", " ".repeat(1_000_000));
        let nights = format!("/v1/room-types/{room_type}/nights");
        let request = cluster.nodes[1 - owner].request(Method::PUT, &nights).bearer_auth(ADMIN);
        let set = answer(request.header("Content-Type", "application/json").body(padded)).await;
        assert_eq!(set.body["items"][0]["changed"], 4, "{}", set.body);
    });
}

#[test]
fn a_refusal_of_the_owner_arrives_unchanged() {
    with_nodes(2, async |cluster| {
        let (room_type, owner) = cluster.room_type(1).await;
        let held = json!({"hold": true});
        let mut hold = order(&room_type, 1, 3);
        hold.as_object_mut().unwrap().extend(held.as_object().unwrap().clone());
        cluster.nodes[owner].book("first", &hold).await;
        let request = cluster.nodes[1 - owner].request(Method::POST, "/v1/bookings");
        let refused = answer(request.header("X-Request-ID", "my-name").json(&order(&room_type, 1, 3))).await;
        assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("sold_out")));
        assert_eq!(refused.body["nights"][0]["date"], "2026-06-01");
        assert_eq!(
            (&refused.body["request_id"], &refused.body["instance"]),
            (&json!("my-name"), &json!("/v1/bookings"))
        );
        assert_eq!(refused.headers["content-type"], "application/problem+json");
        assert_eq!(refused.headers["retry-after"], "901");
        assert_eq!(refused.headers.get_all("x-request-id").iter().count(), 1);

        let missing = format!("/v1/room-types/{}/availability?from=2026-06-01&to=2026-06-03", uuid::Uuid::from_u128(1));
        for node in &cluster.nodes {
            assert_eq!(node.get(&missing).await.body["code"], "no_such_room_type");
        }
        let named = format!("*{}*", uuid::Uuid::from_u128(1));
        let nothing = async || cluster.redis.run::<Vec<String>>(&["KEYS", &named]).is_empty();
        eventually("nothing is kept of what does not exist", nothing).await;
    });
}

#[test]
fn a_key_gets_its_first_answer_from_every_node() {
    with_nodes(3, async |cluster| {
        let (room_type, _) = cluster.room_type(1).await;
        let first = cluster.nodes[0].book("the-key", &order(&room_type, 1, 3)).await;
        assert_eq!(first.status, StatusCode::CREATED);
        for node in &cluster.nodes {
            let again = node.book("the-key", &order(&room_type, 1, 3)).await;
            assert_eq!(
                (again.status, &again.headers["idempotent-replayed"]),
                (StatusCode::CREATED, &"true".parse().unwrap())
            );
            assert_eq!(again.body, first.body);
        }
    });
}

#[test]
fn a_forwarded_request_is_not_forwarded_again() {
    with_nodes(3, async |cluster| {
        let (room_type, owner) = cluster.room_type(1).await;
        let [from, to] = [(owner + 1) % 3, (owner + 2) % 3];
        let body = order(&room_type, 1, 3).to_string().into_bytes();
        let credentials = cluster.credentials(from, to, "POST", "/v1/bookings", &body);
        let request = cluster.nodes[to].request(Method::POST, "/v1/bookings").header(FORWARDED, credentials);
        let told = answer(request.header("Content-Type", "application/json").body(body)).await;
        assert_eq!((told.status, &told.body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("owner_moving")));
        assert_eq!(told.headers["retry-after"], "1");
        let named = told.headers["innkeeper-owner"].to_str().unwrap();
        assert_eq!(named, format!("node-{owner} {}", cluster.nodes[owner].running.url()));
    });
}

#[test]
fn only_a_node_of_the_cluster_may_forward() {
    with_nodes(2, async |cluster| {
        let (room_type, owner) = cluster.room_type(1).await;
        let path = format!("/v1/room-types/{room_type}/availability?from=2026-06-01&to=2026-06-03");
        let other = 1 - owner;
        let valid = cluster.credentials(other, owner, "GET", &path, b"");
        let ask = async |credentials: &str| {
            answer(cluster.nodes[owner].request(Method::GET, &path).header(FORWARDED, credentials)).await
        };
        assert_eq!(ask(&valid).await.status, StatusCode::OK);
        let about_another_request = cluster.credentials(other, owner, "GET", "/v1/hotels", b"");
        let with_a_body = cluster.credentials(other, owner, "GET", &path, b"{}");
        let for_somebody_else = cluster.credentials(owner, other, "GET", &path, b"");
        let forged = format!("{}x", &valid[..valid.len() - 1]);
        for wrong in ["", "x", &forged, &about_another_request, &with_a_body, &for_somebody_else] {
            let refused = ask(wrong).await;
            assert_eq!(
                (refused.status, &refused.body["code"]),
                (StatusCode::MISDIRECTED_REQUEST, &json!("not_a_peer")),
                "{wrong}"
            );
        }
        cluster.nodes[owner].clock.advance(SignedDuration::from_secs(31));
        assert_eq!(ask(&valid).await.status, StatusCode::MISDIRECTED_REQUEST, "too old");
    });
}

#[test]
fn a_single_node_accepts_no_forwarded_request() {
    with_lone_app(async |app| {
        let refused = answer(app.request(Method::GET, "/v1/hotels").header(FORWARDED, "x")).await;
        assert_eq!((refused.status, &refused.body["code"]), (StatusCode::MISDIRECTED_REQUEST, &json!("not_a_peer")));
    });
}

#[test]
fn forged_forwarding_headers_of_a_client_are_removed() {
    with_nodes(2, async |cluster| {
        let (room_type, owner) = cluster.room_type(1).await;
        let node = &cluster.nodes[1 - owner];
        let nights = format!("/v1/room-types/{room_type}/nights");
        let body = json!({"items": [{"from": "2026-06-01", "to": "2026-06-05", "physical": 1}]});
        let unauthorized = answer(node.request(Method::PUT, &nights).json(&body)).await;
        assert_eq!(unauthorized.status, StatusCode::UNAUTHORIZED);
        let path = "/v1/bookings";
        let stale =
            answer(node.request(Method::POST, path).header("If-Match", "\"999\"").json(&order(&room_type, 1, 2)));
        assert_eq!(stale.await.body["code"], "stale");
    });
}
