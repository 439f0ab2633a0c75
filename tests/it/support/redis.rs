//! A separate Redis: a real server in a temporary folder, stopped at the end of the test at the latest.

// These files belong together.
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
    /// The first field, so that the process ends before its ports are reused.
    process: Option<Watched>,
    folder: TempDir,
    way: Way,
}

/// The way to reach the server.
enum Way {
    /// Through a socket only.
    Socket,
    /// A Redis Cluster of one node, for clients and other nodes.
    Cluster([Port; 2]),
    /// With TLS for clients; the test itself uses the socket.
    Tls(Port),
}

impl Redis {
    /// A server that stores nothing on disk.
    pub fn start() -> Self {
        Self::reached(tempfile::tempdir().unwrap(), Way::Socket)
    }

    /// A server that speaks TLS only, with `server.crt` and `server.key` in its folder.
    pub fn start_tls(folder: TempDir) -> Self {
        Self::reached(folder, Way::Tls(Port::keep()))
    }

    /// A Redis Cluster of one node with all slots.
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

    /// Starts the server at its old place, with no data.
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
        // A thread must keep reading, or the server blocks.
        std::thread::spawn(move || lines.for_each(drop));
    }

    /// Kills the server. Its data is lost.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Makes the server hang: it accepts connections and answers nothing.
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

    /// The value for INNKEEPER_REDIS_URL.
    pub fn url(&self) -> String {
        match &self.way {
            Way::Socket => self.through_socket(),
            // The same address twice, because more than one address means a Redis Cluster.
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
