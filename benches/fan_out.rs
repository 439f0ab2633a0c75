//! The time until a committed change reaches all dashboards: the real program, sockets on the loopback interface, and
//! thousands of dashboards on one room type.
//!
//! ```text
//! cargo bench --bench fan_out                          10,000 dashboards
//! FAN_OUT_DASHBOARDS=2000 cargo bench --bench fan_out
//! ```
//!
//! It prints the server's memory per idle dashboard. It prints the time from *sending* a booking until half, 99 % and all of
//! the dashboards have its change, with the commit and the sync to disk. Server and clients share the machine. So it also
//! prints the server's processor time per dashboard, which depends less on other programs. Each dashboard needs two open
//! files, one in each process: the bench raises the soft limit, up to `ulimit -Hn`.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

const TOKEN: &str = "the-token-of-the-fan-out-bench";
const ROUNDS: usize = 20;
/// Dashboards opened at the same time.
const OPENING: usize = 200;

/// The program under test.
struct Server {
    process: Child,
    address: String,
    client: Client,
}

impl Server {
    async fn start(folder: &Path, dashboards: usize) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let (connections, all) = (dashboards.to_string(), (dashboards + 64).to_string());
        let database = format!("sqlite://{}", folder.join("fan_out.db").display());
        let process = Command::new(env!("CARGO_BIN_EXE_innkeeper"))
            .args([
                "serve",
                "--listen",
                &address,
                "--database-url",
                &database,
                "--log",
                "warn",
                "--public-limits",
                "off",
            ])
            .args(["--ws-connections", &connections, "--max-connections", &all])
            .env("INNKEEPER_ADMIN_TOKEN", TOKEN)
            .current_dir(folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, address, client: Client::new() };
        while server.client.get(server.url("/readyz")).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn make(&self, path: &str, body: Value) -> String {
        let answer = self.client.post(self.url(path)).bearer_auth(TOKEN).json(&body).send().await.unwrap();
        let made: Value = answer.json().await.unwrap();
        made["id"].as_str().unwrap_or_else(|| panic!("{path}: {made}")).to_owned()
    }

    async fn room_type(&self) -> String {
        let hotel = json!({"name": "Casa", "city": "Lisbon", "country": "PT", "timezone": "Europe/Lisbon",
            "currency": "EUR"});
        let hotel = self.make("/v1/hotels", hotel).await;
        let double = json!({"name": "Double", "max_adults": 2, "max_children": 0, "max_occupancy": 2, "rooms": 1_000});
        let room_type = self.make(&format!("/v1/hotels/{hotel}/room-types"), double).await;
        let plan = json!({"name": "Flexible", "price_minor": 10_000});
        self.make(&format!("/v1/room-types/{room_type}/rate-plans"), plan).await;
        room_type
    }

    /// The sequence number of a new booking.
    async fn book(&self, room_type: &str, first: &str, departure: &str) -> u64 {
        let order = json!({"room_type_id": room_type, "checkin_date": first, "checkout_date": departure, "rooms": 1,
            "num_guests": 1, "guests": [{"name": "Ana Lopes", "age": 34}], "contact": {"mobile": "+351912345678"}});
        let answer = self.client.post(self.url("/v1/bookings")).json(&order).send().await.unwrap();
        let booked: Value = answer.json().await.unwrap();
        booked["sequence"].as_u64().unwrap_or_else(|| panic!("{booked}"))
    }

    /// Kilobytes of memory in use.
    fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
    }
}

impl Server {
    /// Processor time used so far, in Linux' ticks of 1/100 s.
    fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap_or_default();
        // After the name in brackets: user and system time are the 12th and 13th fields.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        Duration::from_millis(10 * fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A dashboard that has its snapshot.
async fn open(address: &str, subscribe: &str) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    // The default buffer of 128 KiB per connection is larger than everything else.
    let config = WebSocketConfig::default().read_buffer_size(2_048);
    let url = format!("ws://{address}/v1/ws");
    let (mut socket, _) = client_async_with_config(url, stream, Some(config)).await.unwrap();
    socket.send(Message::text(subscribe)).await.unwrap();
    loop {
        let message = socket.next().await.unwrap().unwrap();
        if message.is_text() {
            assert!(message.to_text().unwrap().contains("\"snapshot\""), "{message}");
            return socket;
        }
    }
}

