//! One search: the hotels that sell a stay, page by page in the requested order.
//!
//! Not every hotel is quoted. Each candidate has an earliest position: by price, the position if every night had its
//! lowest price. Hotels are quoted in this order until no later one can be on the page.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Index;
use super::globe;
use super::groups::Group;
use super::listing::{HotelStock, Listing, Sold};
use crate::domain::catalogue::{Coordinates, Zone};
use crate::domain::quote::Enquiry;
use crate::domain::{
    Amount, CancellationPolicy, Currency, Hotel, HotelId, Inventory, Party, Quote, Refusal, RoomTypeId, Stay, Timestamp,
};

/// What a client searches for.
#[derive(Debug, Clone)]
pub struct Search {
    pub place: SearchArea,
    pub stay: Stay,
    pub party: Party,
    pub rooms: u16,
    pub sort: Sort,
    /// The last position of the previous page.
    pub after: Option<Position>,
    /// Hotels per page.
    pub limit: usize,
}

/// Where a client searches.
#[derive(Debug, Clone)]
pub enum SearchArea {
    City(String),
    /// At most this many metres from a point.
    Around(Coordinates, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Cheapest first. Amounts of different currencies are not compared: results are grouped by currency.
    Price,
    /// Nearest first.
    Distance,
}

/// The position of a hotel in the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Position {
    Price { currency: Currency, total_minor: Amount, hotel: HotelId },
    Distance { metres: u32, hotel: HotelId },
}

/// A page of hotels.
#[derive(Debug, PartialEq)]
pub struct Page {
    pub offers: Vec<Offer>,
    /// The position after which the next page begins.
    pub next: Option<Position>,
}

/// A hotel with room types that can be booked for the stay.
#[derive(Debug, PartialEq)]
pub struct Offer {
    pub hotel: Arc<Hotel>,
    pub metres: Option<u32>,
    /// Price of the cheapest room type for all nights and all rooms.
    pub total: Amount,
    /// Cheapest first.
    pub room_types: Vec<RoomTypeOffer>,
}

/// A room type that can be booked for the stay.
#[derive(Debug, PartialEq)]
pub struct RoomTypeOffer {
    pub id: RoomTypeId,
    pub name: String,
    /// Every plan that sells the stay, cheapest first.
    pub plans: Vec<PlanQuote>,
    pub sequence: u64,
}

/// A plan that sells the stay, under the policy that a booking made now would get.
#[derive(Debug, PartialEq)]
pub struct PlanQuote {
    pub name: String,
    pub quote: Quote,
    pub policy: CancellationPolicy,
}

/// A hotel that may be on the page. Ordered by its earliest possible position.
struct Candidate<'a> {
    earliest: Position,
    metres: Option<u32>,
    listing: &'a Listing,
}

impl Index {
    /// The page of a search at `now`.
    pub fn search(&self, search: &Search, now: Timestamp) -> Page {
        let groups = self.groups(search);
        let mut candidates: BinaryHeap<_> =
            groups.iter().flat_map(|group| group.iter()).filter_map(|listing| search.candidate(listing)).collect();
        let mut found = BTreeMap::new();
        while let Some(Reverse(candidate)) = candidates.pop() {
            let full = found.len() > search.limit;
            if full && found.last_key_value().is_some_and(|(last, _)| *last < candidate.earliest) {
                break;
            }
            if let Some((position, offer)) = search.quote_candidate(&candidate, now, &found) {
                found.insert(position, offer);
                if found.len() > search.limit + 1 {
                    found.pop_last();
                }
            }
        }
        let more = found.len() > search.limit;
        let next = found.keys().nth(search.limit.saturating_sub(1)).copied().filter(|_| more);
        Page { offers: found.into_values().take(search.limit).collect(), next }
    }

