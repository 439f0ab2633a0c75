//! The aggregate one room-type actor owns: everything needed to decide about one room type, in memory.
//!
//! [`Inventory::decide`] looks and answers, [`Inventory::apply`] changes. Nothing else changes an inventory, so
//! replaying its facts rebuilds it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::booking::net_change;
use super::holds::Holds;
use super::quote::{Enquiry, Quote};
use super::{
    Amendment, Amount, BookedService, Booking, BookingId, Calendar, Cause, Change, Date, Fact, FactId, FailingNight,
    Fee, Hotel, Night, NightsChange, Order, Party, RatePlan, RatePlanId, Reason, Refusal, RoomType, Service, Status,
    Stay, Timestamp,
};

/// One room type with its hotel's rules, its nights, prices and live holds.
#[derive(Debug, Clone)]
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

/// What somebody asks a room type to do.
#[derive(Debug, Clone)]
pub enum Command {
    /// Book under this id; a hold lasts until `hold_until`.
    Book {
        id: BookingId,
        order: Order,
        hold_until: Timestamp,
    },
    /// Do something with a booking, as it is now; only if it is still at version `expected`, if given.
    Move {
        booking: Arc<Booking>,
        act: Move,
        expected: Option<u64>,
    },
    SetNights(NightsChange),
    /// Replace what the room type is; the id stays.
    SetRoomType(RoomType),
    /// Make a rate plan, or replace what it is. Its nights stay.
    SetRatePlan(RatePlan),
}

/// What can be done with a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Turn a hold into a booking.
    Confirm,
    /// Give the rooms back: a hold is released, a booking cancelled by its policy.
    Cancel,
    /// Change dates, rooms or guests.
    Amend(Amendment),
    CheckIn,
    CheckOut,
    NoShow,
    /// End a hold whose time is over. Only the engine itself asks for this.
    Expire,
}

