//! Restrictions: nights, arrivals, departures and lengths of stay that are not for sale.

use serde::{Deserialize, Serialize};

use super::refusal::Reason;

/// The restrictions of one night, of a room type or of one rate plan. A length of 0 means no limit.
///
/// Minimum and maximum nights exist twice, because hotels use both kinds. "On arrival" reads the arrival date only.
/// "Through" reads every night of the stay, and the strictest applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Restriction {
    /// No new sale of this night.
    pub stop_sell: bool,
    /// No guest may arrive on this date.
    pub closed_to_arrival: bool,
    /// No guest may depart on this date.
    pub closed_to_departure: bool,
    pub min_nights_arrival: u8,
    pub max_nights_arrival: u8,
    pub min_nights_through: u8,
    pub max_nights_through: u8,
}

impl Restriction {
    /// No restriction at all.
    pub const NONE: Self = Self {
        stop_sell: false,
        closed_to_arrival: false,
        closed_to_departure: false,
        min_nights_arrival: 0,
        max_nights_arrival: 0,
        min_nights_through: 0,
        max_nights_through: 0,
    };

    pub fn is_open(self) -> bool {
        self == Self::NONE
    }

    /// Combines two restrictions: closed if either is closed, the longer minimum, the shorter maximum. An open room
    /// type does not open a closed rate plan, or the reverse.
    pub fn and(self, other: Self) -> Self {
        Self {
            stop_sell: self.stop_sell || other.stop_sell,
            closed_to_arrival: self.closed_to_arrival || other.closed_to_arrival,
            closed_to_departure: self.closed_to_departure || other.closed_to_departure,
            min_nights_arrival: self.min_nights_arrival.max(other.min_nights_arrival),
            max_nights_arrival: shorter(self.max_nights_arrival, other.max_nights_arrival),
            min_nights_through: self.min_nights_through.max(other.min_nights_through),
            max_nights_through: shorter(self.max_nights_through, other.max_nights_through),
        }
    }

    /// The reason if no guest may arrive on this date.
    pub fn refuses_arrival(self) -> Option<Reason> {
        self.closed_to_arrival.then_some(Reason::ClosedToArrival)
    }

    /// The reason if a stay of `nights` nights may not arrive on this date.
    pub fn refuses_length_on_arrival(self, nights: u16) -> Option<Reason> {
        refuses_length(nights, self.min_nights_arrival, self.max_nights_arrival)
    }

    /// The reason if a stay of `nights` nights may not include this night.
    pub fn refuses_length_through(self, nights: u16) -> Option<Reason> {
        refuses_length(nights, self.min_nights_through, self.max_nights_through)
    }
}

fn shorter(a: u8, b: u8) -> u8 {
    match (a, b) {
        (0, limit) | (limit, 0) => limit,
        (a, b) => a.min(b),
    }
}

fn refuses_length(nights: u16, min: u8, max: u8) -> Option<Reason> {
    if nights < u16::from(min) {
        return Some(Reason::MinNights { min });
    }
    if max > 0 && nights > u16::from(max) {
        return Some(Reason::MaxNights { max });
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_stricter_of_two_wins() {
        let a = Restriction { stop_sell: true, min_nights_through: 2, max_nights_arrival: 7, ..Restriction::default() };
        let b = Restriction { closed_to_arrival: true, min_nights_through: 3, ..Restriction::default() };
        let both = a.and(b);
        assert_eq!(both, b.and(a));
        assert!(both.stop_sell && both.closed_to_arrival && !both.closed_to_departure);
        assert_eq!((both.min_nights_through, both.max_nights_arrival), (3, 7));
        assert_eq!(a.and(Restriction::default()), a);
    }

    #[test]
    fn zero_is_no_limit() {
        assert_eq!(Restriction::default().refuses_length_on_arrival(999), None);
        assert_eq!(Restriction::default().refuses_length_through(1), None);
    }

    #[test]
    fn limits_are_inclusive() {
        let rule = Restriction { min_nights_arrival: 2, max_nights_arrival: 4, ..Restriction::default() };
        assert_eq!(rule.refuses_length_on_arrival(1), Some(Reason::MinNights { min: 2 }));
        assert_eq!(rule.refuses_length_on_arrival(2), None);
        assert_eq!(rule.refuses_length_on_arrival(4), None);
        assert_eq!(rule.refuses_length_on_arrival(5), Some(Reason::MaxNights { max: 4 }));
    }

    prop_compose! {
        fn any_restriction()(closed: [bool; 3], lengths: [u8; 4]) -> Restriction {
            let [stop_sell, closed_to_arrival, closed_to_departure] = closed;
            let [min_nights_arrival, max_nights_arrival, min_nights_through, max_nights_through] = lengths;
            Restriction {
                stop_sell, closed_to_arrival, closed_to_departure,
                min_nights_arrival, max_nights_arrival, min_nights_through, max_nights_through,
            }
        }
    }

    proptest! {
        #[test]
        fn restrictions_add_up_in_any_order_and_number(
            a in any_restriction(),
            b in any_restriction(),
            c in any_restriction(),
        ) {
            prop_assert_eq!(a.and(b), b.and(a));
            prop_assert_eq!(a.and(b).and(c), a.and(b.and(c)));
            prop_assert_eq!(a.and(a), a);
            prop_assert_eq!(a.and(Restriction::default()), a);
        }
    }
}
