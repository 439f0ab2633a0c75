//! The facts of a batch as rows: each row once, as the last fact leaves it; counters summed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use crate::domain::{
    Booking, BookingId, Cause, Change, Date, Fact, Night, NightDelta, RateNight, RatePlan, RatePlanId, RoomType,
    RoomTypeId,
};
use crate::store::{Attempt, Entry, Job, KeyDigest};

use super::rows::{
    AttemptRow, BookingRow, Counted, EventRow, GuestRow, JobRow, NightSettings, RateNightSettings, Resized,
    RoomTypeRow, Sequence, ServiceRow,
};

/// What a batch changes. Sorted, because a B-tree likes rows in order.
#[derive(Default)]
pub(super) struct Changes<'a> {
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
    attempts: BTreeMap<[u8; 32], (RoomTypeId, &'a Attempt)>,
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
        self.attempts.extend(entry.attempt.as_ref().map(|(KeyDigest(key), attempt)| (*key, (room_type, attempt))));
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

    /// The arguments of `write.sql`, in order.
    pub fn into_json(self) -> serde_json::Result<[String; 14]> {
        let people = || self.peopled.iter().filter_map(|id| self.bookings.get(id).copied());
        Ok([
            array(self.room_types.values().map(|(room_type, today)| RoomTypeRow { room_type, today: *today }))?,
            array(self.plans.values())?,
            array(self.rate_nights.iter().map(|(key, rate)| RateNightSettings::of(*key, *rate)))?,
            array(self.nights.iter().map(|(key, night)| NightSettings::of(*key, *night)))?,
            array(
                self.resized.iter().map(|(room_type_id, from)| Resized { room_type_id: *room_type_id, from: *from }),
            )?,
            array(self.counters.iter().map(|(key, moved)| Counted::of(*key, *moved)))?,
            array(self.bookings.values().map(|booking| BookingRow::of(booking)))?,
            array(self.repeopled.iter())?,
            array(people().flat_map(GuestRow::all))?,
            array(people().flat_map(ServiceRow::all))?,
            array(self.facts.iter().map(|(room_type, fact)| EventRow::of(*room_type, fact)))?,
            array(self.attempts.iter().map(|(key, (room_type, attempt))| AttemptRow::of(key, *room_type, attempt)))?,
            array(self.jobs.iter().map(|(fact, job)| JobRow::of(fact, job)))?,
            array(self.sequences.iter().map(|(id, sequence)| Sequence { room_type_id: *id, sequence: *sequence }))?,
        ])
    }
}

fn array<T: Serialize>(rows: impl Iterator<Item = T>) -> serde_json::Result<String> {
    let mut json = Vec::new();
    serde_json::Serializer::new(&mut json).collect_seq(rows)?;
    String::from_utf8(json).map_err(serde::ser::Error::custom)
}
