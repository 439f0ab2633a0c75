//! The table of all problem codes, with their status and title.
//!
//! Clients branch on `code`, so a code is never renamed or reused.

use actix_web::http::StatusCode;

macro_rules! codes {
    ($($code:ident = $status:ident $name:literal $title:literal;)+) => {
        /// The code of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($code),+ }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// The stable name. Clients branch on it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name),+ }
            }

            /// The title. Every problem with this code has the same.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$code => $title),+ }
            }

            pub const fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status),+ }
            }
        }
    };
}

codes! {
    MalformedRequest = BAD_REQUEST "malformed_request" "The request is malformed";
    MalformedJson = BAD_REQUEST "malformed_json" "The body is not JSON";
    MalformedHeader = BAD_REQUEST "malformed_header" "A header has an invalid value";
    KeyUnsupported = BAD_REQUEST "idempotency_key_unsupported" "This endpoint does not support idempotency keys";
    Unauthorized = UNAUTHORIZED "unauthorized" "A valid bearer token is required";
    Forbidden = FORBIDDEN "forbidden" "The administrator's token is required";
    NotFound = NOT_FOUND "not_found" "The resource does not exist";
    NoSuchHotel = NOT_FOUND "no_such_hotel" "The hotel does not exist";
    NoSuchRoomType = NOT_FOUND "no_such_room_type" "The room type does not exist";
    NoSuchRatePlan = NOT_FOUND "no_such_rate_plan" "The rate plan does not exist";
    NoSuchService = NOT_FOUND "no_such_service" "The service does not exist";
    NoSuchBooking = NOT_FOUND "no_such_booking" "The booking does not exist, or the token does not allow access to it";
    NoSuchSubscription = NOT_FOUND "no_such_subscription" "The subscription does not exist on this connection";
    MethodNotAllowed = METHOD_NOT_ALLOWED "method_not_allowed" "This endpoint does not support the method";
    NotAcceptable = NOT_ACCEPTABLE "not_acceptable" "The server supports no encoding that the client accepts";
    HeadTimeout = REQUEST_TIMEOUT "head_timeout" "The head of the request arrived too slowly";
    BodyTimeout = REQUEST_TIMEOUT "body_timeout" "The body of the request arrived too slowly";
    SoldOut = CONFLICT "sold_out" "Not enough rooms are free";
    Closed = CONFLICT "closed" "Some of these nights are not for sale";
    IllegalMove = CONFLICT "illegal_move" "The status of the booking does not allow this change";
    LiveBookings = CONFLICT "live_bookings" "The change would move live bookings";
    ChangeNotFree = CONFLICT "change_not_free" "Nights or rooms can no longer be removed for free";
    HoldExpired = GONE "hold_expired" "The hold has expired";
    EventsGone = GONE "events_gone" "The feed of events cannot continue from this cursor";
    Stale = PRECONDITION_FAILED "stale" "The resource has changed";
    BodyTooLarge = PAYLOAD_TOO_LARGE "body_too_large" "The body is too large";
    UriTooLong = URI_TOO_LONG "uri_too_long" "The path and query are too long";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" "The body must be uncompressed JSON";
    NotAPeer = MISDIRECTED_REQUEST "not_a_peer" "The credentials of the forwarding node are invalid";
    UpgradeRequired = UPGRADE_REQUIRED "upgrade_required" "This endpoint needs a WebSocket handshake";
    RateLimited = TOO_MANY_REQUESTS "rate_limited" "The caller has reached a rate limit or a limit of holds";
    TooManyHolds = TOO_MANY_REQUESTS "too_many_holds" "No more rooms can be held without payment";
    TooManyFrames = TOO_MANY_REQUESTS "too_many_frames" "Too many frames per second";
    InvalidRequest = UNPROCESSABLE_ENTITY "invalid_request" "The request breaks a rule of its members";
    KeyReused = UNPROCESSABLE_ENTITY "idempotency_key_reused" "The idempotency key was used for another request";
    Restricted = UNPROCESSABLE_ENTITY "restricted" "The restrictions of the hotel forbid this stay";
    ArrivalInThePast = UNPROCESSABLE_ENTITY "arrival_in_the_past" "The arrival is before the hotel's current date";
    DepartureInThePast = UNPROCESSABLE_ENTITY "departure_in_the_past" "The departure is before the hotel's current date";
    BeyondHorizon = UNPROCESSABLE_ENTITY "beyond_horizon" "The departure is after the booking horizon";
    TooManyNights = UNPROCESSABLE_ENTITY "too_many_nights" "The stay is longer than the hotel allows";
    EmptyStay = UNPROCESSABLE_ENTITY "empty_stay" "The check-out must be after the check-in";
    Occupancy = UNPROCESSABLE_ENTITY "occupancy" "The guests do not fit in the rooms";
    RatePlanRequired = UNPROCESSABLE_ENTITY "rate_plan_required" "Several rate plans sell this stay";
    TotalTooLarge = UNPROCESSABLE_ENTITY "total_too_large" "The total of the booking is too large";
    UnknownRatePlan = UNPROCESSABLE_ENTITY "unknown_rate_plan" "The room type has no such rate plan";
    UnknownService = UNPROCESSABLE_ENTITY "unknown_service" "The hotel has no such service";
    Unstorable = UNPROCESSABLE_ENTITY "unstorable" "The database refuses these values";
    TooEarly = UNPROCESSABLE_ENTITY "too_early" "The change is not possible yet";
    TooLate = UNPROCESSABLE_ENTITY "too_late" "The change is no longer possible";
    CapacityBelowSold = UNPROCESSABLE_ENTITY "capacity_below_sold" "The capacity would be below the sold and held rooms";
    OutsideHorizon = UNPROCESSABLE_ENTITY "outside_horizon" "The dates are outside the booking horizon";
    HeadersTooLarge = REQUEST_HEADER_FIELDS_TOO_LARGE "headers_too_large" "The headers are too long";
    Internal = INTERNAL_SERVER_ERROR "internal" "The server failed unexpectedly";
    Busy = SERVICE_UNAVAILABLE "busy" "Too many requests wait for this room type";
    Interrupted = SERVICE_UNAVAILABLE "interrupted" "The outcome is unknown; repeat the request with the same idempotency key";
    Expired = SERVICE_UNAVAILABLE "expired" "The request waited too long, and nothing was done";
    Unavailable = SERVICE_UNAVAILABLE "unavailable" "The database or Redis cannot be reached";
    NotAMember = SERVICE_UNAVAILABLE "not_a_member" "The node is not a member of its cluster";
    OwnerMoving = SERVICE_UNAVAILABLE "owner_moving" "The room type is moving to another node";
    OwnerUnreachable = SERVICE_UNAVAILABLE "owner_unreachable" "The node that owns the room type cannot be reached";
    Starting = SERVICE_UNAVAILABLE "starting" "The search index is not built yet";
    TooManyConnections = SERVICE_UNAVAILABLE "too_many_connections" "Too many connections are open";
    TooManyDashboards = SERVICE_UNAVAILABLE "too_many_dashboards" "Too many dashboards are open";
    ShuttingDown = SERVICE_UNAVAILABLE "shutting_down" "The server is shutting down";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_and_titles_are_unique() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        let titles: HashSet<_> = Code::ALL.iter().map(|code| code.title()).collect();
        assert_eq!((names.len(), titles.len()), (Code::ALL.len(), Code::ALL.len()));
    }

    #[test]
    fn codes_are_snake_case_and_statuses_are_errors() {
        for code in Code::ALL {
            assert!(code.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code:?}");
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{code:?}");
        }
    }
}
