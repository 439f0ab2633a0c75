//! Guests: what each of them asks for next.

use super::Mix;
use super::api::{Answer, Booking, Nights, Order, Request};
use super::books::Books;
use super::site::{SHORTEST, Site, Target};
use crate::clock::{IdSource, System};
use crate::domain::stay::days_between;
use fastrand::Rng;
use jiff::ToSpan;

/// Of a thousand requests of [`Mix::ReadMostly`]: so many searches, and so many looks at a room type; of the rest every
/// other one books.
const SEARCHES: u32 = 600;
const LOOKS: u32 = 390;

/// One guest, who does one thing after the other.
pub struct Guest {
    mix: Mix,
    dice: Rng,
    /// A write of which nobody knows what became of it: to be repeated, under the same key.
    unknown_outcome: Option<Request>,
    /// The booking at hand, as it was last acknowledged.
    own: Option<Booking>,
    /// Whether changing it has been tried.
    changed: bool,
}

impl Guest {
    pub fn of(mix: Mix) -> Self {
        Self { mix, dice: Rng::new(), unknown_outcome: None, own: None, changed: false }
    }

    /// What to send now.
    pub fn next(&mut self, site: &Site) -> Request {
        if let Some(again) = self.unknown_outcome.take() {
            return again;
        }
        match (self.mix, self.own.clone()) {
            (Mix::Hot | Mix::Spread, _) => self.book(site),
            (Mix::LastRoom, Some(own)) => cancel(&own),
            (Mix::LastRoom, None) => self.book_all_that_is_left(site),
            (Mix::Churn, Some(own)) if self.changed => cancel(&own),
            (Mix::Churn, Some(own)) => self.amend(&own),
            (Mix::Churn, None) => self.book(site),
            (Mix::ReadMostly, own) => self.read_mostly(site, own),
        }
    }

    /// Hears what became of it, and keeps account.
    pub fn told(&mut self, request: Request, answer: Answer, books: &Books) {
        self.changed = matches!(request, Request::Amend { .. });
        match answer {
            Answer::Accepted(Some(booking)) if request.writes() => self.acknowledged(&request, booking, books),
            Answer::Refused if matches!(request, Request::Cancel { .. }) => self.own = None,
            open if open.is_open() && request.writes() => self.unknown_outcome = Some(request),
            Answer::Accepted(_) | Answer::Refused | Answer::Failed(_) | Answer::Lost => {}
        }
    }

    fn acknowledged(&mut self, request: &Request, booking: Booking, books: &Books) {
        let before = self.own.take().filter(|own| own.id == booking.id);
        books.acknowledge(before.as_ref(), &booking);
        let is_done_with = matches!(self.mix, Mix::Hot | Mix::Spread) || matches!(request, Request::Cancel { .. });
        self.own = (!is_done_with).then_some(booking);
    }

    /// The write that nobody knows about, if there is one.
    pub fn unknown_outcome(&mut self) -> Option<Request> {
        self.unknown_outcome.take()
    }

    fn read_mostly(&mut self, site: &Site, own: Option<Booking>) -> Request {
        match (self.dice.u32(..1_000), own) {
            (..SEARCHES, _) => {
                let target = self.target(site);
                Request::Search { city: target.city.clone(), nights: self.nights(target) }
            }
            (dice, _) if dice < SEARCHES + LOOKS => {
                let target = self.target(site);
                let nights = target.nights.min(self.dice.usize(SHORTEST..=31));
                Request::Look { room_type: target.room_type, nights: Nights::from(target.first, nights) }
            }
            (dice, Some(own)) if dice % 2 == 0 => Request::Read { booking: own.id, token: own.manage_token },
            _ => self.book(site),
        }
    }

    fn book(&mut self, site: &Site) -> Request {
        let target = self.target(site);
        let (room_type, guests) = (target.room_type, target.guests);
        let order = Order { room_type, nights: self.nights(target), rooms: 1, guests };
        Request::Book { key: System.next(), order }
    }

    /// All rooms that are free on each of a few nights, so that whoever comes second gets none.
    fn book_all_that_is_left(&mut self, site: &Site) -> Request {
        let target = self.target(site);
        let (room_type, rooms) = (target.room_type, target.free);
        let order = Order { room_type, nights: self.nights(target), rooms, guests: rooms };
        Request::Book { key: System.next(), order }
    }

