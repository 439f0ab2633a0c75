//! innkeeper: a hotel reservation engine that answers at once, never sells a room twice, and loses nothing.
//!
//! # The life of a booking
//!
//! 1. [`http`] turns bytes into typed input, a principal and an idempotency key. It makes no decision.
//! 2. [`engine`] finds the actor of the room type or starts it. A new actor acquires a lease from [`lease`], claims its
//!    fencing token in the store, and loads the calendar. If another node owns the room type, [`http::forward`] sends the
//!    request there.
//! 3. The actor asks the pure [`domain`] for a decision. The result is a [`domain::Fact`], which is applied in memory at
//!    once, or a [`domain::Refusal`], which names the rule. A refusal that depends on an uncommitted fact waits for it.
//! 4. [`writer`] collects the facts of many actors and commits them in one transaction of [`store`]. The store checks
//!    every fencing token, sequence number and idempotency key.
//! 5. After the commit, [`events`] publishes the facts, and then the callers get their answers. After a failed commit the
//!    actor drops its memory, claims a higher token and loads again.
//! 6. Dashboards ([`ws`]) and [`search`] follow the published facts and answer from memory.
//!
//! # The modules, from outside to inside
//!
//! - [`cli`] and [`app`] start the program; [`config`] has its settings; [`shutdown`] ends it.
//! - [`http`] and [`ws`] serve clients. [`client`] is the client side of the same API.
//! - [`engine`] and [`writer`] run the write path. [`events`] and [`search`] follow it.
//! - [`lease`] and [`store`] grant ownership and keep data.
//! - [`domain`] decides. It is pure: no I/O, no clock, no randomness.
//! - [`clock`] supplies time and ids, [`telemetry`] writes logs and metrics, [`tasks`] supervises background tasks,
//!   [`housekeeping`] deletes old data, and [`pulse`] notices that the process stood still.
//!
//! Start reading with the documentation of [`domain`], then [`engine`], [`writer`] and [`store`].

pub mod app;
pub mod cli;
pub mod client;
pub mod config;
pub mod shutdown;
pub mod telemetry;

pub mod http;
pub mod ws;

pub mod engine;
pub mod writer;

pub mod events;
pub mod search;

pub mod lease;
pub mod store;

pub mod domain;

pub mod clock;
pub mod housekeeping;
pub mod pulse;
pub mod redis;
pub mod secret;
pub mod tasks;
