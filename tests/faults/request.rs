//! The API as guests of a cluster use it, and what an answer means to them.

use std::time::Duration;

use innkeeper::domain::Date;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::node::ADMIN;
use super::story::{Answer, Look, Nights, Stay, Told, Wish, Yes};

/// After this a guest asks elsewhere: sooner than a node gives up, so that one key is often asked for at two of them.
const PATIENCE: Duration = Duration::from_secs(2);

/// The doors of all nodes.
#[derive(Clone)]
pub struct Nodes {
    client: Client,
    urls: Vec<String>,
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
    pub fn at(urls: Vec<String>) -> Self {
        Self { client: Client::builder().timeout(PATIENCE).build().unwrap(), urls }
    }

    pub fn count(&self) -> usize {
        self.urls.len()
    }

    /// One attempt to have a wish granted.
    pub async fn ask(&self, node: usize, key: &str, room_type: Uuid, wish: &Wish) -> Answer {
        let request = self.wish(node, key, room_type, wish).header("Idempotency-Key", key);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Answer::Open(unheard(&error).to_owned()),
        };
        let status = answer.status();
        match answer.json::<Value>().await {
            Ok(body) => meaning(status, body),
            Err(error) => Answer::Open(unheard(&error).to_owned()),
        }
    }

    fn wish(&self, node: usize, key: &str, room_type: Uuid, wish: &Wish) -> RequestBuilder {
        match *wish {
            Wish::Book { stay, rooms } => {
                let guests: Vec<_> = (0..rooms).map(|_| json!({"name": "Ana Lopes", "age": 34})).collect();
                self.to(Method::POST, node, "/v1/bookings").json(&json!({
                    "room_type_id": room_type, "checkin_date": stay.arrival, "checkout_date": stay.departure,
                    "rooms": rooms, "num_guests": rooms, "guests": guests,
                    "contact": {"mobile": "+351912345678"}, "external_reference": key,
                }))
            }
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
        let answer = self.to(Method::GET, node, &path).send().await.ok()?.error_for_status().ok()?;
        let Availability { sequence, nights } = answer.json().await.ok()?;
        let nights: Nights = nights.into_iter().map(|night| (night.date, (night.sold, night.held))).collect();
        Some(Look { node, room_type, sequence, nights })
    }

    /// A page of the feed, if the node tells it.
    pub async fn feed(&self, node: usize, after: u64) -> Option<Vec<Told>> {
        let request = self.to(Method::GET, node, &format!("/v1/events?limit=100&after={after}"));
        Some(request.send().await.ok()?.error_for_status().ok()?.json::<Page>().await.ok()?.items)
    }

    fn to(&self, method: Method, node: usize, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.urls[node])).bearer_auth(ADMIN)
    }
}

fn unheard(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() { "no answer in time" } else { "connection lost" }
}

fn meaning(status: StatusCode, body: Value) -> Answer {
    let yes = || {
        let booking = body["id"].as_str()?.parse().ok()?;
        Some(Yes { booking, sequence: body["sequence"].as_u64()?, body: body.clone() })
    };
    let code = || body["code"].as_str().unwrap_or("no code").to_owned();
    match status {
        _ if status.is_success() => yes().map_or_else(|| Answer::Wrong(format!("{status}: {body}")), Answer::Yes),
        StatusCode::CONFLICT
        | StatusCode::GONE
        | StatusCode::PRECONDITION_FAILED
        | StatusCode::UNPROCESSABLE_ENTITY => Answer::No(code()),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Answer::Open(code()),
        // Not even in the worst weather is it our mistake, or the guest's.
        _ => Answer::Wrong(format!("{status}: {body}")),
    }
}
