//! The one table of problem codes: what can go wrong, under which status, in which words.
//!
//! Clients branch on `code`, so a code is never renamed or reused.

use actix_web::http::StatusCode;

macro_rules! codes {
    ($($code:ident = $status:ident $name:literal $title:literal;)+) => {
        /// Everything that a problem document can be about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($code),+ }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// The stable name clients branch on.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name),+ }
            }

            /// The same words for every problem of this code.
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
    MalformedRequest = BAD_REQUEST "malformed_request" "The request cannot be understood";
    MalformedJson = BAD_REQUEST "malformed_json" "The body is not JSON";
    MalformedHeader = BAD_REQUEST "malformed_header" "A header has a value that it cannot have";
    KeyUnsupported = BAD_REQUEST "idempotency_key_unsupported" "This address does not take an idempotency key";
    Unauthorized = UNAUTHORIZED "unauthorized" "A valid bearer token is needed";
    Forbidden = FORBIDDEN "forbidden" "This needs the administrator's token";
    NotFound = NOT_FOUND "not_found" "There is nothing at this address";
    NoSuchHotel = NOT_FOUND "no_such_hotel" "There is no such hotel";
    NoSuchRoomType = NOT_FOUND "no_such_room_type" "There is no such room type";
    NoSuchRatePlan = NOT_FOUND "no_such_rate_plan" "There is no such rate plan";
    NoSuchService = NOT_FOUND "no_such_service" "There is no such service";
    NoSuchBooking = NOT_FOUND "no_such_booking" "There is no such booking, or it is not yours";
    NoSuchSubscription = NOT_FOUND "no_such_subscription" "This connection has no such subscription";
    MethodNotAllowed = METHOD_NOT_ALLOWED "method_not_allowed" "This address does not know this method";
    NotAcceptable = NOT_ACCEPTABLE "not_acceptable" "The client accepts no encoding that there is";
    HeadTimeout = REQUEST_TIMEOUT "head_timeout" "The head of the request took too long to arrive";
    BodyTimeout = REQUEST_TIMEOUT "body_timeout" "The body took too long to arrive";
    SoldOut = CONFLICT "sold_out" "Somebody was faster: not enough rooms are left";
    Closed = CONFLICT "closed" "Some of these nights are not for sale";
    IllegalMove = CONFLICT "illegal_move" "The booking's status does not allow this";
    LiveBookings = CONFLICT "live_bookings" "Bookings that are not over would be moved";
    ChangeNotFree = CONFLICT "change_not_free" "Nights or rooms can no longer be given back for free";
    HoldExpired = GONE "hold_expired" "The hold has run out";
    EventsGone = GONE "events_gone" "The events do not go on from this cursor";
    Stale = PRECONDITION_FAILED "stale" "It has changed since you looked";
    BodyTooLarge = PAYLOAD_TOO_LARGE "body_too_large" "The body is too large";
    UriTooLong = URI_TOO_LONG "uri_too_long" "The address is too long";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" "The body must be plain JSON";
    NotAPeer = MISDIRECTED_REQUEST "not_a_peer" "The request claims to come from a node of this cluster, and does not";
    UpgradeRequired = UPGRADE_REQUIRED "upgrade_required" "This address speaks WebSocket";
    RateLimited = TOO_MANY_REQUESTS "rate_limited" "Too many requests, or too many holds, of one caller";
    TooManyHolds = TOO_MANY_REQUESTS "too_many_holds" "As many rooms are held as can be held without payment";
    TooManyFrames = TOO_MANY_REQUESTS "too_many_frames" "Too many messages in a second";
    InvalidRequest = UNPROCESSABLE_ENTITY "invalid_request" "The request breaks rules of its fields";
    KeyReused = UNPROCESSABLE_ENTITY "idempotency_key_reused" "The idempotency key was used for another request";
    Restricted = UNPROCESSABLE_ENTITY "restricted" "The hotel's restrictions forbid this stay";
    ArrivalInThePast = UNPROCESSABLE_ENTITY "arrival_in_the_past" "The arrival lies in the hotel's past";
    DepartureInThePast = UNPROCESSABLE_ENTITY "departure_in_the_past" "The departure lies in the hotel's past";
    BeyondHorizon = UNPROCESSABLE_ENTITY "beyond_horizon" "The departure lies beyond the booking horizon";
    TooManyNights = UNPROCESSABLE_ENTITY "too_many_nights" "The stay is longer than the hotel takes";
    EmptyStay = UNPROCESSABLE_ENTITY "empty_stay" "The check-out must be after the check-in";
    Occupancy = UNPROCESSABLE_ENTITY "occupancy" "The rooms do not take these guests";
    RatePlanRequired = UNPROCESSABLE_ENTITY "rate_plan_required" "Several rate plans sell this stay";
    TotalTooLarge = UNPROCESSABLE_ENTITY "total_too_large" "The booking would cost more than can be counted exactly";
    UnknownRatePlan = UNPROCESSABLE_ENTITY "unknown_rate_plan" "The room type has no such rate plan";
    UnknownService = UNPROCESSABLE_ENTITY "unknown_service" "The hotel has no such service";
    Unstorable = UNPROCESSABLE_ENTITY "unstorable" "The database does not take these values";
    TooEarly = UNPROCESSABLE_ENTITY "too_early" "It is too early for this";
    TooLate = UNPROCESSABLE_ENTITY "too_late" "It is too late for this";
    CapacityBelowSold = UNPROCESSABLE_ENTITY "capacity_below_sold" "Fewer rooms would remain than are sold or held";
    OutsideHorizon = UNPROCESSABLE_ENTITY "outside_horizon" "The dates lie outside of the booking horizon";
    HeadersTooLarge = REQUEST_HEADER_FIELDS_TOO_LARGE "headers_too_large" "The headers are too large";
    Internal = INTERNAL_SERVER_ERROR "internal" "Something went wrong on our side";
    Busy = SERVICE_UNAVAILABLE "busy" "Too many requests wait for this room type";
    Interrupted = SERVICE_UNAVAILABLE "interrupted" "The request was interrupted; repeat it with the same key";
    Expired = SERVICE_UNAVAILABLE "expired" "The request waited too long; nothing was done";
    Unavailable = SERVICE_UNAVAILABLE "unavailable" "The database or Redis cannot be reached";
    NotAMember = SERVICE_UNAVAILABLE "not_a_member" "The node is no member of its cluster";
    OwnerMoving = SERVICE_UNAVAILABLE "owner_moving" "The room type is moving to another node";
    OwnerUnreachable = SERVICE_UNAVAILABLE "owner_unreachable" "The node that owns the room type cannot be reached";
    Starting = SERVICE_UNAVAILABLE "starting" "The search index is being built";
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
