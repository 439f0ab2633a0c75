//! Promise P2: an acknowledged write survives kill -9. The test runs the real binary under a storm of bookings, kills
//! it at a random moment and restarts it. Then it reads everything that was acknowledged.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::support::cluster::Company;
use crate::support::eventually::eventually;
use crate::support::program;
use crate::support::test_database::TestDatabase;

const ADMIN: &str = "crash-test-administrator";
/// The number of bookings of a round before the kill.
const KILLED_AFTER: [usize; 6] = [7, 40, 1, 23, 64, 12];
const CLIENTS: usize = 24;

/// A running `innkeeper serve`.
struct Node {
    process: Child,
    url: String,
}

/// Everything that outlives the node.
struct Surroundings {
    place: TestDatabase,
    company: Company,
}

fn innkeeper(around: &Surroundings) -> Command {
    let mut command = program::innkeeper();
    let variable = |(key, value): (&str, _)| (format!("INNKEEPER_{}", key.to_uppercase()), value);
    command
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .envs(around.company.settings().into_iter().map(variable))
        .env("INNKEEPER_DATABASE_URL", around.place.url())
        .env("INNKEEPER_ADMIN_TOKEN", ADMIN)
        .env("INNKEEPER_LISTEN", "127.0.0.1:0")
        .env("INNKEEPER_ANSWER_WITHIN_SECS", "60")
        .env("INNKEEPER_PUBLIC_LIMITS", "off")
        .env("INNKEEPER_LOG", "warn");
    command
}