/// Reports the arrival time of each change.
async fn watch(mut socket: WebSocketStream<TcpStream>, arrivals: mpsc::UnboundedSender<(u64, Instant)>) {
    while let Some(Ok(message)) = socket.next().await {
        let Ok(text) = message.to_text() else { continue };
        let now = Instant::now();
        let sequence = text.split("\"sequence\":").nth(1).and_then(|rest| rest.split(',').next()?.parse().ok());
        if let Some(sequence) = sequence.filter(|_| message.is_text()) {
            let _ = arrivals.send((sequence, now));
        }
    }
}

async fn measure(dashboards: usize) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let server = Server::start(folder.path(), dashboards).await;
    let room_type = server.room_type().await;
    let today = jiff_today();
    let day = |ahead: i64| today.saturating_add(jiff::Span::new().days(ahead)).to_string();
    let subscribe = json!({"type": "subscribe", "id": 1, "room_type_ids": [room_type], "from": day(0), "to": day(14)});
    let (subscribe, address) = (subscribe.to_string(), server.address.clone());

    server.book(&room_type, &day(3), &day(5)).await;
    let before = server.resident_kib();
    let opening = Instant::now();
    let sockets: Vec<_> = futures_util::stream::iter(0..dashboards)
        .map(|_| open(&address, &subscribe))
        .buffer_unordered(OPENING)
        .collect()
        .await;
    let opened = opening.elapsed();
    let idle = server.resident_kib();

    let (arrivals, mut arrived) = mpsc::unbounded_channel();
    for socket in sockets {
        tokio::spawn(watch(socket, arrivals.clone()));
    }
    let worked = server.processor_time();
    let mut waits = Vec::with_capacity(ROUNDS * dashboards);
    for round in 0..ROUNDS {
        let sent = Instant::now();
        let sequence = server.book(&room_type, &day(2 + round as i64 % 5), &day(8)).await;
        for _ in 0..dashboards {
            let (told, at) = arrived.recv().await.unwrap();
            assert_eq!(told, sequence);
            waits.push(at - sent);
        }
    }
    let worked = server.processor_time() - worked;
    waits.sort();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    println!("{dashboards} dashboards, {ROUNDS} bookings, from sending a booking to its change at a dashboard:");
    println!("  50 %: {:.1} ms   99 %: {:.1} ms   all: {:.1} ms", at(0.5), at(0.99), at(1.0));
    let each = (idle.saturating_sub(before)) as f64 / dashboards as f64;
    println!("  server: {each:.1} KiB per idle dashboard ({before} KiB before, {idle} KiB with all of them)");
    let per_change = worked.as_secs_f64() * 1e6 / waits.len() as f64;
    println!("  server: {per_change:.1} µs of processor time per change and dashboard");
    println!("  all connected, subscribed and with a snapshot in {:.2} s", opened.as_secs_f64());
}

#[expect(clippy::disallowed_methods, reason = "the real program uses the real clock")]
fn jiff_today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn main() {
    // `cargo test --benches` runs without `--bench`: then the bench only checks that it works.
    let small = !std::env::args().any(|argument| argument == "--bench");
    let wanted = std::env::var("FAN_OUT_DASHBOARDS").ok().and_then(|count| count.parse().ok());
    let dashboards = wanted.unwrap_or(if small { 50 } else { 10_000 });
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(0);
    assert!(files > dashboards as u64 + 64, "at most {files} files may be open: see ulimit -Hn");
    tokio::runtime::Runtime::new().unwrap().block_on(measure(dashboards));
}
