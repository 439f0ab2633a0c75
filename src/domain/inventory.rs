//! The aggregate of one room type: everything that a decision about it needs, in memory.
//!
//! [`Inventory::decide`] reads and returns a fact or a refusal. [`Inventory::apply`] changes the inventory by a fact.
//! [`Inventory::follow`] does the same for followers that have no bookings. Nothing else changes it, so replaying the
//! facts rebuilds it.

use std::sync::Arc;

use super::booking::net_change;
use super::holds::{HoldShare, Holds};
use super::quote::Enquiry;
use super::{
    BookedService, Booking, BookingId, ByDate, Calendar, Cause, Change, Date, Fact, FactId, Hotel, Move, Night,
    NightsChange, Order, Party, RatePlan, RatePlanId, Refusal, RoomType, Service, Status, Stay, Step, StepEffect,
    StepOrder, Timestamp,
};

/// One room type with its hotel's rules, its nights, prices and live holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Inventory {
    pub hotel: Arc<Hotel>,
    pub room_type: RoomType,
    pub calendar: Calendar,
    /// In order of creation.
    pub plans: Vec<RatePlan>,
    /// The hotel's price list.
    pub services: Vec<Service>,
    holds: Holds,
    sequence: u64,
}

/// A command for a room type.
#[derive(Debug, Clone)]
pub enum Command {
    /// Book under this id. A hold expires at `hold_until`.
    Book {
        id: BookingId,
        order: Order,
        hold_until: Timestamp,
    },
    /// Change a booking. If `expected` is given, the booking must still be at this version.
    Move {
        booking: Arc<Booking>,
        act: Move,
        expected: Option<u64>,
    },
    SetNights(NightsChange),
    /// Replace the settings of the room type. The id stays.
    SetRoomType(RoomType),
    /// Create a rate plan or replace its settings. Its nights stay.
    SetRatePlan(RatePlan),
}

impl Inventory {
    /// An inventory at a point of its history. `holds` are the bookings with status held.
    pub fn new(
        hotel: Arc<Hotel>,
        room_type: RoomType,
        calendar: Calendar,
        plans: Vec<RatePlan>,
        services: Vec<Service>,
        holds: impl IntoIterator<Item = Arc<Booking>>,
        sequence: u64,
    ) -> Self {
        let mut inventory = Self { hotel, room_type, calendar, plans, services, holds: Holds::default(), sequence };
        for booking in holds {
            inventory.holds.follow(&booking);
        }
        inventory
    }

    /// The first night on sale, and the one after the last. They move at midnight and with the hotel's settings.
    pub fn on_sale(&self, now: Timestamp) -> [Date; 2] {
        let first = self.calendar.first().max(self.hotel.today(now));
        [first, self.hotel.horizon_end(first)]
    }

