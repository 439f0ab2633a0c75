//! The frames of a client, parsed and checked.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Options;
use super::frame::{After, Id, Ping, Subscribe, Unsubscribe};
use crate::domain::violation::Violations;
use crate::domain::{HotelId, RoomTypeId, Violation, stay, text};
use crate::events::Window;
use crate::http::code::Code;
use crate::http::extract::pointer;
use crate::http::problem::Problem;

/// The longest name of a subscription, in characters.
const MAX_ID: usize = 64;

/// A frame of a client.
#[derive(Debug)]
pub enum Request {
    Subscribe(Subscribing),
    Unsubscribe(Id),
    Ping,
}

/// The nights that a subscription watches.
#[derive(Debug)]
pub struct Subscribing {
    pub id: Id,
    pub source: Source,
    pub window: Window,
    pub after: Option<After>,
}

/// The room types of a subscription.
#[derive(Debug, Clone)]
pub enum Source {
    Hotel(HotelId),
    RoomTypes(Vec<RoomTypeId>),
}

/// An invalid frame, and the subscription that it names.
#[derive(Debug)]
pub struct InvalidFrame {
    pub id: Option<Id>,
    pub problem: Problem,
}

/// Parses a text message.
pub fn read(message: &str, options: &Options) -> Result<Request, InvalidFrame> {
    let members: Map<String, Value> = json(message).map_err(|problem| InvalidFrame { id: None, problem })?;
    let id = members.get("id").and_then(|id| serde_json::from_value(id.clone()).ok()).filter(|id| name(id).is_ok());
    let request = match members.get("type").and_then(Value::as_str) {
        Some("subscribe") => json(message).and_then(|frame| Ok(Request::Subscribe(check(frame, options)?))),
        Some("unsubscribe") => json(message).and_then(|Unsubscribe { id, .. }| {
            name(&id)?;
            Ok(Request::Unsubscribe(id))
        }),
        Some("ping") => json(message).map(|Ping { .. }| Request::Ping),
        _ => Err(Violation::new("/type", "type", "must be subscribe, unsubscribe or ping").into()),
    };
    request.map_err(|problem| InvalidFrame { id, problem })
}

fn json<T: DeserializeOwned>(message: &str) -> Result<T, Problem> {
    pointer::from_json(message.as_bytes()).map_err(|error| match error {
        pointer::Error::Malformed(why) => Problem::new(Code::MalformedJson, format!("The message is not JSON: {why}.")),
        pointer::Error::Violation(violation) => violation.into(),
    })
}

fn check(frame: Subscribe, options: &Options) -> Result<Subscribing, Vec<Violation>> {
    let mut violations = Violations::default();
    let id = violations.keep(name(&frame.id).map(|()| frame.id));
    let nights = i32::try_from(options.nights).unwrap_or(i32::MAX);
    let window = violations.keep(match stay::days_between(frame.from.0, frame.to.0) {
        ..1 => Err(Violation::new("/to", "to_after_from", "must be after from (it is exclusive)")),
        days if days <= nights => Ok(Window { from: frame.from.0, to: frame.to.0 }),
        _ => Err(Violation::new("/to", "range_length", format!("must be at most {nights} days after from"))),
    });
    let source = violations.keep(match (frame.hotel_id, frame.room_type_ids) {
        (Some(hotel), None) => Ok(Source::Hotel(HotelId(hotel))),
        (None, Some(ids)) => room_types(ids.into_iter().map(RoomTypeId).collect(), options),
        _ => {
            Err(Violation::new("/room_type_ids", "one_source", "must be present, unless hotel_id is present; not both"))
        }
    });
    let after = frame.after;
    violations.finish((|| Some(Subscribing { id: id?, source: source?, window: window?, after }))())
}

fn room_types(ids: Vec<RoomTypeId>, options: &Options) -> Result<Source, Violation> {
    let limit = options.room_types;
    if !(1..=limit).contains(&ids.len()) {
        let message = format!("must have 1 to {limit} entries");
        return Err(Violation::new("/room_type_ids", "room_types_range", message));
    }
    let mut seen = BTreeSet::new();
    match ids.iter().position(|id| !seen.insert(*id)) {
        Some(index) => Err(Violation::new(format!("/room_type_ids/{index}"), "unique", "is a duplicate")),
        None => Ok(Source::RoomTypes(ids)),
    }
}

/// Checks the name of a subscription. Frames repeat the name unchanged, so it is not trimmed.
fn name(id: &Id) -> Result<(), Violation> {
    let Id::Text(name) = id else { return Ok(()) };
    if !(1..=MAX_ID).contains(&name.chars().count()) {
        return Err(Violation::new("/id", "id_length", format!("must have 1 to {MAX_ID} characters")));
    }
    text::check(name).map_err(|broken| broken.at("/id"))
}
