//! The oracle: compares the store with the answers, and reports every violation.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use innkeeper::clock::Clock;
use innkeeper::domain::{BookingId, CalendarView, Command, FactId, Inventory, Order, Refusal, RoomTypeId, Timestamp};
use innkeeper::engine::{BookingOutcome, Error, Options};
use innkeeper::store::audit::recount;
use innkeeper::store::{Journal, KeyDigest};
use jiff::SignedDuration;

use crate::HOLD_MINUTES;
use crate::clients::{Answer, Desk, Record, Wish};
use crate::faulty_journal::TOO_LONG;
use crate::history::History;

/// The longest time of an attempt: five slow commits in a row.
const LONGEST_ATTEMPT: Duration = TOO_LONG.saturating_mul(5);

/// Checks one simulation.
pub struct Oracle<'a> {
    desk: &'a Desk,
    records: &'a [Record],
    histories: BTreeMap<RoomTypeId, History>,
    /// Answers from memory must be current, not an owner's outdated state.
    present: bool,
    violations: Vec<String>,
}

impl<'a> Oracle<'a> {
    pub fn new(
        desk: &'a Desk,
        records: &'a [Record],
        genesis: &BTreeMap<RoomTypeId, Inventory>,
        present: bool,
    ) -> Self {
        let mut violations = desk.journal.breaches();
        let orders: HashMap<String, Order> = records.iter().filter_map(order_by_tag).collect();
        let tell = |(id, genesis): (&RoomTypeId, &Inventory)| {
            (*id, History::tell(genesis, desk.journal.history(*id), &orders, &mut violations))
        };
        let histories = genesis.iter().map(tell).collect();
        Self { desk, records, histories, present, violations }
    }

    /// All violations.
    pub async fn verdict(mut self) -> Vec<String> {
        self.stored_rows_agree_with_the_facts().await;
        self.every_effect_has_one_request();
        for record in self.records {
            let found = match &record.answer {
                Ok(Answer::Booking(outcome)) => self.acknowledged(record, outcome),
                Ok(Answer::View(view)) => self.seen(record, view),
                Ok(Answer::Nights(outcome)) => self.is_in_history(record, outcome.sequence, "nights_set"),
                Ok(Answer::Sequence(sequence)) => self.is_in_history(record, *sequence, "room_type_set"),
                Err(Error::Refused(refusal)) => self.refused(record, refusal),
                Err(_) => None,
            };
            self.violations.extend(found.map(|found| format!("{found}\n    in {record:?}")));
        }
        self.violations
    }

    /// Counters, rows and facts agree for every room type.
    async fn stored_rows_agree_with_the_facts(&mut self) {
        let now = self.desk.clock.now();
        for (id, history) in &self.histories {
            let differences = recount(&self.desk.journal.evidence(*id));
            self.violations.extend(differences.iter().map(|difference| format!("{id}: {difference}")));
            let loaded = self.desk.journal.load(*id, now).await.ok().flatten();
            if loaded != history.state(history.end(), now) {
                self.violations.push(format!("{id}: what is loaded is not what the facts lead to"));
            }
        }
    }

    /// One effect per key and per request, and none of a refused request.
    fn every_effect_has_one_request(&mut self) {
        let mut keys: HashMap<KeyDigest, u32> = HashMap::new();
        let mut tags: HashMap<String, u32> = HashMap::new();
        for stored in self.histories.values().flat_map(History::facts) {
            if let Some(key) = stored.key {
                *keys.entry(key).or_default() += 1;
            }
            if let Some(tag) = new_booking_tag(stored) {
                *tags.entry(tag).or_default() += 1;
            }
        }
        let twice = keys.values().chain(tags.values()).filter(|count| **count > 1).count();
        if twice > 0 {
            self.violations.push(format!("{twice} keys or orders had more than one effect"));
        }
        let mut found = Vec::new();
        for (tag, records) in self.orders() {
            let done = tags.contains_key(&tag);
            let promised = records.iter().any(|record| record.answer.is_ok());
            let open = records.iter().any(|record| matches!(record.answer, Err(Error::Interrupted)));
            if promised && !done {
                found.push(format!("{tag} was acknowledged, but is not stored"));
            }
            if done && !promised && !open {
                found.push(format!("{tag} was never done, by every answer, but is stored"));
            }
        }
        self.violations.extend(found);
    }

