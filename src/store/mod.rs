//! Stores: the database behind the engine, in the words of the domain.
//!
//! **What it owns.** Durability. [`sqlite`] and [`postgres`] implement the same traits, and `app.rs` chooses one of them.
//!
//! **Who calls it.**
//!
//! - [`Journal`] is the write path: the writer commits facts, the engine claims and loads room types.
//! - [`Catalogue`] has hotels, room types, rate plans and services: the handlers of `http/` use it.
//! - [`Reports`] reads across room types: lists, search, export and `verify` use it.
//! - [`Feed`] reads the event history: dashboards, other nodes and `GET /v1/events` use it.
//! - [`Members`] counts the heartbeats of the nodes: `lease/` compares the databases of two nodes with it.
//!
//! **What it never does.** It decides nothing. It checks fencing tokens, sequence numbers and idempotency keys, and stores
//! each fact with everything that belongs to it, or nothing.
//!
//! # Invariants
//!
//! - A commit that [`Journal::commit`] reported as committed survives a crash.
//! - The facts of a room type are stored in order and without a gap.
//! - An idempotency key has one effect.
//! - No night has more rooms sold and held than its capacity. A CHECK constraint guards this.
//!
//! # Limits
//!
//! Connections, statement time and pages are limited. The limits are settings of the two stores.
//!
//! # Failure
//!
//! Nothing is half done. After [`CommitError::RolledBack`] nothing is stored. After [`CommitError::UnknownOutcome`] the
//! batch may be stored, and [`Journal::committed`] says later whether it is.
//!
//! # How to add
//!
//! - A table: see [`records`].
//! - A store: make a folder beside [`sqlite`] and [`postgres`] with the same file names, add its driver to [`db`], and
//!   run the contract suite (`tests/it/store_contract.rs`) against it.

pub mod audit;
mod database_id;
pub mod db;
pub mod feed;
mod idempotency;
mod members;
pub mod postgres;
pub mod records;
mod sql;
pub mod sqlite;
mod weight;
mod writable;

pub use database_id::DatabaseId;
pub use feed::Feed;
pub use idempotency::{Answer, Fingerprint, IdempotencyRecord, KeyDigest, NewRecord};
pub use members::{Instance, Members, Roster};

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
pub trait Store: db::Database + Journal + Catalogue + Reports + Feed + Members {
    /// The earlier of `now` and the time of the store's own clock, if the store has one. A node whose clock is ahead
    /// then deletes nothing that other nodes still need.
    async fn time(&self, now: Timestamp) -> Result<Timestamp, Error> {
        Ok(now)
    }

    /// Whether the store can be reached. Answers also when the store is too busy for [`Reports::ping`].
    async fn reach(&self) -> Result<(), Error> {
        self.ping().await
    }

    /// Why some commits may be missing from this database, as a message for an operator.
    fn incomplete(&self) -> Option<String> {
        None
    }

    /// How large the store is now.
    async fn size(&self) -> Result<Size, Error>;

    /// Waits for a running write, then closes all connections. The store must not be used afterwards.
    async fn close(&self) -> Result<(), Error>;
}

