//! `PATCH /v1/rate-plans/{id}`: changes a rate plan, by merge patch.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::Value;

use super::body::{RatePlanBody, RatePlanView};
use crate::domain::{RatePlan, RatePlanId};
use crate::engine::Error;
use crate::http::answer::{changed, retry_on_conflict, version};
use crate::http::extract::{Administrator, Body, Id, IfMatch, OwnerEngine};
use crate::http::merge_patch::MergePatch;
use crate::http::problem::Problem;
use crate::store::Catalogue;

pub async fn handle(
    catalogue: Data<dyn Catalogue>,
    OwnerEngine(engine): OwnerEngine,
    _: Administrator,
    Id(id): Id<RatePlanId>,
    condition: IfMatch,
    patch: Body<MergePatch>,
) -> Result<HttpResponse, Problem> {
    let plan = retry_on_conflict(async || {
        let present = super::find(&**catalogue, id).await?;
        condition.check(&version(&RatePlanView::from(&present)))?;
        let plan = patched(&present, &patch.value)?;
        match engine.change_rate_plan(present, plan.clone()).await {
            Ok(_) => Ok(Some(plan)),
            Err(Error::Changed) => Ok(None),
            Err(error) => Err(error.into()),
        }
    });
    Ok(changed(&RatePlanView::from(&plan.await?)))
}

/// The rate plan after the patch.
fn patched(present: &RatePlan, patch: &MergePatch) -> Result<RatePlan, Problem> {
    let body = patch.over(&patchable(RatePlanBody::from(present), patch))?;
    let plan = body.check(present.id, present.room_type_id, Some(present))?;
    Ok(RatePlan { policy: plan.policy.replacing(&present.policy), ..plan })
}

/// The body into which the patch is merged.
///
/// The members of the policy depend on each other. A rate plan that becomes refundable or non-refundable gets the
/// default tiers and fees of its new kind, unless the patch has others. Otherwise it keeps its tiers and fees. A policy
/// member of the patch replaces the present member as a whole. A null member is reset to the default of its kind.
fn patchable(present: RatePlanBody, patch: &MergePatch) -> RatePlanBody {
    let is_refundable = present.refundable.unwrap_or(true);
    if becomes_refundable(is_refundable, patch) != is_refundable {
        let (refundable, cancellation_tiers, late_cancellation_fee, no_show_fee) = (None, None, None, None);
        return RatePlanBody { refundable, cancellation_tiers, late_cancellation_fee, no_show_fee, ..present };
    }
    RatePlanBody {
        cancellation_tiers: present.cancellation_tiers.filter(|_| !patch.names("cancellation_tiers")),
        late_cancellation_fee: present.late_cancellation_fee.filter(|_| !patch.names("late_cancellation_fee")),
        no_show_fee: present.no_show_fee.filter(|_| !patch.names("no_show_fee")),
        ..present
    }
}

