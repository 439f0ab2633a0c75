//! Redis is not trusted: a program that can write to it gets no data of clients.

use std::io::ErrorKind;
use std::net::TcpListener;

use reqwest::StatusCode;
use serde_json::json;

use crate::support::app::order;
use crate::support::cluster::{Cluster, with_nodes};
use crate::support::counted::counted;
use crate::support::eventually::eventually;

const REFUSED: &str = "innkeeper_announcements_refused_total";

/// An address that must get no request.
struct Trap(TcpListener);

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    fn is_empty(&self) -> bool {
        self.0.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

/// Writes a node of that name into Redis, as plain text without a TTL.
fn forge_node(cluster: &Cluster, name: &str, url: &str) {
    let about = json!({"url": url, "since": "2026-05-01T12:00:00Z", "told": "2026-05-01T12:00:00Z",
        "draining": false, "owned": 0, "ttl_ms": 300_000});
    cluster.redis.run::<()>(&["HSET", "innkeeper:{nodes}:about", name, &about.to_string()]);
    cluster.redis.run::<()>(&["ZADD", "innkeeper:{nodes}:until", "9e12", name]);
}

#[test]
fn a_forged_node_gets_no_room_type_and_no_request() {
    with_nodes(2, async |cluster| {
        let (trap, before) = (Trap::set(), counted(REFUSED));
        // With so many forged nodes, placement would prefer them for nearly all room types.
        for n in 0..200 {
            forge_node(cluster, &format!("forged-{n}"), &trap.url());
        }
        eventually("a node has read the registry", async || counted(REFUSED) >= before + 400.0).await;
        for n in 0..4 {
            let (room_type, _) = cluster.room_type(1).await;
            let booked = cluster.nodes[n % 2].book(&format!("key-{n}"), &order(&room_type, 1, 2)).await;
            assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
        }
        assert!(trap.is_empty());
        assert_eq!(cluster.nodes[1].nodes().await.len(), 2);
    });
}

#[test]
fn a_forged_lease_redirects_no_request() {
    with_nodes(2, async |cluster| {
        let (trap, (room_type, owner)) = (Trap::set(), cluster.room_type(1).await);
        cluster.nodes[owner].running.engine.hand_over().await;
        let lease = cluster.lease(&room_type).await;
        eventually("it is free", async || cluster.redis.run::<i64>(&["EXISTS", &lease]) == 0).await;
        forge_node(cluster, "forged", &trap.url());
        cluster.redis.run::<()>(&["HSET", &lease, "node", "forged", "url", &trap.url(), "token", "1"]);
        for node in &cluster.nodes {
            let refused = node.book("key", &order(&room_type, 1, 2)).await;
            assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.body);
            assert!(refused.headers.contains_key("retry-after"));
        }
        assert!(trap.is_empty());
        cluster.redis.run::<()>(&["DEL", &lease]);
        let booked = cluster.nodes[0].book("key", &order(&room_type, 1, 2)).await;
        assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
    });
}

#[test]
fn an_overwritten_announcement_does_not_move_a_node() {
    with_nodes(2, async |cluster| {
        let (trap, (room_type, owner)) = (Trap::set(), cluster.room_type(9).await);
        let asked = &cluster.nodes[1 - owner];
        for n in 0..9 {
            forge_node(cluster, &format!("node-{owner}"), &trap.url());
            // Reads the registry now, not at its next heartbeat.
            assert_eq!(asked.nodes().await.len(), 2);
            let booked = asked.book(&format!("key-{n}"), &order(&room_type, 1, 2)).await;
            assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
        }
        assert!(trap.is_empty());
    });
}