    /// Stays a night longer, or arrives a night later.
    fn amend(&self, own: &Booking) -> Request {
        let (from, to) = (own.checkin_date, own.checkout_date);
        let nights = match days_between(from, to) {
            ..3 => Nights { from, to: to.saturating_add(1.day()) },
            _ => Nights { from: from.saturating_add(1.day()), to },
        };
        Request::Amend { key: System.next(), booking: own.id, token: own.manage_token.clone(), nights }
    }

    fn target<'s>(&mut self, site: &'s Site) -> &'s Target {
        &site.targets[self.dice.usize(..site.targets.len())]
    }

    /// One to three of a target's nights, with one to spare for a change.
    fn nights(&mut self, target: &Target) -> Nights {
        let nights = self.dice.usize(1..SHORTEST);
        let last = target.nights.saturating_sub(nights + 1);
        let first = i64::try_from(self.dice.usize(..=last)).unwrap_or_default();
        Nights::from(target.first.saturating_add(first.days()), nights)
    }
}

fn cancel(own: &Booking) -> Request {
    Request::Cancel { key: System.next(), booking: own.id, token: own.manage_token.clone() }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use reqwest::StatusCode;

    use super::super::testing::{booking, june};
    use super::*;

    fn site() -> Site {
        let before = june(1, &[0; 20]);
        let (room_type, city) = (uuid::Uuid::from_u128(7), "Lisbon".to_owned());
        let target = Target { room_type, city, guests: 2, first: date(2026, 6, 1), nights: 20, free: 2, before };
        Site { targets: vec![target] }
    }

    #[test]
    fn churn_books_changes_cancels_and_begins_again() {
        let (site, mut guest) = (site(), Guest::of(Mix::Churn));
        let books = Books::over(&site);
        let mut seen = Vec::new();
        for status in ["confirmed", "confirmed", "cancelled", "confirmed"] {
            let request = guest.next(&site);
            seen.push(match request {
                Request::Book { .. } => "book",
                Request::Amend { .. } => "amend",
                Request::Cancel { .. } => "cancel",
                _ => "other",
            });
            guest.told(request, Answer::Accepted(Some(booking(1, status, (1, 3)))), &books);
        }
        assert_eq!(seen, ["book", "amend", "cancel", "book"]);
    }

    #[test]
    fn a_write_without_an_answer_is_repeated_under_its_key() {
        let (site, mut guest) = (site(), Guest::of(Mix::Hot));
        let books = Books::over(&site);
        let Request::Book { key, order } = guest.next(&site) else { panic!("a booking") };
        guest.told(Request::Book { key, order }, Answer::Lost, &books);
        let again = guest.next(&site);
        assert!(matches!(again, Request::Book { key: same, .. } if same == key), "{again:?}");
        guest.told(again, Answer::Failed(StatusCode::NOT_FOUND), &books);
        assert!(guest.unknown_outcome().is_none(), "a definite no is an answer");
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
    fn read_mostly_mostly_reads() {
        let (site, mut guest) = (site(), Guest::of(Mix::ReadMostly));
        guest.own = Some(booking(1, "confirmed", (1, 3)));
        guest.dice.seed(1);
        let (mut searches, mut looks, mut reads, mut bookings) = (0, 0, 0, 0);
        for _ in 0..100_000 {
            match guest.next(&site) {
                Request::Search { .. } => searches += 1,
                Request::Look { .. } => looks += 1,
                Request::Read { .. } => reads += 1,
                Request::Book { .. } => bookings += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!((59_000..61_000).contains(&searches) && (38_000..40_000).contains(&looks), "{searches} {looks}");
        assert!((400..600).contains(&reads) && (400..600).contains(&bookings), "{reads} {bookings}");
    }

    #[test]
    fn every_stay_leaves_a_night_to_spare() {
        let (site, mut guest) = (site(), Guest::of(Mix::Hot));
        for _ in 0..1_000 {
            let nights = guest.nights(&site.targets[0]);
            assert!(nights.from >= date(2026, 6, 1) && nights.to <= date(2026, 6, 20) && nights.from < nights.to);
        }
    }
}
