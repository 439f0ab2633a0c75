//! The log of `serve`: one line per request, bounded by the server, and never a reason to delay an answer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use serde_json::Value;
use uuid::Uuid;

use crate::support::eventually::wait_until;
use crate::support::port::Port;
use crate::support::program::{Started, Workplace, innkeeper};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A server that logs JSON, and its port.
struct Server {
    place: Workplace,
    started: Started,
    port: u16,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let place = Workplace::sqlite();
        let arguments =
            [&["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--public-limits", "off"], arguments]
                .concat();
        let started = place.start(&arguments);
        let ready = || Some(place.lines().iter().find(|line| line["message"] == "ready")?["url"].clone());
        wait_until("it is ready", || ready().is_some());
        let port = ready().unwrap().as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
        Self { place, started, port }
    }

    /// Sends bytes and reads until the connection closes.
    fn send(&self, bytes: &[u8]) -> String {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        connection.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends bytes, and closes the connection after the first answer.
    fn knock(&self, bytes: &[u8]) {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        connection.write_all(bytes).unwrap();
        let _ = connection.read(&mut [0; 1_024]);
    }

    fn get(&self, path: &str, headers: &str) -> String {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n").as_bytes())
    }

    fn access(&self) -> Vec<Value> {
        self.place.lines().into_iter().filter(|line| line["target"] == "access").collect()
    }
}

impl Workplace {
    /// The lines of the log.
    fn lines(&self) -> Vec<Value> {
        let said = std::fs::read_to_string(self.said()).unwrap();
        let whole = said.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole.map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
    }
}

#[test]
fn a_request_is_one_json_line_without_guests_data() {
    let server = Server::start(&[]);
    let trace = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\nX-Request-Id: mine\r\n");
    assert!(server.get("/v1/hotels?limit=1", &trace).starts_with("HTTP/1.1 200"));
    let path = "/v1/bookings?contact=ana@lopes.pt";
    assert!(server.get(path, "Authorization: Bearer hush-hush\r\n").starts_with("HTTP/1.1 401"));
    for probe in ["/healthz", "/readyz", "/metrics"] {
        assert!(server.get(probe, "").starts_with("HTTP/1.1 200"));
    }
    wait_until("both requests are logged", || server.access().len() >= 2);
    let lines = server.access();
    assert_eq!(lines.len(), 2, "probes are quiet: {lines:?}");
    let [listed, refused] = [&lines[0], &lines[1]];
    assert!(listed["duration_ms"].is_f64() && listed["duration_ms"].as_f64() < Some(60_000.0), "{listed}");
    let told = ["level", "method", "route", "client", "trace_id", "request_id"].map(|name| &listed[name]);
    assert_eq!(told, ["INFO", "GET", "/v1/hotels", "127.0.0.0/24", TRACE, "mine"]);
    assert_eq!((&listed["status"], &listed["code"]), (&200.into(), &Value::Null));
    assert_eq!((&refused["status"], &refused["code"]), (&401.into(), &"unauthorized".into()));
    let all = server.place.lines().iter().map(Value::to_string).collect::<String>();
    assert!(!all.contains("lopes") && !all.contains("hush"), "{all}");
}

#[test]
fn the_access_log_can_be_turned_off() {
    let server = Server::start(&["--access-log", "off"]);
    server.get("/v1/hotels", "");
    server.get("/nowhere", "");
    assert_eq!(server.started.terminate(), Some(0));
    let lines = server.place.lines();
    assert!(lines.iter().any(|line| line["message"] == "stopping because of a signal"), "{lines:?}");
    assert!(!lines.iter().any(|line| line["target"] == "access"), "{lines:?}");
}

