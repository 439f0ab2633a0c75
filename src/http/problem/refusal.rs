//! Converts the refusals of the domain to problems. Each has a code, and a pointer if one member is the cause.

use super::Problem;
use crate::domain::{Date, Reason, Refusal, Violation};
use crate::http::code::Code;

/// Seconds after which a hold may be repeated if no other hold is known to expire. Every 429 has a Retry-After.
const HOLDS_LATER: i64 = 60;

/// The problem of a range of dates that ends before the hotel's current date. Nothing in it can be sold.
pub fn past(today: Date) -> Problem {
    let refusal = Refusal::ArrivalInThePast { today };
    Problem::new(code(&refusal), sentence(&refusal.to_string())).with_errors(vec![Violation::new(
        "/to",
        refusal.name(),
        format!("must be after {today}, the hotel's current date"),
    )])
}

/// The problem of a refusal.
pub fn problem(refusal: &Refusal) -> Problem {
    let detail = sentence(&refusal.to_string());
    let problem = Problem::new(code(refusal), detail);
    match refusal {
        // Like every other violation that is found before the request reaches the room type.
        Refusal::GuestsMatch { .. } => Violation::new("/num_guests", refusal.name(), refusal.to_string()).into(),
        Refusal::Unavailable { nights, retry_at } => problem.with_nights(nights.clone()).retry_at(*retry_at),
        Refusal::Restricted { nights } | Refusal::CapacityBelowSold { nights } => problem.with_nights(nights.clone()),
        Refusal::TooManyHolds { retry_at: Some(at), .. } => problem.retry_at(Some(*at)),
        Refusal::TooManyHolds { retry_at: None, .. } => problem.retry_after_secs(HOLDS_LATER),
        Refusal::Stale { actual, .. } => problem.with_sequence(*actual),
        Refusal::RatePlanRequired { plans } => {
            let error = Violation::new("/rate_plan_id", refusal.name(), refusal.to_string());
            problem.with_errors(vec![error]).with_rate_plans(plans.clone())
        }
        _ => match field(refusal) {
            Some(pointer) => problem.with_errors(vec![Violation::new(pointer, refusal.name(), refusal.to_string())]),
            None => problem,
        },
    }
}

fn code(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::Unavailable { nights, .. } => {
            let sold_out = nights.iter().any(|night| matches!(night.reason, Reason::SoldOut { .. }));
            if sold_out { Code::SoldOut } else { Code::Closed }
        }
        Refusal::Restricted { .. } => Code::Restricted,
        Refusal::ArrivalInThePast { .. } => Code::ArrivalInThePast,
        Refusal::DepartureInThePast { .. } => Code::DepartureInThePast,
        Refusal::BeyondHorizon { .. } => Code::BeyondHorizon,
        Refusal::TooManyNights { .. } => Code::TooManyNights,
        Refusal::EmptyStay { .. } => Code::EmptyStay,
        Refusal::Occupancy => Code::Occupancy,
        Refusal::GuestsMatch { .. } => Code::InvalidRequest,
        Refusal::RatePlanRequired { .. } => Code::RatePlanRequired,
        Refusal::TotalTooLarge => Code::TotalTooLarge,
        Refusal::UnknownRatePlan(_) => Code::UnknownRatePlan,
        Refusal::UnknownService(_) => Code::UnknownService,
        Refusal::Stale { .. } => Code::Stale,
        Refusal::IllegalMove { .. } => Code::IllegalMove,
        Refusal::ChangeNotFree { .. } => Code::ChangeNotFree,
        Refusal::TooManyHolds { .. } => Code::TooManyHolds,
        Refusal::HoldExpired { .. } => Code::HoldExpired,
        Refusal::TooEarly { .. } => Code::TooEarly,
        Refusal::TooLate { .. } => Code::TooLate,
        Refusal::CapacityBelowSold { .. } => Code::CapacityBelowSold,
        Refusal::OutsideHorizon { .. } => Code::OutsideHorizon,
    }
}

/// The member of the request that caused a refusal.
fn field(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::ArrivalInThePast { .. } => Some("/checkin_date"),
        Refusal::DepartureInThePast { .. }
        | Refusal::BeyondHorizon { .. }
        | Refusal::TooManyNights { .. }
        | Refusal::EmptyStay { .. } => Some("/checkout_date"),
        Refusal::Occupancy => Some("/guests"),
        Refusal::UnknownRatePlan(_) => Some("/rate_plan_id"),
        Refusal::UnknownService(_) => Some("/services"),
        Refusal::OutsideHorizon { .. } => Some("/from"),
        _ => None,
    }
}

/// A message with a capital letter and a full stop.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::FailingNight;

    fn night(reason: Reason) -> Vec<FailingNight> {
        vec![FailingNight { date: date(2026, 5, 1), reason }]
    }

    #[test]
    fn a_sold_out_stay_names_its_nights_and_when_a_hold_expires() {
        let retry_at = Some("2026-04-01T12:01:00Z".parse().unwrap());
        let nights = night(Reason::SoldOut { free: 0, wanted: 1 });
        let document =
            problem(&Refusal::Unavailable { nights, retry_at }).document(Some("2026-04-01T12:00:00Z".parse().unwrap()));
        let json = serde_json::to_value(document).unwrap();
        assert_eq!((json["code"].as_str(), json["status"].as_u64()), (Some("sold_out"), Some(409)));
        assert_eq!(json["nights"][0]["reason"], "sold_out");
        assert_eq!(json["retry_after"], 61);
    }

    #[test]
    fn a_hold_beyond_the_limit_always_has_a_retry_after() {
        let refusal = |retry_at| Refusal::TooManyHolds { date: date(2026, 5, 1), most: 0, retry_at };
        let now = "2026-04-01T12:00:00Z".parse().ok();
        for (retry_at, secs) in [(None, 60), ("2026-04-01T12:01:00Z".parse().ok(), 61)] {
            assert_eq!(problem(&refusal(retry_at)).retry_after(now), Some(secs));
        }
    }

    #[test]
    fn a_stop_sell_is_not_called_sold_out() {
        let refusal = Refusal::Unavailable { nights: night(Reason::StopSell), retry_at: None };
        assert_eq!(problem(&refusal).code(), Code::Closed);
    }

    #[test]
    fn codes_have_the_names_of_the_refusals() {
        let refusals = [
            Refusal::Occupancy,
            Refusal::TooManyNights { max: 30 },
            Refusal::Stale { expected: 1, actual: 2 },
            Refusal::IllegalMove { from: "held", verb: "checked in" },
            Refusal::Restricted { nights: night(Reason::ClosedToArrival) },
            Refusal::CapacityBelowSold { nights: Vec::new() },
        ];
        for refusal in refusals {
            assert_eq!(problem(&refusal).code().name(), refusal.name());
        }
    }
}
