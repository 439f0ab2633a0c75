//! The one rule function. Search, quote, booking and change all ask [`Inventory::quote`], so what search offers,
//! booking accepts unless somebody was faster.

use super::{
    Amount, Booking, Date, FailingNight, Inventory, Party, RatePlan, RatePlanId, Reason, Refusal, Stay, Timestamp,
};

/// What somebody wants to know the price of.
#[derive(Debug, Clone, Copy)]
pub struct Enquiry<'a> {
    pub stay: Stay,
    pub rooms: u16,
    pub party: Party,
    /// `None` takes the cheapest plan that sells the stay, the oldest of equals.
    pub rate_plan: Option<RatePlanId>,
    /// The booking that is to be changed. What it has, it keeps: only additional rooms are looked for, only
    /// additional nights are priced, and only what changes is measured against the restrictions.
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
        let Enquiry { stay, rooms, party, keeping, .. } = *enquiry;
        if !self.room_type.occupancy.admits(party, rooms) {
            return Err(Refusal::Occupancy);
        }
        self.check_dates(stay, keeping, self.hotel.today(now))?;

        let mut failing = self.capacity_failures(enquiry);
        let plans: &[RatePlan] = match enquiry.rate_plan {
            Some(id) => std::slice::from_ref(self.plan(id).ok_or(Refusal::UnknownRatePlan(id))?),
            None => &self.plans,
        };
        let mut cheapest: Option<Quote> = None;
        let mut first_failure: Option<Vec<FailingNight>> = None;
        for plan in plans {
            let plan_failing = self.restriction_failures(enquiry, plan);
            if plan_failing.is_empty() {
                let quote = price(enquiry, plan);
                if cheapest.as_ref().is_none_or(|best| quote.total < best.total) {
                    cheapest = Some(quote);
                }
            } else if first_failure.is_none() {
                first_failure = Some(plan_failing);
            }
        }
        match cheapest {
            Some(quote) if failing.is_empty() => Ok(quote),
            Some(_) => Err(self.refusal(failing)),
            None => {
                let no_price = || stay.dates().map(|date| FailingNight { date, reason: Reason::NoPrice }).collect();
                failing.extend(first_failure.unwrap_or_else(no_price));
                Err(self.refusal(failing))
            }
        }
    }

    /// Arrival not in the past, departure inside the horizon, not more nights than the hotel takes.
    fn check_dates(&self, stay: Stay, keeping: Option<&Booking>, today: Date) -> Result<(), Refusal> {
        let kept = keeping.map(|booking| booking.stay);
        if stay.check_in() < today && kept.is_none_or(|kept| kept.check_in() != stay.check_in()) {
            return Err(Refusal::ArrivalInThePast { today });
        }
        if stay.check_out() > self.calendar.end() && kept.is_none_or(|kept| stay.check_out() > kept.check_out()) {
            return Err(Refusal::BeyondHorizon { last: self.calendar.end() });
        }
        if stay.nights() > self.hotel.max_nights && kept.is_none_or(|kept| stay.nights() > kept.nights()) {
            return Err(Refusal::TooManyNights { max: self.hotel.max_nights });
        }
        Ok(())
    }

    /// Nights without enough rooms for what the enquiry takes beyond what it keeps.
    fn capacity_failures(&self, enquiry: &Enquiry) -> Vec<FailingNight> {
        let failure = |date: Date| {
            let wanted = additional_rooms(enquiry, date);
            if wanted == 0 {
                return None;
            }
            let reason = match self.calendar.night(date) {
                None => Reason::NoInventory,
                Some(night) => match self.calendar.free(night) {
                    free if free < wanted => Reason::SoldOut { free, wanted },
                    _ => return None,
                },
            };
            Some(FailingNight { date, reason })
        };
        enquiry.stay.dates().filter_map(failure).collect()
    }

    /// Dates on which the room type or the plan refuses this sale, this arrival, this departure or this length.
    fn restriction_failures(&self, enquiry: &Enquiry, plan: &RatePlan) -> Vec<FailingNight> {
        let stay = enquiry.stay;
        let nights = stay.nights();
        let kept = enquiry.keeping.map(|booking| booking.stay);
        let on = |date: Date| {
            let own = self.calendar.night(date).map(|night| night.restriction).unwrap_or_default();
            own.and(plan.restriction_on(date))
        };
        let mut failing = Vec::new();
        for date in stay.dates() {
            let restriction = on(date);
            let mut fail = |reason| failing.push(FailingNight { date, reason });
            if restriction.stop_sell && additional_rooms(enquiry, date) > 0 {
                fail(Reason::StopSell);
            }
            if kept == Some(stay) {
                continue;
            }
            let new_arrival = kept.is_none_or(|kept| kept.check_in() != stay.check_in() || kept.nights() != nights);
            if date == stay.check_in() && new_arrival {
                restriction.refuses_arrival(nights).into_iter().for_each(&mut fail);
            }
            restriction.refuses_length_through(nights).into_iter().for_each(&mut fail);
        }
        let departure = stay.check_out();
        let new_departure = kept.is_none_or(|kept| kept.check_out() != departure);
        if new_departure && on(departure).closed_to_departure {
            failing.push(FailingNight { date: departure, reason: Reason::ClosedToDeparture });
        }
        failing
    }

    fn refusal(&self, mut nights: Vec<FailingNight>) -> Refusal {
        nights.sort_by_key(|night| night.date);
        if !nights.iter().any(|night| night.reason.is_unavailable()) {
            return Refusal::Restricted { nights };
        }
        let in_the_way = |booking: &Booking| nights.iter().any(|night| booking.stay.contains(night.date));
        let retry_at = self.holds().find(|booking| in_the_way(booking)).and_then(|hold| hold.status.expires_at());
        Refusal::Unavailable { nights, retry_at }
    }
}

/// Rooms the enquiry needs on a night beyond those its booking already has.
fn additional_rooms(enquiry: &Enquiry, date: Date) -> u16 {
    let kept = enquiry.keeping.and_then(Booking::footprint).filter(|print| print.stay.contains(date));
    enquiry.rooms.saturating_sub(kept.map_or(0, |print| print.rooms))
}

/// Kept nights keep their price; the others cost what the plan says today.
fn price(enquiry: &Enquiry, plan: &RatePlan) -> Quote {
    let kept = |date: Date| {
        let booking = enquiry.keeping?;
        let position = booking.stay.dates().position(|night| night == date)?;
        booking.prices.get(position).copied()
    };
    let prices: Vec<Amount> =
        enquiry.stay.dates().map(|date| kept(date).unwrap_or_else(|| plan.price_on(date))).collect();
    let per_room: Amount = prices.iter().copied().sum();
    Quote { rate_plan: plan.id, total: per_room.times(u32::from(enquiry.rooms)), prices }
}