/// The write path, and the reads of recovery.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Number of commits that can run at the same time. All facts of a room type use the same lane, in order.
    fn lanes(&self) -> usize {
        1
    }

    /// Makes `token` the only fencing token with which commits of a room type are accepted. Waits for a running commit.
    async fn claim(&self, room_type: RoomTypeId, token: Token) -> Result<Claim, Error>;

    /// The token with which each room type was claimed last. While the token is unchanged, no other owner has changed
    /// the room type.
    async fn tokens(&self, room_types: &[RoomTypeId]) -> Result<HashMap<RoomTypeId, Token>, Error>;

    /// A room type after its committed facts. The calendar begins at the hotel's date of `now`. It covers the hotel's
    /// horizon and every night that was ever touched, because bookings stay when a hotel shortens its horizon.
    async fn load(&self, room_type: RoomTypeId, now: Timestamp) -> Result<Option<Inventory>, Error>;

    /// Stores a batch in one durable transaction. An entry with a stale token, a sequence number that does not follow,
    /// an idempotency key already used, or values that the database refuses is left out, together with later entries of
    /// the same room type. The others are committed. One verdict per entry, in order.
    async fn commit(&self, batch: &[CommitEntry]) -> Result<Vec<Verdict>, CommitError>;

    /// Which of these facts are stored.
    async fn committed(&self, facts: &[FactId]) -> Result<HashSet<FactId>, Error>;

    /// The records of these idempotency keys that have not expired at `now`.
    async fn recall(&self, keys: &[KeyDigest], now: Timestamp) -> Result<HashMap<KeyDigest, IdempotencyRecord>, Error>;

    /// Deletes at most `limit` idempotency records that expired before `now`. Returns the number of deleted records.
    async fn forget_idempotency_records(&self, now: Timestamp, limit: u32) -> Result<u64, Error>;

    async fn booking(&self, id: BookingId) -> Result<Option<Booking>, Error>;

    /// Room types with a hold, expired or not: each needs an actor whose timer ends its holds.
    async fn room_types_with_holds(&self) -> Result<Vec<RoomTypeId>, Error>;

    /// The room types of a hotel.
    async fn room_type_ids(&self, hotel: HotelId) -> Result<Vec<RoomTypeId>, Error>;
}

/// Hotels and what they sell. Room types and rate plans that exist are changed by their actor, as facts.
#[async_trait]
pub trait Catalogue: Send + Sync + 'static {
    async fn insert_hotel(&self, hotel: &Hotel) -> Result<(), Error>;
    /// Updates a hotel that is still equal to `seen`. `false`: it has changed since, or does not exist.
    async fn update_hotel(&self, seen: &Hotel, hotel: &Hotel) -> Result<bool, Error>;
    async fn hotel(&self, id: HotelId) -> Result<Option<Hotel>, Error>;
    /// Ordered by id. `city` is compared without regard to case.
    async fn hotels(&self, city: Option<&str>, page: Page<HotelId>) -> Result<Vec<Hotel>, Error>;

    async fn insert_room_type(&self, room_type: &RoomType) -> Result<(), Error>;
    async fn room_type(&self, id: RoomTypeId) -> Result<Option<RoomType>, Error>;
    async fn room_types(&self, hotel: HotelId, page: Page<RoomTypeId>) -> Result<Vec<RoomType>, Error>;

    /// Without its nights.
    async fn rate_plan(&self, id: RatePlanId) -> Result<Option<RatePlan>, Error>;
    /// Without their nights.
    async fn rate_plans(&self, room_type: RoomTypeId, page: Page<RatePlanId>) -> Result<Vec<RatePlan>, Error>;

    async fn insert_service(&self, service: &Service) -> Result<(), Error>;
    /// Updates a service that is still equal to `seen`. `false`: it has changed since, or does not exist.
    async fn update_service(&self, seen: &Service, service: &Service) -> Result<bool, Error>;
    async fn service(&self, id: ServiceId) -> Result<Option<Service>, Error>;
    async fn services(&self, hotel: HotelId, page: Page<ServiceId>) -> Result<Vec<Service>, Error>;

    /// Inserts the hotel, the room type or the service that a record answers with, together with the record. `false`: the
    /// key has a record already, and nothing was stored.
    async fn insert_once(&self, new: &NewRecord) -> Result<bool, Error>;

    /// Whether there is no hotel yet.
    async fn is_empty(&self) -> Result<bool, Error>;

    /// The secret for manage tokens. Stores `fresh` if this installation has no secret yet.
    async fn installation_secret(&self, fresh: [u8; 32]) -> Result<[u8; 32], Error>;
}

