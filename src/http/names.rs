//! Closed lists of names. Each is a schema of its own, so generated clients get an enum instead of a string.

use std::borrow::Cow;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::{Change, Status};
use crate::http::code::Code;

/// Every reason why a night prevents a request.
const NIGHT_REASONS: [&str; 8] = [
    "sold_out",
    "stop_sell",
    "no_inventory",
    "no_price",
    "closed_to_arrival",
    "closed_to_departure",
    "min_nights",
    "max_nights",
];

macro_rules! names {
    ($($type:ident = $name:literal, $words:literal, $names:expr;)+) => {
        $(
            #[doc = $words]
            pub enum $type {}

            impl PartialSchema for $type {
                fn schema() -> RefOr<Schema> {
                    let names = ObjectBuilder::new().schema_type(Type::String).enum_values(Some($names));
                    names.description(Some($words)).into()
                }
            }

            impl ToSchema for $type {
                fn name() -> Cow<'static, str> {
                    $name.into()
                }
            }
        )+
    };
}

names! {
    BookingStatus = "BookingStatus", "The status of a booking.", Status::NAMES;
    EventCause = "EventCause", "The kind of event.", Change::CAUSES;
    ProblemCode = "ProblemCode", "The stable name of a kind of problem.", Code::ALL.iter().map(|code| code.name());
    NightReason = "NightReason", "Why a night prevents a request.", NIGHT_REASONS;
    HealthStatus = "HealthStatus", "The state of the process.", ["ok"];
}
