//! The balancer of `docker-compose.yml`, as it is configured there, in front of real nodes.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::app::{answer, order};
use crate::support::cluster::{Cluster, with_nodes};
use crate::support::eventually::eventually;
use crate::support::port::Port;

/// A real HAProxy, stopped when the test ends.
struct Balancer {
    port: Port,
    folder: TempDir,
    process: Child,
}

impl Balancer {
    /// In front of the nodes of a cluster, which are called as the balancer calls them, but for counting from 0.
    async fn before(cluster: &Cluster) -> Self {
        let port = Port::keep();
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let mut text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.docker/haproxy.cfg")).unwrap();
        for (index, node) in cluster.nodes.iter().enumerate() {
            let (called, url) = (format!("node-{}", index + 1), node.running.url());
            text = text.replace(&format!("{called}:8080"), url.trim_start_matches("http://"));
            text = text.replace(
                &format!("(innkeeper-answered-by) {called}"),
                &format!("(innkeeper-answered-by) node-{index}"),
            );
        }
        // A node that is slow to say that it is well, on a busy machine, stays in.
        let text = text.replace(" fall 2 ", " fall 1000 ");
        // Containers have names and files for twenty thousand connections; here there is neither.
        let (before, rest) = text.split_once("resolvers docker\n").unwrap();
        let (_, after) = rest.split_once("\n\n").unwrap();
        let text = format!("{before}{after}")
            .replace(" resolvers docker init-addr last,libc,none", "")
            .replace("maxconn 20000", &format!("maxconn 200\n    stats socket {} level admin", socket.display()))
            .replace("bind :8080", &format!("bind {}", port.address()));
        let config = folder.path().join("haproxy.cfg");
        fs::write(&config, text).unwrap();
        let mut command = Command::new("haproxy");
        let process = command.args(["-db", "-f"]).arg(&config).stdin(Stdio::null()).spawn();
        let balancer = Self { port, folder, process: process.expect("haproxy is installed") };
        let ready = async || Client::new().get(balancer.url("/readyz")).send().await.is_ok();
        eventually("the balancer listens", ready).await;
        balancer
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.port.address())
    }

    /// Books under a key.
    async fn book(&self, key: &str, order: &Value) -> StatusCode {
        let request = Client::new().request(Method::POST, self.url("/v1/bookings"));
        let booked = answer(request.header("Idempotency-Key", key).json(order)).await;
        assert!(!booked.headers.contains_key("innkeeper-answered-by"), "no guest hears the name of a node");
        booked.status
    }

    /// What it has heard of the owner of a room type: a number from 1, or 0.
    fn owner(&self, room_type: &str) -> Option<usize> {
        let mut socket = UnixStream::connect(self.folder.path().join("socket")).unwrap();
        writeln!(socket, "show table owners").unwrap();
        let mut table = String::new();
        socket.read_to_string(&mut table).unwrap();
        let line = table.lines().find(|line| line.contains(&format!("key={room_type}")))?;
        line.split("gpt0=").nth(1)?.split_whitespace().next()?.parse().ok()
    }

    /// How many requests about room types each node was sent.
    fn sent(&self) -> Vec<u64> {
        let mut socket = UnixStream::connect(self.folder.path().join("socket")).unwrap();
        writeln!(socket, "show stat").unwrap();
        let mut stat = String::new();
        socket.read_to_string(&mut stat).unwrap();
        let names: Vec<_> = stat.lines().next().unwrap().trim_start_matches("# ").split(',').collect();
        let column = names.iter().position(|name| *name == "stot").unwrap();
        let servers = stat.lines().filter(|line| line.starts_with("by_room_type,node-"));
        servers.map(|line| line.split(',').nth(column).unwrap().parse().unwrap()).collect()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_balancer_learns_who_owns_a_room_type() {
    const BOOKINGS: usize = 8;
    with_nodes(3, async |cluster| {
        let balancer = Balancer::before(cluster).await;
        // Of six room types, hardly all are where their hash says.
        for number in 0..6 {
            let (room_type, owner) = cluster.room_type(BOOKINGS as u16).await;
            let before = balancer.sent();
            for booking in 0..BOOKINGS {
                let booked = balancer.book(&format!("{number}-{booking}"), &order(&room_type, 1, 3)).await;
                assert_eq!(booked, StatusCode::CREATED);
            }
            let sent: Vec<_> = balancer.sent().iter().zip(before).map(|(after, before)| after - before).collect();
            let elsewhere =
                sent.iter().enumerate().filter(|(node, _)| *node != owner).map(|(_, sent)| sent).sum::<u64>();
            assert_eq!(sent.iter().sum::<u64>(), BOOKINGS as u64, "it knows what is booked");
            assert!(elsewhere <= 1, "room type {number} of node {owner}: {sent:?}");
            let heard = balancer.owner(&room_type);
            assert_eq!(heard, Some(if elsewhere == 0 { 0 } else { owner + 1 }));
        }
    });
}

#[test]
fn what_the_balancer_cannot_read_is_read_by_a_node() {
    with_nodes(3, async |cluster| {
        let balancer = Balancer::before(cluster).await;
        let url = balancer.url("/v1/bookings");
        for body in ["{", "[]", r#"{"room_type_id": 7}"#] {
            let request = Client::new().post(&url).header("Content-Type", "application/json").body(body);
            let answer = answer(request.header("Idempotency-Key", "nonsense")).await;
            assert!(answer.status.is_client_error(), "{}", answer.body);
            assert!(answer.body["code"].is_string(), "a problem of a node: {}", answer.body);
        }
        // Larger than a buffer of the balancer.
        let (room_type, _) = cluster.room_type(1).await;
        let mut large = order(&room_type, 1, 3);
        large["guests"] = (0..300).map(|n| json!({"name": format!("Guest {n:0100}"), "age": 30})).collect();
        let refused = answer(Client::new().post(&url).header("Idempotency-Key", "large").json(&large)).await;
        assert!(refused.body["code"].is_string(), "{} {}", refused.status, refused.body);
    });
}
