//! Faults: three nodes on one PostgreSQL and one Redis, all of them real processes, a crowd of guests at every door, and
//! something that goes wrong. Afterwards an independent judge compares what everybody was told with what is stored.
//!
//! The servers are reached through wires that can be cut ([`link`]); the crowd ([`crowd`]) writes down every question and
//! every answer with its time; dashboards and a reader of the feed ([`onlookers`]) write down what they are shown; the
//! judge ([`checker`]) reads the database with `psql` and believes nobody.
//!
//! Where nothing goes wrong, nobody may be refused: nodes that are drained, stopped and started again ([`drain`]). How
//! long one is missed that is killed, or cut off from the database, is measured ([`takeover`]). What becomes of requests on
//! their way to a node that freezes or is cut off is told by [`frozen`] and [`abandoned`].
//!
//! `INNKEEPER_FAULT_SECS=600 cargo test --test faults at_random -- --nocapture` lets everything go wrong for
//! ten minutes; `INNKEEPER_FAULT_SEED` makes it throw the same dice again, though never the same race.

mod abandoned;
mod alone;
mod checker;
mod cluster;
mod crowd;
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