    /// The refusal of a stay whose arrival date is over in every hotel there. Without hotels, the last time zone on
    /// earth decides.
    pub fn refusal(&self, search: &Search, now: Timestamp) -> Option<Refusal> {
        let check_in = search.stay.check_in();
        if check_in >= Zone::first_date(now) {
            return None;
        }
        let groups = self.groups(search);
        let hotels = groups.iter().flat_map(|group| group.iter());
        let mut today = None;
        for listing in hotels {
            let date = listing.read().hotel.today(now);
            if check_in >= date {
                return None;
            }
            today = Some(date);
        }
        let today = today.unwrap_or_else(|| Zone::last_date(now));
        (check_in < today).then_some(Refusal::ArrivalInThePast { today })
    }

    fn groups(&self, search: &Search) -> Vec<Group> {
        match &search.place {
            SearchArea::City(city) => vec![self.city(city)],
            SearchArea::Around(centre, radius) => {
                globe::squares(*centre, *radius).into_iter().map(|square| self.square(square)).collect()
            }
        }
    }
}

impl Search {
    fn enquiry(&self) -> Enquiry<'static> {
        Enquiry { stay: self.stay, rooms: self.rooms, party: self.party, rate_plan: None, forced: false, keeping: None }
    }

    fn candidate<'a>(&self, listing: &'a Listing) -> Option<Reverse<Candidate<'a>>> {
        let metres = match &self.place {
            SearchArea::City(_) => None,
            SearchArea::Around(centre, radius) => {
                let distance = globe::distance(*centre, listing.read().hotel.location?);
                (distance <= *radius).then_some(Some(distance.round() as u32))?
            }
        };
        let floor = listing.floor(self.party, self.rooms)?.times(self.stay.nights().into()).times(self.rooms.into());
        let earliest = self.position(listing, floor, metres);
        Some(Reverse(Candidate { earliest, metres, listing }))
    }

    fn position(&self, listing: &Listing, total: Amount, metres: Option<u32>) -> Position {
        match self.sort {
            Sort::Price => Position::Price { currency: listing.currency, total_minor: total, hotel: listing.id },
            Sort::Distance => Position::Distance { metres: metres.unwrap_or_default(), hotel: listing.id },
        }
    }

    /// Quotes a candidate. `None` if it does not sell the stay or cannot be on the page.
    fn quote_candidate(
        &self,
        candidate: &Candidate,
        now: Timestamp,
        found: &BTreeMap<Position, Offer>,
    ) -> Option<(Position, Offer)> {
        let seen = |position: Position| self.after.is_some_and(|after| position <= after);
        if self.sort == Sort::Distance && seen(candidate.earliest) {
            return None;
        }
        let stock = candidate.listing.read();
        let enquiry = self.enquiry();
        let total = stock.cheapest(&enquiry, now)?;
        let position = self.position(candidate.listing, total, candidate.metres);
        let too_late = found.len() > self.limit && found.last_key_value().is_some_and(|(last, _)| *last < position);
        if seen(position) || too_late {
            return None;
        }
        Some((position, Offer::new(&stock, candidate.metres, total, self.stay, stock.quotes(&enquiry, now))))
    }
}

impl Offer {
    fn new(stock: &HotelStock, metres: Option<u32>, total: Amount, stay: Stay, quotes: Vec<Sold<'_>>) -> Self {
        let offer = |(inventory, quotes): Sold<'_>| RoomTypeOffer::new(inventory, stay, quotes);
        let room_types = quotes.into_iter().map(offer).collect();
        Self { hotel: stock.hotel.clone(), metres, total, room_types }
    }
}

impl RoomTypeOffer {
    fn new(inventory: &Inventory, stay: Stay, quotes: Vec<Quote>) -> Self {
        let check_in = inventory.hotel.check_in_at(stay.check_in());
        let plan = |quote: Quote| {
            let plan = inventory.plan(quote.rate_plan)?;
            Some(PlanQuote { name: plan.name.clone(), quote, policy: plan.policy.stamped(check_in) })
        };
        Self {
            id: inventory.room_type.id,
            name: inventory.room_type.name.clone(),
            plans: quotes.into_iter().filter_map(plan).collect(),
            sequence: inventory.sequence(),
        }
    }
}

impl Ord for Candidate<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.earliest.cmp(&other.earliest)
    }
}

impl PartialOrd for Candidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.earliest == other.earliest
    }
}

impl Eq for Candidate<'_> {}
