//! The balancer of `docker-compose.yml`, as it is configured there, in front of real nodes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use futures_util::future::{join, join_all};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::app::{ADMIN, answer, order};
use crate::support::cluster::{Cluster, with_nodes};
use crate::support::eventually::eventually;
use crate::support::port::Port;
use crate::support::watched::Watched;

/// A real HAProxy, stopped when the test ends.
struct Balancer {
    /// The first field, so that the process ends before its port is reused.
    _process: Watched,
    port: Port,
    client: Client,
    folder: TempDir,
}

impl Balancer {
    /// In front of the nodes of a cluster. Their names are those of the balancer's configuration, counted from 0. They
    /// all stay active, also when a health check fails on a busy machine.
    async fn before(cluster: &Cluster) -> Self {
        Self::before_all_but(cluster, None).await
    }

    /// The same, except for a node that leaves.
    async fn before_all_but(cluster: &Cluster, leaving: Option<usize>) -> Self {
        for node in &cluster.nodes {
            eventually("every node is ready", async || node.get("/readyz").await.status == StatusCode::OK).await;
        }
        let port = Port::keep();
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let mut text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.docker/haproxy.cfg")).unwrap();
        for (index, node) in cluster.nodes.iter().enumerate() {
            let (called, url) = (format!("node-{}", index + 1), node.running.url());
            if leaving != Some(index) {
                text = text.replace(&format!("{called}:8080 check"), &format!("{called}:8080 check fall 1000"));
            }
            text = text.replace(&format!("{called}:8080"), url.trim_start_matches("http://"));
            text = text.replace(
                &format!("(innkeeper-answered-by) {called}"),
                &format!("(innkeeper-answered-by) node-{index}"),
            );
        }
        // Containers have names and enough file descriptors; here there are neither.
        let (before, rest) = text.split_once("resolvers docker\n").unwrap();
        let (_, after) = rest.split_once("\n\n").unwrap();
        let text = format!("{before}{after}")
            .replace(" resolvers docker init-addr last,libc,none", "")
            .replace("maxconn 20000", &format!("maxconn 200\n    stats socket {} level admin", socket.display()))
            // A node with a slow health check on a busy machine stays active.
            .replace("option httpchk", "timeout check 60s\n    option httpchk")
            .replace("bind :8080", &format!("bind {}", port.address()));
        let config = folder.path().join("haproxy.cfg");
        fs::write(&config, text).unwrap();
        let mut command = Command::new("haproxy");
        let process = command.args(["-db", "-f"]).arg(&config).stdin(Stdio::null()).spawn();
        let process = Watched::new(process.expect("haproxy is installed"));
        let balancer = Self { port, client: Client::new(), folder, _process: process };
        let ready = async || balancer.request(Method::GET, "/readyz").send().await.is_ok();
        eventually("the balancer listens", ready).await;
        // Before the first check a node is active; one failed check makes it inactive.
        let well = async || balancer.column("status").iter().all(|status| status == "UP");
        eventually("the balancer has heard from every node that it is well", well).await;
        balancer
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.port.address())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// Books with a key.
    async fn book(&self, key: &str, order: &Value) -> StatusCode {
        let booking = self.request(Method::POST, "/v1/bookings");
        let booked = answer(booking.header("Idempotency-Key", key).json(order)).await;
        assert!(!booked.headers.contains_key("innkeeper-answered-by"), "no guest hears the name of a node");
        booked.status
    }

    /// The owner of a room type as the balancer has learned it: a number from 1, or 0.
    fn owner(&self, room_type: &str) -> Option<usize> {
        let mut socket = UnixStream::connect(self.folder.path().join("socket")).unwrap();
        writeln!(socket, "show table owners").unwrap();
        let mut table = String::new();
        socket.read_to_string(&mut table).unwrap();
        let line = table.lines().find(|line| line.contains(&format!("key={room_type}")))?;
        line.split("gpt0=").nth(1)?.split_whitespace().next()?.parse().ok()
    }

    /// The number of requests about room types, by node.
    fn sent(&self) -> Vec<u64> {
        self.column("stot").iter().map(|sent| sent.parse().unwrap()).collect()
    }

    /// A column of its statistics, for each node.
    fn column(&self, name: &str) -> Vec<String> {
        let mut socket = UnixStream::connect(self.folder.path().join("socket")).unwrap();
        writeln!(socket, "show stat").unwrap();
        let mut stat = String::new();
        socket.read_to_string(&mut stat).unwrap();
        let names: Vec<_> = stat.lines().next().unwrap().trim_start_matches("# ").split(',').collect();
        let column = names.iter().position(|known| *known == name).unwrap();
        let servers = stat.lines().filter(|line| line.starts_with("by_room_type,node-"));
        servers.map(|line| line.split(',').nth(column).unwrap().to_owned()).collect()
    }

    /// Waits until it sends no request to a node.
    async fn leaves_out(&self, node: usize) {
        eventually("the balancer knows that the node drains", async || self.column("status")[node] == "DOWN").await;
    }

