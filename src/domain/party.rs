//! Guests with their ages, and how many of them a room takes.

use serde::{Deserialize, Serialize};

use super::{Violation, text};

/// From this age (in years, on arrival) a guest counts as an adult.
pub const ADULT_FROM_AGE: u8 = 18;
/// The oldest age accepted, in years.
pub const MAX_AGE: u8 = 150;

/// One person of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// Full name, 1 to 200 characters.
    pub name: String,
    /// In years, 0 to [`MAX_AGE`].
    pub age: u8,
}

impl Guest {
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 200;

    /// Checks a name and an age; violations point to `/name` and `/age`.
    pub fn new(name: &str, age: i64) -> Result<Self, Violation> {
        let name = text::line(name, Self::MAX_NAME, "/name")?;
        match u8::try_from(age) {
            Ok(age) if age <= MAX_AGE => Ok(Self { name, age }),
            _ => Err(Violation::new("/age", "age_range", format!("must be from 0 to {MAX_AGE}"))),
        }
    }
}

/// The numbers of adults and children of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub adults: u16,
    pub children: u16,
}

impl Party {
    /// Counts guests by [`ADULT_FROM_AGE`].
    pub fn of(guests: &[Guest]) -> Self {
        let adults = guests.iter().filter(|guest| guest.age >= ADULT_FROM_AGE).count();
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        Self { adults: count(adults), children: count(guests.len() - adults) }
    }

    /// Whether there is at least one adult per room.
    pub fn has_adult_in_each(self, rooms: u16) -> bool {
        rooms >= 1 && self.adults >= rooms
    }

    pub fn persons(self) -> u32 {
        u32::from(self.adults) + u32::from(self.children)
    }
}

/// How many people one room of a type takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupancy {
    pub max_adults: u16,
    pub max_children: u16,
    /// Adults and children together.
    pub max_occupancy: u16,
}

impl Occupancy {
    /// The upper limit of each of these numbers.
    pub const MAX_PEOPLE: u16 = 100;

    /// Whether `rooms` rooms have enough places for this party.
    pub fn has_places(self, party: Party, rooms: u16) -> bool {
        let rooms = u32::from(rooms);
        party.persons() >= 1
            && u32::from(party.adults) <= rooms * u32::from(self.max_adults)
            && u32::from(party.children) <= rooms * u32::from(self.max_children)
            && party.persons() <= rooms * u32::from(self.max_occupancy)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(-1, false)]
    #[case(0, true)]
    #[case(150, true)]
    #[case(151, false)]
    #[case(i64::MAX, false)]
    fn an_age_is_from_0_to_150(#[case] age: i64, #[case] accepted: bool) {
        let guest = Guest::new("Ana Lopes", age);
        assert_eq!(guest.is_ok(), accepted);
        if let Err(violation) = guest {
            assert_eq!((violation.pointer.as_str(), violation.rule), ("/age", "age_range"));
        }
    }

    #[test]
    fn a_guest_has_a_name() {
        assert_eq!(Guest::new(" ", 30).unwrap_err().pointer, "/name");
    }

    #[test]
    fn an_eighteen_year_old_is_an_adult() {
        let guests = [18, 17, 0].map(|age| Guest::new("A", age).unwrap());
        assert_eq!(Party::of(&guests), Party { adults: 1, children: 2 });
    }

    #[rstest]
    #[case(2, 1, 1, true)]
    #[case(3, 0, 1, false)] // too many adults
    #[case(1, 3, 1, false)] // too many children
    #[case(2, 2, 1, false)] // too many together
    #[case(2, 2, 2, true)] // but two rooms take them
    #[case(0, 1, 1, true)] // an adult is another rule's business
    #[case(0, 0, 1, false)] // nobody
    #[case(2, 0, 0, false)] // no room
    fn occupancy_limits_each_room(#[case] adults: u16, #[case] children: u16, #[case] rooms: u16, #[case] fits: bool) {
        let double = Occupancy { max_adults: 2, max_children: 2, max_occupancy: 3 };
        assert_eq!(double.has_places(Party { adults, children }, rooms), fits);
    }

    #[rstest]
    #[case(1, 1, true)]
    #[case(2, 1, true)]
    #[case(1, 2, false)]
    #[case(0, 1, false)] // children alone
    #[case(1, 0, false)] // no room
    fn every_room_needs_an_adult(#[case] adults: u16, #[case] rooms: u16, #[case] holds: bool) {
        assert_eq!(Party { adults, children: 1 }.has_adult_in_each(rooms), holds);
    }
}
