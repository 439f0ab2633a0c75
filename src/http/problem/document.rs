//! The JSON of a problem document.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Amount, FailingNight, PlanOffer, RatePlanId, Reason, Violation};
use crate::http::names::{NightReason, ProblemCode};
use crate::http::value::Day;

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document {
    /// A URI that names the kind of problem: `urn:innkeeper:problem:` and the code.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The title of the code.
    pub(super) title: &'static str,
    pub(super) status: u16,
    /// Stable. Clients branch on it.
    #[schema(value_type = ProblemCode)]
    pub(super) code: &'static str,
    /// What happened in this request.
    pub(super) detail: String,
    /// The path of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instance: Option<String>,
    /// The id of the request. State it when you report a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<String>,
    /// Members that break a rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<FieldError>,
    /// Nights that prevent the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) nights: Vec<NightInTheWay>,
    /// How many more nights prevent the request. An answer lists a limited number.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) nights_left_out: usize,
    /// Rate plans that sell the stay, the cheapest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) rate_plans: Vec<PlanToChoose>,
    /// The current sequence number, if another one was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sequence: Option<u64>,
    /// Seconds after which the request may be repeated. The header Retry-After has the same value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_after: Option<i64>,
    /// The rate limits that the caller has reached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) violated_policies: Vec<&'static str>,
}

/// The most nights in one document: a year.
pub(super) const MAX_NIGHTS: usize = 366;

impl Document {
    /// Limits the listed nights to `most`. Returns how many are listed.
    pub fn limit_nights(&mut self, most: usize) -> usize {
        let listed = self.nights.len().min(most);
        self.nights_left_out += self.nights.len() - listed;
        self.nights.truncate(listed);
        listed
    }
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A member that breaks a rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body. For a query parameter: `/` and its name.
    #[schema(example = "/guests/0/age")]
    pointer: String,
    /// The stable name of the rule.
    #[schema(example = "age_range")]
    rule: &'static str,
    message: String,
}

/// A night that prevents the request, and the reason. For `closed_to_departure` the date is the departure date.
#[derive(Debug, Serialize, ToSchema)]
pub struct NightInTheWay {
    date: Day,
    #[schema(value_type = NightReason)]
    reason: &'static str,
    /// Free rooms, if the night is sold out.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<u16>,
    /// Requested rooms, if the night is sold out.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u8>,
}

/// A rate plan that sells the stay.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanToChoose {
    #[schema(value_type = uuid::Uuid)]
    rate_plan_id: RatePlanId,
    name: String,
    refundable: bool,
    /// The price of all nights and all rooms.
    #[schema(value_type = i64)]
    total_minor: Amount,
}

impl From<&PlanOffer> for PlanToChoose {
    fn from(offer: &PlanOffer) -> Self {
        let PlanOffer { rate_plan, name, refundable, total } = offer;
        Self { rate_plan_id: *rate_plan, name: name.clone(), refundable: *refundable, total_minor: *total }
    }
}

impl From<&Violation> for FieldError {
    fn from(violation: &Violation) -> Self {
        let Violation { pointer, rule, message } = violation.clone();
        Self { pointer, rule, message }
    }
}

impl From<&FailingNight> for NightInTheWay {
    fn from(night: &FailingNight) -> Self {
        let because = |reason| Self { date: Day(night.date), reason, free: None, wanted: None, min: None, max: None };
        match night.reason {
            Reason::SoldOut { free, wanted } => Self { free: Some(free), wanted: Some(wanted), ..because("sold_out") },
            Reason::StopSell => because("stop_sell"),
            Reason::NoInventory => because("no_inventory"),
            Reason::NoPrice => because("no_price"),
            Reason::ClosedToArrival => because("closed_to_arrival"),
            Reason::ClosedToDeparture => because("closed_to_departure"),
            Reason::MinNights { min } => Self { min: Some(min), ..because("min_nights") },
            Reason::MaxNights { max } => Self { max: Some(max), ..because("max_nights") },
        }
    }
}
