//! Clients: each of them books, holds, changes and cancels at any node. It repeats a request with the same key at
//! other nodes until the outcome is known. Other clients only read.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use innkeeper::domain::Date;
use jiff::ToSpan;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::history::{Attempt, Call, Look, Moment, Operation, Stay, served};
use super::request::Nodes;

const GUESTS: usize = 24;
const ONLOOKERS: usize = 4;
/// The nights that all clients book.
pub const NIGHTS: i64 = 16;
/// The percentage of acknowledged requests that are repeated at another node.
const ASKED_AGAIN: u8 = 5;

/// Shared by all clients: targets and the history so far.
pub struct Scene {
    pub nodes: Nodes,
    pub room_types: Vec<Uuid>,
    pub first: Date,
    began: Instant,
    /// No new requests.
    enough: CancellationToken,
    /// Clients stop waiting for answers.
    hopeless: CancellationToken,
    calls: Mutex<Vec<Call>>,
    looks: Mutex<Vec<Look>>,
}

/// All running clients.
pub struct Clients {
    scene: Arc<Scene>,
    tasks: JoinSet<()>,
}

/// A booking of a client.
#[derive(Debug, Clone, Copy)]
struct Own {
    room_type: Uuid,
    booking: Uuid,
    rooms: i64,
    /// `None`: a change was refused once, and may have had an effect before.
    stay: Option<Stay>,
    held: bool,
}

struct Guest {
    scene: Arc<Scene>,
    number: usize,
    dice: Rng,
    own: Vec<Own>,
}

impl Clients {
    pub fn gather(nodes: Nodes, room_types: Vec<Uuid>, first: Date, dice: &mut Rng) -> Self {
        let (enough, hopeless) = (CancellationToken::new(), CancellationToken::new());
        let (calls, looks, began) = (Mutex::default(), Mutex::default(), Instant::now());
        let scene = Arc::new(Scene { nodes, room_types, first, began, enough, hopeless, calls, looks });
        let mut tasks = JoinSet::new();
        for number in 0..GUESTS {
            let guest = Guest { scene: scene.clone(), number, dice: dice.fork(), own: Vec::new() };
            tasks.spawn(guest.stay());
        }
        for _ in 0..ONLOOKERS {
            tasks.spawn(onlooker(scene.clone(), dice.fork()));
        }
        Self { scene, tasks }
    }

    /// On the clock of the history.
    pub fn now(&self) -> Moment {
        self.scene.now()
    }

    /// Room types in which a new request was accepted after a moment.
    pub fn served(&self, since: Moment) -> BTreeSet<Uuid> {
        served(locked(&self.scene.calls).iter(), since)
    }

    /// Stops new requests. Waits until every client knows its last outcome, or gives up after `patience`.
    pub async fn leave(mut self, patience: Duration) -> (Vec<Call>, Vec<Look>) {
        self.scene.enough.cancel();
        let all_ended = async { while self.tasks.join_next().await.transpose().unwrap().is_some() {} };
        if tokio::time::timeout(patience, all_ended).await.is_err() {
            self.scene.hopeless.cancel();
            while self.tasks.join_next().await.transpose().unwrap().is_some() {}
        }
        (std::mem::take(&mut locked(&self.scene.calls)), std::mem::take(&mut locked(&self.scene.looks)))
    }
}

impl Scene {
    pub fn now(&self) -> Moment {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(Moment::MAX)
    }
}

impl Guest {
    async fn stay(mut self) {
        for turn in 0.. {
            if self.scene.enough.is_cancelled() {
                return;
            }
            let (room_type, operation) = self.next();
            let call = self.ask(format!("guest-{}-{turn}", self.number), room_type, operation).await;
            self.learn(&call);
            locked(&self.scene.calls).push(call);
        }
    }

