//! PostgreSQL is killed and started again during bookings. No operator acts, and no acknowledged booking is lost,
//! doubled or oversold.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use innkeeper::domain::RoomTypeId;
use innkeeper::store::audit::recount;
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::app::{App, order, with_database};
use crate::support::postgres::Server;

const CLIENTS: usize = 16;
const KILLS: usize = 3;
/// Bookings between two kills.
const BETWEEN: usize = 40;

/// The answers to clients, by idempotency key.
#[derive(Default)]
struct Told {
    bookings: Mutex<HashMap<String, Value>>,
    count: AtomicUsize,
}

impl Told {
    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

/// Books with one key after the other, and repeats each until it is answered, until the number is reached.
async fn client(app: &App, room_types: &[String], number: usize, told: &Told) {
    for attempt in 0.. {
        if told.count() >= (KILLS + 1) * BETWEEN {
            return;
        }
        let key = format!("client-{number}-{attempt}");
        let first = 1 + u8::try_from((number + attempt) % 20).unwrap();
        let order = order(&room_types[(number + attempt) % room_types.len()], first, first + 2);
        let booked = loop {
            let answer = app.book(&key, &order).await;
            match answer.status {
                StatusCode::CREATED => break answer.body,
                StatusCode::SERVICE_UNAVAILABLE => tokio::task::yield_now().await,
                other => panic!("{key} was answered {other}: {}", answer.body),
            }
        };
        told.bookings.lock().unwrap().insert(key, booked);
        told.count.fetch_add(1, Ordering::SeqCst);
    }
}

/// Kills the server after every such number of bookings.
async fn killer(server: &Arc<Server>, told: &Told) {
    for kill in 1..=KILLS {
        while told.count() < kill * BETWEEN {
            tokio::task::yield_now().await;
        }
        let server = server.clone();
        let again = move || {
            server.kill();
            server.come_back();
        };
        tokio::task::spawn_blocking(again).await.unwrap();
    }
}

#[test]
fn a_killed_database_is_used_again_and_has_lost_nothing() {
    let server = Arc::new(Server::start(""));
    with_database(&server.url("postgres"), &[("commit_lanes", "2")], async |app| {
        let mut room_types = Vec::new();
        for _ in 0..4 {
            room_types.push(app.room_type(500).await);
        }
        let told = Told::default();
        let clients = join_all((0..CLIENTS).map(|number| client(app, &room_types, number, &told)));
        tokio::join!(clients, killer(&server, &told));

        let told = told.bookings.into_inner().unwrap();
        for (key, booked) in &told {
            let found = app.admin_get(&format!("/v1/bookings/{}", booked["id"].as_str().unwrap())).await;
            assert_eq!((found.status, &found.body["checkin_date"]), (StatusCode::OK, &booked["checkin_date"]), "{key}");
            let again = repeat(app, key, booked).await;
            assert_eq!(again["id"], booked["id"], "{key} had two effects");
        }
        let mut footprints = 0;
        for room_type in &room_types {
            let evidence = app.running.store.evidence(RoomTypeId(room_type.parse().unwrap())).await.unwrap();
            footprints += evidence.footprints.len();
            assert_eq!(recount(&evidence), []);
        }
        assert_eq!(footprints, told.len(), "one booking for every key that was answered, and none besides");
    });
}

/// The same request again with the same key.
async fn repeat(app: &App, key: &str, booked: &Value) -> Value {
    let day = |member: &str| booked[member].as_str().unwrap()[8..].parse::<u8>().unwrap();
    let order = order(booked["room_type_id"].as_str().unwrap(), day("checkin_date"), day("checkout_date"));
    let again = app.book(key, &order).await;
    assert_eq!(again.status, StatusCode::CREATED, "{key}: {}", again.body);
    again.body
}
