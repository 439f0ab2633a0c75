//! The schedule: the moves of each day in six phases. Moves of one phase do not depend on each other, except bookings, which
//! keep the order of the file.

use std::collections::BTreeMap;

use super::row::{End, Reservation};
use crate::domain::Date;

/// The phases of a day, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    CheckOut,
    /// Of bookings made on an earlier day.
    Cancel,
    Book,
    /// Of bookings made today.
    CancelSameDay,
    NoShow,
    CheckIn,
}

impl Phase {
    /// Moves of one wave may be under way together. The first and the last wave of a day only free rooms, in any order. The
    /// second wave takes rooms, in the order of the file.
    const fn wave(self) -> u8 {
        match self {
            Self::CheckOut | Self::Cancel => 0,
            Self::Book => 1,
            Self::CancelSameDay | Self::NoShow | Self::CheckIn => 2,
        }
    }

    pub const fn past_participle(self) -> &'static str {
        match self {
            Self::CheckOut => "checked out",
            Self::Cancel | Self::CancelSameDay => "cancelled",
            Self::Book => "booked",
            Self::NoShow => "marked as a no-show",
            Self::CheckIn => "checked in",
        }
    }
}

/// Every move by date and phase: indexes into the reservations, in the order of the file.
#[derive(Debug, Default)]
pub struct Schedule(BTreeMap<(Date, Phase), Vec<usize>>);

impl Schedule {
    pub fn of(reservations: &[Reservation]) -> Self {
        let mut schedule = Self::default();
        for (index, reservation) in reservations.iter().enumerate() {
            for slot in slots(reservation) {
                schedule.0.entry(slot).or_default().push(index);
            }
        }
        schedule
    }

    /// All phases in order.
    pub fn phases(&self) -> impl Iterator<Item = (Date, Phase, &[usize])> {
        self.0.iter().map(|(&(date, phase), indexes)| (date, phase, indexes.as_slice()))
    }

    /// All waves in order.
    pub fn waves(&self) -> impl Iterator<Item = (Date, Vec<(Phase, usize)>)> {
        let mut phases = self.phases().peekable();
        std::iter::from_fn(move || {
            let (date, phase, indexes) = phases.next()?;
            let mut moves: Vec<_> = indexes.iter().map(|&index| (phase, index)).collect();
            let same_wave = |next: &(Date, Phase, &[usize])| next.0 == date && next.1.wave() == phase.wave();
            while let Some((_, phase, indexes)) = phases.next_if(same_wave) {
                moves.extend(indexes.iter().map(|&index| (phase, index)));
            }
            Some((date, moves))
        })
    }

    /// The number of moves.
    pub fn moves(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// The day of the first move.
    pub fn first_day(&self) -> Option<Date> {
        self.0.first_key_value().map(|(&(date, _), _)| date)
    }
}

fn slots(reservation: &Reservation) -> impl Iterator<Item = (Date, Phase)> {
    let Reservation { booked_on, stay, end, .. } = *reservation;
    let (next, last) = match end {
        End::Cancelled { on } if on == booked_on => ((on, Phase::CancelSameDay), None),
        End::Cancelled { on } => ((on, Phase::Cancel), None),
        End::NoShow => ((stay.check_in(), Phase::NoShow), None),
        End::CheckedOut => ((stay.check_in(), Phase::CheckIn), Some((stay.check_out(), Phase::CheckOut))),
    };
    [Some((booked_on, Phase::Book)), Some(next), last].into_iter().flatten()
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;
    use crate::cli::import::row::Ages;
    use crate::domain::{Amount, Stay};

    /// A reservation of room type 0, booked on a day of May, for nights from another.
    pub fn reservation(booked: i8, arrival: i8, nights: i64, end: End) -> Reservation {
        let arrival = date(2016, 5, arrival);
        let stay = Stay::new(arrival, arrival.checked_add(nights.days()).unwrap()).unwrap();
        let party = Ages { adults: 2, children: 0, babies: 0 };
        let price = Amount(10_000);
        Reservation { line: 2, room_type: 0, booked_on: date(2016, 5, booked), stay, party, price, end }
    }

    pub fn cancelled(on: i8) -> End {
        End::Cancelled { on: date(2016, 5, on) }
    }

    #[test]
    fn a_day_frees_rooms_before_it_sells_them() {
        let reservations = [
            reservation(1, 5, 1, End::CheckedOut),
            reservation(5, 9, 1, cancelled(5)),
            reservation(1, 9, 1, cancelled(5)),
            reservation(5, 5, 2, End::NoShow),
            reservation(2, 4, 1, End::CheckedOut),
        ];
        let schedule = Schedule::of(&reservations);
        let day: Vec<_> = schedule.phases().filter(|(day, ..)| *day == date(2016, 5, 5)).collect();
        let phases: Vec<_> = day.iter().map(|(_, phase, indexes)| (*phase, indexes.to_vec())).collect();
        assert_eq!(
            phases,
            [
                (Phase::CheckOut, vec![4]),
                (Phase::Cancel, vec![2]),
                (Phase::Book, vec![1, 3]),
                (Phase::CancelSameDay, vec![1]),
                (Phase::NoShow, vec![3]),
                (Phase::CheckIn, vec![0]),
            ]
        );
        let waves: Vec<_> =
            schedule.waves().filter(|(day, _)| *day == date(2016, 5, 5)).map(|(_, wave)| wave).collect();
        assert_eq!(waves[0], [(Phase::CheckOut, 4), (Phase::Cancel, 2)]);
        assert_eq!(waves[1], [(Phase::Book, 1), (Phase::Book, 3)]);
        assert_eq!(waves[2], [(Phase::CancelSameDay, 1), (Phase::NoShow, 3), (Phase::CheckIn, 0)]);
        assert_eq!(schedule.first_day(), Some(date(2016, 5, 1)));
        assert_eq!(schedule.moves(), 3 + 2 + 2 + 2 + 3);
    }
}
