//! One item of a bulk change of nights, and its rules.

use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::nights_change::{Patch, RestrictionPatch};
use crate::domain::violation::Violations;
use crate::domain::{Amount, NightsChange, RatePlanId, Violation, calendar::MAX_ROOMS};
use crate::http::room_types::body::MAX_ALLOWANCE;
use crate::http::value::{Day, force, price, whole};

/// New values for a range of nights. An absent member does not change. `null` resets a member to its default.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NightsItem {
    /// The first date.
    from: Day,
    /// The date after the last date, at most 3660 days after `from`.
    to: Day,
    /// Only these days of the week, at least one. Default: all days.
    #[schema(min_items = 1)]
    weekdays: Option<Vec<DayOfWeek>>,
    /// The number of physical rooms. Default: the `rooms` of the room type.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 10000)]
    physical: Patch<i64>,
    /// Physical rooms that cannot be sold, for example during a repair. Default: 0.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 10000)]
    out_of_order: Patch<i64>,
    /// Rooms that may be sold beyond the physical rooms. A negative number keeps rooms back. Default: the value of the
    /// room type.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = -10000, maximum = 10000)]
    overbooking_allowance: Patch<i64>,
    /// The rate plan whose price and restrictions change. Without it, the restrictions of the room type change.
    rate_plan_id: Option<Uuid>,
    /// The price of one room. Default: the price of the rate plan. `rate_plan_id` is optional if the room type has only
    /// one rate plan.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 100_000_000_000_i64)]
    price_minor: Patch<i64>,
    /// Whether the sale of these nights is stopped.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    stop_sell: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    closed_to_arrival: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    closed_to_departure: Patch<bool>,
    /// The shortest stay that arrives on these dates, in nights. 0 means no limit, also for the other three lengths.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 255)]
    min_nights_arrival: Patch<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 255)]
    max_nights_arrival: Patch<i64>,
    /// The shortest stay that includes these nights.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 255)]
    min_nights_through: Patch<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 255)]
    max_nights_through: Patch<i64>,
    /// The name of the person who sets a capacity below the sold rooms. The guests keep their rooms (see `forced`). No
    /// room is sold until enough guests have left.
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
    /// Whether the item has a price but no rate plan.
    pub fn lacks_plan(&self) -> bool {
        self.price_minor != Patch::Keep && self.rate_plan_id.is_none()
    }

    /// The change, or all violations. `only_plan` is the rate plan of a price that names none.
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
        let forced_by = violations.keep(force(self.force.as_deref()));
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

/// Checks the value of a patch. A value that breaks a rule becomes a violation and changes nothing.
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
    fn an_absent_member_keeps_its_value_and_null_resets_it() {
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
    fn all_violations_are_reported_together() {
        let json = json!({"from": "2026-05-03", "to": "2026-05-03", "physical": 10_001, "min_nights_through": 256, "force": " "});
        assert_eq!(check(json, None).unwrap_err(), ["/physical", "/min_nights_through", "/force"]);
        let backwards = json!({"from": "2026-05-03", "to": "2026-05-01"});
        assert_eq!(check(backwards, None).unwrap_err(), ["/to"]);
    }
}
