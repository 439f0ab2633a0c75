//! The calendar of a hotel: the cheapest stay for every arrival date, or the reason why there is none.

use super::Index;
use super::listing::HotelStock;
use crate::domain::quote::Enquiry;
use crate::domain::{
    Amount, Currency, Date, HotelId, Party, RatePlanId, Refusal, RoomTypeId, Stay, Timestamp, stay::dates,
};

/// A stay of some length without dates.
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
    /// The cheapest room type. Otherwise the name of the least severe refusal.
    pub best: Result<Best, &'static str>,
}

/// The cheapest stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Best {
    /// For all nights and all rooms.
    pub total: Amount,
    pub room_type: RoomTypeId,
    pub rate_plan: RatePlanId,
}

impl Index {
    /// Every arrival date of [from, to). `None` if there is no such hotel.
    pub fn calendar(&self, hotel: HotelId, from: Date, to: Date, visit: Visit, now: Timestamp) -> Option<Arrivals> {
        let listing = self.hotel(hotel)?;
        let stock = listing.read();
        let today = stock.hotel.today(now);
        let arrival = |check_in| Arrival { check_in, best: stock.best(check_in, visit, today) };
        Some(Arrivals { currency: listing.currency, today, days: dates(from, to).map(arrival).collect() })
    }
}

impl HotelStock {
    fn best(&self, check_in: Date, visit: Visit, today: Date) -> Result<Best, &'static str> {
        let nights = jiff::Span::new().days(i64::from(visit.nights));
        let stay = check_in.checked_add(nights).ok().and_then(|check_out| Stay::new(check_in, check_out).ok());
        // After the last date of the calendar type, no night exists.
        let Some(stay) = stay else { return Err("beyond_horizon") };
        let Visit { rooms, party, .. } = visit;
        let enquiry = Enquiry { stay, rooms, party, rate_plan: None, forced: false, keeping: None };
        let mut best: Option<Best> = None;
        let mut mildest: Option<Refusal> = None;
        for stock in &self.room_types {
            match stock.inventory.quote_on(&enquiry, today) {
                Ok(quote) if best.is_none_or(|best| quote.total < best.total) => {
                    let room_type = stock.inventory.room_type.id;
                    best = Some(Best { total: quote.total, room_type, rate_plan: quote.rate_plan });
                }
                Ok(_) => {}
                Err(refusal) if mildest.as_ref().is_none_or(|mildest| severity(&refusal) < severity(mildest)) => {
                    mildest = Some(refusal);
                }
                Err(_) => {}
            }
        }
        // A hotel without room types is closed.
        best.ok_or_else(|| mildest.map_or("closed", |refusal| refusal.name()))
    }
}

/// The severity of a refusal: another length or date may help, then a cancellation, then opening the hotel.
fn severity(refusal: &Refusal) -> u8 {
    match refusal.name() {
        "restricted" => 0,
        "sold_out" => 1,
        "closed" => 2,
        "occupancy" => 3,
        _ => 4,
    }
}
