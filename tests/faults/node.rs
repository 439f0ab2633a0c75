//! One node: a process of the real program. Every connection of it goes through a [`Link`].

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::link::{Far, Link};

/// The administrator's token of every node.
pub const ADMIN: &str = "fault-suite-administrator";

/// The lifetime of a hold. Some holds expire during a run.
pub const HOLD_TTL_SECS: u32 = 2;

/// Settings of one node, as names without their prefix.
pub type Settings = &'static [(&'static str, &'static str)];

/// A node, running or not. Its links stay the same.
pub struct Node {
    pub name: String,
    /// The link for clients and other nodes.
    pub door: Link,
    pub to_database: Link,
    pub to_redis: Link,
    ttl_secs: u64,
    settings: Settings,
    way: Way,
    folder: PathBuf,
    process: Option<Child>,
    /// The address of the listener, or of the last one.
    address: Option<SocketAddr>,
}

/// The way from clients and other nodes to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Through a link that can be cut. It accepts connections also while the node is down.
    Door,
    /// Directly. The address changes with each start, and connections to an old address are refused.
    Straight,
}

impl Node {
    pub async fn new(
        name: &str,
        folder: &Path,
        servers: (Far, Far),
        ttl_secs: u64,
        settings: Settings,
        way: Way,
    ) -> Self {
        let (database, redis) = servers;
        let (door, to_database, to_redis) = tokio::join!(Link::to(Far::Nowhere), Link::to(database), Link::to(redis));
        let (name, folder) = (name.to_owned(), folder.to_owned());
        Self { name, door, to_database, to_redis, ttl_secs, settings, way, folder, process: None, address: None }
    }

    /// The address for clients.
    pub fn url(&self) -> String {
        match (self.way, self.address) {
            (Way::Straight, Some(address)) => format!("http://{address}"),
            _ => self.door(),
        }
    }

    /// The address of the link, also when clients connect directly.
    pub fn door(&self) -> String {
        format!("http://{}", self.door.address())
    }

    /// Starts the node. It answers when this returns.
    pub fn start(&mut self) {
        let mut command = self.program();
        let log = OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let mut process = command.arg("serve").stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("http://")?;
            rest.split([' ', '/', ')']).next()?.parse().ok()
        });
        // A process that prints to a closed pipe dies, so a thread keeps reading.
        std::thread::spawn(move || lines.for_each(drop));
        self.process = Some(process);
        let address = address.unwrap_or_else(|| panic!("{} does not start:\n{}", self.name, self.last_words()));
        self.door.lead_to(Far::Address(address));
        self.address = Some(address);
    }

    /// The program with this node's settings and no other variables. The kernel kills it when the thread that started
    /// it ends.
    pub fn program(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", env!("CARGO_BIN_EXE_innkeeper")]);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("INNKEEPER_")) {
            command.env_remove(name);
        }
        let settings = [
            ("LISTEN", "127.0.0.1:0".to_owned()),
            ("ADMIN_TOKEN", ADMIN.to_owned()),
            ("LOG", "info".to_owned()),
            ("PUBLIC_LIMITS", "off".to_owned()),
            ("THREADS", "2".to_owned()),
            ("HTTP_WORKERS", "2".to_owned()),
            ("DATABASE_URL", format!("postgres://postgres@{}/innkeeper", self.to_database.address())),
            ("REDIS_URL", format!("redis://{}", self.to_redis.address())),
            ("NODE_ID", self.name.clone()),
            ("CLUSTER_SECRET", "fault-suite-cluster-secret".to_owned()),
            ("HOLD_TTL_SECS", HOLD_TTL_SECS.to_string()),
            ("LEASE_TTL_SECS", self.ttl_secs.to_string()),
        ];
        let own = self.settings.iter().map(|(name, value)| (*name, (*value).to_owned()));
        command.envs(settings.into_iter().chain(own).map(|(name, value)| (format!("INNKEEPER_{name}"), value)));
        if self.way == Way::Door {
            command.env("INNKEEPER_ADVERTISE_URL", self.door());
        }
        command.current_dir(&self.folder).stdin(Stdio::null());
        command
    }

    /// Kills it with SIGKILL, like the out-of-memory killer.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        self.door.lead_to(Far::Nowhere);
    }

    /// Stops it with SIGTERM. Returns whether it ended in order.
    pub fn replaced(&mut self) -> bool {
        self.signal("TERM");
        self.ended()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
        assert!(sent.success(), "{} is gone:\n{}", self.name, self.last_words());
    }

    /// Waits for its end after a signal. Returns whether it ended in order.
    pub fn ended(&mut self) -> bool {
        let success = self.process.take().unwrap().wait().unwrap().success();
        self.door.lead_to(Far::Nowhere);
        success
    }

    /// The last lines of its log.
    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        format!("{}:\n{}", self.name, lines[lines.len().saturating_sub(30)..].join("\n"))
    }

    fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
