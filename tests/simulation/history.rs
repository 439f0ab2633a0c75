//! The past of one room type, rebuilt from its committed facts alone.

use std::collections::HashMap;
use std::sync::Arc;

use innkeeper::domain::{
    Amendment, Booking, BookingId, Cause, Change, Command, Fact, Inventory, Move, Order, Refusal, Timestamp,
};
use jiff::SignedDuration;

use crate::HOLD_MINUTES;
use crate::memory_journal::Stored;

/// The states of a room type: one before the first fact, one after each.
pub struct History {
    states: Vec<Inventory>,
    facts: Vec<Stored>,
}

impl History {
    /// Replays the facts. A fact that no serial order of requests explains is a violation.
    pub fn tell(
        genesis: &Inventory,
        facts: Vec<Stored>,
        orders: &HashMap<String, Order>,
        violations: &mut Vec<String>,
    ) -> Self {
        let mut history = Self { states: vec![genesis.clone()], facts };
        for index in 0..history.facts.len() {
            let fact = history.facts[index].fact.clone();
            if fact.sequence != index as u64 + 1 {
                violations.push(format!("fact {} stands at place {}", fact.sequence, index + 1));
                return history;
            }
            let mut state = history.states[index].clone();
            state.roll(fact.at);
            match history.command_behind(&fact, orders) {
                Ok(Some(command)) => match state.decide(command, fact.id, fact.at) {
                    Ok(decided) if decided == *fact => {}
                    Ok(other) => violations.push(format!("decided again, {fact:?} becomes {other:?}")),
                    Err(refusal) => violations.push(format!("decided again, {fact:?} is refused: {refusal:?}")),
                },
                Ok(None) => {}
                Err(violation) => violations.push(violation),
            }
            state.apply(&fact);
            if !state.calendar.is_sound() {
                violations.push(format!("oversold after {fact:?}"));
            }
            history.states.push(state);
        }
        history
    }

    pub fn facts(&self) -> impl Iterator<Item = &Stored> {
        self.facts.iter()
    }

    pub fn end(&self) -> u64 {
        self.facts.len() as u64
    }

    /// The room type after `sequence` facts, seen at `now`.
    pub fn state(&self, sequence: u64, now: Timestamp) -> Option<Inventory> {
        let mut state = self.states.get(usize::try_from(sequence).ok()?)?.clone();
        state.roll(now);
        Some(state)
    }

    /// A booking after `sequence` facts.
    pub fn booking(&self, id: BookingId, sequence: u64) -> Option<Arc<Booking>> {
        let until = usize::try_from(sequence).ok()?.min(self.facts.len());
        let bookings = self.facts[..until].iter().rev().filter_map(|stored| stored.fact.change.booking());
        bookings.into_iter().find(|booking| booking.id == id).cloned()
    }

    /// Whether a booking was ever in exactly this state because of its own fact.
    pub fn tells_of(&self, booking: &Booking) -> bool {
        self.facts.iter().any(|stored| stored.fact.change.booking().is_some_and(|stored| **stored == *booking))
    }

    /// Whether the refusal was right at some moment of that time: after some number of facts, at its first or last
    /// instant.
    pub fn explains(
        &self,
        refusal: &Refusal,
        facts: (u64, u64),
        time: (Timestamp, Timestamp),
        command: impl Fn(u64, Timestamp) -> Option<Command>,
    ) -> bool {
        (facts.0..=facts.1.min(self.end())).any(|sequence| {
            [time.0, time.1].into_iter().any(|now| {
                let (Some(state), Some(command)) = (self.state(sequence, now), command(sequence, now)) else {
                    return false;
                };
                let id = innkeeper::domain::testing::fact_id(0);
                state.decide(command, id, now).as_ref().err() == Some(refusal)
            })
        })
    }

    /// The command that led to a fact; `None` where the fact itself has all of it.
    fn command_behind(&self, fact: &Fact, orders: &HashMap<String, Order>) -> Result<Option<Command>, String> {
        let Change::Booking { cause, booking: after, .. } = &fact.change else { return Ok(None) };
        if matches!(cause, Cause::Held | Cause::Booked) {
            let order = after.external_reference.as_ref().and_then(|reference| orders.get(reference));
            let order = order.ok_or_else(|| format!("no order explains {after:?}"))?.clone();
            let hold_until = fact.at + SignedDuration::from_mins(HOLD_MINUTES);
            return Ok(Some(Command::Book { id: after.id, order, hold_until }));
        }
        let booking = self.booking(after.id, fact.sequence - 1);
        let booking = booking.ok_or_else(|| format!("{after:?} came out of nothing"))?;
        let act = match cause {
            Cause::Confirmed => Move::Confirm,
            Cause::Released | Cause::Cancelled => Move::Cancel,
            Cause::CheckedIn => Move::CheckIn,
            Cause::CheckedOut => Move::CheckOut,
            Cause::NoShow => Move::NoShow,
            Cause::Expired => Move::Expire,
            Cause::Amended | Cause::Held | Cause::Booked => Move::Amend(Amendment {
                check_in: Some(after.stay.check_in()),
                check_out: Some(after.stay.check_out()),
                rooms: Some(after.rooms),
                guests: Some(after.guests.clone()),
                waive_policy: true,
                ..Amendment::default()
            }),
        };
        Ok(Some(Command::Move { booking, act, expected: None }))
    }
}
