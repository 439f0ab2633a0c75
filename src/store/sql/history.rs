//! Rows of the history, the events to be deleted, and changed hotels.

use std::collections::BTreeMap;

use super::Columns;
use crate::domain::{BookingId, HotelId, RoomTypeId, Timestamp};
use crate::store::Error;
use crate::store::feed::{ChangedHotel, End, Event, Excerpt, Moment};

pub fn event(row: &impl Columns) -> Result<Event, Error> {
    Ok(Event {
        position: row.number("position")?,
        hotel: HotelId(row.uuid("hotel_id")?),
        room_type: RoomTypeId(row.uuid("room_type_id")?),
        sequence: row.number("sequence")?,
        at: row.instant("at")?,
        cause: row.text("cause")?.to_owned(),
        booking: row.uuid_opt("booking_id")?.map(BookingId),
        payload: row.json("payload")?,
    })
}

/// A page. Each row says how many events were `found`: at most one more than the page may have. Of an event without a room
/// type only the position is read.
pub fn excerpt<'a, R: Columns + 'a>(rows: impl Iterator<Item = &'a R>) -> Result<Excerpt, Error> {
    let (mut events, mut read, mut found, mut last) = (Vec::new(), 0_usize, 0_usize, None);
    for row in rows {
        (read, found, last) = (read + 1, row.number("found")?, Some(row.number("position")?));
        if row.uuid_opt("room_type_id")?.is_some() {
            events.push(event(row)?);
        }
    }
    Ok(Excerpt { events, last, more: found > read })
}

pub fn changed_hotel(row: &impl Columns) -> Result<ChangedHotel, Error> {
    Ok(ChangedHotel { position: row.number("changed")?, hotel: HotelId(row.uuid("id")?) })
}

pub fn moment(row: &impl Columns) -> Result<Moment, Error> {
    let (event, calendar): (u64, u64) = (row.number("position")?, row.number("calendar_changed")?);
    Ok(Moment { at: row.instant("at")?, calendar_changed_since: calendar >= event })
}

pub fn end(row: &impl Columns) -> Result<End, Error> {
    Ok(End { event: row.number("event")?, hotel: row.number("hotel")? })
}

/// The oldest events that may be deleted.
#[derive(Default)]
pub struct Due {
    /// For each room type, the sequence number up to which its history is old.
    pub until: BTreeMap<RoomTypeId, i64>,
    /// The last position looked at.
    pub position: i64,
    pub looked_at: u64,
}

/// The events decided before `before`, up to the first event that was not. `oldest` is ordered by position.
pub fn due<R: Columns>(oldest: &[R], before: Timestamp) -> Result<Due, Error> {
    let mut due = Due::default();
    for row in oldest {
        if row.instant("at")? >= before {
            break;
        }
        if let Some(room_type) = row.uuid_opt("room_type_id")? {
            due.until.insert(RoomTypeId(room_type), row.number("sequence")?);
        }
        due.position = row.number("position")?;
        due.looked_at += 1;
    }
    Ok(due)
}
