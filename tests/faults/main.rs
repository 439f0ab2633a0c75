//! Faults: three nodes, one PostgreSQL and one Redis as real processes, clients at every node, and failures.
//! Afterwards an independent checker compares all answers with the database.
//!
//! All connections go through links that can be cut ([`link`]). Clients ([`clients`]) record every request and answer
//! with its time. Dashboards and a reader of the feed ([`onlookers`]) record what they receive. The checker
//! ([`checker`]) reads the database with `psql`.
//!
//! Without a failure no request may be refused: nodes that are drained, stopped and started again ([`drain`]).
//! [`takeover`] measures the time until another node takes over. [`frozen`] and [`abandoned`] test requests under way
//! to a node that freezes or is cut off.
//!
//! `INNKEEPER_FAULT_SECS=600 cargo test --test faults at_random -- --nocapture` causes random failures for ten
//! minutes.
//! `INNKEEPER_FAULT_SEED` repeats the same random choices, but not the same timing.

mod abandoned;
mod alone;
mod checker;
mod clients;
mod cluster;
mod drain;
mod fault;
mod frozen;
mod guide;
mod history;
mod link;
mod nemesis;
mod node;
mod onlookers;
#[expect(dead_code, reason = "others need more of it")]
#[path = "../support/postgres_server.rs"]
mod postgres;
#[expect(dead_code, reason = "others need more of it")]
#[path = "../it/support/redis.rs"]
mod redis;
mod request;
mod scenario;
mod takeover;
mod truth;
