//! The demand for rooms: the replay in numbers, without any refusal.

use std::collections::BTreeMap;

use jiff::ToSpan;

use super::row::Reservation;
use super::schedule::{Phase, Schedule};
use super::source::Source;
use crate::domain::calendar::MAX_ROOMS;
use crate::domain::{Date, Stay};

/// The rule for the number of rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// The fewest rooms with which nothing is refused.
    Peak,
    /// The 95th percentile of nightly demand.
    P95,
    Rooms(u16),
}

impl std::str::FromStr for Capacity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rooms = || text.parse().ok().filter(|rooms| *rooms <= MAX_ROOMS).map(Self::Rooms);
        match text {
            "peak" => Ok(Self::Peak),
            "p95" => Ok(Self::P95),
            _ => rooms().ok_or_else(|| format!("must be peak, p95, or a number of rooms from 0 to {MAX_ROOMS}")),
        }
    }
}

/// For each room type and night, the largest number of rooms sold at any moment when nothing is refused.
pub type Demand = Vec<BTreeMap<Date, u32>>;

/// The number of rooms of each room type.
pub type Rooms = Vec<u16>;

/// Counts along the schedule, as the replay does.
pub fn demand(source: &Source, schedule: &Schedule) -> Demand {
    let mut sold: Demand = vec![BTreeMap::new(); source.room_types.len()];
    let mut most = sold.clone();
    for (_, phase, indexes) in schedule.phases() {
        for reservation in indexes.iter().filter_map(|index| source.reservations.get(*index)) {
            let (Some(sold), Some(most)) = (sold.get_mut(reservation.room_type), most.get_mut(reservation.room_type))
            else {
                continue;
            };
            if phase == Phase::Book {
                for night in reservation.stay.dates() {
                    let sold = sold.entry(night).or_default();
                    *sold += 1;
                    let most = most.entry(night).or_default();
                    *most = (*most).max(*sold);
                }
            }
            for night in freed(reservation, phase) {
                sold.entry(night).and_modify(|sold| *sold = sold.saturating_sub(1));
            }
        }
    }
    most
}

/// The nights that a move gives back.
fn freed(reservation: &Reservation, phase: Phase) -> impl Iterator<Item = Date> {
    let kept: Option<Stay> = match phase {
        Phase::Cancel | Phase::CancelSameDay => None,
        Phase::NoShow => Some(reservation.stay.until(reservation.stay.check_in())),
        Phase::CheckOut | Phase::Book | Phase::CheckIn => Some(reservation.stay),
    };
    reservation.stay.dates().filter(move |night| !kept.is_some_and(|kept| kept.contains(*night)))
}

/// The number of rooms of each room type.
pub fn rooms(capacity: Capacity, source: &Source, demand: &Demand) -> Rooms {
    let rooms = |(nights, room_type): (&BTreeMap<Date, u32>, &super::source::NamedRoomType)| match capacity {
        Capacity::Rooms(rooms) => rooms,
        Capacity::Peak => limited(nights.values().copied().max().unwrap_or(0)),
        Capacity::P95 => {
            let Some((first, last)) = source.arrivals(room_type.hotel) else { return 0 };
            let span = first.series(1.day()).take_while(|night| *night <= last);
            limited(percentile(95, span.map(|night| nights.get(&night).copied().unwrap_or(0)).collect()))
        }
    };
    demand.iter().zip(&source.room_types).map(rooms).collect()
}

/// A demand beyond the limit of rooms leads to refusals, not to an error.
fn limited(rooms: u32) -> u16 {
    u16::try_from(rooms).unwrap_or(u16::MAX).min(MAX_ROOMS)
}

