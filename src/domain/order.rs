//! Orders and amendments: requests of a guest, checked as far as possible without the hotel's data.

use super::holds::HoldShare;
use super::violation::{Violation, Violations};
use super::{Amount, Contact, Date, Email, Guest, Mobile, RatePlanId, ServiceId, Stay, text};

/// The most rooms one booking can take.
pub const MAX_ROOMS_PER_BOOKING: u16 = 100;
/// The most guests one booking can name.
pub const MAX_GUESTS: usize = 500;
/// The most different services one booking can order.
pub const MAX_SERVICES: usize = 50;

/// A well-formed request for a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub rate_plan: PlanChoice,
    pub stay: Stay,
    pub rooms: u16,
    pub guests: Vec<Guest>,
    pub services: Vec<ServiceOrder>,
    pub contact: Contact,
    pub external_reference: Option<String>,
    /// Hold the rooms for a limited time instead of selling them at once.
    pub hold: bool,
    /// The room type must still be at this sequence number.
    pub expected_sequence: Option<u64>,
    /// The nights on sale must still begin and end on these dates.
    pub expected_on_sale: Option<[Date; 2]>,
    /// A price per room and night that replaces the plan's, from an import or a contract.
    pub agreed_price: Option<Amount>,
    /// The part of each night that holds may take, this one included. `None`: no limit.
    pub hold_share: Option<HoldShare>,
    /// The name given to force rooms without an adult.
    pub forced_by: Option<String>,
}

/// The rate plan of an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PlanChoice {
    Named(RatePlanId),
    /// The cheapest plan that sells the stay; among equals the oldest.
    Cheapest,
    /// The only plan that sells the stay. If there are several, the order is refused and lists them.
    #[default]
    Only,
}

/// A number of units of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceOrder {
    pub service_id: ServiceId,
    pub quantity: u16,
}

/// An unchecked order.
#[derive(Debug, Clone, Default)]
pub struct OrderDraft {
    pub rate_plan: PlanChoice,
    pub checkin_date: Date,
    pub checkout_date: Date,
    pub rooms: i64,
    pub num_guests: i64,
    pub guests: Vec<(String, i64)>,
    pub services: Vec<(ServiceId, i64)>,
    pub mobile: String,
    pub email: Option<String>,
    pub external_reference: Option<String>,
    pub hold: bool,
    pub expected_sequence: Option<u64>,
    pub expected_on_sale: Option<[Date; 2]>,
    pub forced_by: Option<String>,
}

impl OrderDraft {
    /// The order, or all violations.
    pub fn check(self) -> Result<Order, Vec<Violation>> {
        let mut violations = Violations::default();
        let stay = violations.keep(Stay::new(self.checkin_date, self.checkout_date));
        let rooms = violations.keep(rooms(self.rooms));
        let guests = check_guests(self.num_guests, &self.guests, &mut violations);
        let services = check_services(&self.services, &mut violations);
        let mobile = violations.keep(Mobile::parse(&self.mobile).map_err(|v| v.under("/contact")));
        let email = self.email.map(|email| Email::parse(&email).map_err(|v| v.under("/contact")));
        let email = violations.keep(email.transpose());
        let reference = self.external_reference.map(|reference| text::line(&reference, 100, "/external_reference"));
        let external_reference = violations.keep(reference.transpose());

        let order = (|| {
            Some(Order {
                rate_plan: self.rate_plan,
                stay: stay?,
                rooms: rooms?,
                guests,
                services,
                contact: Contact { mobile: mobile?, email: email? },
                external_reference: external_reference?,
                hold: self.hold,
                expected_sequence: self.expected_sequence,
                expected_on_sale: self.expected_on_sale,
                agreed_price: None,
                hold_share: None,
                forced_by: self.forced_by,
            })
        })();
        violations.finish(order)
    }
}

