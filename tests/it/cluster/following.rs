//! Dashboards and search of every node follow the commits of any node.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{ADMIN, App, answer, order};
use crate::support::cluster::{Cluster, with_nodes};
use crate::support::eventually::eventually;
use crate::support::live::{Dashboard, Projection};

/// Names of the hotels that a node finds in a city for the night of order(…, 1, 2).
async fn sellers(node: &App, city: &str) -> Vec<String> {
    let found = node.get(&format!("/v1/search?city={city}&checkin_date=2026-06-01&checkout_date=2026-06-02")).await;
    let items = found.body["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|offer| offer["hotel"]["name"].as_str().unwrap().to_owned()).collect()
}

async fn eventually_sells(node: &App, city: &str, expected: &[&str]) {
    eventually(&format!("{expected:?} in {city}"), async || sellers(node, city).await == expected).await;
}

/// Books a night at a node. Returns the booking's sequence number.
async fn book(node: &App, key: &str, room_type: &str) -> u64 {
    let booked = node.book(key, &order(room_type, 1, 2)).await;
    assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
    booked.body["sequence"].as_u64().unwrap()
}

/// Follows a dashboard up to a sequence number, and checks that no change is left out.
async fn follow(dashboard: &mut Dashboard, projection: &mut Projection, sequence: u64) {
    while projection.sequence < sequence {
        let (before, frame) = (projection.sequence, dashboard.next().await);
        assert!(projection.follow(&frame), "{frame}");
        assert!(frame["type"] == "snapshot" || projection.sequence == before + 1, "a change is missing: {frame}");
    }
}

/// A room type with six rooms, its owner, and a dashboard on every other node.
async fn watched(cluster: &Cluster) -> (String, usize, Vec<(Dashboard, Projection)>) {
    let (room_type, owner) = cluster.room_type(6).await;
    let mut dashboards = Vec::new();
    for (_, node) in cluster.nodes.iter().enumerate().filter(|(index, _)| *index != owner) {
        dashboards.push(Dashboard::watching(node, &room_type).await);
    }
    (room_type, owner, dashboards)
}

#[test]
fn a_room_type_that_moves_is_followed_without_a_gap_and_found_by_every_search() {
    with_nodes(3, async |cluster| {
        let (room_type, owner, mut dashboards) = watched(cluster).await;
        let staying: Vec<_> = (0..3).filter(|index| *index != owner).collect();
        for node in &staying {
            eventually_sells(&cluster.nodes[*node], "Lisbon", &["Casa"]).await;
        }
        let mut last = 0;
        for n in 0..3 {
            last = book(&cluster.nodes[n], &format!("before-{n}"), &room_type).await;
        }
        for (dashboard, projection) in &mut dashboards {
            follow(dashboard, projection, last).await;
        }
        let leaving = cluster.nodes[owner].request(Method::POST, "/v1/cluster/drain").bearer_auth(ADMIN);
        assert_eq!(answer(leaving).await.status, StatusCode::OK);
        for n in 0..3 {
            let node = &cluster.nodes[staying[n % 2]];
            last = book(node, &format!("after-{n}"), &room_type).await;
        }
        let expected = Projection::of(&cluster.nodes[staying[0]], &room_type).await;
        for (dashboard, projection) in &mut dashboards {
            follow(dashboard, projection, last).await;
            assert_eq!((projection.sequence, &projection.nights), (last, &expected.nights));
        }
        for node in &staying {
            eventually_sells(&cluster.nodes[*node], "Lisbon", &[]).await;
        }
    });
}

#[test]
fn without_redis_other_nodes_follow_half_a_second_later() {
    with_nodes(2, async |cluster| {
        let (room_type, owner, mut dashboards) = watched(cluster).await;
        book(&cluster.nodes[owner], "with", &room_type).await;
        cluster.redis.stop();
        let mut last = 0;
        for n in 0..5 {
            last = book(&cluster.nodes[owner], &format!("without-{n}"), &room_type).await;
        }
        let (dashboard, projection) = &mut dashboards[0];
        follow(dashboard, projection, last).await;
        assert_eq!(projection.nights["2026-06-01"], [6, 0, 0]);
        eventually_sells(&cluster.nodes[1 - owner], "Lisbon", &[]).await;
    });
}

#[test]
fn a_change_of_a_hotel_reaches_all_nodes() {
    with_nodes(2, async |cluster| {
        let (room_type, owner) = cluster.room_type(6).await;
        let hotel = cluster.nodes[0].get(&format!("/v1/room-types/{room_type}")).await.body["hotel_id"].clone();
        let hotel = format!("/v1/hotels/{}", hotel.as_str().unwrap());
        let other = &cluster.nodes[1 - owner];
        let limits = json!({"city": "Braga", "max_nights": 2});
        assert_eq!(other.admin(Method::PATCH, &hotel, &limits).await.status, StatusCode::OK);
        for node in &cluster.nodes {
            eventually_sells(node, "Braga", &["Casa"]).await;
            eventually_sells(node, "Lisbon", &[]).await;
        }
        let mut attempts = 0;
        eventually("the owner knows the new limit", async || {
            attempts += 1;
            let booked = cluster.nodes[owner].book(&format!("long-{attempts}"), &order(&room_type, 10, 14)).await;
            booked.status == StatusCode::UNPROCESSABLE_ENTITY
        })
        .await;

        let service = json!({"name": "Breakfast", "basis": "per_stay", "price_minor": 900});
        let service = other.create(&format!("{hotel}/services"), &service).await;
        let mut with_breakfast = order(&room_type, 20, 21);
        with_breakfast["services"] = json!([{"service_id": service, "quantity": 1}]);
        eventually("the owner sells the new service", async || {
            attempts += 1;
            let booked = cluster.nodes[owner].book(&format!("breakfast-{attempts}"), &with_breakfast).await;
            booked.status == StatusCode::CREATED
        })
        .await;
    });
}

#[test]
fn a_node_that_joins_knows_everything_and_follows() {
    with_nodes(1, async |cluster| {
        let (room_type, _) = cluster.room_type(2).await;
        book(&cluster.nodes[0], "before", &room_type).await;
        cluster.join().await;
        eventually_sells(&cluster.nodes[1], "Lisbon", &["Casa"]).await;
        let (mut dashboard, mut projection) = Dashboard::watching(&cluster.nodes[1], &room_type).await;
        let last = book(&cluster.nodes[0], "after", &room_type).await;
        follow(&mut dashboard, &mut projection, last).await;
        assert_eq!(projection.nights["2026-06-01"], [2, 0, 0]);
        eventually_sells(&cluster.nodes[1], "Lisbon", &[]).await;
    });
}
