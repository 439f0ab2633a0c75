//! The one rule function. Search, quote, booking and change all use [`Inventory::quote`]. So a booking gets what search
//! offered, unless another guest was faster.

use super::booking::AddedRooms;
use super::stay::days_between;
use super::{
    Amount, Booking, Date, FailingNight, Inventory, Night, Party, PlanChoice, RatePlan, RatePlanId, Reason, Refusal,
    Stay, Timestamp,
};

/// A request for a price.
#[derive(Debug, Clone, Copy)]
pub struct Enquiry<'a> {
    pub stay: Stay,
    pub rooms: u16,
    pub party: Party,
    /// `None`: the cheapest plan that sells the stay; among equals the oldest.
    pub rate_plan: Option<RatePlanId>,
    /// Rooms without an adult are forced.
    pub forced: bool,
    /// The booking to be changed. It keeps what it has: only additional rooms need capacity, only new rooms and nights
    /// get new prices, and rules apply only to what changes.
    pub keeping: Option<&'a Booking>,
}

impl Enquiry<'_> {
    /// Whether the changed booking keeps its rooms and its guests.
    fn keeps_party(&self) -> bool {
        self.keeping.is_some_and(|kept| kept.rooms == self.rooms && kept.party() == self.party)
    }

    /// Whether the rule of one adult per room is met or does not apply.
    fn has_adults(&self) -> bool {
        self.forced || self.keeps_party() || self.party.has_adult_in_each(self.rooms)
    }
}

/// A stay that can be sold, and its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub rate_plan: RatePlanId,
    /// Price of one room for each night. For a changed booking, of one of its first rooms.
    pub prices: Vec<Amount>,
    /// Rooms of the changed booking with other prices.
    pub added: Vec<AddedRooms>,
    /// All nights, all rooms.
    pub total: Amount,
}

/// A plan that sells a stay, offered for the guest's choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanOffer {
    pub rate_plan: RatePlanId,
    pub name: String,
    pub refundable: bool,
    /// All nights, all rooms.
    pub total: Amount,
}

impl PlanOffer {
    fn of(plan: &RatePlan, quote: &Quote) -> Self {
        let refundable = !plan.policy.tiers().is_empty();
        Self { rate_plan: plan.id, name: plan.name.clone(), refundable, total: quote.total }
    }
}

/// What the plans say to a stay that their rules allow.
struct Choice<'p> {
    cheapest: &'p RatePlan,
    /// How many plans sell it: their total is an amount that can be sold.
    offers: usize,
}

impl Inventory {
    /// The price of a stay, or every reason why it cannot be sold.
    pub fn quote(&self, enquiry: &Enquiry, now: Timestamp) -> Result<Quote, Refusal> {
        self.quote_on(enquiry, self.hotel.today(now))
    }

    /// Like [`Inventory::quote`], for a caller that knows the hotel's date.
    pub fn quote_on(&self, enquiry: &Enquiry, today: Date) -> Result<Quote, Refusal> {
        self.choose(enquiry, today).map(|choice| price(enquiry, choice.cheapest))
    }

    /// Like `quote_on`, without reasons of a refusal, which search mostly does not need: capacity is checked before the
    /// plans are asked.
    pub fn offer_on(&self, enquiry: &Enquiry, today: Date) -> Option<Quote> {
        self.has_rooms(enquiry).then(|| self.quote_on(enquiry, today).ok()).flatten()
    }

    /// Every plan that sells a stay with its price, the cheapest first, the older of equals first. None where rooms lack.
    pub fn offers_on(&self, enquiry: &Enquiry, today: Date) -> Vec<Quote> {
        if !self.has_rooms(enquiry) || self.check_dates(enquiry.stay, enquiry.keeping, today).is_err() {
            return Vec::new();
        }
        let selling = self.plans.iter().filter(|plan| self.restriction_failures(enquiry, plan).is_empty());
        let mut offers: Vec<_> = selling.map(|plan| price(enquiry, plan)).collect();
        offers.retain(|quote| quote.total.is_sellable());
        offers.sort_by_key(|quote| quote.total);
        offers
    }

