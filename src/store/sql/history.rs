//! Rows of the history, which of them are old enough to go, and hotels that have changed.

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

/// Events of a page, each of whose rows tells how many events were `found`, one more than wanted at most.
pub fn excerpt<'a, R: Columns + 'a>(rows: impl Iterator<Item = &'a R>) -> Result<Excerpt, Error> {
    let (mut events, mut found) = (Vec::new(), 0_usize);
    for row in rows {
        found = row.number("found")?;
        events.push(event(row)?);
    }
    let more = found > events.len();
    Ok(Excerpt { events, more })
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

/// What may be deleted of the oldest events.
#[derive(Default)]
pub struct Due {
    /// How far each room type's history is old, by sequence number.
    pub until: BTreeMap<RoomTypeId, i64>,
    /// The last position looked at.
    pub position: i64,
    pub looked_at: u64,
}

/// The events decided before `before`, up to the first that was not; `oldest` is in the order of positions.
pub fn due<R: Columns>(oldest: &[R], before: Timestamp) -> Result<Due, Error> {
    let mut due = Due::default();
    for row in oldest {
        if row.instant("at")? >= before {
            break;
        }
        due.until.insert(RoomTypeId(row.uuid("room_type_id")?), row.number("sequence")?);
        due.position = row.number("position")?;
        due.looked_at += 1;
    }
    Ok(due)
}