/// A well-formed change of a booking. `None` keeps the present value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amendment {
    pub check_in: Option<Date>,
    pub check_out: Option<Date>,
    pub rooms: Option<u16>,
    pub guests: Option<Vec<Guest>>,
    /// The number of guests, where `guests` is `None`: only the present number is accepted.
    pub num_guests: Option<i64>,
    /// Nights and rooms may be given back without a fee, whatever the booking's policy says. Only the hotel may grant
    /// this.
    pub waive_policy: bool,
    /// The part of each night that holds may take when this hold grows. `None`: no limit.
    pub hold_share: Option<HoldShare>,
    /// The name given to force rooms without an adult.
    pub forced_by: Option<String>,
}

/// An unchecked amendment.
#[derive(Debug, Clone, Default)]
pub struct AmendmentDraft {
    pub checkin_date: Option<Date>,
    pub checkout_date: Option<Date>,
    pub rooms: Option<i64>,
    pub num_guests: Option<i64>,
    pub guests: Option<Vec<(String, i64)>>,
    pub forced_by: Option<String>,
}

impl AmendmentDraft {
    pub fn check(self) -> Result<Amendment, Vec<Violation>> {
        let mut violations = Violations::default();
        let rooms = violations.keep(self.rooms.map(rooms).transpose());
        let guests = self.guests.as_ref().map(|guests| {
            let count = self.num_guests.unwrap_or(guests.len() as i64);
            check_guests(count, guests, &mut violations)
        });
        let amendment = rooms.map(|rooms| Amendment {
            check_in: self.checkin_date,
            check_out: self.checkout_date,
            rooms,
            num_guests: self.num_guests.filter(|_| guests.is_none()),
            guests,
            forced_by: self.forced_by,
            ..Amendment::default()
        });
        violations.finish(amendment)
    }
}

fn rooms(rooms: i64) -> Result<u16, Violation> {
    let message = format!("must be from 1 to {MAX_ROOMS_PER_BOOKING}");
    match u16::try_from(rooms) {
        Ok(rooms) if (1..=MAX_ROOMS_PER_BOOKING).contains(&rooms) => Ok(rooms),
        _ => Err(Violation::new("/rooms", "rooms_range", message)),
    }
}

fn check_guests(num_guests: i64, guests: &[(String, i64)], violations: &mut Violations) -> Vec<Guest> {
    let at_most = format!("must name 1 to {MAX_GUESTS} guests");
    violations.require((1..=MAX_GUESTS).contains(&guests.len()), "/guests", "guests_range", at_most);
    let matches = usize::try_from(num_guests) == Ok(guests.len());
    let message = format!("must be the number of guests named, which is {}", guests.len());
    violations.require(matches, "/num_guests", "guests_match", message);
    let check = |(index, (name, age)): (usize, &(String, i64))| {
        violations.keep(Guest::new(name, *age).map_err(|v| v.under(&format!("/guests/{index}"))))
    };
    guests.iter().take(MAX_GUESTS).enumerate().filter_map(check).collect()
}

