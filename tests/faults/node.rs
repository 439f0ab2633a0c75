//! One node: a process of the real program, whose every wire is a [`Link`].

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::link::{Far, Link};

/// The administrator's token of every node.
pub const ADMIN: &str = "fault-suite-administrator";

/// How long a hold lasts: some run out while the history is told.
pub const HOLD_TTL_SECS: u32 = 2;

/// What a node is told beyond what all are told: names without their prefix.
pub type Settings = &'static [(&'static str, &'static str)];

/// A node, running or not. Its wires stay where they are.
pub struct Node {
    pub name: String,
    /// What guests and other nodes knock at.
    pub door: Link,
    pub to_database: Link,
    pub to_redis: Link,
    ttl_secs: u64,
    settings: Settings,
    way: Way,
    folder: PathBuf,
    process: Option<Child>,
    /// Where it listens, or did last.
    address: Option<SocketAddr>,
}

/// How guests and other nodes come to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Through a wire that can be cut, and that takes connections also while nobody listens behind it.
    Door,
    /// To the address it listens at, which is another one after each start: where nobody listens, connections are refused.
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

    /// Where it is reached.
    pub fn url(&self) -> String {
        match (self.way, self.address) {
            (Way::Straight, Some(address)) => format!("http://{address}"),
            _ => self.door(),
        }
    }

    /// Where it is reached through its door, whatever the others do.
    pub fn door(&self) -> String {
        format!("http://{}", self.door.address())
    }

    /// Starts it; it answers when this returns.
    pub fn start(&mut self) {
        let mut command = self.program();
        let log = OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let mut process = command.arg("serve").stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("http://")?;
            rest.split([' ', '/', ')']).next()?.parse().ok()
        });
        // Whoever prints to a closed pipe dies: somebody must go on reading.
        std::thread::spawn(move || lines.for_each(drop));
        self.process = Some(process);
        let address = address.unwrap_or_else(|| panic!("{} does not start:\n{}", self.name, self.last_words()));
        self.door.lead_to(Far::Address(address));
        self.address = Some(address);
    }

    /// The program with this node's settings, and nothing of ours in its environment. The kernel kills it when the thread
    /// that started it is gone.
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

    /// Ends it as the kernel's out-of-memory killer would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        self.door.lead_to(Far::Nowhere);
    }

    /// Ends it in order, as somebody does who has a newer one; whether it did end in order.
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

    /// Waits for its end, which it was asked for; whether that was in order.
    pub fn ended(&mut self) -> bool {
        let success = self.process.take().unwrap().wait().unwrap().success();
        self.door.lead_to(Far::Nowhere);
        success
    }

    /// The end of its log.
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
