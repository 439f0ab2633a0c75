//! The whole application on port 0, with a fresh database, a manual clock and an HTTP client.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use innkeeper::app::{self, Listeners, Running};
use innkeeper::clock::{ManualClock, System};
use innkeeper::config::{Config, Sources};
use innkeeper::events::{self, Live};
use innkeeper::http::system::MetricsPage;
use innkeeper::http::{Access, Dependencies};
use innkeeper::tasks::Tasks;
use innkeeper::ws::{Gate, Options};
use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use super::cluster::Company;
use super::eventually::eventually;
use super::postgres;
use super::test_database::TestDatabase;
use super::unreliable_journal::Unreliable;

/// The administrator's token of every test application.
pub const ADMIN: &str = "test-administrator-token";
/// The time of every test application's clock until a test moves it. A Friday.
pub const NOW: &str = "2026-05-01T12:00:00Z";

/// A running application.
pub struct App {
    pub running: Running,
    pub clock: Arc<ManualClock>,
    client: Client,
    url: String,
    pub database: String,
}

/// Starts an application with the servers that its store needs, runs the test, and shuts the application down.
pub fn with_app<T>(test: impl AsyncFnOnce(&App) -> T) -> T {
    let place = TestDatabase::new();
    let company = Company::on(&place.url());
    with_test_database(&place, &company.settings(), test)
}

/// The same alone on any store. In a cluster even a single node reads its own events again a moment later, and a test
/// that counts messages would see them twice.
pub fn with_lone_app<T>(test: impl AsyncFnOnce(&App) -> T) -> T {
    with_settings(&[], test)
}

