//! innkeeper: a hotel reservation engine. It never sells a room twice, and it loses no acknowledged booking.
//!
//! Each room type has one actor, on one node. The actor has the calendar of its nights in memory and decides requests one
//! after the other. A writer commits the decisions of many actors together, and only then are the clients answered. So
//! concurrent requests for one room type need no locks, and many room types share the cost of a commit.
//!
//! This page is the start of a tour. Follow one booking through the modules below, then read the module that you need.
//!
//! # The life of a booking
//!
//! 1. [`http`] parses the request into typed input, a principal and an idempotency key. It makes no decision.
//! 2. [`engine`] finds the actor of the room type, or starts it. To start, it acquires a lease from [`lease`], claims the
//!    fencing token in the store, and loads the calendar. If another node owns the room type, [`http::forward`] sends the
//!    request there.
//! 3. The actor asks the pure [`domain`] for a decision. The result is a [`domain::Fact`], which is applied in memory at
//!    once, or a [`domain::Refusal`] with its reason. A refusal that depends on a fact that is not durable yet waits for it.
//! 4. [`writer`] collects the facts of many actors and commits them in one transaction of [`store`]. The store checks every
//!    fencing token, every sequence number and every idempotency key.
//! 5. After the commit, the clients are answered. If a commit fails, its facts never happened: the actor drops its memory
//!    and loads again, under a higher token.
//! 6. [`events`] publishes the committed facts before the clients are answered. [`search`] updates its index from them, and
//!    [`ws`] sends them to dashboards.
//!
//! # The modules, from the outside to the inside
//!
//! | | |
//! | --- | --- |
//! | [`cli`], [`app`] | the commands, and the composition of the parts |
//! | [`config`], [`secret`] | settings from files, environment and flags; text that is never printed |
//! | [`client`] | requests to a running server, for the commands that need one |
//! | [`http`], [`ws`] | the API for clients, and live updates for dashboards |
//! | [`engine`], [`writer`] | actors that decide, and group commits |
//! | [`events`], [`search`] | the event history, and the index of what is for sale |
//! | [`lease`], [`redis`] | which node owns a room type, and the connection to Redis |
//! | [`store`] | SQLite and PostgreSQL behind one set of traits |
//! | [`domain`] | the rules: pure values, without I/O, clock or randomness |
//! | [`clock`], [`tasks`], [`telemetry`] | time and ids, supervised background tasks, logs and metrics |
//! | [`housekeeping`], [`pulse`], [`shutdown`] | periodic deletion, detection of standstills, the start of a shutdown |
//!
//! # Where to read next
//!
//! - A rule of sale: [`domain::quote`], which search, booking and change share.
//! - A new endpoint: [`http`], whose module doc says how to add one.
//! - A new table or query: [`store`].
//! - What happens when a node, Redis or the database fails: [`lease`], then `docs/operations.md`.
//! - The promises, their tests and the design decisions: `docs/architecture.md`.

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
pub mod redis;
pub mod store;

pub mod domain;

pub mod clock;
pub mod housekeeping;
pub mod pulse;
pub mod secret;
pub mod tasks;
