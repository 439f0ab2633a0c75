//! A journal in memory with all guarantees of [`Journal`] except durability.
//!
//! It stores rows as a database does: bookings, night counters, prices and tokens. So a test can compare rows with
//! facts. A transaction works on a copy and replaces the original, so it is atomic. Every commit checks for
//! overselling, like the CHECK of a database, and a violation is kept.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::anyhow;
use async_trait::async_trait;
use innkeeper::domain::{
    Booking, BookingId, Calendar, Change, Date, Fact, FactId, Hotel, HotelId, Inventory, Job, Night, RatePlan,
    RoomType, RoomTypeId, Service, Timestamp,
};
use innkeeper::lease::Token;
use innkeeper::store::audit::{Evidence, NightRow};
use innkeeper::store::{Claim, CommitEntry, CommitError, Error, IdempotencyRecord, Journal, KeyDigest, Verdict};

/// One hotel and its history.
pub struct MemoryJournal {
    hotel: Arc<Hotel>,
    services: Vec<Service>,
    rows: Mutex<Rows>,
    breaches: Mutex<Vec<String>>,
}

/// All state that a transaction can change.
#[derive(Clone, Default)]
struct Rows {
    room_types: BTreeMap<RoomTypeId, RoomTypeRows>,
    bookings: BTreeMap<BookingId, Arc<Booking>>,
    attempts: HashMap<KeyDigest, IdempotencyRecord>,
    jobs: BTreeSet<String>,
}

#[derive(Clone)]
struct RoomTypeRows {
    room_type: RoomType,
    token: Token,
    plans: Vec<RatePlan>,
    nights: BTreeMap<Date, NightRows>,
    history: Vec<Stored>,
}

/// A night and its limit of sold and held rooms. Past nights keep their limit.
#[derive(Clone, Copy)]
struct NightRows {
    night: Night,
    capacity: u16,
}

/// A fact in the history of its room type.
#[derive(Clone)]
pub struct Stored {
    pub fact: Arc<Fact>,
    /// The idempotency key of its request.
    pub key: Option<KeyDigest>,
}

impl MemoryJournal {
    /// A hotel without bookings.
    pub fn new(hotel: Hotel, services: Vec<Service>, room_types: Vec<(RoomType, Vec<RatePlan>)>) -> Self {
        let rows = |(room_type, plans): (RoomType, Vec<RatePlan>)| {
            let id = room_type.id;
            (id, RoomTypeRows { room_type, token: Token(0), plans, nights: BTreeMap::new(), history: Vec::new() })
        };
        let room_types = room_types.into_iter().map(rows).collect();
        let rows = Mutex::new(Rows { room_types, ..Rows::default() });
        Self { hotel: Arc::new(hotel), services, rows, breaches: Mutex::default() }
    }

    pub fn room_types(&self) -> Vec<RoomTypeId> {
        self.rows().room_types.keys().copied().collect()
    }

    /// All committed facts in order.
    pub fn history(&self, room_type: RoomTypeId) -> Vec<Stored> {
        self.rows().room_types.get(&room_type).map(|rows| rows.history.clone()).unwrap_or_default()
    }

    /// The number of committed facts of a room type.
    pub fn sequence(&self, room_type: RoomTypeId) -> u64 {
        self.rows().room_types.get(&room_type).map_or(0, RoomTypeRows::sequence)
    }

