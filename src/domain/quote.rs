//! The one rule function. Search, quote, booking and change all ask [`Inventory::quote`], so what search offers,
//! booking accepts unless somebody was faster.

use super::{
    Amount, Booking, Date, FailingNight, Inventory, Night, Party, RatePlan, RatePlanId, Reason, Refusal, Stay,
    Timestamp,
};

/// What somebody wants to know the price of.
#[derive(Debug, Clone, Copy)]
pub struct Enquiry<'a> {
    pub stay: Stay,
    pub rooms: u16,
    pub party: Party,
    /// `None` takes the cheapest plan that sells the stay, the oldest of equals.
    pub rate_plan: Option<RatePlanId>,
    /// The booking that is to be changed. What it has, it keeps: only additional rooms are looked for, only nights
    /// that it does not have, or not with so many rooms, are priced, and only what changes is measured against the
    /// rules.
    pub keeping: Option<&'a Booking>,
}

/// A stay that can be sold, and its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub rate_plan: RatePlanId,
    /// Price of one room for each night.
    pub prices: Vec<Amount>,
    /// All nights, all rooms.
    pub total: Amount,
}

impl Inventory {
    /// The price of a stay, or every reason why it is not for sale.
    pub fn quote(&self, enquiry: &Enquiry, now: Timestamp) -> Result<Quote, Refusal> {
        self.quote_on(enquiry, self.hotel.today(now))
    }

    /// The same for who knows the hotel's date already.
    pub fn quote_on(&self, enquiry: &Enquiry, today: Date) -> Result<Quote, Refusal> {
        self.check_party(enquiry)?;
        self.check_dates(enquiry.stay, enquiry.keeping, today)?;
        let plans = match enquiry.rate_plan {
            Some(id) => std::slice::from_ref(self.plan(id).ok_or(Refusal::UnknownRatePlan(id))?),
            None => self.plans.as_slice(),
        };
        let mut failing: Vec<_> = self.capacity_failures(enquiry).collect();
        match self.cheapest(enquiry, plans) {
            Ok(_) if !failing.is_empty() => Err(self.refusal(enquiry, failing)),
            Ok(quote) if quote.total.is_sellable() => Ok(quote),
            Ok(_) => Err(Refusal::TotalTooLarge),
            Err(restricted) => {
                failing.extend(restricted);
                Err(self.refusal(enquiry, failing))
            }
        }
    }

    /// The same for who does not ask why not, which search mostly does: a stay that lacks rooms is not priced.
    pub fn offer_on(&self, enquiry: &Enquiry, today: Date) -> Option<Quote> {
        let has_rooms = self.check_party(enquiry).is_ok() && self.capacity_failures(enquiry).next().is_none();
        has_rooms.then(|| self.quote_on(enquiry, today).ok()).flatten()
    }

    /// The cheapest of the plans that sell the stay; if none does, what stands in the way of the one that comes
    /// nearest to it.
    fn cheapest(&self, enquiry: &Enquiry, plans: &[RatePlan]) -> Result<Quote, Vec<FailingNight>> {
        let mut cheapest: Option<(Amount, &RatePlan)> = None;
        let mut nearest: Option<Vec<FailingNight>> = None;
        for plan in plans {
            let failing = self.restriction_failures(enquiry, plan);
            if failing.is_empty() {
                let total = total(enquiry, prices(enquiry, plan));
                if cheapest.is_none_or(|(lowest, _)| total < lowest) {
                    cheapest = Some((total, plan));
                }
            } else if nearest.as_ref().is_none_or(|best| distance(&failing) < distance(best)) {
                nearest = Some(failing);
            }
        }
        let no_price = |date| FailingNight { date, reason: Reason::NoPrice };
        match cheapest {
            Some((_, plan)) => Ok(price(enquiry, plan)),
            None => Err(nearest.unwrap_or_else(|| enquiry.stay.dates().map(no_price).collect())),
        }
    }

    /// The rooms take the guests. Guests who have their rooms keep them, even where the rule was tightened since.
    fn check_party(&self, enquiry: &Enquiry) -> Result<(), Refusal> {
        let kept = enquiry.keeping.is_some_and(|kept| kept.rooms == enquiry.rooms && kept.party() == enquiry.party);
        match kept || self.room_type.occupancy.admits(enquiry.party, enquiry.rooms) {
            true => Ok(()),
            false => Err(Refusal::Occupancy),
        }
    }

    /// Arrival not in the past, departure inside the horizon, not more nights than the hotel takes.
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

    /// Nights without enough rooms for what the enquiry takes beyond what it keeps.
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

    /// Dates on which the room type or the plan refuses this sale, this arrival, this departure or this length.
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

    /// Whether no rule at all is set on any date of a stay, departure included: what most stays are.
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

/// How far a plan is from selling a stay: one that would with other dates is nearer than one that is closed, and
/// fewer failing nights are nearer than many.
fn distance(failing: &[FailingNight]) -> (bool, usize) {
    (failing.iter().any(|night| night.reason.is_unavailable()), failing.len())
}

/// Rooms the enquiry needs on a night beyond those its booking already has.
fn additional_rooms(enquiry: &Enquiry, date: Date) -> u16 {
    let kept = enquiry.keeping.and_then(Booking::footprint).filter(|print| print.stay.contains(date));
    enquiry.rooms.saturating_sub(kept.map_or(0, |print| print.rooms))
}

fn price(enquiry: &Enquiry, plan: &RatePlan) -> Quote {
    let mut each = Vec::with_capacity(usize::from(enquiry.stay.nights()));
    each.extend(prices(enquiry, plan));
    Quote { rate_plan: plan.id, total: total(enquiry, each.iter().copied()), prices: each }
}

/// All nights, all rooms.
fn total(enquiry: &Enquiry, prices: impl Iterator<Item = Amount>) -> Amount {
    prices.sum::<Amount>().times(u64::from(enquiry.rooms))
}

/// Kept nights keep their price, unless they take more rooms than before; all others cost what the plan says today.
fn prices(enquiry: &Enquiry, plan: &RatePlan) -> impl Iterator<Item = Amount> {
    let as_sold = enquiry.keeping.filter(|booking| enquiry.rooms <= booking.rooms);
    let kept = move |date: Date| as_sold.and_then(|booking| booking.price_on(date));
    let today = plan.prices(enquiry.stay.check_in(), enquiry.stay.check_out());
    today.map(move |(date, price)| kept(date).unwrap_or(price))
}

#[cfg(test)]
mod tests;