    /// The cheapest plan that sells a stay, or every reason why none does.
    fn choose(&self, enquiry: &Enquiry, today: Date) -> Result<Choice<'_>, Refusal> {
        self.check_party(enquiry)?;
        self.check_dates(enquiry.stay, enquiry.keeping, today)?;
        let plans = match enquiry.rate_plan {
            Some(id) => std::slice::from_ref(self.plan(id).ok_or(Refusal::UnknownRatePlan(id))?),
            None => self.plans.as_slice(),
        };
        let mut failing: Vec<_> = self.capacity_failures(enquiry).collect();
        match self.cheapest(enquiry, plans) {
            Ok(_) if !failing.is_empty() => Err(self.refusal(enquiry, failing)),
            Ok(_) if !enquiry.has_adults() => Err(Refusal::Occupancy),
            Ok(choice) if choice.offers > 0 => Ok(choice),
            Ok(_) => Err(Refusal::TotalTooLarge),
            Err(restricted) => {
                failing.extend(restricted);
                Err(self.refusal(enquiry, failing))
            }
        }
    }

    fn has_rooms(&self, enquiry: &Enquiry) -> bool {
        enquiry.has_adults() && self.check_party(enquiry).is_ok() && self.capacity_failures(enquiry).next().is_none()
    }

    /// The quote of an order: of the plan that it names, or of the only plan that sells the stay.
    pub(super) fn quote_order(&self, enquiry: Enquiry, choice: PlanChoice, now: Timestamp) -> Result<Quote, Refusal> {
        let rate_plan = match choice {
            PlanChoice::Named(id) => Some(id),
            PlanChoice::Cheapest | PlanChoice::Only => None,
        };
        let (enquiry, today) = (Enquiry { rate_plan, ..enquiry }, self.hotel.today(now));
        let chosen = self.choose(&enquiry, today)?;
        if choice == PlanChoice::Only && chosen.offers > 1 {
            let offers = self.offers_on(&enquiry, today);
            let plans = offers.into_iter().filter_map(|offer| Some(PlanOffer::of(self.plan(offer.rate_plan)?, &offer)));
            return Err(Refusal::RatePlanRequired { plans: plans.collect() });
        }
        Ok(price(&enquiry, chosen.cheapest))
    }

    /// The cheapest of the plans whose rules allow the stay. If none does, the failures of the plan that comes nearest.
    fn cheapest<'p>(&self, enquiry: &Enquiry, plans: &'p [RatePlan]) -> Result<Choice<'p>, Vec<FailingNight>> {
        let mut cheapest: Option<(Amount, &RatePlan)> = None;
        let mut nearest: Option<Vec<FailingNight>> = None;
        let mut offers = 0;
        for plan in plans {
            let failing = self.restriction_failures(enquiry, plan);
            if failing.is_empty() {
                let total = total(enquiry, plan);
                offers += usize::from(total.is_sellable());
                if cheapest.is_none_or(|(lowest, _)| total < lowest) {
                    cheapest = Some((total, plan));
                }
            } else if nearest.as_ref().is_none_or(|best| distance(&failing) < distance(best)) {
                nearest = Some(failing);
            }
        }
        let no_price = |date| FailingNight { date, reason: Reason::NoPrice };
        match cheapest {
            Some((_, cheapest)) => Ok(Choice { cheapest, offers }),
            None => Err(nearest.unwrap_or_else(|| enquiry.stay.dates().map(no_price).collect())),
        }
    }

    /// Checks that the rooms have places for the guests. Guests who keep their rooms may stay under a stricter rule.
    fn check_party(&self, enquiry: &Enquiry) -> Result<(), Refusal> {
        match enquiry.keeps_party() || self.room_type.occupancy.has_places(enquiry.party, enquiry.rooms) {
            true => Ok(()),
            false => Err(Refusal::Occupancy),
        }
    }

    /// Checks the dates: arrival not in the past, departure inside the horizon, not too many nights.
    fn check_dates(&self, stay: Stay, keeping: Option<&Booking>, today: Date) -> Result<(), Refusal> {
        let kept = keeping.map(|booking| booking.stay);
        if stay.check_in() < today && kept.is_none_or(|kept| kept.check_in() != stay.check_in()) {
            return Err(Refusal::ArrivalInThePast { today });
        }
        if stay.check_out() < today && kept.is_none_or(|kept| kept.check_out() != stay.check_out()) {
            return Err(Refusal::DepartureInThePast { today });
        }
        let last = self.hotel.horizon_end(today);
        if stay.check_out() > last && kept.is_none_or(|kept| stay.check_out() > kept.check_out()) {
            return Err(Refusal::BeyondHorizon { last });
        }
        if stay.nights() > self.hotel.max_nights && kept.is_none_or(|kept| stay.nights() > kept.nights()) {
            return Err(Refusal::TooManyNights { max: self.hotel.max_nights });
        }
        Ok(())
    }

    /// Nights without enough rooms for the additional rooms of the enquiry.
    fn capacity_failures(&self, enquiry: &Enquiry) -> impl Iterator<Item = FailingNight> {
        let failure = |(date, night): (Date, Option<&Night>)| {
            let wanted = additional_rooms(enquiry, date);
            if wanted == 0 {
                return None;
            }
            let reason = match night {
                None => Reason::NoInventory,
                Some(night) => match self.calendar.free(night) {
                    free if free < wanted => Reason::SoldOut { free, wanted },
                    _ => return None,
                },
            };
            Some(FailingNight { date, reason })
        };
        self.calendar.nights(enquiry.stay.check_in(), enquiry.stay.check_out()).filter_map(failure)
    }

    /// Dates on which a restriction of the room type or the plan refuses this stay.
    fn restriction_failures(&self, enquiry: &Enquiry, plan: &RatePlan) -> Vec<FailingNight> {
        if self.is_unrestricted(enquiry.stay, plan) {
            return Vec::new();
        }
        let stay = enquiry.stay;
        let nights = stay.nights();
        let kept = enquiry.keeping.map(|booking| booking.stay);
        let new_arrival = kept.is_none_or(|kept| kept.check_in() != stay.check_in());
        let new_departure = kept.is_none_or(|kept| kept.check_out() != stay.check_out());
        let new_length = kept.is_none_or(|kept| kept.nights() != nights);
        let on = |date: Date| {
            let own = self.calendar.night(date).map(|night| night.restriction).unwrap_or_default();
            own.and(plan.restriction_on(date))
        };
        let mut failing = Vec::new();
        for date in stay.dates() {
            let restriction = on(date);
            if restriction.is_open() {
                continue;
            }
            let mut fail = |reason| failing.push(FailingNight { date, reason });
            if restriction.stop_sell && additional_rooms(enquiry, date) > 0 {
                fail(Reason::StopSell);
            }
            if date == stay.check_in() {
                restriction.refuses_arrival().filter(|_| new_arrival).into_iter().for_each(&mut fail);
                let length = restriction.refuses_length_on_arrival(nights);
                length.filter(|_| new_arrival || new_length).into_iter().for_each(&mut fail);
            }
            let new_night = kept.is_none_or(|kept| !kept.contains(date));
            let length = restriction.refuses_length_through(nights);
            length.filter(|_| new_night || new_length).into_iter().for_each(&mut fail);
        }
        let departure = stay.check_out();
        if new_departure && on(departure).closed_to_departure {
            failing.push(FailingNight { date: departure, reason: Reason::ClosedToDeparture });
        }
        failing
    }

    /// Whether no date of the stay, departure included, has a restriction. True for most stays.
    fn is_unrestricted(&self, stay: Stay, plan: &RatePlan) -> bool {
        let (first, after) = (stay.check_in(), stay.check_out().tomorrow().unwrap_or(Date::MAX));
        self.calendar.touched(first, after).all(|(_, night)| night.restriction.is_open())
            && plan.nights.range(first, after).all(|(_, night)| night.restriction.is_open())
    }

    fn refusal(&self, enquiry: &Enquiry, mut nights: Vec<FailingNight>) -> Refusal {
        nights.sort_by_key(|night| night.date);
        if !nights.iter().any(|night| night.reason.is_unavailable()) {
            return Refusal::Restricted { nights };
        }
        let in_the_way = |hold: &Booking| {
            let sold_out = |night: &FailingNight| matches!(night.reason, Reason::SoldOut { .. });
            enquiry.keeping.is_none_or(|kept| kept.id != hold.id)
                && nights.iter().any(|night| sold_out(night) && hold.stay.contains(night.date))
        };
        let retry_at = self.holds().find(|hold| in_the_way(hold)).and_then(|hold| hold.status.expires_at());
        Refusal::Unavailable { nights, retry_at }
    }
}

