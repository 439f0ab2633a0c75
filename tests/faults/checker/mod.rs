//! The judge: whether what the database says, and what guests and dashboards were told, can be one and the same history.
//!
//! It knows the rules and nothing of the engine. Everything is measured against the events of each room type: a total
//! order, without a gap, from which the nights follow. Then:
//! - [`stored`]: every acknowledgement is one of these events, once, and no event is without a wish;
//! - [`order`]: that order agrees with the clock on the wall, and explains every refusal;
//! - [`seen`]: whoever looked, watched or read the feed saw states of that order, and missed none;
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

/// Everything that does not fit, in words.
pub fn complaints(history: &History, truth: &Truth) -> Vec<String> {
    let mut complaints = Vec::new();
    let replay = Replay::of(truth, &mut complaints);
    stored::check(history, truth, &replay, &mut complaints);
    order::check(history, truth, &replay, &mut complaints);
    seen::check(history, truth, &replay, &mut complaints);
    counted::check(truth, &replay, &mut complaints);
    complaints
}
