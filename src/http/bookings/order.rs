//! The bodies of orders and amendments. The domain has their rules.

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::order::{AmendmentDraft, OrderDraft};
use crate::domain::violation::Violations;
use crate::domain::{Amendment, Order, PlanChoice, RatePlanId, RoomTypeId, ServiceId, Violation};
use crate::http::extract::{ExpectedSequence, object};
use crate::http::value::{Day, force, present};

/// A request for a booking.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBooking)]
pub struct OrderBody {
    pub room_type_id: Uuid,
    /// Optional if only one rate plan sells the stay.
    pub rate_plan_id: Option<Uuid>,
    /// Instead of `rate_plan_id`: the cheapest rate plan, whatever its conditions.
    pub rate_plan: Option<PlanWord>,
    /// First night.
    pub checkin_date: Day,
    /// The day after the last night.
    pub checkout_date: Day,
    /// Rooms of this type, for the whole stay.
    #[schema(minimum = 1, maximum = 100)]
    pub rooms: i64,
    /// The number of entries in `guests`.
    #[schema(minimum = 1, maximum = 500)]
    pub num_guests: i64,
    #[serde(deserialize_with = "object::list")]
    #[schema(min_items = 1, max_items = 500)]
    pub guests: Vec<GuestBody>,
    #[serde(default, deserialize_with = "object::list")]
    #[schema(max_items = 50)]
    pub services: Vec<ServiceOrderBody>,
    #[serde(deserialize_with = "object::one")]
    pub contact: ContactBody,
    /// Hold the rooms for a limited time instead of booking them. Confirm the hold before it expires.
    #[serde(default)]
    pub hold: bool,
    /// Your own reference for the booking, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub external_reference: Option<String>,
    /// The name of the person who allows a room without an adult. Needs the administrator's token. The name is logged.
    #[schema(min_length = 1, max_length = 100)]
    pub force: Option<String>,
}

/// A rule that chooses a rate plan.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanWord {
    Cheapest,
}

/// A guest.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewGuest)]
pub struct GuestBody {
    /// Full name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Age in years on the arrival date. A guest of 18 or more years is an adult.
    #[schema(minimum = 0, maximum = 150)]
    pub age: i64,
}

/// An ordered service and its quantity.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewServiceOrder)]
pub struct ServiceOrderBody {
    pub service_id: Uuid,
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 100)]
    pub quantity: i64,
}

/// The contact details of the person who books.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewContact)]
pub struct ContactBody {
    /// A phone number with `+` and the country code, at most 32 characters. Spaces, dots, hyphens and brackets are
    /// ignored. The answer shows the number in the E.164 format.
    #[schema(max_length = 32, example = "+351912345678")]
    pub mobile: String,
    /// One e-mail address without a display name, at most 254 bytes.
    #[schema(format = Email, max_length = 254)]
    pub email: Option<String>,
}

/// A change of a booking. Absent members do not change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookingPatch)]
pub struct AmendmentBody {
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    pub checkin_date: Option<Day>,
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    pub checkout_date: Option<Day>,
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, minimum = 1, maximum = 100)]
    pub rooms: Option<i64>,
    /// The number of entries in `guests`. Without `guests`, only the present number is accepted.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, minimum = 1, maximum = 500)]
    pub num_guests: Option<i64>,
    /// All guests. They replace the present guests.
    #[serde(default, deserialize_with = "object::present_list")]
    #[schema(nullable = false)]
    pub guests: Option<Vec<GuestBody>>,
    /// The name of the person who allows a room without an adult. Needs the administrator's token. The name is logged.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    pub force: Option<String>,
}

impl OrderBody {
    /// The order and its room type, or all violations.
    pub fn check(self, expected: ExpectedSequence) -> Result<(RoomTypeId, Order), Vec<Violation>> {
        let room_type = RoomTypeId(self.room_type_id);
        let mut violations = Violations::default();
        let rate_plan = violations.keep(plan_choice(self.rate_plan_id, self.rate_plan));
        let forced_by = violations.keep(force(self.force.as_deref()));
        let service = |ordered: ServiceOrderBody| (ServiceId(ordered.service_id), ordered.quantity);
        let draft = OrderDraft {
            rate_plan: rate_plan.unwrap_or_default(),
            checkin_date: self.checkin_date.0,
            checkout_date: self.checkout_date.0,
            rooms: self.rooms,
            num_guests: self.num_guests,
            guests: pairs(self.guests),
            services: self.services.into_iter().map(service).collect(),
            mobile: self.contact.mobile,
            email: self.contact.email,
            external_reference: self.external_reference,
            hold: self.hold,
            expected_sequence: expected.sequence,
            expected_on_sale: expected.on_sale,
            forced_by: forced_by.flatten(),
        };
        let order = violations.also(draft.check());
        violations.finish(order.map(|order| (room_type, order)))
    }
}

impl AmendmentBody {
    /// The amendment, or all violations.
    pub fn check(self) -> Result<Amendment, Vec<Violation>> {
        let mut violations = Violations::default();
        let forced_by = violations.keep(force(self.force.as_deref())).flatten();
        let draft = AmendmentDraft {
            checkin_date: self.checkin_date.map(|day| day.0),
            checkout_date: self.checkout_date.map(|day| day.0),
            rooms: self.rooms,
            num_guests: self.num_guests,
            guests: self.guests.map(pairs),
            forced_by,
        };
        let amendment = violations.also(draft.check());
        violations.finish(amendment)
    }
}

fn plan_choice(id: Option<Uuid>, word: Option<PlanWord>) -> Result<PlanChoice, Violation> {
    match (id, word) {
        (Some(_), Some(_)) => Err(Violation::new("/rate_plan", "one_plan", "must be left out beside rate_plan_id")),
        (Some(id), None) => Ok(PlanChoice::Named(RatePlanId(id))),
        (None, Some(PlanWord::Cheapest)) => Ok(PlanChoice::Cheapest),
        (None, None) => Ok(PlanChoice::Only),
    }
}

fn pairs(guests: Vec<GuestBody>) -> Vec<(String, i64)> {
    guests.into_iter().map(|guest| (guest.name, guest.age)).collect()
}

fn one() -> i64 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_of_an_amendment_is_absent_or_present_but_never_null() {
        assert!(serde_json::from_str::<AmendmentBody>("{}").is_ok());
        assert!(serde_json::from_str::<AmendmentBody>(r#"{"rooms":2}"#).is_ok());
        assert!(serde_json::from_str::<AmendmentBody>(r#"{"rooms":null}"#).is_err());
        assert!(serde_json::from_str::<AmendmentBody>(r#"{"contact":{}}"#).is_err());
    }
}
