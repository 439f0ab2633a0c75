//! Renders updates as text frames. The first connection that sends an update encodes it, and all connections share the
//! bytes.

use bytes::Bytes;

use super::frame::{self, ServerFrame};
use super::socket::encoder;
use crate::events::Update;
use crate::events::update::{Change, Counts, ShownNight, Snapshot};
use crate::http::value::Day;

/// The frame of an update.
pub fn update(update: &Update) -> Bytes {
    match update {
        Update::Snapshot(shared) => shared.encoded(|shown| self::frame(&ServerFrame::Snapshot(snapshot(shown)))),
        Update::Change(shared) => shared.encoded(|shown| self::frame(&ServerFrame::Change(change(shown)))),
        Update::Current { room_type, sequence } => {
            let (room_type_id, sequence) = (Some(room_type.0), Some(*sequence));
            self::frame(&ServerFrame::Current(frame::Current { id: None, room_type_id, sequence }))
        }
    }
}

/// The bytes of a frame.
pub fn frame(frame: &ServerFrame) -> Bytes {
    // Strings, numbers and arrays of them can always be serialized.
    encoder::text(&serde_json::to_string(frame).unwrap_or_default())
}

fn snapshot(shown: &Snapshot) -> frame::Snapshot {
    let column = |of: fn(&ShownNight) -> u16| shown.nights.iter().map(of).collect();
    frame::Snapshot {
        room_type_id: shown.room_type.0,
        sequence: shown.sequence,
        from: Day(shown.from),
        currency: shown.currency.code().to_owned(),
        physical: column(|night| night.physical),
        sold: column(|night| night.counts.sold),
        held: column(|night| night.counts.held),
        free: column(|night| night.counts.free),
        price_minor: shown.nights.iter().map(|night| night.price.map(|price| price.minor())).collect(),
        conflated: shown.conflated,
    }
}

fn change(shown: &Change) -> frame::Change {
    let column = |of: fn(&Counts) -> u16| shown.nights.iter().map(of).collect();
    frame::Change {
        room_type_id: shown.room_type.0,
        sequence: shown.sequence,
        from: Day(shown.from),
        sold: column(|night| night.sold),
        held: column(|night| night.held),
        free: column(|night| night.free),
        cause: shown.cause.to_string(),
    }
}
