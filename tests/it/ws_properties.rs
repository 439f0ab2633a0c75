//! Under all changes, the projection of a client equals the store, and a slow client does not affect others.

use futures_util::stream::{self, StreamExt};
use innkeeper::domain::{RoomTypeId, Stay};
use jiff::civil::date;
use proptest::collection::vec;
use proptest::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::app::{App, order, with_lone_app, with_unreliable_journal};
use crate::support::fixtures::order_for;
use crate::support::live::{Dashboard, Projection, june, june_after};
use crate::support::unreliable_journal::Commit;

/// Books a number of times concurrently, through the engine.
async fn storm(app: &App, room_type: &str, bookings: usize, nights: i8) {
    let id: RoomTypeId = room_type.parse().unwrap();
    let stay = Stay::new(date(2026, 6, 1), date(2026, 6, 1 + nights)).unwrap();
    let book = |_| async move { app.running.engine.book(id, order_for(stay), None).await.unwrap() };
    stream::iter(0..bookings).map(book).buffer_unordered(64).for_each(async |_| {}).await;
}

#[test]
fn under_load_every_change_arrives_once_and_in_order() {
    with_lone_app(async |app| {
        let room_type = app.room_type(5_000).await;
        let mut dashboards = Vec::new();
        for _ in 0..4 {
            dashboards.push(Dashboard::watching(app, &room_type).await);
        }
        let watch = async {
            for (dashboard, projection) in &mut dashboards {
                while projection.sequence < 601 {
                    let before = projection.sequence;
                    projection.follow(&dashboard.next().await);
                    assert!(projection.conflated > 0 || projection.sequence == before + 1, "a gap after {before}");
                }
            }
        };
        tokio::join!(storm(app, &room_type, 600, 2), watch);
        let truth = Projection::of(app, &room_type).await;
        for (_, projection) in &dashboards {
            assert_eq!((&projection.nights, projection.sequence), (&truth.nights, truth.sequence));
        }
    });
}

/// A dashboard with the smallest socket buffer.
async fn narrow(app: &App) -> Dashboard {
    let address = app.running.url().replace("http://", "");
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let stream: TcpStream = socket.connect(address.parse().unwrap()).await.unwrap();
    let (socket, _) = tokio_tungstenite::client_async(format!("ws://{address}/v1/ws"), stream).await.unwrap();
    Dashboard { socket }
}

#[test]
fn a_slow_client_gets_the_newest_state_and_others_miss_nothing() {
    with_lone_app(async |app| {
        let room_type = app.room_type(5_000).await;
        let mut slow = narrow(app).await;
        slow.send(&june(&room_type)).await;
        let (mut busy, mut seen) = Dashboard::watching(app, &room_type).await;
        // About 500 bytes each: more than sockets and queues hold. They are booked within a minute on the slowest
        // machine, because after a minute a client that reads nothing is disconnected.
        let bookings = 1_000;
        let watch = async { seen.follow_to(&mut busy, bookings + 1).await };
        tokio::join!(storm(app, &room_type, 1_000, 28), watch);
        let truth = Projection::of(app, &room_type).await;
        assert_eq!(seen.nights, truth.nights);

        let (mut projection, mut frames) = (Projection::default(), 0);
        while projection.sequence < truth.sequence {
            assert!(projection.follow(&slow.next().await));
            frames += 1;
        }
        assert_eq!(projection.nights, truth.nights);
        assert!(projection.conflated > 0, "the snapshot is not marked as conflated");
        assert!(frames < bookings, "{frames} frames were kept for it");
        app.book("after", &order(&room_type, 10, 11)).await;
        let change = slow.next().await;
        assert_eq!((&change["type"], &change["sequence"]), (&json!("change"), &json!(truth.sequence + 1)));
    });
}

#[test]
fn a_commit_with_an_unknown_outcome_is_sent_after_the_store_confirms_it() {
    with_unreliable_journal(&[], async |app, journal| {
        let room_type = app.room_type(9).await;
        let (mut dashboard, mut projection) = Dashboard::watching(app, &room_type).await;
        for (key, fate) in [("a", Commit::LostAfter), ("b", Commit::LostBefore), ("c", Commit::RolledBack)] {
            journal.next_commit(fate);
            app.book(key, &order(&room_type, 10, 12)).await;
        }
        let last = app.book("d", &order(&room_type, 11, 12)).await.body["sequence"].as_u64().unwrap();
        projection.follow_to(&mut dashboard, last).await;
        assert_eq!(projection, Projection::of(app, &room_type).await);
    });
}

#[test]
fn a_commit_with_an_unknown_outcome_is_sent_without_a_later_commit() {
    with_unreliable_journal(&[], async |app, journal| {
        let room_type = app.room_type(9).await;
        let (mut dashboard, _) = Dashboard::watching(app, &room_type).await;
        journal.next_commit(Commit::LostAfter);
        app.book("a", &order(&room_type, 10, 12)).await;
        assert_eq!(dashboard.next().await["sold"], json!([1, 1]));
    });
}

