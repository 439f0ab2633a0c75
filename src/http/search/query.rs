//! What somebody looks for, and where the page before ended.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::order::{MAX_GUESTS, MAX_ROOMS_PER_BOOKING};
use crate::domain::violation::{Violations, text};
use crate::domain::{HotelId, Party, Stay, Violation};
use crate::http::page::{Paging, bad_cursor, decode, encode};
use crate::http::value::{Day, whole};

/// The parameters of a search.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    city: String,
    checkin_date: Day,
    checkout_date: Day,
    adults: Option<i64>,
    children: Option<i64>,
    rooms: Option<i64>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// A well-formed search.
#[derive(Debug)]
pub struct Search {
    pub city: String,
    pub stay: Stay,
    pub party: Party,
    pub rooms: u16,
    pub limit: usize,
    pub after: Option<Position>,
}

/// Where a hotel stands in the results. Amounts of different currencies are not compared: each has its own run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    currency: String,
    total_minor: i64,
    hotel: Uuid,
}

impl SearchQuery {
    /// The search, or everything that is wrong with it.
    pub fn check(self) -> Result<Search, Vec<Violation>> {
        let mut violations = Violations::default();
        let people = |given: Option<i64>, usual, min: u16, pointer: &str| {
            whole(given.unwrap_or(usual), min, MAX_GUESTS as u16, pointer, "guests_range")
        };
        let city = violations.keep(text(&self.city, 100, "/city"));
        let stay = violations.keep(Stay::new(self.checkin_date.0, self.checkout_date.0));
        let adults = violations.keep(people(self.adults, 2, 1, "/adults"));
        let children = violations.keep(people(self.children, 0, 0, "/children"));
        let rooms = self.rooms.unwrap_or(1);
        let rooms = violations.keep(whole(rooms, 1, MAX_ROOMS_PER_BOOKING, "/rooms", "rooms_range"));
        let paging = Paging { limit: self.limit, cursor: None };
        let limit = violations.keep(paging.limit());
        let after = violations.keep(self.cursor.as_deref().map(Position::decode).transpose());
        let search = (|| {
            let party = Party { adults: adults?, children: children? };
            let limit = limit? as usize;
            Some(Search { city: city?, stay: stay?, party, rooms: rooms?, limit, after: after? })
        })();
        violations.finish(search)
    }
}

impl Position {
    pub fn new(currency: &str, total_minor: i64, hotel: HotelId) -> Self {
        Self { currency: currency.to_owned(), total_minor, hotel: hotel.0 }
    }

    pub fn encode(&self) -> String {
        encode(&serde_json::to_vec(self).unwrap_or_default())
    }

    fn decode(cursor: &str) -> Result<Self, Violation> {
        serde_json::from_slice(&decode(cursor)?).map_err(|_| bad_cursor())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_its_cursor_and_sorts_by_price() {
        let cheap = Position::new("EUR", 9, HotelId(Uuid::from_u128(2)));
        let dear = Position::new("EUR", 10, HotelId(Uuid::from_u128(1)));
        assert_eq!(Position::decode(&cheap.encode()), Ok(cheap.clone()));
        assert!(cheap < dear);
        assert_eq!(Position::decode("AAAA").unwrap_err().rule, "cursor");
    }
}
