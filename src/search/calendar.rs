//! The calendar of a hotel: for every arrival date of a window, the cheapest way to stay, or what stands in the way.

use super::Index;
use super::listing::HotelStock;
use crate::domain::quote::Enquiry;
use crate::domain::{
    Amount, Currency, Date, HotelId, Party, RatePlanId, Refusal, RoomTypeId, Stay, Timestamp, stay::dates,
};

/// A stay of some length, whenever it may begin.
#[derive(Debug, Clone, Copy)]
pub struct Visit {
    pub nights: u16,
    pub party: Party,
    pub rooms: u16,
}

/// The arrival dates of a window.
#[derive(Debug)]
pub struct Arrivals {
    pub currency: Currency,
    /// The hotel's current date.
    pub today: Date,
    pub days: Vec<Arrival>,
}

/// One arrival date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub check_in: Date,
    /// The cheapest room type, or the name of the refusal that is nearest to a yes.
    pub best: Result<Best, &'static str>,
}

/// The cheapest way to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Best {
    /// All nights, all rooms.
    pub total: Amount,
    pub room_type: RoomTypeId,
    pub rate_plan: RatePlanId,
}

impl Index {
    /// Every arrival date of [from, to); `None` where there is no such hotel.
    pub fn calendar(&self, hotel: HotelId, from: Date, to: Date, visit: Visit, now: Timestamp) -> Option<Arrivals> {
        let listing = self.hotel(hotel)?;
        let house = listing.read();
        let today = house.hotel.today(now);
        let arrival = |check_in| Arrival { check_in, best: house.best(check_in, visit, today) };
        Some(Arrivals { currency: listing.currency, today, days: dates(from, to).map(arrival).collect() })
    }
}

impl HotelStock {
    fn best(&self, check_in: Date, visit: Visit, today: Date) -> Result<Best, &'static str> {
        let nights = jiff::Span::new().days(i64::from(visit.nights));
        let stay = check_in.checked_add(nights).ok().and_then(|check_out| Stay::new(check_in, check_out).ok());
        // Beyond the last date that can be written, there is nothing to sell.
        let Some(stay) = stay else { return Err("beyond_horizon") };
        let Visit { rooms, party, .. } = visit;
        let enquiry = Enquiry { stay, rooms, party, rate_plan: None, forced: false, keeping: None };
        let mut best: Option<Best> = None;
        let mut nearest: Option<Refusal> = None;
        for stock in &self.stock {
            match stock.inventory.quote_on(&enquiry, today) {
                Ok(quote) if best.is_none_or(|best| quote.total < best.total) => {
                    let room_type = stock.inventory.room_type.id;
                    best = Some(Best { total: quote.total, room_type, rate_plan: quote.rate_plan });
                }
                Ok(_) => {}
                Err(refusal) if nearest.as_ref().is_none_or(|nearest| distance(&refusal) < distance(nearest)) => {
                    nearest = Some(refusal);
                }
                Err(_) => {}
            }
        }
        // A hotel that sells no rooms at all is closed.
        best.ok_or_else(|| nearest.map_or("closed", |refusal| refusal.name()))
    }
}

/// How far a refusal is from a yes: another length or date might do, somebody might cancel, the house might open.
fn distance(refusal: &Refusal) -> u8 {
    match refusal.name() {
        "restricted" => 0,
        "sold_out" => 1,
        "closed" => 2,
        "occupancy" => 3,
        _ => 4,
    }
}
