//! Stores: where the truth is kept, in the words of the domain.
//!
//! Owns durability. Called by the engine and the writer through [`Journal`], by the catalogue's handlers through
//! [`Catalogue`], by lists, search, export and `verify` through [`Reports`], by dashboards and integrations through
//! [`Feed`]. It never decides: it checks fencing tokens,
//! sequence numbers and idempotency keys, and keeps what it is given, all or nothing.
//!
//! Invariants: what [`Journal::commit`] called committed survives a crash; a room type's facts are stored in order and
//! without a gap; an idempotency key has one effect; no night has more sold and held than its capacity (a CHECK).
//!
//! When it fails, nothing is half done: [`CommitError::RolledBack`] left no trace, [`CommitError::UnknownOutcome`] may have
//! succeeded, and [`Journal::committed`] tells afterwards.
//!
//! To add a table: [`records`]. To add a store: make a folder beside [`sqlite`] and [`postgres`] with the same file names,
//! teach [`db`] its driver, and run the contract suite (`tests/it/store_contract.rs`) against it.

pub mod audit;
pub mod db;
pub mod feed;
mod idempotency;
mod identity;
pub mod postgres;
pub mod records;
mod sql;
pub mod sqlite;
mod weight;
mod writable;

pub use feed::Feed;
pub use idempotency::{Answer, Fingerprint, IdempotencyRecord, KeyDigest};
pub use identity::Identity;

use std::collections::{HashMap, HashSet};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::{
    Booking, BookingId, Date, Fact, FactId, Hotel, HotelId, Inventory, Job, RatePlan, RatePlanId, RoomType, RoomTypeId,
    Service, ServiceId, Timestamp,
};
use crate::lease::Token;

/// Everything a store can do.
#[async_trait]
pub trait Store: db::Database + Journal + Catalogue + Reports + Feed {
    /// The earlier of `now` and the time by the store's own clock, if it has one: a node whose clock is ahead deletes
    /// nothing that the others still need.
    async fn time(&self, now: Timestamp) -> Result<Timestamp, Error> {
        Ok(now)
    }

    /// Whether the store can be reached at all, also where it has so much to do that [`Reports::ping`] would wait.
    async fn reach(&self) -> Result<(), Error> {
        self.ping().await
    }

    /// Which database this is, and who serves it. Answers also where the store has much to do.
    async fn identity(&self) -> Result<Identity, Error> {
        Ok(Identity::unshared())
    }

    /// What makes it doubtful that everything that was committed is here, to be told to an operator.
    fn incomplete(&self) -> Option<String> {
        None
    }

    /// How large the store is now.
    async fn size(&self) -> Result<Size, Error>;

    /// Waits for a write under way and lets go of everything. Nobody may ask the store for anything afterwards.
    async fn close(&self) -> Result<(), Error>;
}

/// The write path, and what recovery needs.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// How many commits it can do at once. A room type's facts are always committed by the same one of them, in order.
    fn lanes(&self) -> usize {
        1
    }

    /// Makes `token` the only one whose commits are accepted for a room type. Waits for a commit under way.
    async fn claim(&self, room_type: RoomTypeId, token: Token) -> Result<Claim, Error>;

    /// Under which token each of these room types was claimed last. Until somebody claims it under another one, nobody
    /// else has changed it.
    async fn tokens(&self, room_types: &[RoomTypeId]) -> Result<HashMap<RoomTypeId, Token>, Error>;

    /// A room type as its committed facts have left it. The calendar begins at the hotel's date of `now` and covers the
    /// hotel's horizon and every night that was ever touched: a hotel that shortened its horizon still has its guests.
    async fn load(&self, room_type: RoomTypeId, now: Timestamp) -> Result<Option<Inventory>, Error>;

    /// Stores a batch in one durable transaction. An entry with a stale token, a sequence number that does not follow,
    /// an idempotency key already used, or values that the database refuses is left out, together with later entries of
    /// the same room type. The others are committed. One verdict per entry, in order.
    async fn commit(&self, batch: &[CommitEntry]) -> Result<Vec<Verdict>, CommitError>;

    /// Which of these facts are stored.
    async fn committed(&self, facts: &[FactId]) -> Result<HashSet<FactId>, Error>;

    /// What is known of these idempotency keys at `now`.
    async fn recall(&self, keys: &[KeyDigest], now: Timestamp) -> Result<HashMap<KeyDigest, IdempotencyRecord>, Error>;

    /// Deletes at most `limit` idempotency records that expired before `now`; how many there were.
    async fn forget_idempotency_records(&self, now: Timestamp, limit: u32) -> Result<u64, Error>;

    async fn booking(&self, id: BookingId) -> Result<Option<Booking>, Error>;

    /// Room types that have a hold, whether or not its time is over: their timers must run.
    async fn room_types_with_holds(&self) -> Result<Vec<RoomTypeId>, Error>;

    /// The room types of a hotel.
    async fn room_type_ids(&self, hotel: HotelId) -> Result<Vec<RoomTypeId>, Error>;
}