    /// All senders of an order, by its tag.
    fn orders(&self) -> BTreeMap<String, Vec<&Record>> {
        let mut orders: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
        for record in self.records {
            if let Some((tag, _)) = order_by_tag(record) {
                orders.entry(tag).or_default().push(record);
            }
        }
        orders
    }

    /// An acknowledged booking is in the history exactly as it was answered. A key always gets its first answer.
    fn acknowledged(&self, record: &Record, outcome: &BookingOutcome) -> Option<String> {
        if matches!(record.wish, Wish::Act { dry_run: true, .. }) {
            return None;
        }
        let history = self.histories.get(&outcome.booking.room_type_id)?;
        if !history.tells_of(&outcome.booking) {
            return Some("acknowledged, but not stored as it was answered".to_owned());
        }
        if outcome.booking.sequence > record.facts.1 {
            return Some("answered before it was durable".to_owned());
        }
        let key = record.key?;
        let of_this_key = |stored: &&crate::memory_journal::Stored| stored.key == Some(key.digest);
        let stored = self.histories.values().flat_map(History::facts).find(of_this_key);
        match stored.and_then(|stored| stored.fact.change.booking()) {
            Some(first) if *first == outcome.booking => None,
            _ => Some("the key got another answer than its first".to_owned()),
        }
    }

    /// Whether the order had its effect under its key before the request was repeated.
    fn was_done_before(&self, record: &Record) -> bool {
        let (Some(key), Some((tag, _))) = (record.key, order_by_tag(record)) else { return false };
        let Some(history) = self.histories.get(&record.room_type) else { return false };
        let mut done = history.facts().filter(|stored| stored.fact.sequence <= record.facts.0);
        done.any(|stored| stored.key == Some(key.digest) && new_booking_tag(stored).as_ref() == Some(&tag))
    }

    /// The facts and the time when the attempt began that this request joined, if its key was in use: it gets the
    /// answer of that attempt. An attempt whose client gave up may still be under way for a while.
    fn joined(&self, record: &Record) -> (u64, Timestamp) {
        let digest = |record: &Record| record.key.map(|key| key.digest);
        let is_joined = |other: &&Record| {
            let gave_up = matches!(other.answer, Err(Error::Interrupted))
                && other.moments.1 - other.moments.0 >= Options::default().answer_within;
            let since = record.moments.0.saturating_sub(other.moments.0);
            let under_way = other.moments.1 >= record.moments.0 || (gave_up && since <= LONGEST_ATTEMPT);
            digest(record).is_some() && digest(other) == digest(record) && under_way
        };
        let began = self.records.iter().filter(is_joined).map(|other| (other.facts.0, other.time.0));
        began.min_by_key(|(_, asked)| *asked).unwrap_or((record.facts.0, record.time.0))
    }

    fn is_in_history(&self, record: &Record, sequence: u64, cause: &str) -> Option<String> {
        let mut facts = self.histories.get(&record.room_type)?.facts();
        let stored = facts.any(|stored| stored.fact.sequence == sequence && stored.fact.change.cause() == cause);
        let is_known = stored || self.changes_nothing(record, sequence);
        (!is_known || sequence > record.facts.1).then(|| format!("{cause} was acknowledged, but is not stored"))
    }