/// Whether the rate plan is refundable after the patch, by its `refundable` or its tiers.
fn becomes_refundable(is_refundable: bool, patch: &MergePatch) -> bool {
    let tiers = patch.get("cancellation_tiers").and_then(Value::as_array);
    match (patch.get("refundable"), tiers) {
        (Some(Value::Bool(refundable)), _) => *refundable,
        (_, Some(tiers)) => !tiers.is_empty(),
        (Some(Value::Null), None) => true,
        _ => is_refundable,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::domain::{CancellationPolicy, Fee, Tier, testing};

    fn patched(policy: CancellationPolicy, patch: Value) -> CancellationPolicy {
        let plan = RatePlan { policy, ..testing::plan(1, testing::PRICE) };
        super::patched(&plan, &serde_json::from_value(patch).unwrap()).unwrap().policy
    }

    fn custom() -> CancellationPolicy {
        let tiers = vec![Tier::new(48, Fee::None), Tier::new(24, Fee::Percent { percent: 50 })];
        CancellationPolicy::new(tiers, Some(Fee::Percent { percent: 80 }), Fee::Percent { percent: 90 }).unwrap()
    }

    fn strict() -> CancellationPolicy {
        CancellationPolicy::new(Vec::new(), None, Fee::Percent { percent: 90 }).unwrap()
    }

    #[rstest]
    #[case(json!({}))]
    #[case(json!({"refundable": true}))]
    #[case(json!({"refundable": null}))]
    #[case(json!({"price_minor": 1}))]
    #[case(json!({"no_show_fee": {"type": "percent", "percent": 90}}))]
    #[case(json!({"late_cancellation_fee": {"type": "percent", "percent": 80}}))]
    #[case(json!({"cancellation_tiers": [
        {"hours_before_check_in": 24, "fee": {"type": "percent", "percent": 50}},
        {"hours_before_check_in": 48, "fee": {"type": "none"}}]}))]
    fn a_member_with_its_present_value_changes_nothing(#[case] patch: Value) {
        assert_eq!(patched(custom(), patch), custom());
    }

    #[rstest]
    #[case(json!({"refundable": false}))]
    #[case(json!({"cancellation_tiers": []}))]
    #[case(json!({"cancellation_tiers": null}))]
    #[case(json!({"refundable": false, "cancellation_tiers": null}))]
    #[case(json!({"late_cancellation_fee": null}))]
    fn a_plan_that_stays_non_refundable_keeps_its_fees(#[case] patch: Value) {
        assert_eq!(patched(strict(), patch), strict());
    }

    #[rstest]
    #[case(CancellationPolicy::flexible(), json!({"type": "nights", "nights": 1}))]
    #[case(strict(), json!({"type": "percent", "percent": 90}))]
    fn a_repeated_late_fee_still_follows_the_no_show_fee(#[case] policy: CancellationPolicy, #[case] shown: Value) {
        let fees = json!({"late_cancellation_fee": shown, "no_show_fee": shown});
        for same in [json!({"late_cancellation_fee": shown}), fees] {
            assert_eq!(patched(policy.clone(), same), policy);
        }
        let both = json!({"late_cancellation_fee": shown, "no_show_fee": {"type": "none"}});
        let changed = patched(policy.clone(), both);
        assert_eq!((changed.own_late_fee(), changed.no_show), (Some(policy.no_show), Fee::None));
    }

    /// An older version stored this policy. Today its late fee of nothing is too low.
    #[test]
    fn a_policy_that_stays_is_not_judged_by_a_newer_rule() {
        let stored = json!({"tiers": [{"hours_before_check_in": 24, "fee": {"type": "percent", "percent": 50}}],
            "no_show": {"type": "none"}});
        let stored: CancellationPolicy = serde_json::from_value(stored).unwrap();
        for patch in [json!({"name": "Semi"}), json!({"refundable": true}), json!({"no_show_fee": {"type": "none"}})] {
            assert_eq!(patched(stored.clone(), patch), stored);
        }
    }

    #[test]
    fn null_resets_a_member_to_the_default_of_the_plans_kind() {
        let usual = CancellationPolicy::flexible();
        let tiers = patched(custom(), json!({"cancellation_tiers": null}));
        assert_eq!((tiers.tiers(), tiers.no_show), (usual.tiers(), custom().no_show));
        let fee = patched(custom(), json!({"no_show_fee": null, "late_cancellation_fee": null}));
        assert_eq!((fee.tiers(), fee.no_show, fee.own_late_fee()), (custom().tiers(), usual.no_show, None));
        assert_eq!(patched(strict(), json!({"no_show_fee": null})), CancellationPolicy::non_refundable());
    }

    #[rstest]
    #[case(custom(), json!({"refundable": false}), CancellationPolicy::non_refundable())]
    #[case(custom(), json!({"cancellation_tiers": []}), CancellationPolicy::non_refundable())]
    #[case(strict(), json!({"refundable": true}), CancellationPolicy::flexible())]
    #[case(strict(), json!({"refundable": null}), CancellationPolicy::flexible())]
    #[case(strict(), json!({"refundable": true, "cancellation_tiers": null}), CancellationPolicy::flexible())]
    fn a_plan_of_another_kind_has_its_default_policy(
        #[case] before: CancellationPolicy,
        #[case] patch: Value,
        #[case] after: CancellationPolicy,
    ) {
        assert_eq!(patched(before, patch), after);
    }
}
