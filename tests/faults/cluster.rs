//! Three nodes, one PostgreSQL, one Redis: real processes in temporary folders, and a link from each node to each
//! server.

use std::path::Path;
use std::time::Duration;

use innkeeper::domain::RoomTypeId;
use innkeeper::lease::{Peer, preferred};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::link::Far;
use super::node::{ADMIN, Node, Settings, Way};
use super::postgres::Server;
use super::redis::Redis;
use super::request::UNAVAILABLE;

const NODES: usize = 3;
/// Rooms of each room type: few, so that many requests are refused.
pub const ROOMS: u16 = 4;
/// Settings with which a killed server recovers from its log.
const DURABLE: &str = "fsync = on\nfull_page_writes = on\n";
/// The time-out for actions of a process on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The running processes.
pub struct Cluster {
    pub nodes: Vec<Node>,
    pub redis: Redis,
    pub postgres: Server,
    _folder: TempDir,
}

impl Cluster {
    /// Starts the cluster. Every node is ready when this returns.
    pub async fn start(ttl_secs: u64, way: Way) -> Self {
        Self::start_set(ttl_secs, &[], way).await
    }

    /// The same with other settings.
    pub async fn start_set(ttl_secs: u64, settings: Settings, way: Way) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (postgres, redis) = (Server::start(DURABLE), Redis::start());
        let mut nodes = Vec::new();
        for number in 0..NODES {
            let database = Far::Socket(postgres.folder().join(".s.PGSQL.5432"));
            let (name, redis) = (format!("node-{number}"), Far::Socket(redis.socket()));
            nodes.push(Node::new(&name, folder.path(), (database, redis), ttl_secs, settings, way).await);
        }
        let mut cluster = Self { nodes, redis, postgres, _folder: folder };
        create_database(cluster.postgres.folder());
        for number in 0..NODES {
            cluster.nodes[number].start();
        }
        for number in 0..NODES {
            cluster.ready(number).await;
        }
        cluster
    }

    /// Waits until a node takes requests.
    pub async fn ready(&self, number: usize) {
        let node = &self.nodes[number];
        let client = Client::builder().timeout(Duration::from_secs(2)).build().unwrap();
        let is_ready = async || {
            let asked = client.get(format!("{}/readyz", node.url())).send().await;
            asked.is_ok_and(|answer| answer.status() == StatusCode::OK)
        };
        eventually(&format!("{} is ready", node.name), is_ready, || node.last_words()).await;
    }

    /// A hotel with a number of room types for each node, each with a price. So a node that is cut off leaves room
    /// types to the others. Returns the ids.
    pub async fn catalogue(&self, for_each: usize) -> Vec<Uuid> {
        let hotel = self.hotel().await;
        let peer = |node: &Node| Peer { node: node.name.parse().unwrap(), url: node.url().into() };
        let peers: Vec<_> = self.nodes.iter().map(peer).collect();
        let mut shares = vec![Vec::new(); peers.len()];
        for number in 0.. {
            let room_type = self.room_type(hotel, number).await;
            let node = preferred(RoomTypeId(room_type), &peers).unwrap();
            let share = &mut shares[peers.iter().position(|peer| peer == node).unwrap()];
            if share.len() < for_each {
                let plan = json!({"name": "Flexible", "price_minor": 10_000});
                self.make(&format!("/v1/room-types/{room_type}/rate-plans"), &plan).await;
                share.push(room_type);
            }
            if shares.iter().all(|share| share.len() == for_each) {
                break;
            }
        }
        shares.concat()
    }

    /// A room type that no node has owned yet.
    pub async fn unowned(&self) -> Uuid {
        let hotel = self.hotel().await;
        self.room_type(hotel, 0).await
    }

    async fn hotel(&self) -> Uuid {
        let hotel = json!({"name": "Casa das Falhas", "city": "Lisbon", "country": "PT",
            "timezone": "Europe/Lisbon", "currency": "EUR"});
        self.make("/v1/hotels", &hotel).await
    }

    async fn room_type(&self, hotel: Uuid, number: usize) -> Uuid {
        let room_type = json!({"name": format!("Type {number}"), "max_adults": 2, "max_children": 0,
            "max_occupancy": 2, "rooms": ROOMS});
        self.make(&format!("/v1/hotels/{hotel}/room-types"), &room_type).await
    }

    /// Creates an object, and repeats the request while Redis is too slow on a busy machine. Returns its id.
    async fn make(&self, path: &str, body: &Value) -> Uuid {
        let mut made = None;
        let is_made = async || {
            let request = Client::new().post(format!("{}{path}", self.nodes[0].url())).bearer_auth(ADMIN).json(body);
            let answer = request.send().await.unwrap();
            let status = answer.status();
            let body: Value = answer.json().await.unwrap();
            assert!(status == StatusCode::CREATED || body["code"] == UNAVAILABLE, "{path}: {body}");
            made = body["id"].as_str().map(|id| id.parse().unwrap());
            made.is_some()
        };
        eventually(&format!("{path} is answered"), is_made, || self.last_words()).await;
        made.unwrap()
    }

    /// The last log lines of all nodes.
    pub fn last_words(&self) -> String {
        self.nodes.iter().map(Node::last_words).collect::<Vec<_>>().join("\n\n")
    }
}

fn create_database(socket: &Path) {
    let mut psql = std::process::Command::new("psql");
    let made = psql.args(["-XqU", "postgres", "-c", "CREATE DATABASE innkeeper", "-h"]).arg(socket).status().unwrap();
    assert!(made.success());
}

/// Repeats a check until it succeeds. A check that never does fails the test with the given text.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool, why_not: impl Fn() -> String) {
    let asked = tokio::time::timeout(PATIENCE, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(asked.await.is_ok(), "never: {what}\n{}", why_not());
}
