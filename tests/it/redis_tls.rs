//! TLS to Redis: with `rediss://` a server needs a certificate that the system trusts, or the file in `SSL_CERT_FILE`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::support::certificate::certify;
use crate::support::eventually::eventually;
use crate::support::program::{Started, Workplace};
use crate::support::redis::Redis;
use crate::support::test_database::TestDatabase;

const ADMIN: &str = "redis-tls-administrator";

/// A node of a cluster with that Redis, and its log.
struct Node {
    url: String,
    workplace: Workplace,
    _process: Started,
}

impl Node {
    fn start(place: &TestDatabase, redis: &Redis, trusted: &Path) -> Self {
        let workplace = Workplace::new();
        let mut command = workplace.command(&["serve", "--listen", "127.0.0.1:0", "--database-url", &place.url()]);
        let settings = [
            ("ADMIN_TOKEN", ADMIN),
            ("REDIS_URL", &redis.url()),
            ("NODE_ID", "only"),
            ("CLUSTER_SECRET", "redis-tls-cluster-secret"),
            ("LOG", "warn"),
        ];
        command.envs(settings.map(|(name, value)| (format!("INNKEEPER_{name}"), value)));
        command.env("SSL_CERT_FILE", trusted).env_remove("SSL_CERT_DIR");
        let log = File::create(workplace.path().join("log")).unwrap();
        let mut process = Started(command.stdout(Stdio::piped()).stderr(log).spawn().unwrap());
        let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("http://")?;
            Some(rest.split([' ', '/', ')']).next()?.to_owned())
        });
        // A process that prints to a closed pipe dies, so a thread keeps reading.
        std::thread::spawn(move || lines.for_each(drop));
        Self { url: format!("http://{}", address.unwrap()), workplace, _process: process }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.workplace.path().join("log")).unwrap()
    }

    async fn make(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Client::new().post(format!("{}{path}", self.url)).bearer_auth(ADMIN).json(body);
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// A room type without an owner. Returns its id.
    async fn room_type(&self) -> String {
        let hotel = json!({"name": "Casa Cifrada", "city": "Lisbon", "country": "PT", "timezone": "Europe/Lisbon",
            "currency": "EUR"});
        let (status, hotel) = self.make("/v1/hotels", &hotel).await;
        assert_eq!(status, StatusCode::CREATED, "{hotel}");
        let room_type = json!({"name": "Double", "max_adults": 2, "max_children": 0, "max_occupancy": 2, "rooms": 4});
        let path = format!("/v1/hotels/{}/room-types", hotel["id"].as_str().unwrap());
        let (status, room_type) = self.make(&path, &room_type).await;
        assert_eq!(status, StatusCode::CREATED, "{room_type}");
        room_type["id"].as_str().unwrap().to_owned()
    }

    /// A request that only the owner answers.
    async fn price(&self, room_type: &str) -> (StatusCode, Value) {
        let plan = json!({"name": "Flexible", "price_minor": 10_000});
        self.make(&format!("/v1/room-types/{room_type}/rate-plans"), &plan).await
    }
}

#[tokio::test]
async fn a_lease_is_granted_by_a_server_with_a_trusted_certificate() {
    let (place, folder) = (TestDatabase::postgres(), tempfile::tempdir().unwrap());
    certify(folder.path());
    let trusted = folder.path().join("server.crt");
    let redis = Redis::start_tls(folder);
    let node = Node::start(&place, &redis, &trusted);
    let room_type = node.room_type().await;
    eventually("it is owned", async || node.price(&room_type).await.0 == StatusCode::CREATED).await;
    let keys: Vec<String> = redis.run(&["KEYS", &format!("innkeeper:{{{room_type}}}:*:lease")]);
    let owner: String = redis.run(&["HGET", &keys[0], "node"]);
    assert_eq!(owner, "only", "{}", node.log());
}

#[tokio::test]
async fn a_server_with_an_untrusted_certificate_is_not_used() {
    let (place, folder, other) = (TestDatabase::postgres(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    certify(folder.path());
    certify(other.path());
    let redis = Redis::start_tls(folder);
    let node = Node::start(&place, &redis, &other.path().join("server.crt"));
    let room_type = node.room_type().await;
    eventually("it says why", async || node.log().contains("invalid peer certificate")).await;
    let (status, said) = node.price(&room_type).await;
    assert_eq!((status, &said["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("unavailable")), "{said}");
    assert_eq!(redis.run::<Vec<String>>(&["KEYS", "*"]), Vec::<String>::new());
}
