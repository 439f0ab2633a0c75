//! The facts of a batch as rows: each row once, as the last fact leaves it; counters summed.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    Booking, BookingId, Cause, Change, Date, Fact, Night, NightDelta, RateNight, RatePlan, RatePlanId, RoomType,
    RoomTypeId, Timestamp,
};
use crate::store::{Attempt, Entry, Job, KeyDigest};

use super::write::{
    AttemptRow, BookingRow, Counted, EventRow, GuestRow, JobRow, NightSettings, RateNightSettings, Resized,
    RoomTypeRow, Rows, Sequence, ServiceRow,
};

/// What a batch changes. Sorted, because a B-tree likes rows in order.
#[derive(Default)]
pub struct Changes<'a> {
    /// With the hotel's date when the first of their changes was decided.
    room_types: BTreeMap<RoomTypeId, (&'a RoomType, Date)>,
    plans: BTreeMap<RatePlanId, &'a RatePlan>,
    rate_nights: BTreeMap<(RatePlanId, Date), RateNight>,
    nights: BTreeMap<(RoomTypeId, Date), Night>,
    /// Room types whose capacity may be another one, from a date on.
    resized: BTreeMap<RoomTypeId, Date>,
    counters: BTreeMap<(RoomTypeId, Date), (i64, i64)>,
    bookings: BTreeMap<BookingId, &'a Booking>,
    /// Bookings whose guests and services are new.
    peopled: BTreeSet<BookingId>,
    /// Those among them that may have had others.
    repeopled: BTreeSet<BookingId>,
    facts: Vec<(RoomTypeId, &'a Fact)>,
    attempts: BTreeMap<[u8; 32], (RoomTypeId, Timestamp, &'a Attempt)>,
    jobs: Vec<(&'a Fact, &'a Job)>,
    sequences: BTreeMap<RoomTypeId, u64>,
}

impl<'a> Changes<'a> {
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Adds an accepted entry, decided when it was `today` in its hotel.
    pub fn add(&mut self, entry: &'a Entry, today: Date) {
        let (room_type, fact) = (entry.room_type, &*entry.fact);
        match &fact.change {
            Change::Booking { cause, booking, deltas } => {
                self.add_booking(*cause, booking);
                self.add_deltas(room_type, deltas);
            }
            Change::Nights { nights, rates, .. } => {
                self.nights.extend(nights.iter().map(|(date, night)| ((room_type, *date), *night)));
                self.rate_nights.extend(rates.iter().map(|(plan, date, rate)| ((*plan, *date), *rate)));
                self.resize(room_type, nights.iter().map(|(date, _)| *date).min());
            }
            Change::RoomType { room_type: new } => {
                let changed = self.room_types.entry(room_type).or_insert((new, today));
                *changed = (new, today.min(changed.1));
                self.resize(room_type, Some(today));
            }
            Change::RatePlan { plan } => {
                self.plans.insert(plan.id, plan);
            }
        }
        self.facts.push((room_type, fact));
        self.attempts
            .extend(entry.attempt.as_ref().map(|(KeyDigest(key), attempt)| (*key, (room_type, fact.at, attempt))));
        self.jobs.extend(entry.jobs.iter().map(|job| (fact, job)));
        self.sequences.insert(room_type, fact.sequence);
    }

    fn add_booking(&mut self, cause: Cause, booking: &'a Booking) {
        self.bookings.insert(booking.id, booking);
        match cause {
            Cause::Held | Cause::Booked => {
                self.peopled.insert(booking.id);
            }
            Cause::Amended => {
                self.peopled.insert(booking.id);
                self.repeopled.insert(booking.id);
            }
            Cause::Confirmed
            | Cause::Released
            | Cause::Cancelled
            | Cause::CheckedIn
            | Cause::CheckedOut
            | Cause::NoShow
            | Cause::Expired => {}
        }
    }

    fn add_deltas(&mut self, room_type: RoomTypeId, deltas: &[NightDelta]) {
        for delta in deltas {
            let (sold, held) = self.counters.entry((room_type, delta.date)).or_default();
            *sold += i64::from(delta.sold);
            *held += i64::from(delta.held);
        }
    }

    fn resize(&mut self, room_type: RoomTypeId, from: Option<Date>) {
        let Some(from) = from else { return };
        self.resized.entry(room_type).and_modify(|first| *first = from.min(*first)).or_insert(from);
    }

    /// The rows to be written.
    pub fn rows(&self) -> Rows<'a> {
        let people = || self.peopled.iter().filter_map(|id| self.bookings.get(id).copied());
        let resized = |(room_type_id, from): (&RoomTypeId, &Date)| Resized { room_type_id: *room_type_id, from: *from };
        let sequence = |(room_type_id, sequence): (&RoomTypeId, &u64)| Sequence {
            room_type_id: *room_type_id,
            sequence: *sequence,
        };
        Rows {
            room_types: self.room_types.values().map(|(new, today)| RoomTypeRow::of(new, *today)).collect(),
            plans: self.plans.values().copied().collect(),
            rate_nights: self.rate_nights.iter().map(|(key, rate)| RateNightSettings::of(*key, *rate)).collect(),
            nights: self.nights.iter().map(|(key, night)| NightSettings::of(*key, *night)).collect(),
            resized: self.resized.iter().map(resized).collect(),
            counted: self.counters.iter().map(|(key, moved)| Counted::of(*key, *moved)).collect(),
            bookings: self.bookings.values().map(|booking| BookingRow::of(booking)).collect(),
            repeopled: self.repeopled.iter().copied().collect(),
            guests: people().flat_map(GuestRow::all).collect(),
            services: people().flat_map(ServiceRow::all).collect(),
            events: self.facts.iter().map(|(room_type, fact)| EventRow::of(*room_type, fact)).collect(),
            attempts: self
                .attempts
                .iter()
                .map(|(key, (id, at, attempt))| AttemptRow::of(*key, *id, *at, attempt))
                .collect(),
            jobs: self.jobs.iter().map(|(fact, job)| JobRow::of(fact, job)).collect(),
            sequences: self.sequences.iter().map(sequence).collect(),
        }
    }
}
