//! Nodes: processes of the real program on one database and one Redis.
//!
//! They share the machine: several nodes together have as many threads of each kind as a single node, and about as many
//! commit lanes.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use innkeeper::domain::RoomTypeId;
use jiff::SignedDuration;
use reqwest::Client;
use serde_json::Value;

use crate::baselines::redis_server::Redis;
use crate::contest::database::BenchDatabase;
use crate::contest::setup::BenchSetup;
use crate::contest::web::Web;
use crate::cpu::Spent;

const ADMIN: &str = "the-token-of-the-cluster-bench";
const SECRET: &str = "the-secret-of-the-cluster-bench";
const POLL: Duration = Duration::from_millis(20);

/// One node. Dropping it kills the process.
pub struct Node {
    process: Child,
    pub url: String,
}

/// Nodes of one cluster and their setup.
pub struct Fleet {
    pub nodes: Vec<Node>,
    pub setup: Arc<BenchSetup>,
    redis: Redis,
}

impl Fleet {
    /// Starts a number of nodes in a fresh setup. Each room type has an owner when this returns.
    pub async fn start(count: usize, room_types: usize) -> Self {
        let setup = Arc::new(BenchSetup::open_on(BenchDatabase::postgres().await, room_types, room_types).await);
        let redis = Redis::start();
        let nodes = (0..count).map(|number| Node::start(number, count, &setup.database.url(), &redis.url())).collect();
        let fleet = Self { nodes, setup, redis };
        for node in &fleet.nodes {
            while node.cluster().await["nodes"].as_array().is_none_or(|nodes| nodes.len() < count) {
                tokio::time::sleep(POLL).await;
            }
        }
        for room_type in &fleet.setup.room_types {
            let week = format!("{}{}", fleet.nodes[0].url, fleet.week(*room_type));
            Client::new().get(week).send().await.unwrap().error_for_status().unwrap();
        }
        fleet
    }

    /// The owner of each room type.
    pub async fn owners(&self) -> HashMap<RoomTypeId, usize> {
        let mut owners = HashMap::new();
        for (number, node) in self.nodes.iter().enumerate() {
            for owned in node.cluster().await["owned"].as_array().unwrap() {
                owners.insert(RoomTypeId(owned["room_type_id"].as_str().unwrap().parse().unwrap()), number);
            }
        }
        assert_eq!(owners.len(), self.setup.room_types.len(), "each room type has an owner");
        owners
    }

    /// The address of the first seven nights of a room type.
    pub fn week(&self, room_type: RoomTypeId) -> String {
        let from = self.setup.tomorrow;
        let to = from.saturating_add(SignedDuration::from_hours(7 * 24));
        format!("/v1/room-types/{room_type}/availability?from={from}&to={to}")
    }

    /// The processor time of all processes so far. PostgreSQL's is that of all fleets.
    pub fn spent(&self) -> Spent {
        let nodes: Vec<_> = self.nodes.iter().map(|node| node.process.id()).collect();
        let redis: String = self.redis.run(&["INFO", "server"]);
        let redis = redis.lines().find_map(|line| line.strip_prefix("process_id:")).unwrap();
        Spent::by(&nodes, BenchDatabase::postgres_process(), redis.trim().parse().unwrap())
    }

    /// A client of each node, in their order.
    pub fn clients(&self) -> Vec<Web> {
        self.nodes.iter().map(|node| Web::at(&node.url)).collect()
    }
}

impl Node {
    /// Starts node `number` of a number of nodes.
    fn start(number: usize, of: usize, database: &str, redis: &str) -> Self {
        let threads = (std::thread::available_parallelism().unwrap().get() / of).max(1).to_string();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", env!("CARGO_BIN_EXE_innkeeper")]);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("INNKEEPER_")) {
            command.env_remove(name);
        }
        let settings = [
            ("DATABASE_URL", database),
            ("REDIS_URL", redis),
            ("CLUSTER_SECRET", SECRET),
            ("ADMIN_TOKEN", ADMIN),
            ("LISTEN", "127.0.0.1:0"),
            ("LOG", "warn"),
            // Three times the largest number of guests, because actix distributes connections unevenly.
            ("MAX_CONNECTIONS", "2048"),
            ("THREADS", &threads),
            ("HTTP_WORKERS", &threads),
            ("COMMIT_LANES", if of == 1 { "2" } else { "1" }),
        ];
        command.envs(settings.map(|(name, value)| (format!("INNKEEPER_{name}"), value)));
        command.env("TOKIO_WORKER_THREADS", &threads);
        command
            .args(["serve", "--public-limits", "off", "--node-id", &format!("node-{number}")])
            .current_dir(env!("CARGO_TARGET_TMPDIR"));
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut greeting = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        let url = greeting.split(' ').find(|word| word.starts_with("http://"));
        Self { url: url.unwrap_or_else(|| panic!("it greets with {greeting:?}")).to_owned(), process }
    }

    async fn cluster(&self) -> Value {
        let asked = Client::new().get(format!("{}/v1/cluster?limit=200", self.url)).bearer_auth(ADMIN);
        asked.send().await.unwrap().json().await.unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
