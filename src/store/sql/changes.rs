//! The facts of a batch as rows. Each row is written once, as the last fact leaves it; counters are summed.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    Booking, BookingId, Cause, Change, Date, Fact, Job, Night, NightDelta, RateNight, RatePlan, RatePlanId, RoomType,
    RoomTypeId,
};
use crate::store::{CommitEntry, IdempotencyRecord, KeyDigest};

use super::write::{
    BookingRow, Counted, EventRow, GuestRow, IdempotencyRow, JobRow, NightSettings, Progress, RateNightSettings,
    Resized, RoomTypeRow, Rows, ServiceRow,
};

/// What a batch changes. Sorted, because a B-tree is written fastest in order.
#[derive(Default)]
pub struct Changes<'a> {
    /// With the hotel's date when the first change of the room type was decided.
    room_types: BTreeMap<RoomTypeId, (&'a RoomType, Date)>,
    plans: BTreeMap<RatePlanId, &'a RatePlan>,
    rate_nights: BTreeMap<(RatePlanId, Date), RateNight>,
    nights: BTreeMap<(RoomTypeId, Date), Night>,
    /// Room types whose capacity may have changed, and from which date.
    resized: BTreeMap<RoomTypeId, Date>,
    counters: BTreeMap<(RoomTypeId, Date), (i64, i64)>,
    bookings: BTreeMap<BookingId, &'a Booking>,
    /// New bookings.
    made: BTreeSet<BookingId>,
    /// Bookings whose guests and services are written.
    peopled: BTreeSet<BookingId>,
    /// Bookings whose earlier guests and services are replaced.
    repeopled: BTreeSet<BookingId>,
    facts: Vec<(RoomTypeId, &'a Fact)>,
    idempotency: BTreeMap<[u8; 32], &'a IdempotencyRecord>,
    jobs: Vec<(&'a Fact, &'a Job)>,
    progress: BTreeMap<RoomTypeId, Progress>,
}

impl<'a> Changes<'a> {
    /// The changes of a batch if all entries are accepted. `None`: no store could accept all of them, or the batch
    /// changes settings or amends a booking.
    pub fn of_bookings(batch: &'a [CommitEntry]) -> Option<Self> {
        let mut changes = Self::default();
        for entry in batch {
            let Change::Booking { cause, booking, deltas } = &entry.fact.change else { return None };
            let follows = match changes.progress.get(&entry.room_type) {
                Some(progress) => progress.leads_to(entry),
                None => entry.fact.sequence > 0,
            };
            let is_first = entry.record.as_ref().is_none_or(|(key, _)| !changes.idempotency.contains_key(&key.0));
            let amends = *cause == Cause::Amended && !entry.answer_only;
            if !follows || !is_first || amends {
                return None;
            }
            if !entry.answer_only {
                changes.add_booking(*cause, booking);
                changes.add_deltas(entry.room_type, deltas);
            }
            changes.add_history(entry);
        }
        Some(changes)
    }

    pub fn is_empty(&self) -> bool {
        self.progress.is_empty()
    }

    /// Adds an accepted entry. `today` is its hotel's date when it was decided.
    pub fn add(&mut self, entry: &'a CommitEntry, today: Date) {
        let (room_type, fact) = (entry.room_type, &*entry.fact);
        match &fact.change {
            _ if entry.answer_only => {}
            Change::Booking { cause, booking, deltas } => {
                self.add_booking(*cause, booking);
                self.add_deltas(room_type, deltas);
            }
            Change::Nights { nights, rates, .. } => {
                self.nights.extend(nights.iter().map(|(date, night)| ((room_type, date), night)));
                self.rate_nights.extend(rates.iter().map(|(date, (plan, rate))| ((plan, date), rate)));
                self.resize(room_type, nights.runs().iter().map(|run| run.from).min());
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
        self.add_history(entry);
    }

    /// Adds what every entry writes, whatever it changes.
    fn add_history(&mut self, entry: &'a CommitEntry) {
        let (room_type, fact) = (entry.room_type, &*entry.fact);
        if !entry.answer_only {
            self.facts.push((room_type, fact));
        }
        self.idempotency.extend(entry.record.as_ref().map(|(KeyDigest(key), record)| (*key, record)));
        self.jobs.extend(entry.jobs.iter().map(|job| (fact, job)));
        let progress = Progress::to(entry);
        self.progress.entry(room_type).or_insert(progress).sequence = fact.sequence;
    }

    fn add_booking(&mut self, cause: Cause, booking: &'a Booking) {
        self.bookings.insert(booking.id, booking);
        match cause {
            Cause::Held | Cause::Booked => {
                self.made.insert(booking.id);
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
        let booking = |booking: &&'a Booking| BookingRow::of(booking, self.made.contains(&booking.id));
        Rows {
            room_types: self.room_types.values().map(|(new, today)| RoomTypeRow::of(new, *today)).collect(),
            plans: self.plans.values().copied().collect(),
            rate_nights: self.rate_nights.iter().map(|(key, rate)| RateNightSettings::of(*key, *rate)).collect(),
            nights: self.nights.iter().map(|(key, night)| NightSettings::of(*key, *night)).collect(),
            resized: self.resized.iter().map(resized).collect(),
            counted: self.counters.iter().map(|(key, moved)| Counted::of(*key, *moved)).collect(),
            bookings: self.bookings.values().map(booking).collect(),
            repeopled: self.repeopled.iter().copied().collect(),
            guests: people().flat_map(GuestRow::all).collect(),
            services: people().flat_map(ServiceRow::all).collect(),
            events: self.facts.iter().map(|(room_type, fact)| EventRow::of(*room_type, fact)).collect(),
            idempotency: self.idempotency.iter().map(|(key, record)| IdempotencyRow::of(*key, record)).collect(),
            jobs: self.jobs.iter().map(|(fact, job)| JobRow::of(fact, job)).collect(),
            progress: self.progress.values().copied().collect(),
        }
    }
}