impl Node {
    fn start(around: &Surroundings) -> Self {
        let mut process = innkeeper(around).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let start = line.find("http://127.0.0.1:")?;
                let rest = &line[start..];
                let end = rest["http://".len()..].find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'));
                Some(rest[..end.map_or(rest.len(), |end| end + "http://".len())].to_owned())
            })
            .expect("serve prints its address");
        // A process that prints to a closed pipe dies, so a thread keeps reading.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url }
    }

    fn kill(mut self) {
        // SIGKILL, like the out-of-memory killer.
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The knowledge of the clients: acknowledged writes and unanswered requests.
#[derive(Default)]
struct Journal {
    /// Idempotency key → body and the acknowledged booking.
    acknowledged: HashMap<String, (Value, Value)>,
    /// Key → body of requests without an answer.
    unknown_outcome: HashMap<String, Value>,
    /// Ids of bookings whose cancellation was acknowledged.
    cancelled: Vec<String>,
}

struct Storm {
    url: String,
    room_type: String,
    /// The first arrival date.
    from: jiff::civil::Date,
    journal: Arc<Mutex<Journal>>,
    stop: Arc<AtomicBool>,
}

impl Storm {
    async fn client(self: Arc<Self>, round: usize, number: usize) {
        let http = Client::new();
        for attempt in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let key = format!("r{round}-c{number}-a{attempt}");
            let body = self.order(&key, number + attempt);
            let request = http.post(format!("{}/v1/bookings", self.url)).header("Idempotency-Key", &key).json(&body);
            let Ok(response) = request.send().await else { return self.doubt(key, body) };
            match response.status() {
                StatusCode::CREATED => {
                    let Ok(booking) = response.json::<Value>().await else { return self.doubt(key, body) };
                    let id = booking["id"].as_str().unwrap().to_owned();
                    self.journal.lock().unwrap().acknowledged.insert(key, (body, booking));
                    if attempt % 3 == 0 && !self.cancel(&http, &id).await {
                        return;
                    }
                }
                StatusCode::CONFLICT => tokio::task::yield_now().await,
                // On a busy machine Redis may be too slow to grant a lease.
                StatusCode::SERVICE_UNAVAILABLE => self.doubt(key, body),
                other => panic!("a booking was answered {other}"),
            }
        }
    }

    fn order(&self, reference: &str, spread: usize) -> Value {
        let check_in = self.from.checked_add(jiff::Span::new().days((spread % 40) as i64)).unwrap();
        let check_out = check_in.checked_add(jiff::Span::new().days(1 + (spread % 3) as i64)).unwrap();
        json!({
            "room_type_id": self.room_type, "checkin_date": check_in, "checkout_date": check_out, "rooms": 1,
            "num_guests": 1, "guests": [{"name": "Ana Lopes", "age": 34}],
            "contact": {"mobile": "+351912345678"}, "external_reference": reference, "hold": spread.is_multiple_of(5),
        })
    }

    fn doubt(&self, key: String, body: Value) {
        self.journal.lock().unwrap().unknown_outcome.insert(key, body);
    }

    async fn cancel(&self, http: &Client, id: &str) -> bool {
        let request = http.post(format!("{}/v1/bookings/{id}/cancel", self.url)).bearer_auth(ADMIN);
        let Ok(response) = request.send().await else { return false };
        assert_eq!(response.status(), StatusCode::OK);
        if response.bytes().await.is_err() {
            return false;
        }
        self.journal.lock().unwrap().cancelled.push(id.to_owned());
        true
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_booking_survives_kill_9() {
    let place = TestDatabase::new();
    let around = Surroundings { company: Company::on(&place.url()), place };
    let journal = Arc::new(Mutex::new(Journal::default()));
    let mut node = Node::start(&around);
    let room_type = catalogue(&node.url).await;
    #[expect(clippy::disallowed_methods, reason = "the real binary runs on the real clock")]
    let from = jiff::Zoned::now().date().tomorrow().unwrap();

    for (round, enough) in KILLED_AFTER.into_iter().enumerate() {
        let before = journal.lock().unwrap().acknowledged.len();
        let stop = Arc::new(AtomicBool::new(false));
        let (url, room_type) = (node.url.clone(), room_type.clone());
        let storm = Arc::new(Storm { url, room_type, from, journal: journal.clone(), stop: stop.clone() });
        let clients: Vec<_> = (0..CLIENTS).map(|number| tokio::spawn(storm.clone().client(round, number))).collect();
        // At an arbitrary moment of all other clients.
        let booked = async || journal.lock().unwrap().acknowledged.len() >= before + enough;
        eventually("so much is booked", booked).await;
        node.kill();
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.await.unwrap();
        }
        node = Node::start(&around);
        check(&node.url, &journal).await;
        verify(&around);
    }
    node.kill();
    verify(&around);
}

/// Creates a hotel with one room type of 200 rooms, open far into the future. Returns its id.
async fn catalogue(url: &str) -> String {
    let http = Client::new();
    let post = async |path: String, body: Value| -> Value {
        let (status, made) = available(|| http.post(format!("{url}{path}")).bearer_auth(ADMIN).json(&body)).await;
        assert_eq!(status, StatusCode::CREATED, "{path}: {made}");
        made
    };
    let hotel = json!({"name": "Crash", "city": "Lisbon", "country": "PT", "timezone": "Europe/Lisbon",
        "currency": "EUR"});
    let hotel = post("/v1/hotels".into(), hotel).await;
    let room_type = json!({"name": "Double", "max_adults": 2, "max_children": 1, "max_occupancy": 3, "rooms": 200});
    let room_type = post(format!("/v1/hotels/{}/room-types", hotel["id"].as_str().unwrap()), room_type).await;
    let id = room_type["id"].as_str().unwrap().to_owned();
    post(format!("/v1/room-types/{id}/rate-plans"), json!({"name": "Flexible", "price_minor": 10_000})).await;
    id
}

/// Reads everything that was acknowledged from the restarted node, and repeats the keys.
async fn check(url: &str, journal: &Mutex<Journal>) {
    let http = Client::new();
    let (acknowledged, unknown_outcome, cancelled) = {
        let mut known = journal.lock().unwrap();
        (known.acknowledged.clone(), std::mem::take(&mut known.unknown_outcome), known.cancelled.clone())
    };
    for (body, booking) in acknowledged.values() {
        let id = booking["id"].as_str().unwrap();
        let found = http.get(format!("{url}/v1/bookings/{id}")).bearer_auth(ADMIN).send().await.unwrap();
        assert_eq!(found.status(), StatusCode::OK, "booking {id} was acknowledged and is gone");
        let found: Value = found.json().await.unwrap();
        assert_eq!(found["checkin_date"], body["checkin_date"]);
        if cancelled.iter().any(|gone| gone == id) {
            let status = found["status"].as_str().unwrap();
            assert!(["cancelled", "released"].contains(&status), "{id} was cancelled and is {status}");
        }
    }
    for (key, (body, booking)) in acknowledged.iter().take(40) {
        let again = repeat(&http, url, key, body).await;
        assert_eq!(again.0, StatusCode::CREATED);
        assert_eq!(again.1, *booking, "key {key} was answered differently");
    }
    for (key, body) in unknown_outcome {
        let (first, booking) = repeat(&http, url, &key, &body).await;
        if first == StatusCode::CREATED {
            assert_eq!(repeat(&http, url, &key, &body).await.1, booking);
            let list = format!("{url}/v1/bookings?external_reference={key}");
            let list: Value = http.get(list).bearer_auth(ADMIN).send().await.unwrap().json().await.unwrap();
            assert_eq!(list["items"].as_array().unwrap().len(), 1, "key {key} had more than one effect");
            journal.lock().unwrap().acknowledged.insert(key, (body, booking));
        } else {
            assert_eq!(first, StatusCode::CONFLICT);
        }
    }
}

async fn repeat(http: &Client, url: &str, key: &str, body: &Value) -> (StatusCode, Value) {
    available(|| http.post(format!("{url}/v1/bookings")).header("Idempotency-Key", key).json(body)).await
}

/// The answer to a request, which is repeated while Redis is too slow on a busy machine.
async fn available(request: impl Fn() -> RequestBuilder) -> (StatusCode, Value) {
    let mut answer = (StatusCode::SERVICE_UNAVAILABLE, Value::Null);
    eventually("the node knows whose the room type is", async || {
        let response = request().send().await.unwrap();
        answer = (response.status(), response.json().await.unwrap());
        answer.1["code"] != "unavailable"
    })
    .await;
    answer
}

fn verify(around: &Surroundings) {
    let output = innkeeper(around).arg("verify").output().unwrap();
    assert!(output.status.success(), "verify found: {}", String::from_utf8_lossy(&output.stdout));
}
