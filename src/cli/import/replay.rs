//! The replay: every reservation through the engine, in the order of its dates.
//!
//! The moves of a wave are under way together, sent in the order of the file. The next wave begins when all of them are
//! answered. So the engine decides what [`super::demand`] computed, for every size of its batches.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use indicatif::ProgressBar;

use super::catalogue::ImportCatalogue;
use super::row::Reservation;
use super::schedule::{Phase, Schedule};
use super::source::Source;
use crate::clock::ManualClock;
use crate::domain::order::OrderDraft;
use crate::domain::{Booking, Move, Order, Violation};
use crate::engine::{self, Engine, MoveOptions};

/// Ages that the file does not name.
const ADULT: i64 = 30;
const CHILD: i64 = 8;
const BABY: i64 = 1;

/// The results of the reservations.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The last state of every accepted booking, by index of its reservation.
    pub bookings: Vec<Option<Arc<Booking>>>,
    /// Refused reservations by reason.
    pub refused: BTreeMap<&'static str, u64>,
}

/// The replay failed. Everything before the failure is in the database.
#[derive(Debug, thiserror::Error)]
#[error("the reservation of line {line} could not be {verb}; the imported hotel is incomplete")]
pub struct Stopped {
    line: u64,
    verb: &'static str,
    source: Why,
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error(transparent)]
    Engine(engine::Error),
    #[error("{0}")]
    Rule(Violation),
    #[error("the file has no such reservation")]
    Missing,
}

/// The parts that a replay uses.
pub struct Replay<'a> {
    pub engine: &'a Engine,
    pub clock: &'a ManualClock,
    pub source: &'a Source,
    pub catalogue: &'a ImportCatalogue,
    /// The limit of unanswered moves.
    pub in_flight: usize,
}

impl Replay<'_> {
    pub async fn run(&self, schedule: &Schedule, bar: &ProgressBar) -> Result<Outcome, Stopped> {
        let bookings = vec![None; self.source.reservations.len()];
        let mut outcome = Outcome { bookings, ..Outcome::default() };
        for (day, moves) in schedule.waves() {
            self.clock.set(self.catalogue.instant(day));
            bar.inc(moves.len() as u64);
            let known = |index: usize| outcome.bookings.get(index).cloned().flatten();
            let steps: Vec<_> = moves.into_iter().map(|(phase, index)| (phase, index, known(index))).collect();
            // A booking that was refused has no later moves.
            let wanted = steps.into_iter().filter(|(phase, _, booking)| *phase == Phase::Book || booking.is_some());
            let answers = wanted.map(|(phase, index, booking)| async move {
                let answer = self.step(phase, index, booking).await;
                (index, answer.map_err(|source| self.stopped(phase, index, source)))
            });
            let mut answers = stream::iter(answers).buffered(self.in_flight);
            while let Some((index, answer)) = answers.next().await {
                outcome.record(index, answer?);
            }
        }
        Ok(outcome)
    }

    /// Makes one move. Returns the booking after it, or the name of the refusal.
    async fn step(&self, phase: Phase, index: usize, booking: Option<Arc<Booking>>) -> Result<Answer, Why> {
        let act = match phase {
            Phase::Book => return self.book(index).await,
            Phase::Cancel | Phase::CancelSameDay => Move::Cancel,
            Phase::NoShow => Move::NoShow,
            Phase::CheckIn => Move::CheckIn,
            Phase::CheckOut => Move::CheckOut,
        };
        let booking = booking.ok_or(Why::Missing)?;
        let outcome = self.engine.act_in(booking.room_type_id, booking.id, act, MoveOptions::default()).await;
        Ok(Ok(outcome.map_err(Why::Engine)?.booking))
    }

    async fn book(&self, index: usize) -> Result<Answer, Why> {
        let reservation = self.source.reservations.get(index).ok_or(Why::Missing)?;
        let room_type = self.catalogue.room_types.get(reservation.room_type).ok_or(Why::Missing)?;
        match self.engine.book(room_type.id, order(reservation)?, None).await {
            Ok(outcome) => Ok(Ok(outcome.booking)),
            Err(engine::Error::Refused(refusal)) => Ok(Err(refusal.name())),
            Err(error) => Err(Why::Engine(error)),
        }
    }

    fn stopped(&self, phase: Phase, index: usize, source: Why) -> Stopped {
        let line = self.source.reservations.get(index).map_or(0, |reservation| reservation.line);
        Stopped { line, verb: phase.past_participle(), source }
    }
}

type Answer = Result<Arc<Booking>, &'static str>;

impl Outcome {
    fn record(&mut self, index: usize, answer: Answer) {
        match answer {
            Ok(booking) => {
                if let Some(slot) = self.bookings.get_mut(index) {
                    *slot = Some(booking);
                }
            }
            Err(reason) => *self.refused.entry(reason).or_default() += 1,
        }
    }
}

/// The name under which rooms without an adult are forced.
const FORCED_BY: &str = "import";

/// The order of a reservation. Names and phone numbers are invented, because the file has none.
fn order(reservation: &Reservation) -> Result<Order, Why> {
    let Reservation { line, stay, party, price, .. } = reservation;
    let ages = [(party.adults, ADULT), (party.children, CHILD), (party.babies, BABY)];
    let ages = ages.into_iter().flat_map(|(count, age)| std::iter::repeat_n(age, usize::from(count)));
    let guests: Vec<_> = ages.enumerate().map(|(n, age)| (format!("Guest {} of line {line}", n + 1), age)).collect();
    let draft = OrderDraft {
        checkin_date: stay.check_in(),
        checkout_date: stay.check_out(),
        rooms: 1,
        num_guests: i64::try_from(guests.len()).unwrap_or(i64::MAX),
        guests,
        mobile: format!("+35191{:07}", line % 10_000_000),
        external_reference: Some(line.to_string()),
        ..OrderDraft::default()
    };
    let first = |violations: Vec<Violation>| violations.into_iter().next().map_or(Why::Missing, Why::Rule);
    // The rules of sale do not apply to history: the price and the party are imported as they were.
    Ok(Order { agreed_price: Some(*price), forced_by: Some(FORCED_BY.to_owned()), ..draft.check().map_err(first)? })
}
