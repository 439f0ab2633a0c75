//! The whole application on port 0, with a fresh SQLite file, a manual clock and an HTTP client.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use innkeeper::app::{self, Running};
use innkeeper::clock::ManualClock;
use innkeeper::config::{Config, Sources};
use innkeeper::domain::Date;
use innkeeper::store::Page;
use innkeeper::store::audit;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The administrator's token of every test application.
pub const ADMIN: &str = "test-administrator-token";
/// What every test application's clock shows until it is moved. A Friday.
const NOW: &str = "2026-05-01T12:00:00Z";

/// A running application. A clone is another handle on the same one; its files go away with the last.
#[derive(Clone)]
pub struct App {
    pub clock: Arc<ManualClock>,
    client: Client,
    url: String,
    inner: Arc<Inner>,
}

struct Inner {
    running: Running,
    /// Kept for as long as it runs.
    _folder: Option<TempDir>,
}

/// A status, headers and a JSON body (null, if it is none).
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

/// Runs a test inside the kind of system that the application needs.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    actix_rt::System::with_tokio_rt(move || runtime).block_on(test)
}

/// Starts an application.
pub async fn app() -> App {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app_in(folder.path(), &[]).await;
    Arc::get_mut(&mut app.inner).unwrap()._folder = Some(folder);
    app
}

/// Starts an application whose database is in a folder that the test keeps, with settings that differ from the
/// defaults.
pub async fn app_in(folder: &Path, settings: &[(&'static str, &str)]) -> App {
    let clock = Arc::new(ManualClock::at(NOW.parse::<Timestamp>().unwrap()));
    let listener = app::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let running = app::start(&config(folder, settings), listener, clock.clone()).await.unwrap();
    let url = running.url();
    App { clock, client: Client::new(), url, inner: Arc::new(Inner { running, _folder: None }) }
}

impl App {
    /// Shuts it down in order. This must be the last handle.
    pub async fn stop(self) {
        let inner = Arc::into_inner(self.inner).expect("another handle is still there");
        inner.running.shutdown().await;
    }

    /// The date that the clock shows, in UTC and in Lisbon.
    pub fn today(&self) -> Date {
        TimeZone::UTC.to_datetime(innkeeper::clock::Clock::now(&*self.clock)).date()
    }

    /// A request that nobody in particular makes.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path).json(body)
    }

    /// Makes something that only the administrator may make; its id.
    pub async fn create(&self, path: &str, body: &Value) -> String {
        let made = answer(self.post(path, body).bearer_auth(ADMIN)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{path}: {}", made.body);
        made.body["id"].as_str().unwrap().to_owned()
    }

    /// A room type with so many rooms for two and a child, at 100.00 EUR, in a new hotel in Lisbon.
    pub async fn room_type_with_rooms(&self, rooms: u16) -> String {
        let hotel = json!({"name": "Casa", "city": "Lisbon", "country": "PT", "timezone": "Europe/Lisbon",
            "currency": "EUR"});
        let hotel = self.create("/v1/hotels", &hotel).await;
        let double = json!({"name": "Double", "max_adults": 2, "max_children": 1, "max_occupancy": 3, "rooms": rooms});
        let room_type = self.create(&format!("/v1/hotels/{hotel}/room-types"), &double).await;
        let plan = json!({"name": "Flexible", "price_minor": 10_000});
        self.create(&format!("/v1/room-types/{room_type}/rate-plans"), &plan).await;
        room_type
    }

    /// Recounts everything, as `innkeeper verify` does.
    pub async fn verify(&self) {
        let store = &self.inner.running.store;
        for room_type in store.all_room_types(Page { after: None, limit: 1_000 }).await.unwrap() {
            let differences = audit::recount(&store.evidence(room_type).await.unwrap());
            assert_eq!(differences, [], "room type {room_type}");
        }
    }
}

/// Sends a request.
pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null);
    Answer { status, headers, body }
}

fn config(folder: &Path, settings: &[(&'static str, &str)]) -> Config {
    let database = format!("sqlite://{}", folder.join("test.db").display());
    let own = [("database_url", database.as_str()), ("admin_token", ADMIN), ("threads", "2"), ("http_workers", "2")];
    let flags = own.iter().chain(settings).map(|(key, value)| (*key, (*value).to_owned())).collect();
    Config::load(&Sources { folder: folder.to_owned(), flags, ..Sources::default() }).unwrap()
}
