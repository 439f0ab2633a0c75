//! innkeeper: a hotel reservation engine that answers at once, never sells a room twice, and loses nothing.
//!
//! # The life of a booking
//!
//! 1. [`http`] turns bytes into typed input, a principal and an idempotency key. No decision is made there.
//! 2. [`engine`] finds the actor of the room type, or starts it: a lease from [`lease`], its fencing token claimed in
//!    the store, the calendar loaded. What another node owns is answered there: [`http::forward`].
//! 3. The actor asks the pure [`domain`] for a decision: a [`domain::Fact`], applied in memory at once, or a
//!    [`domain::Refusal`] that says why. A refusal that rests on a fact not yet durable waits for it.
//! 4. [`writer`] gathers the facts of many actors and commits them together: one transaction of [`store`], which checks
//!    every fencing token, every sequence number and every idempotency key.
//! 5. After the commit the callers get their answers. What was not committed never happened: its actor throws its
//!    memory away and loads again, under a higher token.
//! 6. [`events`] tells whoever follows, before anybody is answered; [`search`] answers from memory what is for sale.
//!
//! # The floor plan
//!
//! Outside to inside: [`cli`] and [`app`] compose, [`config`] says how, [`http`] and [`ws`] face the world, [`engine`] and
//! [`writer`] work, [`lease`] and [`store`] keep, [`domain`] decides. [`clock`] brings in time and ids, [`telemetry`]
//! tells, [`tasks`] supervises what runs in the background, [`housekeeping`] tidies, [`pulse`] notices that the process
//! stood still, [`shutdown`] ends.

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
pub mod tasks;