impl Move {
    const fn past_participle(&self) -> &'static str {
        match self {
            Self::Confirm => "confirmed",
            Self::Cancel => "cancelled",
            Self::Amend(_) => "changed",
            Self::CheckIn => "checked in",
            Self::CheckOut => "checked out",
            Self::NoShow => "marked as a no-show",
            Self::Expire => "expired",
        }
    }
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

    /// The number of facts behind this inventory.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    pub fn plan(&self, id: RatePlanId) -> Option<&RatePlan> {
        self.plans.iter().find(|plan| plan.id == id)
    }

    /// Live holds, the first to expire first.
    pub fn holds(&self) -> impl Iterator<Item = &Arc<Booking>> {
        self.holds.iter()
    }

    /// A live hold.
    pub fn hold(&self, id: BookingId) -> Option<&Arc<Booking>> {
        self.holds.get(id)
    }

    /// When the next hold runs out.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.holds.first().map(|(expires_at, _)| expires_at)
    }

    /// A hold whose time is over at `now`: it must be expired before anything else is decided.
    pub fn overdue(&self, now: Timestamp) -> Option<Arc<Booking>> {
        let (expires_at, booking) = self.holds.first()?;
        (expires_at <= now).then(|| booking.clone())
    }

    /// Moves the calendar's window to the hotel's current date.
    pub fn roll(&mut self, now: Timestamp) {
        self.calendar.roll(self.hotel.today(now));
    }

    /// What would happen if `command` were done at `now`. Changes nothing.
    pub fn decide(&self, command: Command, id: FactId, now: Timestamp) -> Result<Fact, Refusal> {
        let sequence = self.sequence + 1;
        let change = match command {
            Command::Book { id, order, hold_until } => self.book(id, order, hold_until, now)?,
            Command::Move { booking, act, expected } => self.move_booking(&booking, act, expected, now)?,
            Command::SetNights(change) => self.set_nights(&change)?,
            Command::SetRoomType(room_type) => self.set_room_type(room_type)?,
            Command::SetRatePlan(mut plan) => {
                plan.nights = BTreeMap::new();
                Change::RatePlan { plan }
            }
        };
        Ok(Fact { id, sequence, at: now, change })
    }

    /// Makes a fact part of this inventory. Facts come in order of their sequence.
    pub fn apply(&mut self, fact: &Fact) {
        debug_assert_eq!(fact.sequence, self.sequence + 1, "facts are applied in order");
        self.sequence = fact.sequence;
        match &fact.change {
            Change::Booking { booking, deltas, .. } => {
                self.calendar.apply(deltas);
                self.holds.follow(booking);
            }
            Change::Nights { nights, rates, .. } => {
                for (date, set) in nights {
                    if let Some(night) = self.calendar.night_mut(*date) {
                        *night = Night { sold: night.sold, held: night.held, ..*set };
                    }
                }
                for (plan, date, rate) in rates {
                    if let Some(plan) = self.plans.iter_mut().find(|candidate| candidate.id == *plan) {
                        plan.nights.insert(*date, *rate);
                    }
                }
            }
            Change::RoomType { room_type } => {
                self.calendar.set_defaults(room_type.rooms, room_type.overbooking_allowance);
                self.room_type = room_type.clone();
            }
            Change::RatePlan { plan } => match self.plans.iter_mut().find(|known| known.id == plan.id) {
                Some(known) => {
                    let nights = std::mem::take(&mut known.nights);
                    *known = RatePlan { nights, ..plan.clone() };
                }
                None => self.plans.push(plan.clone()),
            },
        }
    }

    fn book(&self, id: BookingId, order: Order, hold_until: Timestamp, now: Timestamp) -> Result<Change, Refusal> {
        if let Some(expected) = order.expected_sequence
            && expected != self.sequence
        {
            return Err(Refusal::Stale { expected, actual: self.sequence });
        }
        let party = Party::of(&order.guests);
        let Order { stay, rooms, rate_plan, .. } = order;
        let mut quote = self.quote(&Enquiry { stay, rooms, party, rate_plan, keeping: None }, now)?;
        if let Some(agreed) = order.agreed_price {
            quote.prices.fill(agreed);
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
            services,
            contact: order.contact,
            external_reference: order.external_reference,
            policy: plan.policy.clone(),
            currency: self.hotel.currency,
            created_at: now,
            changed_at: now,
            sequence: self.sequence + 1,
        };
        let deltas = net_change(None, booking.footprint());
        Ok(Change::Booking { cause, booking: Arc::new(booking), deltas })
    }

    fn sell_services(&self, order: &Order, party: Party) -> Result<Vec<BookedService>, Refusal> {
        let sell = |wanted: &super::order::ServiceOrder| {
            let service = self.services.iter().find(|service| service.id == wanted.service_id);
            let service = service.ok_or(Refusal::UnknownService(wanted.service_id))?;
            Ok(BookedService::sell(service, wanted.quantity, order.stay.nights(), party.persons()))
        };
        order.services.iter().map(sell).collect()
    }

    /// The state machine: every legal move of a booking, and what it does.
    fn move_booking(
        &self,
        booking: &Arc<Booking>,
        act: Move,
        expected: Option<u64>,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        if let Some(expected) = expected
            && expected != booking.sequence
        {
            return Err(Refusal::Stale { expected, actual: booking.sequence });
        }
        let today = self.hotel.today(now);
        let stay = booking.stay;
        let mut after = Booking::clone(booking);
        let (cause, status) = match (&act, booking.status) {
            (Move::Expire, Status::Held { expires_at }) if expires_at <= now => (Cause::Expired, Status::Expired),
            (Move::Confirm | Move::Amend(_), Status::Held { expires_at }) if expires_at <= now => {
                return Err(Refusal::HoldExpired { at: expires_at });
            }
            (Move::Confirm, Status::Expired) => return Err(Refusal::HoldExpired { at: booking.changed_at }),
            (Move::Confirm, Status::Held { .. }) => (Cause::Confirmed, Status::Confirmed),
            (Move::Cancel, Status::Held { .. }) => (Cause::Released, Status::Released),
            (Move::Cancel, Status::Confirmed) => {
                (Cause::Cancelled, Status::Cancelled { fee_minor: self.cancellation_fee(booking, now) })
            }
            (Move::Amend(amendment), Status::Held { .. } | Status::Confirmed | Status::InHouse) => {
                after = self.amend(booking, amendment, now)?;
                (Cause::Amended, booking.status)
            }
            (Move::CheckIn, Status::Confirmed) if today < stay.check_in() => {
                return Err(Refusal::TooEarly { from: stay.check_in() });
            }
            (Move::CheckIn, Status::Confirmed) if today >= stay.check_out() => {
                return Err(Refusal::TooLate { until: stay.check_out() });
            }
            (Move::CheckIn, Status::Confirmed) => (Cause::CheckedIn, Status::InHouse),
            (Move::CheckOut, Status::InHouse) => {
                let departed = stay.until(today).check_out();
                (Cause::CheckedOut, Status::CheckedOut { departed })
            }
            (Move::NoShow, Status::Confirmed) if today < stay.check_in() => {
                return Err(Refusal::TooEarly { from: stay.check_in() });
            }
            (Move::NoShow, Status::Confirmed) => {
                let fee_minor = fee(booking.policy.no_show, booking);
                (Cause::NoShow, Status::NoShow { fee_minor })
            }
            (act, status) => {
                return Err(Refusal::IllegalMove { from: status.name(), verb: act.past_participle() });
            }
        };
        after.status = status;
        after.changed_at = now;
        after.sequence = self.sequence + 1;
        let deltas = net_change(booking.footprint(), after.footprint());
        Ok(Change::Booking { cause, booking: Arc::new(after), deltas })
    }

    fn amend(&self, booking: &Booking, amendment: &Amendment, now: Timestamp) -> Result<Booking, Refusal> {
        let check_in = amendment.check_in.unwrap_or(booking.stay.check_in());
        let check_out = amendment.check_out.unwrap_or(booking.stay.check_out());
        let stay = Stay::new(check_in, check_out).map_err(|_| Refusal::EmptyStay { check_in, check_out })?;
        if booking.status == Status::InHouse && check_in != booking.stay.check_in() {
            return Err(Refusal::IllegalMove { from: booking.status.name(), verb: "given another arrival" });
        }
        let rooms = amendment.rooms.unwrap_or(booking.rooms);
        let guests = amendment.guests.clone().unwrap_or_else(|| booking.guests.clone());
        let party = Party::of(&guests);
        let rate_plan = Some(booking.rate_plan_id);
        let Quote { prices, .. } =
            self.quote(&Enquiry { stay, rooms, party, rate_plan, keeping: Some(booking) }, now)?;
        let resell = |service: &BookedService| service.clone().for_stay(stay.nights(), party.persons());
        let services = booking.services.iter().map(resell).collect();
        Ok(Booking { stay, rooms, guests, prices, services, ..booking.clone() })
    }

    /// What cancelling a confirmed booking costs at `now`, by the policy it was sold under.
    pub fn cancellation_fee(&self, booking: &Booking, now: Timestamp) -> Amount {
        let check_in = self.hotel.check_in_at(booking.stay.check_in());
        fee(booking.policy.fee_at(now, check_in), booking)
    }

    fn set_nights(&self, change: &NightsChange) -> Result<Change, Refusal> {
        let (first, end) = (self.calendar.first(), self.calendar.end());
        if change.from < first || change.to > end {
            return Err(Refusal::OutsideHorizon { first, end });
        }
        let mut nights = Vec::new();
        let mut below = Vec::new();
        for date in change.dates() {
            let Some(old) = self.calendar.night(date) else { continue };
            let mut new = change.over_night(*old);
            if let Some(missing) = overfull(&self.calendar, &new) {
                below.push(too_small(date, missing, &new));
                new.allowance = Some(allowance_for_guests(&self.calendar, &new));
            }
            if new != *old {
                nights.push((date, new));
            }
        }
        if !below.is_empty() && change.forced_by.is_none() {
            return Err(Refusal::CapacityBelowSold { nights: below });
        }
        let mut rates = Vec::new();
        if let Some(id) = change.rate_plan {
            let plan = self.plan(id).ok_or(Refusal::UnknownRatePlan(id))?;
            let changed = |date: &Date| change.over_rate(plan.night(*date)) != plan.night(*date);
            rates.extend(change.dates().filter(changed).map(|date| (id, date, change.over_rate(plan.night(date)))));
        }
        let forced_by = change.forced_by.clone().filter(|_| !below.is_empty());
        Ok(Change::Nights { nights, rates, forced_by })
    }

    fn set_room_type(&self, room_type: RoomType) -> Result<Change, Refusal> {
        let mut calendar = self.calendar.clone();
        calendar.set_defaults(room_type.rooms, room_type.overbooking_allowance);
        let too_full = |(date, night): (Date, &Night)| {
            let missing = overfull(&calendar, night)?;
            Some(too_small(date, missing, night))
        };
        let nights: Vec<_> = calendar.iter().filter_map(too_full).collect();
        if !nights.is_empty() {
            return Err(Refusal::CapacityBelowSold { nights });
        }
        Ok(Change::RoomType { room_type })
    }
}

/// How many rooms a night lacks for those who have booked it.
fn overfull(calendar: &Calendar, night: &Night) -> Option<u16> {
    let missing = (night.sold + night.held).saturating_sub(calendar.capacity(night));
    (missing > 0).then_some(missing)
}

/// The allowance that just covers those who have booked the night.
fn allowance_for_guests(calendar: &Calendar, night: &Night) -> i16 {
    let usable = i32::from(calendar.physical(night)) - i32::from(night.out_of_order);
    let booked = i32::from(night.sold) + i32::from(night.held);
    i16::try_from(booked - usable).unwrap_or(i16::MAX)
}

fn too_small(date: Date, missing: u16, night: &Night) -> FailingNight {
    let wanted = night.sold + night.held;
    FailingNight { date, reason: Reason::SoldOut { free: wanted - missing, wanted } }
}

fn fee(fee: Fee, booking: &Booking) -> Amount {
    fee.of(booking.nightly_totals(), booking.total())
}