    /// Commits that were refused because they would oversell a night or skip a sequence number.
    pub fn breaches(&self) -> Vec<String> {
        self.breaches.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The rows of a room type for a recount.
    pub fn evidence(&self, room_type: RoomTypeId) -> Evidence {
        let rows = self.rows();
        let Some(own) = rows.room_types.get(&room_type) else { return Evidence::default() };
        let numbers = || own.history.iter().map(|stored| stored.fact.sequence);
        let row = |(date, row): (&Date, &NightRows)| {
            let NightRows { night, capacity } = *row;
            NightRow {
                date: *date,
                capacity,
                due: own.capacity(&night),
                sold: night.sold,
                held: night.held,
                forced: night.forced,
            }
        };
        let bookings = || rows.bookings.values().filter(|booking| booking.room_type_id == room_type);
        let has_event = |booking: &&Arc<Booking>| numbers().any(|number| number == booking.sequence);
        Evidence {
            sequence: own.sequence(),
            events: numbers().min().zip(numbers().max()).map(|(first, last)| (first, last, own.history.len() as u64)),
            trimmed: false,
            nights: own.nights.iter().map(row).collect(),
            footprints: bookings().filter_map(|booking| booking.footprint()).collect(),
            bookings_without_event: bookings()
                .filter(|booking| !has_event(booking))
                .map(|booking| booking.id.to_string())
                .collect(),
        }
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn breach(&self, what: String) -> CommitError {
        self.breaches.lock().unwrap_or_else(PoisonError::into_inner).push(what.clone());
        CommitError::RolledBack(anyhow!(what))
    }
}

impl RoomTypeRows {
    fn sequence(&self) -> u64 {
        self.history.last().map_or(0, |stored| stored.fact.sequence)
    }

    fn capacity(&self, night: &Night) -> u16 {
        let physical = night.physical.unwrap_or(self.room_type.rooms);
        let allowance = night.allowance.unwrap_or(self.room_type.overbooking_allowance);
        innkeeper::domain::calendar::capacity(physical, night.out_of_order, allowance)
    }

    /// The row of a night. An untouched night gets a new row.
    fn night(&mut self, date: Date) -> &mut NightRows {
        let untouched = NightRows { night: Night::default(), capacity: self.capacity(&Night::default()) };
        self.nights.entry(date).or_insert(untouched)
    }

    /// Applies a fact to the rows. Returns the dates that are then oversold.
    fn store(&mut self, entry: &CommitEntry, today: Date) -> Vec<Date> {
        match &entry.fact.change {
            Change::Booking { deltas, .. } => {
                for delta in deltas {
                    let NightRows { night, capacity } = self.night(delta.date);
                    night.sold = u16::try_from(i32::from(night.sold) + delta.sold).expect("a counter stays a count");
                    night.held = u16::try_from(i32::from(night.held) + delta.held).expect("a counter stays a count");
                    night.forced = night.forced.min(night.taken().saturating_sub(*capacity));
                }
            }
            Change::Nights { nights, rates, .. } => {
                for (date, set) in nights.iter() {
                    let capacity = self.capacity(&set);
                    let row = self.night(date);
                    let night = Night { sold: row.night.sold, held: row.night.held, ..set };
                    *row = NightRows { night, capacity };
                }
                for (date, (plan, rate)) in rates.iter() {
                    let plan = self.plans.iter_mut().find(|known| known.id == plan).expect("a plan that exists");
                    plan.nights.insert(date, rate);
                }
            }
            Change::RoomType { room_type } => {
                let before = std::mem::replace(&mut self.room_type, room_type.clone());
                for (_, NightRows { night, .. }) in self.nights.range_mut(..today) {
                    night.physical.get_or_insert(before.rooms);
                    night.allowance.get_or_insert(before.overbooking_allowance);
                }
                let mut nights = std::mem::take(&mut self.nights);
                for (_, row) in nights.range_mut(today..) {
                    row.capacity = self.capacity(&row.night);
                    row.night.forced = row.night.forced.min(row.night.taken().saturating_sub(row.capacity));
                }
                self.nights = nights;
            }
            Change::RatePlan { plan } => match self.plans.iter_mut().find(|known| known.id == plan.id) {
                Some(known) => *known = RatePlan { nights: std::mem::take(&mut known.nights), ..plan.clone() },
                None => self.plans.push(plan.clone()),
            },
        }
        let key = entry.record.as_ref().map(|(key, _)| *key);
        self.history.push(Stored { fact: entry.fact.clone(), key });
        let oversold = |(_, row): &(&Date, &NightRows)| {
            let NightRows { night, capacity } = row;
            u32::from(night.sold) + u32::from(night.held) > u32::from(*capacity) + u32::from(night.forced)
        };
        self.nights.iter().filter(oversold).map(|(date, _)| *date).collect()
    }
}

impl Rows {
    /// Whether an entry may be stored after the entries before it.
    fn judge(&self, entry: &CommitEntry) -> Verdict {
        let Some(rows) = self.room_types.get(&entry.room_type) else { return Verdict::Fenced };
        if rows.token != entry.token || rows.sequence() != entry.after() {
            return Verdict::Fenced;
        }
        let used = |(key, _): &(KeyDigest, IdempotencyRecord)| {
            self.attempts.get(key).is_some_and(|attempt| attempt.expires_at > entry.fact.at)
        };
        match entry.record.as_ref().is_some_and(used) {
            true => Verdict::Duplicate,
            false => Verdict::Committed,
        }
    }

    /// Stores an entry. Returns the dates that are then oversold.
    fn store(&mut self, entry: &CommitEntry, today: Date) -> Vec<Date> {
        if entry.answer_only {
            self.attempts.extend(entry.record.clone());
            return Vec::new();
        }
        if let Some(booking) = entry.fact.change.booking() {
            self.bookings.insert(booking.id, booking.clone());
        }
        self.attempts.extend(entry.record.clone());
        self.jobs.extend(entry.jobs.iter().map(Job::dedup_key));
        self.room_types.get_mut(&entry.room_type).map(|rows| rows.store(entry, today)).unwrap_or_default()
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn claim(&self, room_type: RoomTypeId, token: Token) -> Result<Claim, Error> {
        Ok(match self.rows().room_types.get_mut(&room_type) {
            None => Claim::NoSuchRoomType,
            Some(rows) if rows.token >= token => Claim::Stale { current: rows.token },
            Some(rows) => {
                rows.token = token;
                Claim::Granted
            }
        })
    }

    async fn tokens(&self, room_types: &[RoomTypeId]) -> Result<HashMap<RoomTypeId, Token>, Error> {
        let rows = self.rows();
        let token = |id: &RoomTypeId| Some((*id, rows.room_types.get(id)?.token));
        Ok(room_types.iter().filter_map(token).collect())
    }

    async fn load(&self, room_type: RoomTypeId, now: Timestamp) -> Result<Option<Inventory>, Error> {
        let rows = self.rows();
        let Some(own) = rows.room_types.get(&room_type) else { return Ok(None) };
        let first = self.hotel.today(now);
        let RoomType { rooms, overbooking_allowance, .. } = own.room_type;
        let mut calendar = Calendar::new(first, self.hotel.horizon_nights, rooms, overbooking_allowance);
        for (date, row) in &own.nights {
            if let Some(slot) = calendar.night_mut(*date) {
                *slot = row.night;
            }
        }
        let mut plans = own.plans.clone();
        for plan in &mut plans {
            plan.nights.forget_before(first);
        }
        let is_held =
            |booking: &&Arc<Booking>| booking.room_type_id == room_type && booking.status.expires_at().is_some();
        let holds: Vec<_> = rows.bookings.values().filter(is_held).cloned().collect();
        let (hotel, services) = (self.hotel.clone(), self.services.clone());
        Ok(Some(Inventory::new(hotel, own.room_type.clone(), calendar, plans, services, holds, own.sequence())))
    }

    async fn commit(&self, batch: &[CommitEntry]) -> Result<Vec<Verdict>, CommitError> {
        let mut rows = self.rows();
        let mut draft = rows.clone();
        let mut left_out = HashSet::new();
        let mut verdicts = Vec::with_capacity(batch.len());
        for entry in batch {
            let verdict = match left_out.contains(&entry.room_type) {
                true => Verdict::Fenced,
                false => draft.judge(entry),
            };
            verdicts.push(verdict);
            if verdict != Verdict::Committed {
                left_out.insert(entry.room_type);
                continue;
            }
            if let Some(date) = draft.store(entry, self.hotel.today(entry.fact.at)).first() {
                return Err(self.breach(format!("{date} would be oversold by {:?}", entry.fact)));
            }
        }
        *rows = draft;
        Ok(verdicts)
    }

    async fn committed(&self, facts: &[FactId]) -> Result<HashSet<FactId>, Error> {
        let rows = self.rows();
        let stored = rows.room_types.values().flat_map(|rows| &rows.history).map(|stored| stored.fact.id);
        Ok(stored.filter(|id| facts.contains(id)).collect())
    }

    async fn recall(&self, keys: &[KeyDigest], now: Timestamp) -> Result<HashMap<KeyDigest, IdempotencyRecord>, Error> {
        let rows = self.rows();
        let known = |key: &KeyDigest| {
            let attempt = rows.attempts.get(key).filter(|attempt| attempt.expires_at > now)?;
            Some((*key, attempt.clone()))
        };
        Ok(keys.iter().filter_map(known).collect())
    }

    async fn forget_idempotency_records(&self, now: Timestamp, limit: u32) -> Result<u64, Error> {
        let mut rows = self.rows();
        let over = |(key, attempt): (&KeyDigest, &IdempotencyRecord)| (attempt.expires_at <= now).then_some(*key);
        let forgotten: Vec<_> = rows.attempts.iter().filter_map(over).take(limit as usize).collect();
        forgotten.iter().for_each(|key| drop(rows.attempts.remove(key)));
        Ok(forgotten.len() as u64)
    }

    async fn booking(&self, id: BookingId) -> Result<Option<Booking>, Error> {
        Ok(self.rows().bookings.get(&id).map(|booking| Booking::clone(booking)))
    }

    async fn room_types_with_holds(&self) -> Result<Vec<RoomTypeId>, Error> {
        let rows = self.rows();
        let held = rows.bookings.values().filter(|booking| booking.status.expires_at().is_some());
        let ids: BTreeSet<_> = held.map(|booking| booking.room_type_id).collect();
        Ok(ids.into_iter().collect())
    }

    async fn room_type_ids(&self, hotel: HotelId) -> Result<Vec<RoomTypeId>, Error> {
        Ok(if hotel == self.hotel.id { self.room_types() } else { Vec::new() })
    }
}