/// The distance of a plan from selling a stay. Failures that other dates would avoid are nearer than closed nights, and
/// few are nearer than many.
fn distance(failing: &[FailingNight]) -> (bool, usize) {
    (failing.iter().any(|night| night.reason.is_unavailable()), failing.len())
}

/// Rooms that the enquiry needs on a night beyond those that its booking has.
fn additional_rooms(enquiry: &Enquiry, date: Date) -> u16 {
    let kept = enquiry.keeping.and_then(Booking::footprint).filter(|print| print.stay.contains(date));
    enquiry.rooms.saturating_sub(kept.map_or(0, |print| print.rooms))
}

/// All nights, all rooms.
fn total(enquiry: &Enquiry, plan: &RatePlan) -> Amount {
    match enquiry.keeping {
        None => {
            of_rooms(enquiry.rooms, plan.prices(enquiry.stay.check_in(), enquiry.stay.check_out()).map(|(_, it)| it))
        }
        Some(_) => price(enquiry, plan).total,
    }
}

/// The price of an enquiry. A new sale costs the plan's present prices. Rooms of a changed booking keep the prices of
/// nights that they keep. New nights and added rooms cost the present prices. Rooms that were added last are given back
/// first.
fn price(enquiry: &Enquiry, plan: &RatePlan) -> Quote {
    let today: Vec<_> = plan.prices(enquiry.stay.check_in(), enquiry.stay.check_out()).collect();
    let as_sold = |kept: &Booking, prices: &[Amount]| -> Vec<Amount> {
        let night = |date: Date| usize::try_from(days_between(kept.stay.check_in(), date)).ok();
        let price = |(date, price): &(Date, Amount)| {
            night(*date).and_then(|night| prices.get(night)).unwrap_or(price).to_owned()
        };
        today.iter().map(price).collect()
    };
    let kept = enquiry
        .keeping
        .into_iter()
        .flat_map(|kept| kept.room_groups().map(move |(rooms, prices)| (rooms, as_sold(kept, prices))));
    let mut wanted = enquiry.rooms;
    let mut groups: Vec<AddedRooms> = Vec::with_capacity(1);
    for (rooms, prices) in
        kept.chain(std::iter::once_with(|| (u16::MAX, today.iter().map(|(_, price)| *price).collect())))
    {
        let rooms = rooms.min(wanted);
        wanted -= rooms;
        match groups.last_mut() {
            _ if rooms == 0 => {}
            Some(last) if last.prices == prices => last.rooms += rooms,
            _ => groups.push(AddedRooms { rooms, prices }),
        }
    }
    let total = groups.iter().map(|group| of_rooms(group.rooms, group.prices.iter().copied())).sum();
    let mut groups = groups.into_iter();
    let prices = groups.next().map(|first| first.prices).unwrap_or_default();
    Quote { rate_plan: plan.id, prices, added: groups.collect(), total }
}

/// The price of `rooms` rooms at these prices per night.
fn of_rooms(rooms: u16, prices: impl Iterator<Item = Amount>) -> Amount {
    prices.sum::<Amount>().times(u64::from(rooms))
}

#[cfg(test)]
mod tests;
