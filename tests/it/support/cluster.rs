//! Several nodes in one process, on a real PostgreSQL and a real Redis.

use std::sync::Arc;

use innkeeper::app::{self, Listeners, Running};
use innkeeper::clock::ManualClock;
use innkeeper::config::Config;
use innkeeper::http::forward::credentials::{Claims, Signer};
use innkeeper::store::DatabaseId;
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::app::{ADMIN, App, NOW, answer, config, in_system, listener};
use super::eventually::eventually;
use super::redis::Redis;
use super::test_database::TestDatabase;
use super::unreliable_journal::Unreliable;

/// The secret of every test cluster.
pub const SECRET: &str = "test-cluster-secret";

/// A lease TTL that a test can wait for.
const MORTAL: &[(&str, &str)] = &[("lease_ttl_secs", "3")];

/// The servers beside the database: on PostgreSQL a Redis, as in production, also for a single node. On SQLite none.
pub struct Company(Option<(Redis, String)>);

impl Company {
    pub fn on(database: &str) -> Self {
        Self(database.starts_with("postgres:").then(|| {
            let redis = Redis::start();
            let url = redis.url();
            (redis, url)
        }))
    }

    /// Settings of the node. It loses no room type because the machine is busy.
    pub fn settings(&self) -> Vec<(&'static str, &str)> {
        let Some((_, url)) = &self.0 else { return Vec::new() };
        vec![("redis_url", url), ("cluster_secret", SECRET), ("node_id", "node-0"), ("lease_ttl_secs", "60")]
    }
}

/// Nodes of one cluster.
pub struct Cluster {
    pub nodes: Vec<App>,
    pub redis: Redis,
    pub clock: Arc<ManualClock>,
    settings: &'static [(&'static str, &'static str)],
    place: TestDatabase,
}

/// Starts a number of nodes and runs the test. None of them loses a room type because the machine is busy.
pub fn with_nodes(count: usize, test: impl AsyncFnOnce(&mut Cluster)) {
    with_nodes_set(TestDatabase::postgres(), &[], count, test);
}

/// The same for a test in which a node dies, and which waits for the end of its leases. The time-out of Redis is as
/// with longer leases.
pub fn with_mortal_nodes(count: usize, test: impl AsyncFnOnce(&mut Cluster)) {
    with_nodes_set(TestDatabase::postgres(), MORTAL, count, test);
}

/// The same on an existing database.
pub fn with_mortal_nodes_on(url: &str, count: usize, test: impl AsyncFnOnce(&mut Cluster)) {
    with_nodes_set(TestDatabase::Elsewhere(url.to_owned()), MORTAL, count, test);
}

/// The same for a test about idle room types. Their leases outlast every time-out.
pub fn with_nodes_that_passivate_soon(count: usize, test: impl AsyncFnOnce(&mut Cluster)) {
    with_nodes_set(TestDatabase::postgres(), &[("idle_secs", "1"), ("lease_ttl_secs", "300")], count, test);
}

fn with_nodes_set(
    place: TestDatabase,
    settings: &'static [(&'static str, &'static str)],
    count: usize,
    test: impl AsyncFnOnce(&mut Cluster),
) {
    in_system(async {
        let clock = Arc::new(ManualClock::at(NOW.parse::<Timestamp>().unwrap()));
        let mut cluster = Cluster { nodes: Vec::new(), redis: Redis::start(), clock, settings, place };
        for _ in 0..count {
            cluster.join().await;
        }
        cluster.acquainted().await;
        test(&mut cluster).await;
    });
}

impl Cluster {
    /// Starts one more node. It is ready as a load balancer sees it.
    pub async fn join(&mut self) {
        let (config, clock) = (self.next(), self.clock.clone());
        let running = app::start(&config, listener(), clock.clone()).await.unwrap();
        running.search.reached(0).await;
        self.nodes.push(App::of(running, clock, &config));
    }

    /// Waits until every node knows all others.
    async fn acquainted(&self) {
        eventually("every node knows every other", async || {
            for node in &self.nodes {
                if node.nodes().await.len() < self.nodes.len() {
                    return false;
                }
            }
            true
        })
        .await;
    }

    /// Starts one more node with a journal that a test can make fail.
    pub async fn join_with_unreliable_journal(&mut self) -> Arc<Unreliable> {
        let config = self.next();
        let (_, journal, start) = self.start_over(|_| {}).await;
        let running = start.await.unwrap();
        self.nodes.push(App::of(running, self.clock.clone(), &config));
        self.acquainted().await;
        journal
    }

