//! A Redis of its own: a real server in a temporary folder, stopped at the latest when the test ends.

// Whoever takes this file takes those.
#[path = "port.rs"]
pub mod port;
#[path = "watched.rs"]
pub mod watched;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use redis::{Client, Connection, FromRedisValue};
use tempfile::TempDir;

use port::Port;
use watched::Watched;

/// A server, running or not.
pub struct Redis {
    /// The first, so that it is gone before its ports are anybody else's.
    process: Option<Watched>,
    folder: TempDir,
    way: Way,
}

/// How it is reached.
enum Way {
    /// Through a socket only.
    Socket,
    /// A Redis Cluster of one, by clients and by other nodes.
    Cluster([Port; 2]),
    /// Over TLS; by ourselves through the socket.
    Tls(Port),
}

impl Redis {
    /// One that keeps nothing when it is stopped.
    pub fn start() -> Self {
        Self::reached(tempfile::tempdir().unwrap(), Way::Socket)
    }

    /// One that only speaks TLS, with the `server.crt` and the `server.key` in its folder.
    pub fn start_tls(folder: TempDir) -> Self {
        Self::reached(folder, Way::Tls(Port::keep()))
    }

    /// A Redis Cluster of one node that has all the slots.
    pub fn start_cluster() -> Self {
        let redis = Self::reached(tempfile::tempdir().unwrap(), Way::Cluster([Port::keep(), Port::keep()]));
        redis.run::<()>(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
        while !redis.run::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok") {
            std::thread::yield_now();
        }
        redis
    }

    fn reached(folder: TempDir, way: Way) -> Self {
        let mut redis = Self { folder, way, process: None };
        redis.start_again();
        redis
    }

    /// Starts it where it was, with nothing in it.
    pub fn start_again(&mut self) {
        let mut command = Command::new("redis-server");
        command.current_dir(self.folder.path()).args(["--save", "", "--appendonly", "no"]);
        match &self.way {
            Way::Socket => command.args(["--port", "0", "--unixsocket"]).arg(self.socket()),
            Way::Cluster(ports) => {
                let [port, bus] = ports.each_ref().map(|port| port.number().to_string());
                command.args(["--bind", "127.0.0.1", "--cluster-enabled", "yes"]);
                command.args(["--port", &port, "--cluster-port", &bus])
            }
            Way::Tls(port) => {
                command.args(["--bind", "127.0.0.1", "--port", "0", "--tls-port", &port.number().to_string()]);
                command.args(["--tls-cert-file", "server.crt", "--tls-key-file", "server.key"]);
                command.args(["--tls-auth-clients", "no", "--unixsocket"]).arg(self.socket())
            }
        };
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("redis-server is installed");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        self.process = Some(Watched::new(process));
        let ready = lines.any(|line| line.unwrap().contains("eady to accept connections"));
        assert!(ready, "redis-server ended before it was ready");
        // Somebody must go on reading, or the server waits for it.
        std::thread::spawn(move || lines.for_each(drop));
    }

    /// Kills it. What it knew is gone.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Lets it hang: connections are accepted, nothing is answered.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let id = self.process.as_ref().unwrap().id();
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status().unwrap();
        assert!(sent.success());
    }

    /// What INNKEEPER_REDIS_URL would be.
    pub fn url(&self) -> String {
        match &self.way {
            Way::Socket => self.through_socket(),
            // Twice the same: more than one address means a Redis Cluster.
            Way::Cluster([port, _]) => format!("redis://{0},redis://{0}", port.address()),
            Way::Tls(port) => format!("rediss://{}", port.address()),
        }
    }

    fn through_socket(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// The answer to a command.
    pub fn run<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let mut asked = redis::cmd(command[0]);
        asked.arg(&command[1..]);
        asked.query(&mut self.connect()).unwrap()
    }

    fn connect(&self) -> Connection {
        let url = match &self.way {
            Way::Socket | Way::Tls(_) => self.through_socket(),
            Way::Cluster([port, _]) => format!("redis://{}", port.address()),
        };
        Client::open(url).unwrap().get_connection().unwrap()
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }
}
