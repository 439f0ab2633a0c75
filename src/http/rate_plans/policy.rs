//! The JSON of cancellation policies.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::policy::{CancellationPolicy, Fee, Tier};
use crate::domain::{Amount, Violation};
use crate::http::extract::object;
use crate::http::value::whole;

/// The fee for a cancellation up to a deadline before check-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CancellationTier)]
pub struct TierBody {
    /// The deadline in hours before the hotel's check-in time on the arrival date, inclusive.
    #[schema(minimum = 0, maximum = 8760)]
    pub hours_before_check_in: i64,
    #[serde(deserialize_with = "object::one")]
    pub fee: FeeBody,
}

/// A fee for a cancellation or a no-show, at most the total of the booking.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = Fee)]
pub enum FeeBody {
    /// No fee.
    None {},
    /// A percentage of the booking's total.
    Percent {
        #[schema(minimum = 0, maximum = 100)]
        percent: i64,
    },
    /// The price of the first nights of all rooms.
    Nights {
        #[schema(minimum = 0, maximum = 1000)]
        nights: i64,
    },
    /// A fixed amount in minor units.
    Fixed {
        #[schema(minimum = 0)]
        amount_minor: i64,
    },
}

/// The cancellation policy of a rate plan's body.
pub fn policy(
    refundable: Option<bool>,
    tiers: Option<Vec<TierBody>>,
    late: Option<FeeBody>,
    no_show: Option<FeeBody>,
) -> Result<CancellationPolicy, Violation> {
    let tiers = tiers.map(check_tiers).transpose()?;
    let late = late.map(|fee| fee.check("/late_cancellation_fee")).transpose()?;
    let no_show = no_show.map(|fee| fee.check("/no_show_fee")).transpose()?;
    let given = tiers.as_ref().map(|tiers| !tiers.is_empty());
    if let (Some(refundable), Some(given)) = (refundable, given)
        && refundable != given
    {
        let message = "must match refundable: a refundable rate plan has tiers, another has none";
        return Err(Violation::new("/cancellation_tiers", "contradiction", message));
    }
    let default = match refundable.or(given).unwrap_or(true) {
        true => CancellationPolicy::flexible(),
        false => CancellationPolicy::non_refundable(),
    };
    let tiers = tiers.unwrap_or_else(|| default.tiers().to_vec());
    CancellationPolicy::new(tiers, late, no_show.unwrap_or(default.no_show))
}

fn check_tiers(tiers: Vec<TierBody>) -> Result<Vec<Tier>, Violation> {
    let check = |(index, tier): (usize, TierBody)| {
        let at = format!("/cancellation_tiers/{index}");
        let hours = format!("{at}/hours_before_check_in");
        let max = CancellationPolicy::MAX_HOURS;
        let hours_before_check_in = whole(tier.hours_before_check_in, 0, max, &hours, "hours_range")?;
        Ok(Tier::new(hours_before_check_in, tier.fee.check(&format!("{at}/fee"))?))
    };
    tiers.into_iter().enumerate().map(check).collect()
}

impl FeeBody {
    fn check(self, at: &str) -> Result<Fee, Violation> {
        let fee = match self {
            Self::None {} => Fee::None,
            Self::Percent { percent } => {
                Fee::Percent { percent: whole(percent, 0, 100, "/percent", "percent_range").map_err(|v| v.under(at))? }
            }
            Self::Nights { nights } => {
                Fee::Nights { nights: whole(nights, 0, 1_000, "/nights", "nights_range").map_err(|v| v.under(at))? }
            }
            Self::Fixed { amount_minor } => Fee::Fixed { amount_minor: Amount(amount_minor) },
        };
        fee.check().map_err(|violation| violation.under(at))
    }
}

impl From<&Tier> for TierBody {
    fn from(tier: &Tier) -> Self {
        Self { hours_before_check_in: tier.hours_before_check_in.into(), fee: tier.fee.into() }
    }
}

impl From<Fee> for FeeBody {
    fn from(fee: Fee) -> Self {
        match fee {
            Fee::None => Self::None {},
            Fee::Percent { percent } => Self::Percent { percent: percent.into() },
            Fee::Nights { nights } => Self::Nights { nights: nights.into() },
            Fee::Fixed { amount_minor } => Self::Fixed { amount_minor: amount_minor.minor() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(hours: i64, fee: FeeBody) -> TierBody {
        TierBody { hours_before_check_in: hours, fee }
    }

    #[test]
    fn a_plan_is_flexible_by_default() {
        assert_eq!(policy(None, None, None, None).unwrap(), CancellationPolicy::flexible());
        assert_eq!(policy(Some(true), None, None, None).unwrap(), CancellationPolicy::flexible());
        assert_eq!(policy(Some(false), None, None, None).unwrap(), CancellationPolicy::non_refundable());
        assert_eq!(policy(None, Some(Vec::new()), None, None).unwrap(), CancellationPolicy::non_refundable());
    }

    #[test]
    fn a_contradiction_is_refused() {
        let free = || Some(vec![tier(24, FeeBody::None {})]);
        assert_eq!(policy(Some(false), free(), None, None).unwrap_err().rule, "contradiction");
        assert_eq!(policy(Some(true), Some(Vec::new()), None, None).unwrap_err().rule, "contradiction");
        assert!(policy(Some(true), free(), None, None).is_ok());
    }

    #[test]
    fn a_violation_points_at_the_value() {
        let wrong = [
            (tier(-1, FeeBody::None {}), "/cancellation_tiers/0/hours_before_check_in"),
            (tier(1, FeeBody::Percent { percent: 101 }), "/cancellation_tiers/0/fee/percent"),
            (tier(1, FeeBody::Nights { nights: i64::MAX }), "/cancellation_tiers/0/fee/nights"),
            (tier(1, FeeBody::Fixed { amount_minor: -1 }), "/cancellation_tiers/0/fee/amount_minor"),
        ];
        for (tier, pointer) in wrong {
            assert_eq!(policy(None, Some(vec![tier]), None, None).unwrap_err().pointer, pointer);
        }
        let no_show = Some(FeeBody::Percent { percent: -1 });
        assert_eq!(policy(None, None, None, no_show).unwrap_err().pointer, "/no_show_fee/percent");
    }

    #[test]
    fn a_fee_refuses_unknown_members() {
        assert!(serde_json::from_str::<FeeBody>(r#"{"type":"none"}"#).is_ok());
        assert!(serde_json::from_str::<FeeBody>(r#"{"type":"none","percent":1}"#).is_err());
    }
}