    /// A client that books one room after the other and reads, until it is stopped. Returns the failed requests.
    async fn guest(&self, name: usize, room_type: &str, stop: &Cell<bool>) -> Vec<String> {
        let mut bad = Vec::new();
        for number in 0.. {
            let key = format!("{name}-{number}");
            let booking = self.request(Method::POST, "/v1/bookings").header("Idempotency-Key", key);
            let requests = [
                booking.json(&order(room_type, 1, 2)),
                self.request(Method::GET, &format!("/v1/room-types/{room_type}")),
                self.request(Method::GET, "/v1/hotels"),
            ];
            for request in requests {
                match request.send().await {
                    Ok(answer) if answer.status().is_success() => {}
                    Ok(answer) => bad.push(format!("{} {:?}", answer.status(), answer.text().await)),
                    Err(error) => bad.push(format!("{error:?}")),
                }
            }
            if stop.get() {
                break;
            }
        }
        bad
    }
}

#[test]
fn the_balancer_learns_the_owner_of_a_room_type() {
    const BOOKINGS: usize = 8;
    with_nodes(3, async |cluster| {
        let balancer = Balancer::before(cluster).await;
        // Of six room types, hardly all are at the node of their hash.
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
fn a_request_that_the_balancer_cannot_parse_reaches_a_node() {
    with_nodes(3, async |cluster| {
        let balancer = Balancer::before(cluster).await;
        let path = "/v1/bookings";
        for body in ["{", "[]", r#"{"room_type_id": 7}"#] {
            let request = balancer.request(Method::POST, path).header("Content-Type", "application/json").body(body);
            let answer = answer(request.header("Idempotency-Key", "nonsense")).await;
            assert!(answer.status.is_client_error(), "{}", answer.body);
            assert!(answer.body["code"].is_string(), "a problem of a node: {}", answer.body);
        }
        // Larger than a buffer of the balancer.
        let (room_type, _) = cluster.room_type(1).await;
        let mut large = order(&room_type, 1, 3);
        large["guests"] = (0..300).map(|n| json!({"name": format!("Guest {n:0100}"), "age": 30})).collect();
        let refused =
            answer(balancer.request(Method::POST, path).header("Idempotency-Key", "large").json(&large)).await;
        assert!(refused.body["code"].is_string(), "{} {}", refused.status, refused.body);
    });
}

#[rstest]
#[case::drained_and_then_stopped(true)]
#[case::stopped(false)]
fn no_request_fails_while_a_node_is(#[case] drained_before: bool) {
    with_nodes(3, async |cluster| {
        let leaving = 1;
        let balancer = Balancer::before_all_but(cluster, Some(leaving)).await;
        // One of each node.
        let mut room_types = BTreeMap::new();
        while room_types.len() < 3 {
            let (room_type, owner) = cluster.room_type(5_000).await;
            room_types.insert(owner, room_type);
        }
        let stop = Cell::new(false);
        let guests = room_types.iter().map(|(name, room_type)| balancer.guest(*name, room_type, &stop));
        let guests = join_all(guests);
        let leave = async {
            eventually("every node is asked", async || balancer.sent().iter().all(|sent| *sent > 0)).await;
            let mut drained_after = None;
            if drained_before {
                let node = &cluster.nodes[leaving];
                let drained = answer(node.request(Method::POST, "/v1/cluster/drain").bearer_auth(ADMIN)).await;
                assert_eq!(drained.status, StatusCode::OK, "{}", drained.body);
                balancer.leaves_out(leaving).await;
                drained_after = Some(balancer.sent()[leaving]);
            }
            cluster.nodes.remove(leaving).running.shutdown().await;
            balancer.leaves_out(leaving).await;
            let sent = balancer.sent();
            if let Some(drained_after) = drained_after {
                assert_eq!(sent[leaving], drained_after, "a node that has drained is asked nothing");
            }
            eventually("the other two go on", async || {
                balancer.sent().iter().zip(&sent).filter(|(now, before)| now > before).count() == 2
            })
            .await;
            stop.set(true);
        };
        let (bad, ()) = join(guests, leave).await;
        assert_eq!(bad.concat(), Vec::<String>::new());
    });
}

#[test]
fn the_balancer_shows_the_cluster_and_does_not_drain_it() {
    with_nodes(3, async |cluster| {
        let balancer = Balancer::before(cluster).await;
        for _page in 0..4 {
            let seen = answer(balancer.request(Method::GET, "/v1/cluster?limit=1").bearer_auth(ADMIN)).await;
            assert_eq!(seen.body["node"], "node-0", "always the same node: {}", seen.body);
        }
        for spelt in ["/metrics", "/%6Detrics", "/metric%73", "/%6d%65trics?x=1"] {
            let hidden = balancer.request(Method::GET, spelt).send().await.unwrap();
            assert_eq!(hidden.status(), StatusCode::NOT_FOUND, "{spelt}");
        }
        for spelt in ["/v1/cluster/drain", "/v1/cluster/%64rain", "/%761/cluster/drai%6E"] {
            let refused = answer(balancer.request(Method::POST, spelt).bearer_auth(ADMIN)).await;
            assert_eq!((refused.status, &refused.body["status"]), (StatusCode::FORBIDDEN, &json!(403)));
            assert_eq!(refused.headers["content-type"], "application/problem+json");
        }
        for node in cluster.nodes[0].nodes().await {
            assert_eq!(node["draining"], false, "{node}");
        }
    });
}