    /// The sequence number of the last fact.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    pub fn plan(&self, id: RatePlanId) -> Option<&RatePlan> {
        self.plans.iter().find(|plan| plan.id == id)
    }

    /// Live holds in order of their expiry.
    pub fn holds(&self) -> impl Iterator<Item = &Arc<Booking>> {
        self.holds.iter()
    }

    /// A live hold.
    pub fn hold(&self, id: BookingId) -> Option<&Arc<Booking>> {
        self.holds.get(id)
    }

    /// When the next hold expires.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.holds.first().map(|(expires_at, _)| expires_at)
    }

    /// A hold that is overdue at `now`. It must be expired before any other decision.
    pub fn overdue(&self, now: Timestamp) -> Option<Arc<Booking>> {
        let (expires_at, booking) = self.holds.first()?;
        (expires_at <= now).then(|| booking.clone())
    }

    /// Rolls nights and prices to the hotel's current date.
    pub fn roll(&mut self, now: Timestamp) {
        let before = self.calendar.first();
        self.calendar.roll(self.hotel.today(now));
        let first = self.calendar.first();
        if first != before {
            for plan in &mut self.plans {
                plan.nights.forget_before(first);
            }
        }
    }

    /// Whether the clock was set back after the calendar was rolled: nights are missing that are not over yet.
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        self.hotel.today(now) < self.calendar.first()
    }

    /// Decides `command` at `now`. Changes nothing.
    pub fn decide(&self, command: Command, id: FactId, now: Timestamp) -> Result<Fact, Refusal> {
        let sequence = self.sequence + 1;
        let change = match command {
            Command::Book { id, order, hold_until } => self.book(id, order, hold_until, now)?,
            Command::Move { booking, act, expected } => self.move_booking(&booking, &act, expected, now)?,
            Command::SetNights(change) => self.set_nights(&change)?,
            Command::SetRoomType(room_type) => self.set_room_type(room_type)?,
            Command::SetRatePlan(mut plan) => {
                plan.room_type_id = self.room_type.id;
                plan.nights = ByDate::default();
                Change::RatePlan { plan }
            }
        };
        Ok(Fact { id, sequence, at: now, change })
    }

    /// Applies a fact. Facts must come in order of their sequence numbers.
    pub fn apply(&mut self, fact: &Fact) {
        self.follow(fact.step());
        if let Some(booking) = fact.change.booking() {
            self.holds.follow(booking);
        }
    }

    /// Applies a step: like [`Inventory::apply`], but without the booking and so without holds. Nights, prices and
    /// counters are correct afterwards.
    pub fn follow(&mut self, step: Step) {
        debug_assert_eq!(step.order_after(self.sequence), StepOrder::Next, "steps are applied in order");
        self.sequence = step.sequence;
        match step.effect {
            StepEffect::Counts(deltas) => self.calendar.apply(deltas),
            StepEffect::Nights { nights, rates } => {
                for (date, set) in nights.iter() {
                    if let Some(night) = self.calendar.night_mut(date) {
                        *night = Night { sold: night.sold, held: night.held, ..set };
                    }
                }
                for (date, (plan, rate)) in rates.iter() {
                    if let Some(plan) = self.plans.iter_mut().find(|candidate| candidate.id == plan) {
                        plan.nights.insert(date, rate);
                    }
                }
            }
            StepEffect::RoomType(room_type) => {
                self.calendar.set_defaults(room_type.rooms, room_type.overbooking_allowance);
                self.room_type = room_type.clone();
            }
            StepEffect::RatePlan(plan) => match self.plans.iter_mut().find(|known| known.id == plan.id) {
                Some(known) => {
                    let nights = std::mem::take(&mut known.nights);
                    *known = RatePlan { nights, ..plan.clone() };
                }
                None => self.plans.push(plan.clone()),
            },
        }
    }

    fn book(&self, id: BookingId, order: Order, hold_until: Timestamp, now: Timestamp) -> Result<Change, Refusal> {
        let expected = order.expected_sequence.unwrap_or(self.sequence);
        if expected != self.sequence || order.expected_on_sale.is_some_and(|on_sale| on_sale != self.on_sale(now)) {
            return Err(Refusal::Stale { expected, actual: self.sequence });
        }
        let party = Party::of(&order.guests);
        let Order { stay, rooms, .. } = order;
        let forced = order.forced_by.is_some();
        let enquiry = Enquiry { stay, rooms, party, rate_plan: None, forced, keeping: None };
        let mut quote = self.quote_order(enquiry, order.rate_plan, now)?;
        if let Some(agreed) = order.agreed_price {
            quote.prices.fill(agreed);
        }
        if let Some(share) = order.hold_share.filter(|_| order.hold) {
            self.check_hold_share(stay, rooms, None, share)?;
        }
        let services = self.sell_services(&order, party)?;
        let plan = self.plan(quote.rate_plan).ok_or(Refusal::UnknownRatePlan(quote.rate_plan))?;
        let (cause, status) = match order.hold {
            true => (Cause::Held, Status::Held { expires_at: hold_until }),
            false => (Cause::Booked, Status::Confirmed),
        };
        let booking = Booking {
            id,
            hotel_id: self.hotel.id,
            room_type_id: self.room_type.id,
            rate_plan_id: plan.id,
            status,
            stay,
            rooms,
            guests: order.guests,
            prices: quote.prices,
            added: quote.added,
            services,
            contact: order.contact,
            external_reference: order.external_reference,
            policy: plan.policy.stamped(self.hotel.check_in_at(stay.check_in())),
            currency: self.hotel.currency,
            created_at: now,
            changed_at: now,
            sequence: self.sequence + 1,
        }
        .sellable()?;
        let deltas = net_change(None, booking.footprint());
        Ok(Change::Booking { cause, booking: Arc::new(booking), deltas })
    }

    /// Unpaid holds must not take all rooms of a night. A changed hold keeps the rooms that it has.
    pub(super) fn check_hold_share(
        &self,
        stay: Stay,
        rooms: u16,
        before: Option<&Booking>,
        share: HoldShare,
    ) -> Result<(), Refusal> {
        for (date, night) in self.calendar.range(stay.check_in(), stay.check_out()) {
            let kept = before.filter(|before| before.stay.contains(date)).map_or(0, |before| before.rooms);
            let (most, others) = (share.of(self.calendar.capacity(night)), night.held.saturating_sub(kept));
            if rooms > kept && others.saturating_add(rooms) > most {
                let in_the_way = |hold: &&Arc<Booking>| hold.stay.contains(date) && rooms <= most;
                let retry_at = self.holds.iter().find(in_the_way).and_then(|hold| hold.status.expires_at());
                return Err(Refusal::TooManyHolds { date, most, retry_at });
            }
        }
        Ok(())
    }

    fn sell_services(&self, order: &Order, party: Party) -> Result<Vec<BookedService>, Refusal> {
        let sell = |wanted: &super::order::ServiceOrder| {
            let service = self.services.iter().find(|service| service.id == wanted.service_id);
            let service = service.ok_or(Refusal::UnknownService(wanted.service_id))?;
            Ok(BookedService::sell(service, wanted.quantity, order.stay.nights(), party.persons()))
        };
        order.services.iter().map(sell).collect()
    }
}

#[cfg(test)]
mod tests;
