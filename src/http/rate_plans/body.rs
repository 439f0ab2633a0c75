//! The body of a rate plan, and its rules.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::policy::{FeeBody, TierBody, policy};
use crate::domain::text;
use crate::domain::violation::Violations;
use crate::domain::{RatePlan, RatePlanId, RoomTypeId, Violation};
use crate::http::extract::object;
use crate::http::value::price;

/// A new rate plan.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRatePlan)]
pub struct RatePlanBody {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// The price of one room for a night without a price of its own, in minor units of the hotel's currency.
    #[schema(minimum = 0, maximum = 100_000_000_000_i64)]
    pub price_minor: i64,
    /// Whether the booking can be cancelled for free. Without tiers, the deadline is the check-in time.
    #[schema(default = true)]
    pub refundable: Option<bool>,
    /// At most 10 tiers with different deadlines. No fee may be lower than that of an earlier deadline, where both are of
    /// one kind.
    #[serde(default, deserialize_with = "object::maybe_list")]
    #[schema(max_items = 10)]
    pub cancellation_tiers: Option<Vec<TierBody>>,
    /// The fee for a cancellation after the last deadline, or at any time if there is no tier. Default: the no-show
    /// fee. It may not be lower than the fee of a tier, where both are of one kind.
    #[serde(default, deserialize_with = "object::maybe")]
    pub late_cancellation_fee: Option<FeeBody>,
    /// The fee for a no-show. Default: the first night, or the total of a non-refundable rate plan.
    #[serde(default, deserialize_with = "object::maybe")]
    pub no_show_fee: Option<FeeBody>,
}

/// A rate plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RatePlan)]
pub struct RatePlanView {
    #[schema(value_type = uuid::Uuid)]
    pub id: RatePlanId,
    #[schema(value_type = uuid::Uuid)]
    pub room_type_id: RoomTypeId,
    #[serde(flatten)]
    pub rate_plan: RatePlanBody,
}

impl RatePlanBody {
    /// The rate plan, or all violations. A name or a policy that equals the `present` one is kept: it may be older than
    /// its rules.
    pub fn check(
        self,
        id: RatePlanId,
        room_type_id: RoomTypeId,
        present: Option<&RatePlan>,
    ) -> Result<RatePlan, Vec<Violation>> {
        let mut violations = Violations::default();
        let kept = present.map(|plan| plan.name.as_str());
        let name = violations.keep(text::line_unless_kept(&self.name, kept, 100, "/name"));
        let kept = present.filter(|plan| self.says_the_same_policy_as(&Self::from(*plan)));
        let price = violations.keep(price(self.price_minor, "/price_minor"));
        let (tiers, late, no_show) = (self.cancellation_tiers, self.late_cancellation_fee, self.no_show_fee);
        let policy = match kept {
            Some(plan) => Some(plan.policy.clone()),
            None => violations.keep(policy(self.refundable, tiers, late, no_show)),
        };
        let plan = (|| {
            let (name, price, policy) = (name?, price?, policy?);
            Some(RatePlan { id, room_type_id, name, price, policy, nights: Default::default() })
        })();
        violations.finish(plan)
    }
}

impl RatePlanBody {
    fn says_the_same_policy_as(&self, other: &Self) -> bool {
        let policy = |body: &Self| (body.refundable, body.late_cancellation_fee, body.no_show_fee);
        policy(self) == policy(other) && self.cancellation_tiers == other.cancellation_tiers
    }
}

impl From<&RatePlan> for RatePlanBody {
    fn from(plan: &RatePlan) -> Self {
        Self {
            name: plan.name.clone(),
            price_minor: plan.price.minor(),
            refundable: Some(!plan.policy.tiers().is_empty()),
            cancellation_tiers: Some(plan.policy.tiers().iter().map(TierBody::from).collect()),
            late_cancellation_fee: plan.policy.own_late_fee().map(FeeBody::from),
            no_show_fee: Some(plan.policy.no_show.into()),
        }
    }
}

impl From<&RatePlan> for RatePlanView {
    fn from(plan: &RatePlan) -> Self {
        let mut rate_plan = RatePlanBody::from(plan);
        // The answer shows the effective fee, which defaults to the no-show fee.
        rate_plan.late_cancellation_fee = rate_plan.late_cancellation_fee.or(rate_plan.no_show_fee);
        Self { id: plan.id, room_type_id: plan.room_type_id, rate_plan }
    }
}
