//! What happened, as those who asked saw it: every request with its answers and times, and everything that was shown.

use std::collections::{BTreeMap, BTreeSet};

use innkeeper::domain::Date;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// Microseconds since the history began, on one clock.
pub type Moment = u64;

/// Everything.
#[derive(Debug)]
pub struct History {
    /// The nights that every dashboard watches.
    pub watched: Stay,
    /// How long a hold lasts, in microseconds.
    pub hold_lasts: i64,
    pub calls: Vec<Call>,
    pub looks: Vec<Look>,
    pub sightings: Vec<Sighting>,
    pub feed: Vec<Told>,
}

/// A guest's wish under one idempotency key, with every attempt to have it granted.
#[derive(Debug, Clone)]
pub struct Call {
    pub key: String,
    pub room_type: Uuid,
    pub wish: Wish,
    /// Never empty; one after the other.
    pub attempts: Vec<Attempt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The key is the booking's external reference, too.
    Book {
        stay: Stay,
        rooms: i64,
        /// For a while, until it is confirmed or its time is over.
        hold: bool,
    },
    /// Turn a hold into a booking.
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
        /// Where the guest knows it for sure.
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
    /// When it was answered, or nobody waited any longer.
    pub heard: Moment,
    pub answer: Answer,
}

#[derive(Debug, Clone)]
pub enum Answer {
    Yes(Yes),
    /// A refusal, by its code.
    No(String),
    /// Nobody can tell what became of it, or will become of it.
    Open(String),
    /// Something that no innkeeper should ever say here.
    Wrong(String),
}

/// An acknowledgement: of which booking, and by which fact of its room type.
#[derive(Debug, Clone, PartialEq)]
pub struct Yes {
    pub booking: Uuid,
    pub sequence: u64,
    pub body: Value,
}

/// Rooms sold and held on each night.
pub type Nights = BTreeMap<Date, (i64, i64)>;

/// A room type's nights, as somebody read them.
#[derive(Debug, Clone)]
pub struct Look {
    pub node: usize,
    pub room_type: Uuid,
    /// What was asked for.
    pub asked: Stay,
    pub sequence: u64,
    pub nights: Nights,
}

/// A frame about nights, as a dashboard of a node was sent it.
#[derive(Debug, Clone)]
pub struct Sighting {
    pub node: usize,
    pub room_type: Uuid,
    pub sequence: u64,
    /// A snapshot: it replaces whatever the dashboard knew.
    pub whole: bool,
    pub nights: Nights,
}

/// An event, as the feed of some node told it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Told {
    pub position: u64,
    pub room_type_id: Uuid,
    pub sequence: u64,
}

impl Call {
    /// When it was first asked for.
    pub fn sent(&self) -> Moment {
        self.attempts[0].sent
    }

    /// The first acknowledgement, and when it was heard.
    pub fn yes(&self) -> Option<(&Yes, Moment)> {
        self.attempts.iter().find_map(|attempt| match &attempt.answer {
            Answer::Yes(yes) => Some((yes, attempt.heard)),
            _ => None,
        })
    }

    /// Whether some attempt may have had an effect that nobody was told of, or may still have one.
    pub fn is_open(&self) -> bool {
        self.attempts.iter().any(|attempt| matches!(attempt.answer, Answer::Open(_)))
    }

    /// Whether the guest knows in the end: a yes, or a no.
    pub fn is_settled(&self) -> bool {
        self.attempts.iter().any(|attempt| !matches!(attempt.answer, Answer::Open(_)))
    }
}

impl Wish {
    /// What the event is called that it brings about.
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::Book { hold: false, .. } => "booked",
            Self::Book { hold: true, .. } => "held",
            Self::Confirm { .. } => "confirmed",
            Self::Amend { .. } => "amended",
            Self::Cancel { .. } => "cancelled",
        }
    }

    /// What a booking is in the end that nothing else happened to.
    pub const fn makes(&self) -> &'static str {
        match self {
            Self::Book { hold: true, .. } => "held",
            Self::Book { hold: false, .. } | Self::Confirm { .. } | Self::Amend { .. } => "confirmed",
            Self::Cancel { .. } => "cancelled",
        }
    }

    /// The booking it is about, if there was one before.
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

/// Room types in which a wish has been granted that nobody had before a moment.
pub fn served<'a>(calls: impl IntoIterator<Item = &'a Call>, since: Moment) -> BTreeSet<Uuid> {
    let is_new = |call: &&Call| call.sent() > since && call.yes().is_some();
    calls.into_iter().filter(is_new).map(|call| call.room_type).collect()
}