/// The same with settings that differ from the defaults.
pub fn with_settings<T>(settings: &[(&'static str, &str)], test: impl AsyncFnOnce(&App) -> T) -> T {
    with_test_database(&TestDatabase::new(), settings, test)
}

/// The same with a database that outlives the application.
pub fn with_test_database<T>(
    place: &TestDatabase,
    settings: &[(&'static str, &str)],
    test: impl AsyncFnOnce(&App) -> T,
) -> T {
    with_database(&place.url(), settings, test)
}

/// The same with a database at a URL.
pub fn with_database<T>(url: &str, settings: &[(&'static str, &str)], test: impl AsyncFnOnce(&App) -> T) -> T {
    in_system(async {
        let config = config(url, settings);
        let app = App::over(&config, async |clock| app::start(&config, listener(), clock).await.unwrap()).await;
        let result = test(&app).await;
        app.running.shutdown().await;
        result
    })
}

/// Starts an application whose engine writes through a journal that a test can make fail.
pub fn with_unreliable_journal<T>(
    settings: &[(&'static str, &str)],
    test: impl AsyncFnOnce(&App, &Unreliable) -> T,
) -> T {
    with_unreliable_journal_on(&TestDatabase::new(), settings, test)
}

/// The same with an existing database.
pub fn with_unreliable_journal_on<T>(
    place: &TestDatabase,
    settings: &[(&'static str, &str)],
    test: impl AsyncFnOnce(&App, &Unreliable) -> T,
) -> T {
    in_system(async {
        let config = config(&place.url(), settings);
        let store = app::open_store(&config, true).await.unwrap();
        let journal = Arc::new(Unreliable::new(store.clone()));
        let app = App::over(&config, async |clock| {
            let listeners = Listeners::with(listener(), &config).unwrap();
            app::start_on(&config, listeners, clock, store.clone(), journal.clone()).await.unwrap()
        })
        .await;
        let result = test(&app, &journal).await;
        app.running.shutdown().await;
        result
    })
}

/// Runs inside the kind of runtime that the application needs.
pub fn in_system<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    actix_rt::System::with_tokio_rt(move || runtime).block_on(test)
}

/// A status, headers and a JSON body. The body is null if it is not JSON.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl App {
    async fn over(config: &Config, start: impl AsyncFnOnce(Arc<ManualClock>) -> Running) -> Self {
        let clock = Arc::new(ManualClock::at(NOW.parse::<Timestamp>().unwrap()));
        let running = start(clock.clone()).await;
        // Ready as a load balancer sees it: the index is built in the background.
        running.search.reached(0).await;
        Self::of(running, clock, config)
    }

    /// An application that is already running.
    pub fn of(running: Running, clock: Arc<ManualClock>, config: &Config) -> Self {
        let url = running.url();
        let database = config.database_url.expose().to_owned();
        Self { running, clock, client: Client::new(), url, database }
    }

    /// The dependencies of its handlers, without an administrator.
    pub fn dependencies(&self) -> Dependencies {
        let store = self.running.store.clone();
        let sources = events::Sources { journal: store.clone(), feed: store.clone(), clock: self.clock.clone() };
        let live = Live::start(self.running.engine.hub(), sources, 1, &Tasks::default());
        Dependencies {
            pulse: Default::default(),
            gate: Gate::new(live, Options::default()),
            engine: self.running.engine.clone(),
            store,
            search: self.running.search.clone(),
            clock: self.clock.clone(),
            ids: Arc::new(System),
            access: Access::new(None, [0; 32]),
            access_log: Default::default(),
            throttle: Default::default(),
            metrics: MetricsPage::new(String::new),
            store_ping: Default::default(),
            pages: Default::default(),
            draining: Default::default(),
            membership: self.running.membership.clone(),
            peers: None,
        }
    }

    /// Waits until the feed has everything that was committed so far.
    pub async fn settled(&self) {
        if self.database.starts_with("postgres:") {
            postgres::settled(&self.database).await;
        }
    }

    /// A typed client without a token.
    pub fn client(&self) -> innkeeper::client::Client {
        innkeeper::client::Client::at(&self.url).unwrap()
    }

    /// A request of a public caller.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    /// Reads as the administrator.
    pub async fn admin_get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path).bearer_auth(ADMIN)).await
    }

    /// Sends a body as the administrator.
    pub async fn admin(&self, method: Method, path: &str, body: &Value) -> Answer {
        answer(self.request(method, path).bearer_auth(ADMIN).json(body)).await
    }

    /// Creates an object as the administrator. Returns its id.
    pub async fn create(&self, path: &str, body: &Value) -> String {
        let mut made = self.admin(Method::POST, path, body).await;
        eventually("it can be made", async || {
            // On a busy machine Redis may be too slow to grant a lease. Then nothing was done.
            let again = made.body["code"] == "unavailable";
            if again {
                made = self.admin(Method::POST, path, body).await;
            }
            !again
        })
        .await;
        assert_eq!(made.status, StatusCode::CREATED, "{path}: {}", made.body);
        made.body["id"].as_str().unwrap().to_owned()
    }

    /// A room type with a number of rooms for two, at 100.00 EUR, in a new hotel in Lisbon.
    pub async fn room_type(&self, rooms: u16) -> String {
        let room_type = self.room_type_without_price(rooms).await;
        self.create(&format!("/v1/room-types/{room_type}/rate-plans"), &flexible()).await;
        room_type
    }

    /// The same without a price, so that it needs no owner yet.
    pub async fn room_type_without_price(&self, rooms: u16) -> String {
        let hotel = json!({"name": "Casa", "city": "Lisbon", "country": "PT", "timezone": "Europe/Lisbon",
            "currency": "EUR"});
        let hotel = self.create("/v1/hotels", &hotel).await;
        let double = json!({"name": "Double", "max_adults": 2, "max_children": 1, "max_occupancy": 3, "rooms": rooms});
        self.create(&format!("/v1/hotels/{hotel}/room-types"), &double).await
    }

    pub async fn price(&self, room_type: &str) -> Answer {
        self.admin(Method::POST, &format!("/v1/room-types/{room_type}/rate-plans"), &flexible()).await
    }

    /// Books with a key.
    pub async fn book(&self, key: &str, order: &Value) -> Answer {
        answer(self.request(Method::POST, "/v1/bookings").header("Idempotency-Key", key).json(order)).await
    }
}

fn flexible() -> Value {
    json!({"name": "Flexible", "price_minor": 10_000})
}

/// A body that books one room for one guest, for nights of June 2026.
pub fn order(room_type: &str, first: u8, departure: u8) -> Value {
    json!({
        "room_type_id": room_type,
        "checkin_date": format!("2026-06-{first:02}"),
        "checkout_date": format!("2026-06-{departure:02}"),
        "rooms": 1,
        "num_guests": 1,
        "guests": [{"name": "Ana Lopes", "age": 34}],
        "contact": {"mobile": "+351912345678"},
    })
}

/// Sends a request.
pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null);
    Answer { status, headers, body }
}

pub fn listener() -> TcpListener {
    app::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
}

/// The configuration of an application on a database. The long time-out is for busy machines.
pub fn config(database: &str, settings: &[(&'static str, &str)]) -> Config {
    let own = [
        ("database_url", database),
        ("admin_token", ADMIN),
        ("threads", "2"),
        ("http_workers", "2"),
        ("answer_within_secs", "60"),
        ("public_limits", "off"),
    ];
    let mut flags: BTreeMap<_, _> =
        own.iter().chain(settings).map(|(key, value)| (*key, (*value).to_owned())).collect();
    // An empty value removes a setting.
    flags.retain(|_, value| !value.is_empty());
    Config::load(&Sources { folder: env!("CARGO_TARGET_TMPDIR").into(), flags, ..Sources::default() }).unwrap()
}