/// The nearest-rank percentile: the smallest value that at least `percent` of all values do not exceed.
fn percentile(percent: usize, mut values: Vec<u32>) -> u32 {
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rstest::rstest;

    use super::*;
    use crate::cli::import::row::End;
    use crate::cli::import::schedule::tests::{cancelled, reservation};
    use crate::cli::import::source::NamedRoomType;

    fn source(reservations: Vec<Reservation>) -> Source {
        let room_types = vec![NamedRoomType { hotel: 0, name: "A".into() }];
        Source { reservations, room_types, hotels: vec!["Resort".into()], ..Source::default() }
    }

    fn most(source: &Source) -> Vec<(i8, u32)> {
        let demand = demand(source, &Schedule::of(&source.reservations));
        demand[0].iter().map(|(night, most)| (night.day(), *most)).collect()
    }

    #[test]
    fn demand_counts_bookings_that_were_cancelled_later() {
        let first = reservation(1, 10, 2, cancelled(3));
        let overlapping = reservation(2, 11, 2, End::CheckedOut);
        let later = reservation(4, 10, 1, End::CheckedOut);
        assert_eq!(most(&source(vec![first, overlapping, later])), [(10, 1), (11, 2), (12, 1)]);
    }

    #[test]
    fn a_cancellation_frees_its_room_for_a_booking_of_the_same_day() {
        let first = reservation(1, 10, 1, cancelled(3));
        let second = reservation(3, 10, 1, End::CheckedOut);
        assert_eq!(most(&source(vec![second, first])), [(10, 1)]);
    }

    #[test]
    fn a_booking_cancelled_on_its_own_day_needs_a_room() {
        let fleeting = reservation(3, 10, 1, cancelled(3));
        let other = reservation(3, 10, 1, End::CheckedOut);
        assert_eq!(most(&source(vec![fleeting, other])), [(10, 2)]);
    }

    #[test]
    fn a_no_show_frees_the_nights_after_the_first() {
        let absent = reservation(1, 10, 3, End::NoShow);
        let walk_in = reservation(11, 11, 1, End::CheckedOut);
        assert_eq!(most(&source(vec![absent, walk_in])), [(10, 1), (11, 1), (12, 1)]);
    }

    #[test]
    fn peak_takes_the_fullest_night_and_p95_ignores_the_fullest_twentieth() {
        let daily = (1..=20).map(|day| reservation(1, day, 1, End::CheckedOut));
        let fair = (0..9).map(|_| reservation(1, 7, 1, End::CheckedOut));
        let source = source(daily.chain(fair).collect());
        let demand = demand(&source, &Schedule::of(&source.reservations));
        assert_eq!(rooms(Capacity::Peak, &source, &demand), [10]);
        assert_eq!(rooms(Capacity::P95, &source, &demand), [1]);
        assert_eq!(rooms(Capacity::Rooms(4), &source, &demand), [4]);
    }

    #[rstest]
    #[case(95, (1..=100).collect(), 95)]
    #[case(95, (1..=20).collect(), 19)]
    #[case(95, (1..=21).collect(), 20)]
    #[case(95, vec![7], 7)]
    #[case(95, vec![], 0)]
    #[case(50, vec![3, 1, 2], 2)]
    fn percentiles_are_nearest_rank(#[case] percent: usize, #[case] values: Vec<u32>, #[case] expected: u32) {
        assert_eq!(percentile(percent, values), expected);
    }

    #[rstest]
    #[case("peak", Ok(Capacity::Peak))]
    #[case("p95", Ok(Capacity::P95))]
    #[case("12", Ok(Capacity::Rooms(12)))]
    fn capacities_have_names(#[case] text: &str, #[case] capacity: Result<Capacity, String>) {
        assert_eq!(text.parse(), capacity);
        for wrong in ["p99", "-1", "10001", ""] {
            assert!(wrong.parse::<Capacity>().is_err());
        }
    }

    #[test]
    fn nights_outside_the_arrivals_do_not_count_for_a_percentile() {
        let long = reservation(1, 1, 25, End::CheckedOut);
        let source = source(vec![long, reservation(1, 2, 1, End::CheckedOut)]);
        let demand = demand(&source, &Schedule::of(&source.reservations));
        assert_eq!(demand[0].len(), 25);
        assert_eq!(source.arrivals(0), Some((date(2016, 5, 1), date(2016, 5, 2))));
        assert_eq!(rooms(Capacity::P95, &source, &demand), [2]);
    }
}
