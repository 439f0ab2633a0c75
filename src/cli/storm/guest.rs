//! Guests: each decides on its next request.

use super::Mix;
use super::acknowledged::Acknowledged;
use super::api::{Answer, Booking, Nights, Order, Request};
use super::targets::{SHORTEST, Target, Targets};
use crate::client::Search;
use crate::clock::{IdSource, System};
use crate::domain::stay::days_between;
use fastrand::Rng;
use jiff::ToSpan;

/// Searches and reads of availability among a thousand requests of [`Mix::ReadMostly`]. Half of the rest are bookings.
const SEARCHES: u32 = 600;
const AVAILABILITIES: u32 = 390;

/// One guest, with at most one request under way.
pub struct Guest {
    mix: Mix,
    rng: Rng,
    /// A write with an unknown outcome. It is repeated with the same key.
    unknown_outcome: Option<Request>,
    /// The booking of this guest, as it was last acknowledged.
    own: Option<Booking>,
    /// Whether the last request was a change of the booking.
    changed: bool,
}

impl Guest {
    pub fn of(mix: Mix) -> Self {
        Self { mix, rng: Rng::new(), unknown_outcome: None, own: None, changed: false }
    }

    /// The next request.
    pub fn next(&mut self, targets: &Targets) -> Request {
        if let Some(again) = self.unknown_outcome.take() {
            return again;
        }
        match (self.mix, self.own.clone()) {
            (Mix::Hot | Mix::Spread, _) => self.book(targets),
            (Mix::LastRoom, Some(own)) => cancel(&own),
            (Mix::LastRoom, None) => self.book_all_free_rooms(targets),
            (Mix::Churn, Some(own)) if self.changed => cancel(&own),
            (Mix::Churn, Some(own)) => self.amend(&own),
            (Mix::Churn, None) => self.book(targets),
            (Mix::ReadMostly, own) => self.read_mostly(targets, own),
        }
    }

    /// Takes the answer to a request.
    pub fn receive(&mut self, request: Request, answer: Answer, acknowledged: &Acknowledged) {
        self.changed = matches!(request, Request::Amend { .. });
        match answer {
            Answer::Accepted(Some(booking)) if request.is_write() => self.count(&request, booking, acknowledged),
            Answer::Refused if matches!(request, Request::Cancel { .. }) => self.own = None,
            answer if answer.is_unknown_outcome() && request.is_write() => self.unknown_outcome = Some(request),
            Answer::Accepted(_) | Answer::Refused | Answer::Failed(_) | Answer::Lost => {}
        }
    }

    fn count(&mut self, request: &Request, booking: Booking, acknowledged: &Acknowledged) {
        let before = self.own.take().filter(|own| own.id == booking.id);
        acknowledged.count(before.as_ref(), &booking);
        let is_finished = matches!(self.mix, Mix::Hot | Mix::Spread) || matches!(request, Request::Cancel { .. });
        self.own = (!is_finished).then_some(booking);
    }

    /// Takes out the write with an unknown outcome.
    pub fn unknown_outcome(&mut self) -> Option<Request> {
        self.unknown_outcome.take()
    }

    fn read_mostly(&mut self, targets: &Targets, own: Option<Booking>) -> Request {
        match (self.rng.u32(..1_000), own) {
            (..SEARCHES, _) => {
                let target = self.target(targets);
                let nights = self.nights(target);
                Request::Search(Search::in_city(&target.city, [nights.from, nights.to]))
            }
            (drawn, _) if drawn < SEARCHES + AVAILABILITIES => {
                let target = self.target(targets);
                let nights = target.nights.min(self.rng.usize(SHORTEST..=31));
                Request::Availability { room_type: target.room_type, nights: Nights::from(target.first, nights) }
            }
            (drawn, Some(own)) if drawn % 2 == 0 => Request::Read { booking: own.id, token: own.manage_token },
            _ => self.book(targets),
        }
    }

    fn book(&mut self, targets: &Targets) -> Request {
        let target = self.target(targets);
        let (room_type, guests) = (target.room_type, target.guests);
        let order = Order { room_type, nights: self.nights(target), rooms: 1, guests };
        Request::Book { key: System.next(), order }
    }

    /// All rooms that are free on a few nights. A second guest with the same request is refused.
    fn book_all_free_rooms(&mut self, targets: &Targets) -> Request {
        let target = self.target(targets);
        let (room_type, rooms) = (target.room_type, target.free);
        let order = Order { room_type, nights: self.nights(target), rooms, guests: rooms };
        Request::Book { key: System.next(), order }
    }

