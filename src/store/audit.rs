//! Recounting: whether the stored counters agree with bookings and settings.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::booking::{Counter, Footprint};
use crate::domain::{Date, RoomTypeId};

/// What a store holds about one room type, read in one transaction.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The sequence number in the room type's own row.
    pub sequence: u64,
    /// Lowest and highest sequence number of its events, and how many there are.
    pub events: Option<(u64, u64, u64)>,
    /// Whether old events have been deleted. The history of a room type then may begin after 1.
    pub trimmed: bool,
    /// Every stored night.
    pub nights: Vec<NightRow>,
    /// The nights and rooms of every booking that takes inventory.
    pub footprints: Vec<Footprint>,
    /// Ids of bookings whose last change has no event, though its event is too young to be deleted.
    pub bookings_without_event: Vec<String>,
}

/// A stored night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NightRow {
    pub date: Date,
    /// The most that may be sold and held, as the CHECK of the schema sees it.
    pub capacity: u16,
    /// The capacity by the settings of the night or of its room type.
    pub due: u16,
    pub sold: u16,
    pub held: u16,
    /// Rooms beyond the capacity that a forced reduction left sold or held.
    pub forced: u16,
}

/// A difference between stored values and recounted ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A counter differs from the bookings.
    Miscounted {
        date: Date,
        counter: &'static str,
        stored: u32,
        recounted: u32,
    },
    /// The capacity of a night differs from its settings.
    Missized {
        date: Date,
        stored: u16,
        due: u16,
    },
    /// A forced exception differs from what its guests need.
    Misforced {
        date: Date,
        stored: u16,
        due: u32,
    },
    /// More rooms are sold and held than the capacity and the forced exception allow.
    Oversold {
        date: Date,
        capacity: u16,
        taken: u32,
    },
    /// The sequence numbers of the events do not run to that of the room type without a gap, from 1 or, after a
    /// deletion, from a later number.
    BrokenSequence {
        stored: u64,
        first: u64,
        last: u64,
        count: u64,
    },
    BookingWithoutEvent(String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Miscounted { date, counter, stored, recounted } => {
                write!(f, "{date}: {stored} {counter} in the calendar, {recounted} in the bookings")
            }
            Self::Missized { date, stored, due } => {
                write!(f, "{date}: a capacity of {stored} is stored, the settings make it {due}")
            }
            Self::Misforced { date, stored, due } => {
                write!(f, "{date}: {stored} rooms are forced beyond the capacity, its guests need {due}")
            }
            Self::Oversold { date, capacity, taken } => {
                write!(f, "{date}: {taken} sold and held, but only {capacity} to sell")
            }
            Self::BrokenSequence { stored, first, last, count } => {
                write!(f, "sequence is {stored}, but there are {count} events, from {first} to {last}")
            }
            Self::BookingWithoutEvent(id) => write!(f, "booking {id}: its last change has no event"),
        }
    }
}

/// Recounts a room type. No difference means that every promise about it holds.
pub fn recount(evidence: &Evidence) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut recounted: BTreeMap<Date, (u32, u32)> = BTreeMap::new();
    for print in &evidence.footprints {
        for date in print.stay.dates() {
            let (sold, held) = recounted.entry(date).or_default();
            match print.counter {
                Counter::Sold => *sold += u32::from(print.rooms),
                Counter::Held => *held += u32::from(print.rooms),
            }
        }
    }
    let mut compare = |date, counter, stored, recounted| {
        if stored != recounted {
            differences.push(Difference::Miscounted { date, counter, stored, recounted });
        }
    };
    for night in &evidence.nights {
        let (sold, held) = recounted.remove(&night.date).unwrap_or_default();
        compare(night.date, "sold", u32::from(night.sold), sold);
        compare(night.date, "held", u32::from(night.held), held);
    }
    for (date, (sold, held)) in recounted {
        compare(date, "sold", 0, sold);
        compare(date, "held", 0, held);
    }
    for night in &evidence.nights {
        let NightRow { date, capacity: stored, due, .. } = *night;
        if stored != due {
            differences.push(Difference::Missized { date, stored, due });
        }
        let taken = u32::from(night.sold) + u32::from(night.held);
        let excess = taken.saturating_sub(night.capacity.into());
        if excess > u32::from(night.forced) {
            differences.push(Difference::Oversold { date, capacity: night.capacity, taken });
        } else if excess != u32::from(night.forced) {
            differences.push(Difference::Misforced { date, stored: night.forced, due: excess });
        }
    }
    let (first, last, count) = evidence.events.unwrap_or((1, 0, 0));
    let begins = first == 1 || (evidence.trimmed && (1..=last).contains(&first));
    if !begins || last != evidence.sequence || count != last + 1 - first {
        differences.push(Difference::BrokenSequence { stored: evidence.sequence, first, last, count });
    }
    differences.extend(evidence.bookings_without_event.iter().cloned().map(Difference::BookingWithoutEvent));
    differences
}

/// An idempotency record whose answer is not about an object that exists. All members are the texts in the database, so any
/// value can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrayIdempotencyRecord {
    /// Digest of the key, in hexadecimal.
    pub key: String,
    /// What the answer is about, such as `booking`.
    pub kind: String,
    /// The id in the answer.
    pub object: Option<String>,
    /// The room type in the answer.
    pub room_type: Option<String>,
    /// The room type of the stored booking with that id.
    pub found_in: Option<String>,
}

impl fmt::Display for StrayIdempotencyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, kind, object, room_type, found_in } = self;
        match (object, found_in) {
            (None, _) => write!(f, "idempotency key {key}: its answer names no {kind}"),
            (Some(object), Some(other)) => {
                let room_type = room_type.as_deref().unwrap_or("any");
                write!(f, "idempotency key {key}: {kind} {object} is of room type {other}, not of {room_type}")
            }
            (Some(object), None) => write!(f, "idempotency key {key}: its {kind} {object} does not exist"),
        }
    }
}

/// A job about a booking that does not exist, or that belongs to another tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrayJob {
    pub id: i64,
    pub kind: String,
    /// The booking in the payload.
    pub booking: Option<String>,
    pub tenant: Option<String>,
    /// The hotel of the stored booking with that id.
    pub found_in: Option<String>,
}

impl fmt::Display for StrayJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, kind, booking, tenant, found_in } = self;
        match (booking, found_in) {
            (None, _) => write!(f, "job {id} ({kind}): its payload names no booking"),
            (Some(booking), Some(hotel)) => {
                let tenant = tenant.as_deref().unwrap_or("the installation");
                write!(f, "job {id} ({kind}): booking {booking} is of hotel {hotel}, not of {tenant}")
            }
            (Some(booking), None) => write!(f, "job {id} ({kind}): its booking {booking} does not exist"),
        }
    }
}

/// The differences of one room type.
#[derive(Debug)]
pub struct Finding {
    pub room_type: RoomTypeId,
    pub differences: Vec<Difference>,
}
