//! Examples of answers. One test compares them with the schemas, another one with real answers.

use serde_json::{Value, json};

use super::{HOTEL, RATE_PLAN, ROOM_TYPE, SERVICE, ahead};
use crate::domain::{Date, FailingNight, Reason, Violation};
use crate::http::code::Code;
use crate::http::problem::Problem;

/// The id of the example booking.
const BOOKING: &str = "0195a3c0-7d11-7e2a-9c55-2f1d7d0c0b11";
/// The id of the example request.
const REQUEST: &str = "0195a3c0-9b3e-7c10-8f6a-51a2f0d3e7c4";

/// The example of an answer, by the name of its schema. An answer without a schema is found by its path.
pub fn answer(name: &str, today: Date) -> Value {
    if let Some(item) = name.strip_suffix("List") {
        return json!({ "items": [answer(item, today)], "next_cursor": null });
    }
    match name {
        "EventPage" => json!({ "items": [event(today)], "next_cursor": "1742", "more": false }),
        "Hotel" => with(super::hotel(), json!({ "id": HOTEL, "check_out_time": "11:00", "horizon_nights": 730 })),
        "RoomType" => {
            with(super::room_type(), json!({ "id": ROOM_TYPE, "hotel_id": HOTEL, "overbooking_allowance": 0 }))
        }
        "RatePlan" => with(
            super::rate_plan(),
            json!({
                "id": RATE_PLAN, "room_type_id": ROOM_TYPE, "late_cancellation_fee": { "type": "percent", "percent": 100 }
            }),
        ),
        "Service" => with(super::service(), json!({ "id": SERVICE, "hotel_id": HOTEL })),
        "Booking" => booking(today),
        "Offer" => offer(today),
        "PriceCalendar" => json!({
            "hotel_id": HOTEL, "nights": 2, "currency": "EUR",
            "days": [
                { "checkin_date": ahead(today, 30), "total_minor": 24_000, "room_type_id": ROOM_TYPE,
                  "rate_plan_id": RATE_PLAN },
                { "checkin_date": ahead(today, 31), "total_minor": null, "room_type_id": null, "rate_plan_id": null,
                  "reason": "sold_out" }
            ]
        }),
        "Availability" => availability(today),
        "NightsSet" => json!({ "items": [{ "index": 0, "status": "applied", "changed": 8, "sequence": 43 }] }),
        "Cluster" => cluster(today),
        "Health" => json!({ "status": "ok" }),
        "/openapi.json" => json!({ "openapi": "3.1.0" }),
        "/asyncapi.json" => json!({ "asyncapi": "3.0.0" }),
        "/metrics" => json!("innkeeper_live_actors 12\n"),
        _ => Value::Null,
    }
}

/// The example of a problem.
pub fn problem(code: Code, today: Date) -> Value {
    let date = today.saturating_add(jiff::Span::new().days(31));
    let night = |reason| vec![FailingNight { date, reason }];
    let problem = match code {
        Code::InvalidRequest => Violation::new("/guests/0/age", "age_range", "must be from 0 to 150").into(),
        Code::SoldOut | Code::CapacityBelowSold => {
            Problem::of(code).with_nights(night(Reason::SoldOut { free: 0, wanted: 1 }))
        }
        Code::Closed => Problem::of(code).with_nights(night(Reason::StopSell)),
        Code::Restricted => Problem::of(code).with_nights(night(Reason::MinNights { min: 2 })),
        Code::Stale => Problem::of(code).with_sequence(43),
        _ if code.status().as_u16() == 503 => Problem::of(code).retry_after_secs(1),
        _ => Problem::of(code),
    };
    let document = serde_json::to_value(problem.document(None)).unwrap_or_default();
    with(document, json!({ "request_id": REQUEST }))
}

/// An object with more members.
fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut object, more) {
        members.extend(more);
    }
    object
}

fn at(today: Date) -> String {
    format!("{today}T09:30:00Z")
}

