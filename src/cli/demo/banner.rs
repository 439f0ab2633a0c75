//! The greeting of `serve --demo`, on stdout.

use std::fmt::Write;

use serde_json::json;
use uuid::Uuid;

use super::sample::Sample;
use crate::secret::Secret;

/// The guests of the curl line's booking.
const GUESTS: [(&str, u8); 2] = [("Ana Lopes", 34), ("Rui Lopes", 36)];

/// The greeting. `key` is the curl line's idempotency key: sending the line twice books once.
pub fn text(url: &str, made: Option<&Secret>, sample: Option<&Sample>, key: &Uuid) -> String {
    let token = made.map_or("as it was set", Secret::expose);
    let mut text = format!(
        "\ninnkeeper is open.\n\n  API          {url}/v1/hotels\n  API docs     {url}/docs/\n  \
         Admin token  {token}   (Authorization: Bearer …)\n\n"
    );
    // Writing to a String cannot fail.
    let _ = match sample {
        Some(sample) => write!(text, "{}", invitation(url, sample, key)),
        None => writeln!(text, "No room can be booked now: create a room type and a rate plan through the API."),
    };
    text.push_str("\nStop with Ctrl+C.\n\n");
    text
}

fn invitation(url: &str, sample: &Sample, key: &Uuid) -> String {
    let Sample { hotel, hotel_id, city, room_type_name, rate_plan_name, stay, .. } = sample;
    format!(
        "Book \"{room_type_name}\" ({rate_plan_name}) at {hotel}, {city}, from {} to {}:\n\n  \
         curl -i -X POST {url}/v1/bookings \\\n    -H 'Content-Type: application/json' \\\n    \
         -H 'Idempotency-Key: {key}' \\\n    -d '{}'\n\n\
         Cancel it with the id and the manage_token of the answer:\n\n  \
         curl -i -X POST {url}/v1/bookings/ID/cancel -H 'Authorization: Bearer MANAGE_TOKEN'\n\n\
         Watch the nights in another terminal, and put load on the server (from the sources, write \
         `cargo run --release --` in place of innkeeper):\n\n  \
         innkeeper watch {url} --hotel {} --from {}\n  \
         innkeeper storm {url} --mix churn\n",
        stay.check_in(),
        stay.check_out(),
        body(sample),
        hotel_id.0,
        stay.check_in(),
    )
}

fn body(sample: &Sample) -> serde_json::Value {
    let guests = GUESTS.iter().take(usize::from(sample.adults));
    json!({
        "room_type_id": sample.room_type,
        "rate_plan_id": sample.rate_plan,
        "checkin_date": sample.stay.check_in(),
        "checkout_date": sample.stay.check_out(),
        "rooms": 1,
        "num_guests": sample.adults,
        "guests": guests.map(|(name, age)| json!({"name": name, "age": age})).collect::<Vec<_>>(),
        "contact": {"mobile": "+351912345678"},
    })
}