    /// The next request. A booking that is being changed is not used until the answer.
    fn next(&mut self) -> (Uuid, Operation) {
        let about = self.dice.usize(..self.own.len().max(3) + 2);
        if about >= self.own.len() {
            let room_type = self.scene.room_types[self.dice.usize(..self.scene.room_types.len())];
            let (stay, rooms, hold) = (self.any_stay(), self.dice.i64(1..=2), self.dice.u8(..3) == 0);
            return (room_type, Operation::Book { stay, rooms, hold });
        }
        let Own { room_type, booking, rooms, stay, held } = self.own.swap_remove(about);
        if let Some(stay) = stay.filter(|_| held) {
            // Some holds are left to expire.
            return if self.dice.bool() {
                (room_type, Operation::Confirm { booking, rooms, stay })
            } else {
                self.next()
            };
        }
        match stay.filter(|_| self.dice.u8(..3) == 0) {
            Some(from) => (room_type, Operation::Amend { booking, rooms, from, to: self.other_stay(from) }),
            None => (room_type, Operation::Cancel { booking, rooms, stay }),
        }
    }

    fn any_stay(&mut self) -> Stay {
        let (from, nights) = (self.dice.i64(0..NIGHTS - 2), self.dice.i64(1..=3));
        let arrival = self.scene.first.saturating_add(from.days());
        Stay { arrival, departure: arrival.saturating_add(nights.days()) }
    }

    /// Dashboards do not show changes without an effect on nights, so such changes are not made.
    fn other_stay(&mut self, than: Stay) -> Stay {
        std::iter::repeat_with(|| self.any_stay()).find(|stay| *stay != than).unwrap_or(than)
    }

    /// Sends the request to one node after the other until there is an answer.
    async fn ask(&mut self, key: String, room_type: Uuid, operation: Operation) -> Call {
        let mut call = Call { key, room_type, operation, attempts: Vec::new() };
        let mut node = self.scene.nodes.guide.any(&mut self.dice);
        while !call.is_settled() && !self.scene.hopeless.is_cancelled() {
            if !call.attempts.is_empty() {
                tokio::time::sleep(Duration::from_millis(self.dice.u64(10..100))).await;
            }
            call.attempts.push(self.attempt(node, &call).await);
            node = self.scene.nodes.guide.after(node);
        }
        if call.ack().is_some() && self.dice.u8(..100) < ASKED_AGAIN {
            call.attempts.push(self.attempt(node, &call).await);
        }
        call
    }

    async fn attempt(&self, node: usize, call: &Call) -> Attempt {
        let sent = self.scene.now();
        let answer = self.scene.nodes.ask(node, &call.key, call.room_type, &call.operation).await;
        Attempt { node, sent, heard: self.scene.now(), answer }
    }

    /// Keeps the bookings that exist.
    fn learn(&mut self, call: &Call) {
        let held = matches!(call.operation, Operation::Book { hold: true, .. });
        let (booking, rooms, stay) = match (call.operation, call.ack()) {
            (Operation::Book { stay, rooms, .. }, Some((ack, _))) => (ack.booking, rooms, Some(stay)),
            (Operation::Confirm { booking, rooms, stay }, Some(_)) => (booking, rooms, Some(stay)),
            (Operation::Amend { booking, rooms, to, .. }, Some(_)) => (booking, rooms, Some(to)),
            (Operation::Amend { booking, rooms, from, .. }, None) => {
                (booking, rooms, (!call.is_open()).then_some(from))
            }
            (Operation::Book { .. } | Operation::Confirm { .. }, None) | (Operation::Cancel { .. }, _) => return,
        };
        self.own.push(Own { room_type: call.room_type, booking, rooms, stay, held });
    }
}

async fn onlooker(scene: Arc<Scene>, mut dice: Rng) {
    let departure = scene.first.saturating_add(NIGHTS.days());
    while !scene.enough.is_cancelled() {
        let node = scene.nodes.guide.any(&mut dice);
        let room_type = scene.room_types[dice.usize(..scene.room_types.len())];
        let stay = Stay { arrival: scene.first, departure };
        if let Some(seen) = scene.nodes.look(node, room_type, stay).await {
            locked(&scene.looks).push(seen);
        }
        tokio::time::sleep(Duration::from_millis(dice.u64(5..40))).await;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