fn booking(today: Date) -> Value {
    let night = |days| json!({ "date": ahead(today, days), "price_minor": 12_000 });
    json!({
        "id": BOOKING,
        "status": "held",
        "manage_token": "mt_2b6f0cc904d137be2e1730235f5664094b831186a7f4c1d5",
        "hotel_id": HOTEL,
        "room_type_id": ROOM_TYPE,
        "rate_plan_id": RATE_PLAN,
        "checkin_date": ahead(today, 30),
        "checkout_date": ahead(today, 32),
        "rooms": 1,
        "num_guests": 2,
        "guests": [{ "name": "Ana Lopes", "age": 34 }, { "name": "Rui Lopes", "age": 6 }],
        "services": [{
            "service_id": SERVICE, "name": "Breakfast", "basis": "per_person_night", "unit_price_minor": 1_500,
            "quantity": 1, "amount_minor": 6_000
        }],
        "contact": { "mobile": "+351912345678", "email": "ana@example.com" },
        "external_reference": "web-1001",
        "nights": [night(30), night(31)],
        "room_groups": [{ "rooms": 1, "nights_minor": [12_000, 12_000] }],
        "total_minor": 30_000,
        "currency": "EUR",
        "sequence": 42,
        "created_at": at(today),
        "changed_at": at(today),
        "expires_at": format!("{today}T09:45:00Z"),
        "cancellation_policy": policy(today)
    })
}

/// The cancellation policy of a booking.
fn policy(today: Date) -> Value {
    let until = format!("{}T14:00:00Z", ahead(today, 28));
    json!({
        "refundable": true,
        "tiers": [{ "hours_before_check_in": 48, "until": until, "fee": { "type": "none" } }],
        "late_cancellation_fee": { "type": "percent", "percent": 100 },
        "no_show_fee": { "type": "percent", "percent": 100 }
    })
}

fn offer(today: Date) -> Value {
    json!({
        "hotel": { "id": HOTEL, "name": "Casa do Rio", "city": super::CITY, "country": "PT" },
        "distance_km": 1.2,
        "total_minor": 24_000,
        "currency": "EUR",
        "room_types": [{
            "room_type_id": ROOM_TYPE, "name": "Double room", "rate_plan_id": RATE_PLAN, "rate_plan_name": "Flexible",
            "total_minor": 24_000, "nights_minor": [12_000, 12_000], "sequence": 42,
            "rate_plans": [{
                "rate_plan_id": RATE_PLAN, "name": "Flexible", "total_minor": 24_000, "nights_minor": [12_000, 12_000],
                "cancellation_policy": policy(today)
            }]
        }]
    })
}

fn availability(today: Date) -> Value {
    json!({
        "room_type_id": ROOM_TYPE, "sequence": 42, "currency": "EUR",
        "nights": [{
            "date": ahead(today, 30), "physical": 10, "out_of_order": 1, "overbooking_allowance": 0, "forced": 0, "sold": 4,
            "held": 1, "free": 4, "closed": false, "price_minor": 12_000, "restrictions": unrestricted()
        }]
    })
}

fn unrestricted() -> Value {
    json!({
        "stop_sell": false, "closed_to_arrival": false, "closed_to_departure": false, "min_nights_arrival": 0,
        "max_nights_arrival": 0, "min_nights_through": 0, "max_nights_through": 0
    })
}

fn event(today: Date) -> Value {
    json!({
        "position": 1_742, "hotel_id": HOTEL, "room_type_id": ROOM_TYPE, "sequence": 42, "at": at(today),
        "cause": "held", "booking_id": BOOKING,
        "nights": [{ "date": ahead(today, 30), "sold_delta": 0, "held_delta": 1 }], "rates": []
    })
}

fn cluster(today: Date) -> Value {
    json!({
        "node": "inn-1-7f3a", "draining": false,
        "nodes": [{
            "id": "inn-1-7f3a", "url": "http://10.0.0.11:8080", "since": at(today), "last_heartbeat": at(today),
            "draining": false, "cut_off": false, "owned": 12
        }],
        "owned": [{ "room_type_id": ROOM_TYPE, "token": 7, "owned_for_secs": 640, "renewed_secs_ago": 1 }],
        "next_cursor": null,
        "lanes": [{ "waiting": 0 }]
    })
}
