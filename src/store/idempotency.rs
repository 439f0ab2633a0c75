//! Idempotency records: what a key was used for, and what its request was answered with.
//!
//! A record is stored in the transaction of the effect that it answers for. Its answer can be of any kind: to let another
//! request carry a key, add a variant to [`Answer`].

use std::sync::Arc;

use serde::Serialize;

use crate::domain::{Booking, Change, Hotel, RatePlan, RoomType, Service, Timestamp};

/// SHA-256 of an idempotency key and the credentials it was used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest(pub [u8; 32]);

/// SHA-256 of what a key was used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// What an idempotency key did, and how long that is remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct IdempotencyRecord {
    pub fingerprint: Fingerprint,
    pub answer: Answer,
    pub expires_at: Timestamp,
}

/// A record on its way into the store, together with the effect that it answers for.
#[derive(Debug, Clone)]
pub struct NewRecord {
    pub key: KeyDigest,
    pub record: IdempotencyRecord,
    /// When the effect was decided. A record of the same key that expired before is overwritten.
    pub at: Timestamp,
}

/// What a request was answered with: the object as the request left it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    Booking(Arc<Booking>),
    Hotel(Arc<Hotel>),
    RoomType(Arc<RoomType>),
    RatePlan(Arc<RatePlan>),
    Service(Arc<Service>),
    /// The answer of a request that this version does not know, by the name of its kind.
    Unknown(String),
}

impl Answer {
    /// What the request that caused this change is answered with. `None`: such a request takes no key.
    pub fn to(change: &Change) -> Option<Self> {
        match change {
            Change::Booking { booking, .. } => Some(Self::Booking(booking.clone())),
            Change::RatePlan { plan } => Some(Self::RatePlan(Arc::new(plan.clone()))),
            Change::Nights { .. } | Change::RoomType { .. } => None,
        }
    }

    /// The name under which the kind is stored.
    pub fn kind(&self) -> &str {
        match self {
            Self::Booking(_) => "booking",
            Self::Hotel(_) => "hotel",
            Self::RoomType(_) => "room_type",
            Self::RatePlan(_) => "rate_plan",
            Self::Service(_) => "service",
            Self::Unknown(kind) => kind,
        }
    }
}