fn check_services(services: &[(ServiceId, i64)], violations: &mut Violations) -> Vec<ServiceOrder> {
    let at_most = format!("must name at most {MAX_SERVICES} services");
    violations.require(services.len() <= MAX_SERVICES, "/services", "services_range", at_most);
    let mut orders: Vec<ServiceOrder> = Vec::with_capacity(services.len().min(MAX_SERVICES));
    for (index, (service_id, quantity)) in services.iter().take(MAX_SERVICES).enumerate() {
        let unique = orders.iter().all(|order| order.service_id != *service_id);
        let at = format!("/services/{index}/service_id");
        violations.require(unique, &at, "services_unique", "must not name a service twice; use quantity");
        match u16::try_from(*quantity) {
            Ok(quantity @ 1..=100) => orders.push(ServiceOrder { service_id: *service_id, quantity }),
            _ => {
                let at = format!("/services/{index}/quantity");
                violations.push(Violation::new(at, "quantity_range", "must be from 1 to 100"));
            }
        }
    }
    orders
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rstest::rstest;

    use super::*;

    fn draft() -> OrderDraft {
        OrderDraft {
            checkin_date: date(2026, 5, 1),
            checkout_date: date(2026, 5, 4),
            rooms: 1,
            num_guests: 2,
            guests: vec![("Ana Lopes".into(), 34), ("Rui Lopes".into(), 6)],
            mobile: "+351912345678".into(),
            ..OrderDraft::default()
        }
    }

    fn rules(draft: OrderDraft) -> Vec<(String, &'static str)> {
        draft.check().unwrap_err().into_iter().map(|violation| (violation.pointer, violation.rule)).collect()
    }

    #[test]
    fn a_complete_draft_is_an_order() {
        let order = draft().check().unwrap();
        assert_eq!((order.stay.nights(), order.rooms, order.guests.len()), (3, 1, 2));
    }

    #[rstest]
    #[case(OrderDraft { checkout_date: date(2026, 5, 1), ..draft() }, "/checkout_date", "checkout_after_checkin")]
    #[case(OrderDraft { rooms: 0, ..draft() }, "/rooms", "rooms_range")]
    #[case(OrderDraft { rooms: i64::MAX, ..draft() }, "/rooms", "rooms_range")]
    #[case(OrderDraft { num_guests: 3, ..draft() }, "/num_guests", "guests_match")]
    #[case(OrderDraft { num_guests: -2, ..draft() }, "/num_guests", "guests_match")]
    #[case(OrderDraft { mobile: "12".into(), ..draft() }, "/contact/mobile", "e164")]
    #[case(OrderDraft { email: Some("nope".into()), ..draft() }, "/contact/email", "email")]
    #[case(OrderDraft { external_reference: Some(" ".into()), ..draft() }, "/external_reference", "text_length")]
    fn one_mistake_is_one_violation(#[case] draft: OrderDraft, #[case] pointer: &str, #[case] rule: &'static str) {
        assert_eq!(rules(draft), [(pointer.to_owned(), rule)]);
    }

    #[test]
    fn a_guests_age_is_named_by_its_place() {
        let mut draft = draft();
        draft.guests[1].1 = 151;
        assert_eq!(rules(draft), [("/guests/1/age".to_owned(), "age_range")]);
    }

    #[test]
    fn a_booking_has_guests() {
        let draft = OrderDraft { num_guests: 0, guests: Vec::new(), ..draft() };
        assert_eq!(rules(draft), [("/guests".to_owned(), "guests_range")]);
    }

    #[test]
    fn services_have_a_quantity_and_are_named_once() {
        let service = ServiceId(uuid::Uuid::nil());
        let none = OrderDraft { services: vec![(service, 0)], ..draft() };
        assert_eq!(rules(none), [("/services/0/quantity".to_owned(), "quantity_range")]);
        let twice = OrderDraft { services: vec![(service, 1), (service, 1)], ..draft() };
        assert_eq!(rules(twice), [("/services/1/service_id".to_owned(), "services_unique")]);
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let draft = OrderDraft { rooms: 0, mobile: String::new(), num_guests: 1, ..draft() };
        assert_eq!(rules(draft).len(), 3);
    }

    #[test]
    fn an_amendment_compares_the_number_of_guests_with_the_guests_that_it_names() {
        let alone = AmendmentDraft { num_guests: Some(2), ..AmendmentDraft::default() };
        assert_eq!(alone.check().unwrap().num_guests, Some(2), "compared with the booking's guests later");
        let wrong = AmendmentDraft { num_guests: Some(2), guests: Some(vec![("A".into(), 30)]), ..Default::default() };
        assert_eq!(wrong.check().unwrap_err()[0].rule, "guests_match");
        assert_eq!(AmendmentDraft::default().check(), Ok(Amendment::default()));
    }
}
