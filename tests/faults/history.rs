//! The history as clients saw it: every request with its answers and times, and everything that they read.

use std::collections::{BTreeMap, BTreeSet};

use innkeeper::domain::Date;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// Microseconds since the history began, on one clock.
pub type Moment = u64;

/// The whole history.
#[derive(Debug)]
pub struct History {
    /// The nights that every dashboard watches.
    pub watched: Stay,
    /// The lifetime of a hold in microseconds.
    pub hold_lasts: i64,
    pub calls: Vec<Call>,
    pub looks: Vec<Look>,
    pub sightings: Vec<Sighting>,
    pub feed: Vec<Told>,
}

/// A request with one idempotency key, and all its attempts.
#[derive(Debug, Clone)]
pub struct Call {
    pub key: String,
    pub room_type: Uuid,
    pub operation: Operation,
    /// Never empty, in order of time.
    pub attempts: Vec<Attempt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// The key is also the external reference of the booking.
    Book {
        stay: Stay,
        rooms: i64,
        /// For a while, until it is confirmed or expires.
        hold: bool,
    },
    /// Turns a hold into a booking.
    Confirm {
        booking: Uuid,
        rooms: i64,
        stay: Stay,
    },
    Amend {
        booking: Uuid,
        rooms: i64,
        from: Stay,
        to: Stay,
    },
    Cancel {
        booking: Uuid,
        rooms: i64,
        /// Known where the outcome is certain.
        stay: Option<Stay>,
    },
}

/// The nights [arrival, departure).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Stay {
    pub arrival: Date,
    pub departure: Date,
}

#[derive(Debug, Clone)]
pub struct Attempt {
    pub node: usize,
    pub sent: Moment,
    /// The time of the answer, or of giving up.
    pub heard: Moment,
    pub answer: Answer,
}

#[derive(Debug, Clone)]
pub enum Answer {
    Ack(Ack),
    /// A refusal, by its code.
    No(String),
    /// Unknown outcome: the request may have an effect, now or later.
    Open(String),
    /// An answer that must not occur.
    Wrong(String),
}

/// An acknowledgement: the booking, and the sequence number of its fact.
#[derive(Debug, Clone, PartialEq)]
pub struct Ack {
    pub booking: Uuid,
    pub sequence: u64,
    pub body: Value,
}

/// Rooms sold and held on each night.
pub type Nights = BTreeMap<Date, (i64, i64)>;

/// The nights of a room type, as a client read them.
#[derive(Debug, Clone)]
pub struct Look {
    pub node: usize,
    pub room_type: Uuid,
    /// The dates of the request.
    pub asked: Stay,
    pub sequence: u64,
    pub nights: Nights,
}

/// A frame about nights that a node sent to a dashboard.
#[derive(Debug, Clone)]
pub struct Sighting {
    pub node: usize,
    pub room_type: Uuid,
    pub sequence: u64,
    /// A snapshot replaces the state of the dashboard.
    pub whole: bool,
    pub nights: Nights,
}

/// An event of the feed of a node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Told {
    pub position: u64,
    pub room_type_id: Uuid,
    pub sequence: u64,
}

impl Call {
    /// The time of the first attempt.
    pub fn sent(&self) -> Moment {
        self.attempts[0].sent
    }

    /// The first acknowledgement and its time.
    pub fn ack(&self) -> Option<(&Ack, Moment)> {
        self.attempts.iter().find_map(|attempt| match &attempt.answer {
            Answer::Ack(ack) => Some((ack, attempt.heard)),
            _ => None,
        })
    }

    /// Whether an attempt may have had an unacknowledged effect, or may still have one.
    pub fn is_open(&self) -> bool {
        self.attempts.iter().any(|attempt| matches!(attempt.answer, Answer::Open(_)))
    }

    /// Whether the outcome is known: accepted or refused.
    pub fn is_settled(&self) -> bool {
        self.attempts.iter().any(|attempt| !matches!(attempt.answer, Answer::Open(_)))
    }
}

impl Operation {
    /// The name of the event that the request causes.
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::Book { hold: false, .. } => "booked",
            Self::Book { hold: true, .. } => "held",
            Self::Confirm { .. } => "confirmed",
            Self::Amend { .. } => "amended",
            Self::Cancel { .. } => "cancelled",
        }
    }

    /// The final status of a booking without further changes.
    pub const fn makes(&self) -> &'static str {
        match self {
            Self::Book { hold: true, .. } => "held",
            Self::Book { hold: false, .. } | Self::Confirm { .. } | Self::Amend { .. } => "confirmed",
            Self::Cancel { .. } => "cancelled",
        }
    }

    /// The booking that the request changes, if it changes one.
    pub const fn booking(&self) -> Option<Uuid> {
        match self {
            Self::Book { .. } => None,
            Self::Confirm { booking, .. } | Self::Amend { booking, .. } | Self::Cancel { booking, .. } => {
                Some(*booking)
            }
        }
    }
}

impl Stay {
    pub fn nights(self) -> impl Iterator<Item = Date> {
        let next = |date: &Date| date.tomorrow().ok();
        std::iter::successors(Some(self.arrival), next).take_while(move |date| *date < self.departure)
    }

    pub fn covers(self, date: Date) -> bool {
        self.arrival <= date && date < self.departure
    }
}

/// Room types in which a new request was accepted after a moment.
pub fn served<'a>(calls: impl IntoIterator<Item = &'a Call>, since: Moment) -> BTreeSet<Uuid> {
    let is_new = |call: &&Call| call.sent() > since && call.ack().is_some();
    calls.into_iter().filter(is_new).map(|call| call.room_type).collect()
}