    /// One night longer, or arrival one night later.
    fn amend(&self, own: &Booking) -> Request {
        let (from, to) = (own.checkin_date, own.checkout_date);
        let nights = match days_between(from, to) {
            ..3 => Nights { from, to: to.saturating_add(1.day()) },
            _ => Nights { from: from.saturating_add(1.day()), to },
        };
        Request::Amend { key: System.next(), booking: own.id, token: own.manage_token.clone(), nights }
    }

    fn target<'t>(&mut self, targets: &'t Targets) -> &'t Target {
        &targets.0[self.rng.usize(..targets.0.len())]
    }

    /// One to three of a target's nights. One more night is left for a change.
    fn nights(&mut self, target: &Target) -> Nights {
        let nights = self.rng.usize(1..SHORTEST);
        let last = target.nights.saturating_sub(nights + 1);
        let first = i64::try_from(self.rng.usize(..=last)).unwrap_or_default();
        Nights::from(target.first.saturating_add(first.days()), nights)
    }
}

fn cancel(own: &Booking) -> Request {
    Request::Cancel { key: System.next(), booking: own.id, token: own.manage_token.clone() }
}

#[cfg(test)]
mod tests {
    use crate::client::StatusCode;
    use jiff::civil::date;

    use super::super::testing::{booking, june};
    use super::*;

    fn targets() -> Targets {
        let before = june(1, &[0; 20]);
        let (room_type, city) = (uuid::Uuid::from_u128(7), "Lisbon".to_owned());
        let target = Target { room_type, city, guests: 2, first: date(2026, 6, 1), nights: 20, free: 2, before };
        Targets(vec![target])
    }

    #[test]
    fn churn_books_changes_cancels_and_books_again() {
        let (targets, mut guest) = (targets(), Guest::of(Mix::Churn));
        let acknowledged = Acknowledged::none_of(&targets);
        let mut seen = Vec::new();
        for status in ["confirmed", "confirmed", "cancelled", "confirmed"] {
            let request = guest.next(&targets);
            seen.push(match request {
                Request::Book { .. } => "book",
                Request::Amend { .. } => "amend",
                Request::Cancel { .. } => "cancel",
                _ => "other",
            });
            guest.receive(request, Answer::Accepted(Some(booking(1, status, (1, 3)))), &acknowledged);
        }
        assert_eq!(seen, ["book", "amend", "cancel", "book"]);
    }

    #[test]
    fn a_write_without_an_answer_is_repeated_under_its_key() {
        let (targets, mut guest) = (targets(), Guest::of(Mix::Hot));
        let acknowledged = Acknowledged::none_of(&targets);
        let Request::Book { key, order } = guest.next(&targets) else { panic!("a booking") };
        guest.receive(Request::Book { key, order }, Answer::Lost, &acknowledged);
        let again = guest.next(&targets);
        assert!(matches!(again, Request::Book { key: same, .. } if same == key), "{again:?}");
        guest.receive(again, Answer::Failed(StatusCode::NOT_FOUND), &acknowledged);
        assert!(guest.unknown_outcome().is_none(), "a definite refusal is an answer");
    }

    #[test]
    fn a_change_makes_a_short_stay_longer_and_a_long_one_shorter() {
        let guest = Guest::of(Mix::Churn);
        for (nights, expected) in [((1, 2), (1, 3)), ((1, 4), (2, 4))] {
            let Request::Amend { nights, .. } = guest.amend(&booking(1, "confirmed", nights)) else {
                panic!("a change")
            };
            assert_eq!((nights.from.day(), nights.to.day()), expected);
        }
    }

    #[test]
    fn read_mostly_has_its_shares() {
        let (targets, mut guest) = (targets(), Guest::of(Mix::ReadMostly));
        guest.own = Some(booking(1, "confirmed", (1, 3)));
        guest.rng.seed(1);
        let (mut searches, mut availabilities, mut reads, mut bookings) = (0, 0, 0, 0);
        for _ in 0..100_000 {
            match guest.next(&targets) {
                Request::Search(_) => searches += 1,
                Request::Availability { .. } => availabilities += 1,
                Request::Read { .. } => reads += 1,
                Request::Book { .. } => bookings += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!(
            (59_000..61_000).contains(&searches) && (38_000..40_000).contains(&availabilities),
            "{searches} {availabilities}"
        );
        assert!((400..600).contains(&reads) && (400..600).contains(&bookings), "{reads} {bookings}");
    }

    #[test]
    fn every_stay_leaves_a_night_for_a_change() {
        let (targets, mut guest) = (targets(), Guest::of(Mix::Hot));
        for _ in 0..1_000 {
            let nights = guest.nights(&targets.0[0]);
            assert!(nights.from >= date(2026, 6, 1) && nights.to <= date(2026, 6, 20) && nights.from < nights.to);
        }
    }
}
