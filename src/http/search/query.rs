//! The query parameters of a search.

use serde::Deserialize;

use crate::domain::catalogue::Coordinates;
use crate::domain::text;
use crate::domain::violation::Violations;
use crate::domain::{Stay, Violation};
use crate::http::page::{self, Paging, bad_cursor};
use crate::http::value::{Day, party};
use crate::search::{Position, Search, SearchArea, Sort};

/// The largest radius, in kilometres.
pub const MAX_RADIUS_KM: f64 = 500.0;

/// The parameters of a search.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    city: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    radius_km: Option<f64>,
    checkin_date: Day,
    checkout_date: Day,
    adults: Option<i64>,
    children: Option<i64>,
    rooms: Option<i64>,
    sort: Option<SortQuery>,
    limit: Option<i64>,
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SortQuery {
    Price,
    Distance,
}

impl SearchQuery {
    /// The search, or all violations.
    pub fn check(self) -> Result<Search, Vec<Violation>> {
        let mut violations = Violations::default();
        let place = self.place(&mut violations);
        let sort = violations.keep(self.sort());
        let stay = violations.keep(Stay::new(self.checkin_date.0, self.checkout_date.0));
        let party = party(self.adults, self.children, self.rooms, &mut violations);
        let limit = violations.keep(Paging { limit: self.limit, cursor: None }.limit());
        let after = violations.keep(self.cursor.as_deref().map(|cursor| decode(cursor, sort)).transpose());
        let search = (|| {
            let ((party, rooms), limit) = (party?, limit? as usize);
            Some(Search { place: place?, stay: stay?, party, rooms, sort: sort?, after: after?, limit })
        })();
        violations.finish(search)
    }

    /// A city, or a circle with all three parameters. Exactly one of them.
    fn place(&self, violations: &mut Violations) -> Option<SearchArea> {
        let circle = [self.latitude, self.longitude, self.radius_km];
        let [Some(latitude), Some(longitude), Some(radius)] = circle else {
            if circle.iter().any(Option::is_some) {
                let missing = ["/latitude", "/longitude", "/radius_km"].into_iter().zip(circle);
                for (pointer, _) in missing.filter(|(_, given)| given.is_none()) {
                    let message = "must be present with latitude, longitude and radius_km";
                    violations.keep(Err::<(), _>(Violation::new(pointer, "required", message)));
                }
                return None;
            }
            let message = "must be present, unless latitude, longitude and radius_km are";
            let city = self.city.as_deref().ok_or_else(|| Violation::new("/city", "required", message));
            return violations.keep(city.and_then(|city| text::line(city, 100, "/city"))).map(SearchArea::City);
        };
        if self.city.is_some() {
            let message = "must be absent if coordinates are present";
            violations.keep(Err::<(), _>(Violation::new("/city", "one_place", message)));
        }
        let centre = violations.keep(Coordinates::new(latitude, longitude));
        let radius = violations.keep(metres(radius));
        Some(SearchArea::Around(centre?, radius?))
    }

    fn sort(&self) -> Result<Sort, Violation> {
        match self.sort {
            None | Some(SortQuery::Price) => Ok(Sort::Price),
            Some(SortQuery::Distance) if self.latitude.is_some() => Ok(Sort::Distance),
            Some(SortQuery::Distance) => {
                let message = "distance needs latitude, longitude and radius_km";
                Err(Violation::new("/sort", "sort_needs_coordinates", message))
            }
        }
    }
}

fn metres(radius_km: f64) -> Result<f64, Violation> {
    match radius_km > 0.0 && radius_km <= MAX_RADIUS_KM {
        true => Ok(radius_km * 1_000.0),
        false => {
            let message = format!("must be more than 0 and at most {MAX_RADIUS_KM}");
            Err(Violation::new("/radius_km", "radius_range", message))
        }
    }
}

pub fn encode(position: Position) -> String {
    page::encode(&serde_json::to_vec(&position).unwrap_or_default())
}

/// A cursor is valid for the sort order of its page only.
fn decode(cursor: &str, sort: Option<Sort>) -> Result<Position, Violation> {
    let position = serde_json::from_slice(&page::decode(cursor)?).map_err(|_| bad_cursor())?;
    match (position, sort) {
        (Position::Price { .. }, Some(Sort::Distance)) | (Position::Distance { .. }, Some(Sort::Price)) => {
            Err(bad_cursor())
        }
        _ => Ok(position),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Amount, HotelId};

    #[test]
    fn a_position_survives_its_cursor_and_sorts_by_price() {
        let hotel = |number| HotelId(Uuid::from_u128(number));
        let currency = "EUR".parse().unwrap();
        let cheap = Position::Price { currency, total_minor: Amount(9), hotel: hotel(2) };
        let dear = Position::Price { currency, total_minor: Amount(10), hotel: hotel(1) };
        let near = Position::Distance { metres: 10, hotel: hotel(1) };
        assert_eq!(decode(&encode(cheap), Some(Sort::Price)), Ok(cheap));
        assert_eq!(decode(&encode(near), Some(Sort::Distance)), Ok(near));
        assert!(cheap < dear);
        assert_eq!(decode("AAAA", Some(Sort::Price)).unwrap_err().rule, "cursor");
        assert_eq!(decode(&encode(near), Some(Sort::Price)).unwrap_err().rule, "cursor");
    }
}
