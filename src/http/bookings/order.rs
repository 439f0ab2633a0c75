//! Orders and amendments as they are written. Their rules are the domain's.

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::order::{AmendmentDraft, MAX_GUESTS, MAX_SERVICES, OrderDraft};
use crate::domain::violation::Violations;
use crate::domain::{Amendment, Guest, Order, PlanChoice, RatePlanId, RoomTypeId, ServiceId, Violation};
use crate::http::extract::{body, object};
use crate::http::value::{Day, insisting, present};

/// The largest body, in bytes: all guests and services fit, however they are written.
pub const LIMIT: usize = body::LIMIT + MAX_GUESTS * (body::text(Guest::MAX_NAME) + MEMBERS) + MAX_SERVICES * MEMBERS;
/// What the members of one item of a list take beside their text, with room for line breaks and indentation.
const MEMBERS: usize = 160;

/// A request for a booking.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBooking)]
pub struct OrderBody {
    pub room_type_id: Uuid,
    /// May be left out where only one plan sells the stay.
    pub rate_plan_id: Option<Uuid>,
    /// Instead of `rate_plan_id`: whichever plan is cheapest, whatever its terms.
    pub rate_plan: Option<PlanWord>,
    /// First night.
    pub checkin_date: Day,
    /// The day after the last night.
    pub checkout_date: Day,
    /// Rooms of this type, for the whole stay.
    #[schema(minimum = 1, maximum = 100)]
    pub rooms: i64,
    /// As many as `guests` names.
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
    /// Keep the rooms for a while instead of booking them at once; confirm the hold before it expires.
    #[serde(default)]
    pub hold: bool,
    /// Your own name for the booking, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub external_reference: Option<String>,
    /// Who insists on a room without an adult. The administrator's alone; it is logged.
    #[schema(min_length = 1, max_length = 100)]
    pub force: Option<String>,
}

/// A plan by what it is.
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
    /// In years, on arrival. Guests of 18 and more are adults.
    #[schema(minimum = 0, maximum = 150)]
    pub age: i64,
}

/// How many units of a service to order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewServiceOrder)]
pub struct ServiceOrderBody {
    pub service_id: Uuid,
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 100)]
    pub quantity: i64,
}

/// How to reach the person who books.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewContact)]
pub struct ContactBody {
    /// A phone number with `+` and country code, at most 32 characters. Spaces, dots, hyphens and brackets are passed
    /// over; the answer shows it as E.164.
    #[schema(max_length = 32, example = "+351912345678")]
    pub mobile: String,
    /// One bare address, at most 254 bytes.
    #[schema(format = Email, max_length = 254)]
    pub email: Option<String>,
}

/// A change of a booking: what is left out stays as it is.
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
    /// As many as `guests` names. Without `guests`, only the present number is accepted.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, minimum = 1, maximum = 500)]
    pub num_guests: Option<i64>,
    /// All guests, instead of those there were.
    #[serde(default, deserialize_with = "object::present_list")]
    #[schema(nullable = false)]
    pub guests: Option<Vec<GuestBody>>,
    /// Who insists on a room without an adult. The administrator's alone; it is logged.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    pub force: Option<String>,
}

impl OrderBody {
    /// The order and the room type it is for, or everything that is wrong with it.
    pub fn check(self, expected_sequence: Option<u64>) -> Result<(RoomTypeId, Order), Vec<Violation>> {
        let room_type = RoomTypeId(self.room_type_id);
        let mut violations = Violations::default();
        let rate_plan = violations.keep(plan_choice(self.rate_plan_id, self.rate_plan));
        let forced_by = violations.keep(insisting(self.force.as_deref()));
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
            expected_sequence,
            forced_by: forced_by.flatten(),
        };
        let order = violations.also(draft.check());
        violations.finish(order.map(|order| (room_type, order)))
    }
}

impl AmendmentBody {
    /// The amendment, or everything that is wrong with it.
    pub fn check(self) -> Result<Amendment, Vec<Violation>> {
        let mut violations = Violations::default();
        let forced_by = violations.keep(insisting(self.force.as_deref())).flatten();
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
    fn a_member_of_an_amendment_is_left_out_or_there_but_never_null() {
        assert!(serde_json::from_str::<AmendmentBody>("{}").is_ok());
        assert!(serde_json::from_str::<AmendmentBody>(r#"{"rooms":2}"#).is_ok());
        assert!(serde_json::from_str::<AmendmentBody>(r#"{"rooms":null}"#).is_err());
        assert!(serde_json::from_str::<AmendmentBody>(r#"{"contact":{}}"#).is_err());
    }
}