#[test]
fn no_frame_has_guests_data() {
    with_lone_app(async |app| {
        let room_type = app.room_type(9).await;
        let (mut dashboard, _) = Dashboard::watching(app, &room_type).await;
        let booked = app.book("a", &order(&room_type, 10, 12)).await.body;
        let mut again = Dashboard::open(app).await;
        again.send(&june_after(&room_type, 1)).await;
        for frame in [dashboard.next().await, again.next().await] {
            let members: Vec<_> = frame.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(members, ["cause", "free", "from", "held", "room_type_id", "sequence", "sold", "type"]);
            assert!(!frame.to_string().contains(booked["id"].as_str().unwrap()));
        }
    });
}

/// A random step between two checks of the projection.
#[derive(Debug, Clone)]
enum Step {
    Book { from: u8, nights: u8, hold: bool },
    Cancel(usize),
    Capacity { from: u8, physical: u16 },
    Price { from: u8, price: i64 },
    Wait { minutes: i64 },
    Read(usize),
    Reconnect { resume: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..25_u8, 1..5_u8, any::<bool>()).prop_map(|(from, nights, hold)| Step::Book { from, nights, hold }),
        3 => any::<usize>().prop_map(Step::Cancel),
        1 => (1..29_u8, 3..9_u16).prop_map(|(from, physical)| Step::Capacity { from, physical }),
        1 => (1..29_u8, 1..99_i64).prop_map(|(from, price)| Step::Price { from, price }),
        1 => (1..20_i64).prop_map(|minutes| Step::Wait { minutes }),
        2 => (0..4_usize).prop_map(Step::Read),
        2 => any::<bool>().prop_map(|resume| Step::Reconnect { resume }),
    ]
}

/// A client, its projection, and the bookings that it can cancel.
struct Client<'a> {
    app: &'a App,
    room_type: String,
    dashboard: Dashboard,
    projection: Projection,
    bookings: Vec<Value>,
    keys: usize,
}

impl Client<'_> {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Book { from, nights, hold } => {
                self.book(from, nights, hold).await;
            }
            Step::Cancel(which) => {
                let Some(booking) = self.bookings.get(which % self.bookings.len().max(1)) else { return };
                let path = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
                self.app.admin(Method::POST, &path, &json!({})).await;
            }
            Step::Capacity { from, physical } => self.set(from, "physical", json!(physical)).await,
            Step::Price { from, price } => self.set(from, "price_minor", json!(price)).await,
            Step::Wait { minutes } => self.app.clock.advance(jiff::SignedDuration::from_mins(minutes)),
            Step::Read(frames) => self.read(frames).await,
            Step::Reconnect { resume } => self.reconnect(resume).await,
        }
    }

    async fn book(&mut self, from: u8, nights: u8, hold: bool) -> Option<u64> {
        self.keys += 1;
        let mut order = order(&self.room_type, from, from + nights);
        order["hold"] = json!(hold);
        let booked = self.app.book(&self.keys.to_string(), &order).await;
        if booked.status.as_u16() != 201 {
            return None;
        }
        let sequence = booked.body["sequence"].as_u64();
        self.bookings.push(booked.body);
        sequence
    }

    async fn set(&self, from: u8, member: &str, value: Value) {
        let mut item = json!({"from": format!("2026-06-{from:02}"), "to": format!("2026-06-{:02}", from + 1)});
        item[member] = value;
        let path = format!("/v1/room-types/{}/nights", self.room_type);
        self.app.admin(Method::PUT, &path, &json!({"items": [item]})).await;
    }

    /// Reads some frames: for each ping, one arrives.
    async fn read(&mut self, frames: usize) {
        for _ in 0..frames {
            self.dashboard.send(&json!({"type": "ping"})).await;
            let frame = self.dashboard.next().await;
            self.projection.follow(&frame);
        }
    }

    async fn reconnect(&mut self, resume: bool) {
        self.dashboard = Dashboard::open(self.app).await;
        match resume {
            true => self.dashboard.send(&june_after(&self.room_type, self.projection.sequence)).await,
            false => self.dashboard.send(&june(&self.room_type)).await,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_projection_always_equals_the_store(steps in vec(step(), 1..40)) {
        with_lone_app(async |app| {
            let room_type = app.room_type(40).await;
            let (dashboard, projection) = Dashboard::watching(app, &room_type).await;
            let mut client = Client { app, room_type, dashboard, projection, bookings: Vec::new(), keys: 0 };
            for step in steps {
                client.take(step).await;
            }
            client.set(29, "physical", json!(50)).await;
            let last = client.book(29, 1, false).await.unwrap();
            client.projection.follow_to(&mut client.dashboard, last).await;
            assert_eq!(client.projection.nights, Projection::of(app, &client.room_type).await.nights);
        });
    }
}