    /// A request that changes nothing after so many facts is acknowledged without a fact.
    fn changes_nothing(&self, record: &Record, sequence: u64) -> bool {
        let command = match &record.wish {
            Wish::SetNights(change) => Command::SetNights(change.clone()),
            Wish::SetRooms(room_type) => Command::SetRoomType(room_type.clone()),
            Wish::Book(_) | Wish::Act { .. } | Wish::View(..) => return false,
        };
        let Some(history) = self.histories.get(&record.room_type) else { return false };
        [record.time.0, record.time.1].into_iter().any(|now| {
            let state = history.state(sequence, now);
            state.is_some_and(|state| {
                let fact = state.decide(command.clone(), FactId(uuid::Uuid::nil()), now);
                fact.is_ok_and(|fact| state.unchanged(&fact).is_some())
            })
        })
    }

    /// A view is a committed state: never an uncommitted one. It is never older than the client could know, unless its
    /// owner could have been replaced without notice.
    fn seen(&self, record: &Record, view: &CalendarView) -> Option<String> {
        let oldest = if self.present { record.facts.0 } else { 0 };
        if !(oldest..=record.facts.1).contains(&view.sequence) {
            return Some(format!("a view of {} facts, when {:?} were committed", view.sequence, record.facts));
        }
        let state = self.histories.get(&record.room_type)?.state(view.sequence, record.time.1)?;
        let differs = view.nights.iter().find(|seen| {
            state.calendar.night(seen.date).is_some_and(|night| {
                let (physical, allowance, free) =
                    (state.calendar.physical(night), state.calendar.allowance(night), state.calendar.free(night));
                (seen.night, seen.physical, seen.allowance, seen.free) != (*night, physical, allowance, free)
            })
        });
        differs.map(|night| format!("{} was seen as it never was", night.date))
    }

    /// A refusal was right at some moment between request and answer. An owner that was replaced without notice may
    /// refuse a move because of its own outdated state, into which it has read a current booking; that has no effect.
    fn refused(&self, record: &Record, refusal: &Arc<Refusal>) -> Option<String> {
        if self.was_done_before(record) {
            return Some("refused, though it had been done under this key before it was asked".to_owned());
        }
        if !self.present && matches!(record.wish, Wish::Act { .. }) {
            return None;
        }
        let history = self.histories.get(&record.room_type)?;
        let facts = if self.present { record.facts } else { (0, record.facts.1) };
        let command = &|sequence, now: Timestamp| match &record.wish {
            Wish::Book(order) => Some(Command::Book {
                id: BookingId(uuid::Uuid::nil()),
                order: order.clone(),
                hold_until: now + SignedDuration::from_mins(HOLD_MINUTES),
            }),
            Wish::Act { booking, act, expected, .. } => {
                let booking = history.booking(*booking, sequence)?;
                Some(Command::Move { booking, act: act.clone(), expected: *expected })
            }
            Wish::SetNights(change) => Some(Command::SetNights(change.clone())),
            Wish::SetRooms(room_type) => Some(Command::SetRoomType(room_type.clone())),
            Wish::View(..) => None,
        };
        let (begun, asked) = self.joined(record);
        let justified = history.explains(refusal, facts, record.time, command)
            || history.explains(refusal, (begun.min(facts.0), facts.1), (asked, record.time.1), command);
        (!justified).then(|| "refused, though no serial history says so".to_owned())
    }
}

fn order_by_tag(record: &Record) -> Option<(String, Order)> {
    match &record.wish {
        Wish::Book(order) => Some((order.external_reference.clone()?, order.clone())),
        _ => None,
    }
}

/// The tag of the order behind a fact, if the fact is a new booking.
fn new_booking_tag(stored: &crate::memory_journal::Stored) -> Option<String> {
    let booking = stored.fact.change.booking()?;
    (booking.created_at == booking.changed_at && booking.sequence == stored.fact.sequence)
        .then(|| booking.external_reference.clone())
        .flatten()
}

/// Every distinct key that was answered with a booking, with its record.
pub fn answered_keys(records: &[Record]) -> Vec<&Record> {
    let mut seen = HashSet::new();
    let answered = |record: &&Record| matches!(record.answer, Ok(Answer::Booking(_)));
    records.iter().filter(answered).filter(|record| record.key.is_some_and(|key| seen.insert(key.digest))).collect()
}
