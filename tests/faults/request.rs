//! The API as guests of a cluster use it, and what an answer means to them.

use std::sync::Arc;
use std::time::Duration;

use innkeeper::domain::Date;
use reqwest::header::{CONNECTION, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::guide::Guide;
use super::history::{Answer, Look, Nights, Stay, Told, Wish, Yes};
use super::node::ADMIN;

/// After this a guest asks elsewhere: sooner than a node gives up, so that one key is often asked for at two of them.
pub const IMPATIENT: Duration = Duration::from_secs(2);
/// Long enough for any answer.
pub const PATIENT: Duration = Duration::from_secs(30);
/// What it is called when nobody listens at an address: nothing was asked there.
pub const REFUSED: &str = "connection refused";

/// What a node says that cannot know now whether it may.
pub const UNAVAILABLE: &str = "unavailable";

/// All nodes, as guests ask them.
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

    /// One attempt to have a wish granted.
    pub async fn ask(&self, node: usize, key: &str, room_type: Uuid, wish: &Wish) -> Answer {
        let request = self.wish(node, key, room_type, wish).header("Idempotency-Key", key);
        match self.send(node, request).await {
            Ok((status, body)) => meaning(status, body),
            Err(why) => Answer::Open(why),
        }
    }

    /// What a node says, unless it says that nobody knows, and when to come again. The guide learns how it went.
    async fn send(&self, node: usize, request: RequestBuilder) -> Result<(StatusCode, Value), String> {
        let url = self.guide.url(node);
        let answered = async {
            let answer = request.send().await.map_err(|error| unheard(&error).to_owned())?;
            if answer.headers().get(CONNECTION).is_some_and(|wish| wish == "close") {
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

    fn wish(&self, node: usize, key: &str, room_type: Uuid, wish: &Wish) -> RequestBuilder {
        match *wish {
            Wish::Book { stay, rooms, hold } => {
                let guests: Vec<_> = (0..rooms).map(|_| json!({"name": "Ana Lopes", "age": 34})).collect();
                self.to(Method::POST, node, "/v1/bookings").json(&json!({
                    "room_type_id": room_type, "checkin_date": stay.arrival, "checkout_date": stay.departure,
                    "rooms": rooms, "num_guests": rooms, "guests": guests,
                    "contact": {"mobile": "+351912345678"}, "external_reference": key, "hold": hold,
                }))
            }
            Wish::Confirm { booking, .. } => self.to(Method::POST, node, &format!("/v1/bookings/{booking}/confirm")),
            Wish::Amend { booking, to, .. } => self
                .to(Method::PATCH, node, &format!("/v1/bookings/{booking}"))
                .json(&json!({"checkin_date": to.arrival, "checkout_date": to.departure})),
            Wish::Cancel { booking, .. } => self.to(Method::POST, node, &format!("/v1/bookings/{booking}/cancel")),
        }
    }

    /// A look at the nights of a room type, if the node shows them.
    pub async fn look(&self, node: usize, room_type: Uuid, stay: Stay) -> Option<Look> {
        let Stay { arrival, departure } = stay;
        let path = format!("/v1/room-types/{room_type}/availability?from={arrival}&to={departure}");
        let (status, body) = self.send(node, self.to(Method::GET, node, &path)).await.ok()?;
        let Availability { sequence, nights } = serde_json::from_value(body).ok().filter(|_| status.is_success())?;
        let nights: Nights = nights.into_iter().map(|night| (night.date, (night.sold, night.held))).collect();
        Some(Look { node, room_type, asked: stay, sequence, nights })
    }

    /// A page of the feed, if the node tells it.
    pub async fn feed(&self, node: usize, after: u64) -> Option<Vec<Told>> {
        let request = self.to(Method::GET, node, &format!("/v1/events?limit=100&after={after}"));
        let (status, body) = self.send(node, request).await.ok()?;
        Some(serde_json::from_value::<Page>(body).ok().filter(|_| status.is_success())?.items)
    }

    /// Asks a node to let the others have everything.
    pub async fn drain(&self, node: usize) -> Result<(StatusCode, Value), String> {
        self.send(node, self.to(Method::POST, node, "/v1/cluster/drain")).await
    }

    /// Whether a node says that it owns a room type.
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
    let yes = || {
        let booking = body["id"].as_str()?.parse().ok()?;
        Some(Yes { booking, sequence: body["sequence"].as_u64()?, body: body.clone() })
    };
    match status {
        _ if status.is_success() => yes().map_or_else(|| Answer::Wrong(format!("{status}: {body}")), Answer::Yes),
        StatusCode::CONFLICT
        | StatusCode::GONE
        | StatusCode::PRECONDITION_FAILED
        | StatusCode::UNPROCESSABLE_ENTITY => Answer::No(code(&body)),
        // Not even in the worst nemesis is it our mistake, or the guest's.
        _ => Answer::Wrong(format!("{status}: {body}")),
    }
}
