//! The checker: whether the database, and all answers to clients and dashboards, fit one history.
//!
//! It knows the rules and uses no code of the engine. Everything is compared with the events of each room type. They
//! form a total order without a gap, and give the nights. Then:
//! - [`stored`]: every acknowledgement is exactly one of these events, and every event belongs to a request;
//! - [`order`]: the order agrees with the times of requests and answers, and explains every refusal;
//! - [`seen`]: every read, dashboard and page of the feed shows states of that order, and misses none;
//! - [`counted`]: a recount of the bookings gives the same nights, and none is oversold.

mod counted;
mod order;
mod replay;
mod seen;
mod stored;
#[cfg(test)]
mod tests;

use self::replay::Replay;
use crate::history::History;
use crate::truth::Truth;

/// All violations, in words.
pub fn violations(history: &History, truth: &Truth) -> Vec<String> {
    let mut violations = Vec::new();
    let replay = Replay::of(truth, &mut violations);
    stored::check(history, truth, &replay, &mut violations);
    order::check(history, truth, &replay, &mut violations);
    seen::check(history, truth, &replay, &mut violations);
    counted::check(truth, &replay, &mut violations);
    violations
}