#[test]
fn faults_of_clients_are_no_warnings_and_do_not_fill_the_disk() {
    let server = Server::start(&[]);
    let before = server.place.lines().len();
    for _ in 0..25 {
        server.knock(b"GET / HTTP/9.9\r\n\r\n");
        server.knock(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n");
        server.get("/nowhere", "");
        server.get("/v1/bookings", "Authorization: Bearer wrong\r\n");
        server.get(&format!("/v1/room-types/{}/availability?from=2027-01-01&to=2027-01-02", Uuid::nil()), "");
        let order = format!(
            r#"{{"room_type_id":"{}","checkin_date":"2027-05-01","checkout_date":"2027-05-02","rooms":1,"num_guests":1,
            "guests":[{{"name":"A","age":30}}],"contact":{{"mobile":"+351912345678"}}}}"#,
            Uuid::nil()
        );
        let length = order.len();
        let head = "POST /v1/bookings HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json";
        let booked = server.send(format!("{head}\r\nContent-Length: {length}\r\n\r\n{order}").as_bytes());
        assert!(booked.starts_with("HTTP/1.1 404"), "{booked}");
    }
    // Not a frame: its reserved bits are set, and it is not masked.
    let upgrade = "GET /v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    for _ in 0..3 {
        server.knock(&[upgrade.as_bytes(), &[0xff, 0x7f, 0, 0]].concat());
    }
    assert_eq!(server.started.terminate(), Some(0));
    let lines = server.place.lines();
    let caused = &lines[before..];
    let loud: Vec<_> = caused.iter().filter(|line| line["level"] == "WARN" || line["level"] == "ERROR").collect();
    assert!(loud.is_empty(), "{loud:?}");
    // The sampler admits one line a second, so a slow machine leaves out fewer.
    assert!(caused.len() < 153, "{} lines about 153 requests", caused.len());
}

/// A full pipe without a reader. Returns its writing end.
fn stalled() -> (UnixStream, OwnedFd) {
    let (reader, mut writer) = UnixStream::pair().unwrap();
    writer.set_nonblocking(true).unwrap();
    while writer.write(&[0; 1_024]).is_ok() {}
    writer.set_nonblocking(false).unwrap();
    (reader, writer.into())
}

#[test]
fn a_stalled_log_reader_blocks_no_answer_and_no_orderly_end() {
    let place = Workplace::sqlite();
    let (unread, writer) = stalled();
    let kept = Port::keep();
    let (listen, port) = (kept.address(), kept.number());
    let mut command = innkeeper();
    command.args(["serve", "--listen", &listen, "--log", "debug", "--public-limits", "off"]).current_dir(place.path());
    command.env("INNKEEPER_SHUTDOWN_GRACE_SECS", "60");
    command.stdin(Stdio::null()).stdout(writer.try_clone().unwrap()).stderr(writer);
    let started = Started(command.spawn().unwrap());
    drop(command);
    wait_until("it answers", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let server = Server { place, started, port };
    for _ in 0..2_000 {
        assert!(server.get("/v1/hotels", "").starts_with("HTTP/1.1 200"));
    }
    let metrics = server.get("/metrics", "");
    let dropped = metrics.lines().find_map(|line| line.strip_prefix("innkeeper_log_lines_dropped_total "));
    assert!(dropped.is_some_and(|dropped| dropped.parse::<u64>().unwrap() > 0), "{dropped:?}");
    assert_eq!(server.started.terminate(), Some(0));
    drop(unread);
}

#[test]
fn a_failure_ends_the_program_without_a_reader() {
    let place = Workplace::sqlite();
    let (_unread, writer) = stalled();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--database-url", "mysql://db/inn"]);
    let mut started = Started(command.stderr(writer).spawn().unwrap());
    assert_eq!(started.0.wait().unwrap().code(), Some(1));
}

/// `timeout 5 innkeeper serve` signals its child, and then the group of its child.
#[test]
fn two_signals_at_once_count_as_one() {
    let server = Server::start(&[]);
    let pid = server.started.0.id();
    let both = format!("kill -STOP {pid}; kill -TERM {pid}; kill -INT {pid}; kill -CONT {pid}");
    assert!(Command::new("sh").args(["-c", &both]).status().unwrap().success());
    let Server { place, mut started, .. } = server;
    assert_eq!(started.0.wait().unwrap().code(), Some(0), "{:?}", place.lines());
}