    /// Starts one more node with such a journal. Returns its address and the result of the start.
    pub async fn start_over(
        &self,
        unreliable: impl FnOnce(&Unreliable),
    ) -> (String, Arc<Unreliable>, impl Future<Output = Result<Running, app::Error>>) {
        let (config, clock) = (self.next(), self.clock.clone());
        let listeners = Listeners::with(listener(), &config).unwrap();
        let store = app::open_store(&config, true).await.unwrap();
        let journal = Arc::new(Unreliable::new(store.clone()));
        unreliable(&journal);
        let (url, over) = (format!("http://{}", listeners.address().unwrap()), journal.clone());
        (url, journal, async move { app::start_on(&config, listeners, clock, store, over).await })
    }

    /// The name of its database.
    pub async fn database_id(&self) -> DatabaseId {
        self.nodes[0].running.store.database().await.unwrap()
    }

    /// The key of a room type's lease in Redis.
    pub async fn lease(&self, room_type: &str) -> String {
        format!("innkeeper:{{{room_type}}}:{}:lease", self.database_id().await)
    }

    /// Starts a node with other settings, another clock or another database. It may never become a member.
    pub async fn stranger(&self, place: &str, own: &[(&'static str, &str)], clock: Arc<ManualClock>) -> App {
        let redis = self.redis.url();
        let usual = [("redis_url", redis.as_str()), ("cluster_secret", SECRET), ("node_id", "stranger")];
        let config = config(place, &[&usual, self.settings, own].concat());
        let running = app::start(&config, listener(), clock.clone()).await.unwrap();
        running.search.reached(0).await;
        App::of(running, clock, &config)
    }

    /// The URL of the database.
    pub fn database(&self) -> String {
        self.place.url()
    }

    /// The settings of the next node.
    fn next(&self) -> Config {
        let (redis, name) = (self.redis.url(), format!("node-{}", self.nodes.len()));
        let own = [("redis_url", redis.as_str()), ("cluster_secret", SECRET), ("node_id", name.as_str())];
        config(&self.place.url(), &[&own, self.settings].concat())
    }

    /// The node that owns a room type, if there is one.
    pub async fn owner(&self, room_type: &str) -> Option<usize> {
        for (index, node) in self.nodes.iter().enumerate() {
            if node.owned().await.iter().any(|owned| owned == room_type) {
                return Some(index);
            }
        }
        None
    }

    /// An owned room type with a number of rooms, and its owner.
    pub async fn room_type(&self, rooms: u16) -> (String, usize) {
        let room_type = self.nodes[0].room_type(rooms).await;
        let owner = self.owner(&room_type).await.unwrap();
        (room_type, owner)
    }

    /// The header with which a node of this cluster marks a forwarded request.
    pub fn credentials(&self, from: usize, to: usize, method: &str, path: &str, body: &[u8]) -> String {
        let signer = Signer::new(format!("node-{from}").parse().unwrap(), &innkeeper::secret::Secret::new(SECRET));
        let to = format!("node-{to}").parse().unwrap();
        signer.sign(&to, Claims::of(method, path, body), NOW.parse().unwrap()).unwrap()
    }
}

impl App {
    /// Waits until the node is ready.
    pub async fn is_ready(&self) {
        eventually("it is ready", async || self.get("/readyz").await.status == StatusCode::OK).await;
    }

    /// Waits until the node is not ready with that code. Returns the detail.
    pub async fn is_not_ready(&self, code: &str) -> String {
        let mut said = Value::Null;
        eventually("it is not ready, and says why", async || {
            let answer = self.get("/readyz").await;
            said = answer.body;
            answer.status == StatusCode::SERVICE_UNAVAILABLE && said["code"] == code
        })
        .await;
        said["detail"].as_str().unwrap().to_owned()
    }

    /// The cluster as the node sees it.
    pub async fn cluster(&self) -> Value {
        answer(self.request(Method::GET, "/v1/cluster?limit=200").bearer_auth(ADMIN)).await.body
    }

    /// The nodes that the node sees, after Redis has answered.
    pub async fn nodes(&self) -> Vec<Value> {
        let mut seen = None;
        eventually("redis tells", async || {
            seen = self.cluster().await["nodes"].as_array().cloned();
            seen.is_some()
        })
        .await;
        seen.unwrap()
    }

    /// The room types that the node owns.
    pub async fn owned(&self) -> Vec<String> {
        let id = |owned: &Value| owned["room_type_id"].as_str().unwrap().to_owned();
        self.cluster().await["owned"].as_array().unwrap().iter().map(id).collect()
    }
}
