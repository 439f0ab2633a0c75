//! A Redis of its own: a real server in a temporary folder, stopped at the latest when the test ends.

// Whoever takes this file takes that one.
#[path = "port.rs"]
pub mod port;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use redis::{Client, Connection, FromRedisValue};
use tempfile::TempDir;

use port::Port;

/// A server, running or not.
pub struct Redis {
    folder: TempDir,
    /// Of a Redis Cluster of one, for clients and for other nodes; the others only have a socket.
    ports: Option<[Port; 2]>,
    process: Option<Child>,
}

impl Redis {
    /// One that keeps nothing when it is stopped.
    pub fn start() -> Self {
        let mut redis = Self { folder: tempfile::tempdir().unwrap(), ports: None, process: None };
        redis.start_again();
        redis
    }

    /// A Redis Cluster of one node that has all the slots.
    pub fn start_cluster() -> Self {
        let ports = Some([Port::keep(), Port::keep()]);
        let mut redis = Self { folder: tempfile::tempdir().unwrap(), ports, process: None };
        redis.start_again();
        redis.run::<()>(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
        while !redis.run::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok") {
            std::thread::yield_now();
        }
        redis
    }

    /// Starts it where it was, with nothing in it.
    pub fn start_again(&mut self) {
        let mut command = Command::new("redis-server");
        command.current_dir(self.folder.path()).args(["--save", "", "--appendonly", "no"]);
        match &self.ports {
            None => command.args(["--port", "0", "--unixsocket"]).arg(self.socket()),
            Some(ports) => {
                let [port, bus] = ports.each_ref().map(|port| port.number().to_string());
                command.args([
                    "--bind",
                    "127.0.0.1",
                    "--cluster-enabled",
                    "yes",
                    "--port",
                    &port,
                    "--cluster-port",
                    &bus,
                ])
            }
        };
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("redis-server is installed");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = lines.any(|line| line.unwrap().contains("eady to accept connections"));
        assert!(ready, "redis-server ended before it was ready");
        // Somebody must go on reading, or the server waits for it.
        std::thread::spawn(move || lines.for_each(drop));
        self.process = Some(process);
    }

    /// Kills it. What it knew is gone.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
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
        match &self.ports {
            None => format!("redis+unix://{}", self.socket().display()),
            // Twice the same: more than one address means a Redis Cluster.
            Some([port, _]) => format!("redis://{0},redis://{0}", port.address()),
        }
    }

    /// The answer to a command.
    pub fn run<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let mut asked = redis::cmd(command[0]);
        asked.arg(&command[1..]);
        asked.query(&mut self.connect()).unwrap()
    }

    fn connect(&self) -> Connection {
        let url = self.url();
        Client::open(url.split(',').next().unwrap()).unwrap().get_connection().unwrap()
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
    }
}
