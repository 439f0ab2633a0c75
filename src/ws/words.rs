//! Updates as text frames. What many clients are told is encoded once, by the first connection that sends it.

use bytes::Bytes;

use super::frame::{self, ServerFrame};
use super::socket::encoder;
use crate::events::Update;
use crate::events::update::{Change, Counts, ShownNight, Snapshot};
use crate::http::value::Day;

/// The frame of an update.
pub fn of(update: &Update) -> Bytes {
    match update {
        Update::Snapshot(shared) => shared.encoded(|told| write(&ServerFrame::Snapshot(snapshot(told)))),
        Update::Change(shared) => shared.encoded(|told| write(&ServerFrame::Change(change(told)))),
        Update::Current { room_type, sequence } => {
            let (room_type_id, sequence) = (Some(room_type.0), Some(*sequence));
            write(&ServerFrame::Current(frame::Current { id: None, room_type_id, sequence }))
        }
    }
}

/// A message as a frame.
pub fn write(frame: &ServerFrame) -> Bytes {
    // Strings, numbers and arrays of them always have a text.
    encoder::text(&serde_json::to_string(frame).unwrap_or_default())
}

fn snapshot(told: &Snapshot) -> frame::Snapshot {
    let column = |of: fn(&ShownNight) -> u16| told.nights.iter().map(of).collect();
    frame::Snapshot {
        room_type_id: told.room_type.0,
        sequence: told.sequence,
        from: Day(told.from),
        currency: told.currency.code().to_owned(),
        physical: column(|night| night.physical),
        sold: column(|night| night.counts.sold),
        held: column(|night| night.counts.held),
        free: column(|night| night.counts.free),
        price_minor: told.nights.iter().map(|night| night.price.map(|price| price.minor())).collect(),
        conflated: told.conflated,
    }
}

fn change(told: &Change) -> frame::Change {
    let column = |of: fn(&Counts) -> u16| told.nights.iter().map(of).collect();
    frame::Change {
        room_type_id: told.room_type.0,
        sequence: told.sequence,
        from: Day(told.from),
        sold: column(|night| night.sold),
        held: column(|night| night.held),
        free: column(|night| night.free),
        cause: told.cause.to_string(),
    }
}