/// Hotels and what they sell. Room types and rate plans that are already in use change through their actor, as facts.
#[async_trait]
pub trait Catalogue: Send + Sync + 'static {
    async fn insert_hotel(&self, hotel: &Hotel) -> Result<(), Error>;
    /// Only if the hotel still is what was `seen`; `false` if it has changed since, or is not there.
    async fn update_hotel(&self, seen: &Hotel, hotel: &Hotel) -> Result<bool, Error>;
    async fn hotel(&self, id: HotelId) -> Result<Option<Hotel>, Error>;
    /// By id, after `after`; `city` matches without regard to case.
    async fn hotels(&self, city: Option<&str>, page: Page<HotelId>) -> Result<Vec<Hotel>, Error>;

    async fn insert_room_type(&self, room_type: &RoomType) -> Result<(), Error>;
    async fn room_type(&self, id: RoomTypeId) -> Result<Option<RoomType>, Error>;
    async fn room_types(&self, hotel: HotelId, page: Page<RoomTypeId>) -> Result<Vec<RoomType>, Error>;

    /// Without its nights.
    async fn rate_plan(&self, id: RatePlanId) -> Result<Option<RatePlan>, Error>;
    /// Without their nights.
    async fn rate_plans(&self, room_type: RoomTypeId, page: Page<RatePlanId>) -> Result<Vec<RatePlan>, Error>;

    async fn insert_service(&self, service: &Service) -> Result<(), Error>;
    /// Only if the service still is what was `seen`; `false` if it has changed since, or is not there.
    async fn update_service(&self, seen: &Service, service: &Service) -> Result<bool, Error>;
    async fn service(&self, id: ServiceId) -> Result<Option<Service>, Error>;
    async fn services(&self, hotel: HotelId, page: Page<ServiceId>) -> Result<Vec<Service>, Error>;

    /// Whether there is no hotel yet.
    async fn is_empty(&self) -> Result<bool, Error>;

    /// The secret that manage tokens are made with: `fresh`, if this installation has none yet; else the one it has.
    async fn installation_secret(&self, fresh: [u8; 32]) -> Result<[u8; 32], Error>;
}

