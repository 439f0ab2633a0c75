//! Rows that `verify` recounts.

use data_encoding::HEXLOWER;

use super::{Columns, rows};
use crate::domain::booking::Footprint;
use crate::domain::calendar::capacity;
use crate::store::Error;
use crate::store::audit::{Evidence, NightRow, StrayIdempotencyRecord, StrayJob};

/// The sequence number of the room type, and the range of its events.
pub fn sequences(row: &impl Columns) -> Result<Evidence, Error> {
    let (first, last) = (row.number_opt("first")?, row.number_opt("last")?);
    let count = row.number("count")?;
    Ok(Evidence {
        sequence: row.number("sequence")?,
        trimmed: row.number::<u64>("trimmed")? > 0,
        events: first.zip(last).map(|(first, last)| (first, last, count)),
        ..Evidence::default()
    })
}

pub fn night_row(row: &impl Columns) -> Result<NightRow, Error> {
    let due = capacity(row.number("physical")?, row.number("out_of_order")?, row.number("allowance")?);
    Ok(NightRow {
        date: row.date("date")?,
        capacity: row.number("capacity")?,
        due,
        sold: row.number("sold")?,
        held: row.number("held")?,
        forced: row.number("forced")?,
    })
}

pub fn footprint(row: &impl Columns) -> Result<Option<Footprint>, Error> {
    Ok(rows::status(row)?.footprint(rows::stay(row)?, row.number("rooms")?))
}

/// An id as text.
pub fn booking_id(row: &impl Columns) -> Result<String, Error> {
    Ok(row.text("id")?.to_owned())
}

pub fn stray_idempotency_record(row: &impl Columns) -> Result<StrayIdempotencyRecord, Error> {
    Ok(StrayIdempotencyRecord {
        key: HEXLOWER.encode(row.blob("key")?),
        kind: row.text("kind")?.to_owned(),
        object: row.text_opt("object")?.map(str::to_owned),
        room_type: row.text_opt("room_type_id")?.map(str::to_owned),
        found_in: row.text_opt("found_in")?.map(str::to_owned),
    })
}

pub fn stray_job(row: &impl Columns) -> Result<StrayJob, Error> {
    Ok(StrayJob {
        id: row.number("id")?,
        kind: row.text("kind")?.to_owned(),
        booking: row.text_opt("booking_id")?.map(str::to_owned),
        tenant: row.text_opt("tenant")?.map(str::to_owned),
        found_in: row.text_opt("found_in")?.map(str::to_owned),
    })
}
