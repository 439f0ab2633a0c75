//! Closed lists of names, each a schema of its own: generated clients get an enum instead of plain text.

use std::borrow::Cow;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::{Change, Status};
use crate::http::code::Code;
use crate::http::problem::NightInTheWay;

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
    BookingStatus = "BookingStatus", "Where a booking is in its life.", Status::NAMES;
    EventCause = "EventCause", "What happened.", Change::CAUSES;
    ProblemCode = "ProblemCode", "The stable name of a kind of problem.", Code::ALL.iter().map(|code| code.name());
    NightReason = "NightReason", "Why a night stands in the way.", NightInTheWay::REASONS;
    HealthStatus = "HealthStatus", "All is well.", ["ok"];
}