/// Reading across room types.
#[async_trait]
pub trait Reports: Send + Sync + 'static {
    async fn bookings(&self, filter: &BookingFilter, page: Page<BookingId>) -> Result<Vec<Booking>, Error>;

    /// How many bookings of a hotel are not over: held, confirmed or in house.
    async fn live_bookings(&self, hotel: HotelId) -> Result<u64, Error>;

    /// Every room type of a hotel as an inventory for quotes, ordered by id.
    async fn stock(&self, hotel: HotelId, now: Timestamp) -> Result<Vec<Inventory>, Error>;

    /// The room types from the first to the last of these ids as inventories for quotes, in one statement.
    ///
    /// An inventory for quotes has neither services nor holds. Its calendar begins at the hotel's date of `now` and has
    /// no end: a quote refuses nights beyond the horizon, and the horizon moves every day.
    async fn stock_between(&self, ids: RangeInclusive<RoomTypeId>, now: Timestamp) -> Result<Vec<Inventory>, Error>;

    /// Nights with rooms sold or held, ordered by room type and date, after `after`.
    async fn counted_nights(&self, after: Option<(RoomTypeId, Date)>, limit: u32) -> Result<Vec<CountedNight>, Error>;

    /// Hotels by id.
    async fn all_hotels(&self, page: Page<HotelId>) -> Result<Vec<HotelId>, Error>;

    /// Room types by id.
    async fn all_room_types(&self, page: Page<RoomTypeId>) -> Result<Vec<RoomTypeId>, Error>;

    /// Everything about a room type that `verify` can recount.
    async fn evidence(&self, room_type: RoomTypeId) -> Result<audit::Evidence, Error>;

    /// Idempotency records whose answer names an object that does not exist, at most `limit`.
    async fn stray_idempotency_records(&self, limit: u32) -> Result<Vec<audit::StrayIdempotencyRecord>, Error>;

    /// Jobs about a booking that does not exist, or that belongs to another tenant, at most `limit`.
    async fn stray_jobs(&self, limit: u32) -> Result<Vec<audit::StrayJob>, Error>;

    /// Whether the store answers, and accepts writes as far as is known.
    async fn ping(&self) -> Result<(), Error>;
}

/// How large a store is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub database: u64,
    /// The write-ahead log beside the file; 0 for a database that manages its log itself.
    pub wal: u64,
}

/// A page of a list ordered by id.
#[derive(Debug, Clone, Copy)]
pub struct Page<Id> {
    /// The last id of the previous page.
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

/// A fact to be stored, with everything that must be stored in the same transaction.
#[derive(Debug, Clone)]
pub struct CommitEntry {
    pub room_type: RoomTypeId,
    /// The token under which the fact was decided.
    pub token: Token,
    pub fact: Arc<Fact>,
    /// The record of the idempotency key with which the fact was requested.
    pub record: Option<(KeyDigest, IdempotencyRecord)>,
    /// The jobs that the fact causes.
    pub jobs: Vec<Job>,
    /// The request changed nothing. The fact is its answer, under the present sequence number, and no part of the
    /// history: only the idempotency record is stored.
    pub answer_only: bool,
}

impl CommitEntry {
    /// The sequence number that the room type has before this entry.
    pub fn after(&self) -> u64 {
        match self.answer_only {
            true => self.fact.sequence,
            false => self.fact.sequence.saturating_sub(1),
        }
    }
}

/// The outcome of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Committed,
    /// Another owner has claimed the room type, or an earlier entry of the room type was left out.
    Fenced,
    /// The idempotency key is already used.
    Duplicate,
    /// A constraint forbids the entry. It is the last guard: a correct engine never causes it.
    Refused,
    /// The database cannot hold the values, whatever else is stored.
    Unstorable,
}

/// The store's answer to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    Granted,
    /// A token at least as high was claimed before.
    Stale {
        current: Token,
    },
    /// The room type does not exist.
    NoSuchRoomType,
}

/// The store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store is unreachable, full, or busy beyond its time-out.
    #[error("the store is unavailable")]
    Unavailable(#[source] anyhow::Error),
    /// The database refuses the values. Nothing was stored.
    #[error("the store refuses these values")]
    Refused(#[source] anyhow::Error),
    /// A row has a value that this version never writes.
    #[error("the store holds a row that cannot be read")]
    Corrupt(#[source] anyhow::Error),
}

/// A commit that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing was stored.
    #[error("the commit was rolled back")]
    RolledBack(#[source] anyhow::Error),
    /// The batch may be stored or not.
    #[error("the outcome of the commit is unknown")]
    UnknownOutcome(#[source] anyhow::Error),
}