/// Reading across room types.
#[async_trait]
pub trait Reports: Send + Sync + 'static {
    async fn bookings(&self, filter: &BookingFilter, page: Page<BookingId>) -> Result<Vec<Booking>, Error>;

    /// Every room type of a hotel, to quote from, in order of their ids.
    async fn stock(&self, hotel: HotelId, now: Timestamp) -> Result<Vec<Inventory>, Error>;

    /// The room types from the first to the last of these ids, to quote from, in one statement.
    ///
    /// What is made to quote from has neither services nor holds, and its calendar begins at the hotel's date of `now`
    /// and has no end: a quote closes what lies beyond the horizon, and the horizon moves every day.
    async fn stock_between(&self, ids: RangeInclusive<RoomTypeId>, now: Timestamp) -> Result<Vec<Inventory>, Error>;

    /// Nights with anything sold or held, by room type and date, after `after`.
    async fn counted_nights(&self, after: Option<(RoomTypeId, Date)>, limit: u32) -> Result<Vec<CountedNight>, Error>;

    /// Hotels by id.
    async fn all_hotels(&self, page: Page<HotelId>) -> Result<Vec<HotelId>, Error>;

    /// Room types by id.
    async fn all_room_types(&self, page: Page<RoomTypeId>) -> Result<Vec<RoomTypeId>, Error>;

    /// Everything stored about a room type that can be counted twice.
    async fn evidence(&self, room_type: RoomTypeId) -> Result<audit::Evidence, Error>;

    /// Idempotency records whose answer names an object that does not exist, at most `limit`.
    async fn stray_idempotency_records(&self, limit: u32) -> Result<Vec<audit::StrayIdempotencyRecord>, Error>;

    /// Jobs about a booking that does not exist, or that belongs to another tenant, at most `limit`.
    async fn stray_jobs(&self, limit: u32) -> Result<Vec<audit::StrayJob>, Error>;

    /// Whether the store answers, and takes writes as far as is known.
    async fn ping(&self) -> Result<(), Error>;
}

/// How large a store is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub database: u64,
    /// The log of what is not in the database's file yet; 0 where the database keeps its own.
    pub wal: u64,
}

/// A page of a list ordered by id.
#[derive(Debug, Clone, Copy)]
pub struct Page<Id> {
    /// The last id of the page before.
    pub after: Option<Id>,
    /// The most rows to return.
    pub limit: u32,
}

/// Which bookings to list. `None` does not filter.
#[derive(Debug, Clone, Default)]
pub struct BookingFilter {
    pub hotel: Option<HotelId>,
    pub room_type: Option<RoomTypeId>,
    /// A status by its name.
    pub status: Option<&'static str>,
    /// Arrival dates, half-open.
    pub arrival: Range<Option<Date>>,
    /// A mobile number or an e-mail address.
    pub contact: Option<String>,
    pub external_reference: Option<String>,
}

/// One row of the export of nights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedNight {
    pub hotel: String,
    pub room_type: String,
    pub room_type_id: RoomTypeId,
    pub date: Date,
    pub physical: u16,
    pub sold: u16,
    pub held: u16,
}

/// A fact on its way into the store, with everything that must become true together with it.
#[derive(Debug, Clone)]
pub struct CommitEntry {
    pub room_type: RoomTypeId,
    /// The token under which the fact was decided.
    pub token: Token,
    pub fact: Arc<Fact>,
    /// The idempotency key that asked for it.
    pub record: Option<(KeyDigest, IdempotencyRecord)>,
    /// The jobs that the fact causes.
    pub jobs: Vec<Job>,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Committed,
    /// Another owner has claimed the room type, or an earlier entry of it was left out.
    Fenced,
    /// The idempotency key has been used.
    Duplicate,
    /// A constraint forbids it: it contradicts what is stored. The last guard, which a sound engine never meets.
    Refused,
    /// The database cannot hold its values, whatever else is stored.
    Unstorable,
}

/// The store's answer to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    Granted,
    /// A token at least as high has been seen.
    Stale {
        current: Token,
    },
    /// There is no such room type.
    NoSuchRoomType,
}

/// The store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Unreachable, full, busy beyond its time-out.
    #[error("the store is unavailable")]
    Unavailable(#[source] anyhow::Error),
    /// The database does not take the values it was given. Nothing was done.
    #[error("the store does not take these values")]
    Refused(#[source] anyhow::Error),
    /// A row that this version cannot have written.
    #[error("the store holds a row that cannot be read")]
    Corrupt(#[source] anyhow::Error),
}

/// A commit that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing was stored.
    #[error("the commit was rolled back")]
    RolledBack(#[source] anyhow::Error),
    /// It may have been stored or not.
    #[error("the outcome of the commit is unknown")]
    UnknownOutcome(#[source] anyhow::Error),
}
