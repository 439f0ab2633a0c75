//! The API as clients of a cluster use it, and the classes of answers.

use std::sync::Arc;
use std::time::Duration;

use innkeeper::domain::Date;
use reqwest::header::{CONNECTION, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::guide::Guide;
use super::history::{Ack, Answer, Look, Nights, Operation, Stay, Told};
use super::node::ADMIN;

/// After this time a client asks another node. It is shorter than a node's time-out, so two nodes often have the same
/// key.
pub const IMPATIENT: Duration = Duration::from_secs(2);
/// Long enough for any answer.
pub const PATIENT: Duration = Duration::from_secs(30);
/// The failure of a refused connection: the request was not received.
pub const REFUSED: &str = "connection refused";

/// The detail of a node that does not know now whether it may answer.
pub const UNAVAILABLE: &str = "unavailable";

/// All nodes as clients see them.
#[derive(Clone)]
pub struct Nodes {
    client: Client,
    pub guide: Arc<Guide>,
}

#[derive(Deserialize)]
struct Availability {
    sequence: u64,
    nights: Vec<Night>,
}

#[derive(Deserialize)]
struct Night {
    date: Date,
    sold: i64,
    held: i64,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Told>,
}

impl Nodes {
    pub fn at(urls: Vec<String>, patience: Duration) -> Self {
        let client = Client::builder().timeout(patience).build().unwrap();
        Self { client, guide: Arc::new(Guide::to(urls)) }
    }

    /// One attempt of a request.
    pub async fn ask(&self, node: usize, key: &str, room_type: Uuid, operation: &Operation) -> Answer {
        let request = self.operation(node, key, room_type, operation).header("Idempotency-Key", key);
        match self.send(node, request).await {
            Ok((status, body)) => meaning(status, body),
            Err(why) => Answer::Open(why),
        }
    }

    /// The answer of a node, unless its outcome is unknown, and the pause before the next attempt. The guide records
    /// failures.
    async fn send(&self, node: usize, request: RequestBuilder) -> Result<(StatusCode, Value), String> {
        let url = self.guide.url(node);
        let answered = async {
            let answer = request.send().await.map_err(|error| unheard(&error).to_owned())?;
            if answer.headers().get(CONNECTION).is_some_and(|operation| operation == "close") {
                self.guide.closes(node);
            }
            let (status, says_when) = (answer.status(), answer.headers().contains_key(RETRY_AFTER));
            let body: Value = answer.json().await.map_err(|error| unheard(&error).to_owned())?;
            match status {
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS if says_when => Err(code(&body)),
                _ => Ok((status, body)),
            }
        };
        answered.await.inspect_err(|why: &String| self.guide.doubt(node, &url, why))
    }

    fn operation(&self, node: usize, key: &str, room_type: Uuid, operation: &Operation) -> RequestBuilder {
        match *operation {
            Operation::Book { stay, rooms, hold } => {
                let guests: Vec<_> = (0..rooms).map(|_| json!({"name": "Ana Lopes", "age": 34})).collect();
                self.to(Method::POST, node, "/v1/bookings").json(&json!({
                    "room_type_id": room_type, "checkin_date": stay.arrival, "checkout_date": stay.departure,
                    "rooms": rooms, "num_guests": rooms, "guests": guests,
                    "contact": {"mobile": "+351912345678"}, "external_reference": key, "hold": hold,
                }))
            }
            Operation::Confirm { booking, .. } => {
                self.to(Method::POST, node, &format!("/v1/bookings/{booking}/confirm"))
            }
            Operation::Amend { booking, to, .. } => self
                .to(Method::PATCH, node, &format!("/v1/bookings/{booking}"))
                .json(&json!({"checkin_date": to.arrival, "checkout_date": to.departure})),
            Operation::Cancel { booking, .. } => self.to(Method::POST, node, &format!("/v1/bookings/{booking}/cancel")),
        }
    }

    /// Reads the nights of a room type, if the node answers.
    pub async fn look(&self, node: usize, room_type: Uuid, stay: Stay) -> Option<Look> {
        let Stay { arrival, departure } = stay;
        let path = format!("/v1/room-types/{room_type}/availability?from={arrival}&to={departure}");
        let (status, body) = self.send(node, self.to(Method::GET, node, &path)).await.ok()?;
        let Availability { sequence, nights } = serde_json::from_value(body).ok().filter(|_| status.is_success())?;
        let nights: Nights = nights.into_iter().map(|night| (night.date, (night.sold, night.held))).collect();
        Some(Look { node, room_type, asked: stay, sequence, nights })
    }

    /// Reads a page of the feed, if the node answers.
    pub async fn feed(&self, node: usize, after: u64) -> Option<Vec<Told>> {
        let request = self.to(Method::GET, node, &format!("/v1/events?limit=100&after={after}"));
        let (status, body) = self.send(node, request).await.ok()?;
        Some(serde_json::from_value::<Page>(body).ok().filter(|_| status.is_success())?.items)
    }

    /// Drains a node.
    pub async fn drain(&self, node: usize) -> Result<(StatusCode, Value), String> {
        self.send(node, self.to(Method::POST, node, "/v1/cluster/drain")).await
    }

    /// Whether a node owns a room type.
    pub async fn owns(&self, node: usize, room_type: Uuid) -> bool {
        let asked = self.send(node, self.to(Method::GET, node, "/v1/cluster?limit=200")).await;
        let is = |owned: &Value| owned["room_type_id"] == json!(room_type);
        asked.is_ok_and(|(_, body)| body["owned"].as_array().is_some_and(|owned| owned.iter().any(is)))
    }

    fn to(&self, method: Method, node: usize, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.guide.url(node))).bearer_auth(ADMIN)
    }
}

fn unheard(error: &reqwest::Error) -> &'static str {
    match error {
        _ if error.is_timeout() => "no answer in time",
        _ if error.is_connect() => REFUSED,
        _ => "connection lost",
    }
}

fn code(body: &Value) -> String {
    body["code"].as_str().unwrap_or("no code").to_owned()
}

fn meaning(status: StatusCode, body: Value) -> Answer {
    let ack = || {
        let booking = body["id"].as_str()?.parse().ok()?;
        Some(Ack { booking, sequence: body["sequence"].as_u64()?, body: body.clone() })
    };
    match status {
        _ if status.is_success() => ack().map_or_else(|| Answer::Wrong(format!("{status}: {body}")), Answer::Ack),
        StatusCode::CONFLICT
        | StatusCode::GONE
        | StatusCode::PRECONDITION_FAILED
        | StatusCode::UNPROCESSABLE_ENTITY => Answer::No(code(&body)),
        // No fault makes a correct request invalid.
        _ => Answer::Wrong(format!("{status}: {body}")),
    }
}
