//! One item of a bulk change of nights, and its rules.

use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::nights_change::{Patch, RestrictionPatch};
use crate::domain::violation::Violations;
use crate::domain::{Amount, NightsChange, RatePlanId, Violation, calendar::MAX_ROOMS};
use crate::http::room_types::body::MAX_ALLOWANCE;
use crate::http::value::{Day, insisting, price, whole};

/// The most items of one request.
pub const MAX_ITEMS: usize = 1_000;

/// New values for a range of nights. What is left out stays, `null` returns to the default.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NightsItem {
    /// First date.
    from: Day,
    /// The date after the last, at most 3660 days later.
    to: Day,
    /// Only these days of the week, at least one; without, all.
    #[schema(min_items = 1)]
    weekdays: Option<Vec<DayOfWeek>>,
    /// Rooms that exist; by default the room type's `rooms`.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 10000)]
    physical: Patch<i64>,
    /// Rooms that exist but cannot be slept in; by default none.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 10000)]
    out_of_order: Patch<i64>,
    /// Rooms sold beyond (or, negative, kept back from) what exists; by default the room type's.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = -10000, maximum = 10000)]
    overbooking_allowance: Patch<i64>,
    /// With a plan, price and restrictions are the plan's; without one, restrictions are the room type's.
    rate_plan_id: Option<Uuid>,
    /// Price of one room; by default the plan's. Without `rate_plan_id` it is the only plan's, if there is only one.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 100_000_000_000_i64)]
    price_minor: Patch<i64>,
    /// No new sale of these nights.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    stop_sell: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    closed_to_arrival: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    closed_to_departure: Patch<bool>,
    /// Shortest stay that arrives on these dates; 0 means no limit, as for all four lengths.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 255)]
    min_nights_arrival: Patch<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 255)]
    max_nights_arrival: Patch<i64>,
    /// Shortest stay that sleeps through these nights.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 255)]
    min_nights_through: Patch<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 255)]
    max_nights_through: Patch<i64>,
    /// Who insists on a capacity below what is sold. The guests keep their rooms (see `forced`), and nothing is sold until
    /// enough of them are gone.
    #[schema(min_length = 1, max_length = 100)]
    force: Option<String>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Weekday)]
pub enum DayOfWeek {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl NightsItem {
    /// The bytes that all members take beside the text, with room for line breaks and indentation.
    pub const MEMBERS: usize = 1_024;

    /// Whether the item changes a price without saying of which plan.
    pub fn lacks_plan(&self) -> bool {
        self.price_minor != Patch::Keep && self.rate_plan_id.is_none()
    }

    /// The change, or everything that is wrong with it. `only_plan` is the plan of a price that names none.
    pub fn check(self, only_plan: Option<RatePlanId>) -> Result<NightsChange, Vec<Violation>> {
        let mut violations = Violations::default();
        let lacks_plan = self.lacks_plan();
        let rooms = |value, pointer: &str| whole(value, 0, MAX_ROOMS, pointer, "rooms_range");
        let physical = set(self.physical, &mut violations, |n| rooms(n, "/physical"));
        let out_of_order = set(self.out_of_order, &mut violations, |n| rooms(n, "/out_of_order"));
        let beyond = "/overbooking_allowance";
        let allowance = set(self.overbooking_allowance, &mut violations, |n| {
            whole(n, -MAX_ALLOWANCE, MAX_ALLOWANCE, beyond, "allowance_range")
        });
        let price: Patch<Amount> = set(self.price_minor, &mut violations, |n| price(n, "/price_minor"));
        let mut nights =
            |patch, pointer: &str| set(patch, &mut violations, |n| whole(n, 0, 255, pointer, "nights_range"));
        let restriction = RestrictionPatch {
            stop_sell: self.stop_sell,
            closed_to_arrival: self.closed_to_arrival,
            closed_to_departure: self.closed_to_departure,
            min_nights_arrival: nights(self.min_nights_arrival, "/min_nights_arrival"),
            max_nights_arrival: nights(self.max_nights_arrival, "/max_nights_arrival"),
            min_nights_through: nights(self.min_nights_through, "/min_nights_through"),
            max_nights_through: nights(self.max_nights_through, "/max_nights_through"),
        };
        let forced_by = violations.keep(insisting(self.force.as_deref()));
        let named = self.rate_plan_id.map(RatePlanId);
        let rate_plan = if lacks_plan { only_plan } else { named };
        let weekdays = self.weekdays.map(|days| days.into_iter().map(Weekday::from).collect());

        let change = (|| {
            let (Day(from), Day(to)) = (self.from, self.to);
            let forced_by = forced_by?;
            let change = NightsChange {
                from,
                to,
                weekdays,
                physical,
                out_of_order,
                allowance,
                rate_plan,
                price,
                restriction,
                forced_by,
            };
            violations.keep(change.check())
        })();
        violations.finish(change)
    }
}

/// The patch with its value checked; a value that breaks a rule is kept as a violation and changes nothing.
fn set<T>(patch: Patch<i64>, violations: &mut Violations, check: impl FnOnce(i64) -> Result<T, Violation>) -> Patch<T> {
    match patch {
        Patch::Keep => Patch::Keep,
        Patch::Reset => Patch::Reset,
        Patch::Set(value) => violations.keep(check(value)).map_or(Patch::Keep, Patch::Set),
    }
}

impl From<DayOfWeek> for Weekday {
    fn from(day: DayOfWeek) -> Self {
        match day {
            DayOfWeek::Mon => Self::Monday,
            DayOfWeek::Tue => Self::Tuesday,
            DayOfWeek::Wed => Self::Wednesday,
            DayOfWeek::Thu => Self::Thursday,
            DayOfWeek::Fri => Self::Friday,
            DayOfWeek::Sat => Self::Saturday,
            DayOfWeek::Sun => Self::Sunday,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(json: serde_json::Value, only_plan: Option<RatePlanId>) -> Result<NightsChange, Vec<String>> {
        let item: NightsItem = serde_json::from_value(json).unwrap();
        let pointers = |all: Vec<Violation>| all.into_iter().map(|violation| violation.pointer).collect();
        item.check(only_plan).map_err(pointers)
    }

    #[test]
    fn absent_stays_and_null_returns_to_the_default() {
        let json = json!({"from": "2026-05-01", "to": "2026-05-03", "physical": null, "stop_sell": true});
        let change = check(json, None).unwrap();
        assert_eq!((change.physical, change.out_of_order), (Patch::Reset, Patch::Keep));
        assert_eq!(change.restriction.stop_sell, Patch::Set(true));
    }

    #[test]
    fn a_price_without_a_plan_is_the_only_plans() {
        let plan = RatePlanId(Uuid::from_u128(1));
        let json = json!({"from": "2026-05-01", "to": "2026-05-03", "price_minor": 100});
        assert_eq!(check(json.clone(), Some(plan)).unwrap().rate_plan, Some(plan));
        assert_eq!(check(json, None).unwrap_err(), ["/rate_plan_id"]);
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let json = json!({"from": "2026-05-03", "to": "2026-05-03", "physical": 10_001, "min_nights_through": 256, "force": " "});
        assert_eq!(check(json, None).unwrap_err(), ["/physical", "/min_nights_through", "/force"]);
        let backwards = json!({"from": "2026-05-03", "to": "2026-05-01"});
        assert_eq!(check(backwards, None).unwrap_err(), ["/to"]);
    }
}
