//! The arguments of `check.sql` and `write.sql`, as JSON arrays.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use serde::Serialize;

use crate::store::CommitEntry;
use crate::store::sql::Rows;

/// The room types of a batch.
pub(super) fn room_types(batch: &[CommitEntry]) -> String {
    let ids: BTreeSet<_> = batch.iter().map(|entry| entry.room_type).collect();
    serde_json::Value::from_iter(ids.iter().map(ToString::to_string)).to_string()
}

/// Its idempotency keys, in hexadecimal.
pub(super) fn keys(batch: &[CommitEntry]) -> String {
    let keys = batch.iter().filter_map(|entry| entry.record.as_ref()).map(|(key, _)| HEXLOWER.encode(&key.0));
    serde_json::Value::from_iter(keys).to_string()
}

/// The arguments of `write.sql`, in order.
pub(super) fn arguments(rows: &Rows<'_>) -> serde_json::Result<[String; 14]> {
    fn array<T: Serialize>(rows: &[T]) -> serde_json::Result<String> {
        serde_json::to_string(rows)
    }
    Ok([
        array(&rows.room_types)?,
        array(&rows.plans)?,
        array(&rows.rate_nights)?,
        array(&rows.nights)?,
        array(&rows.resized)?,
        array(&rows.counted)?,
        array(&rows.bookings)?,
        array(&rows.repeopled)?,
        array(&rows.guests)?,
        array(&rows.services)?,
        array(&rows.events)?,
        array(&rows.idempotency)?,
        array(&rows.jobs)?,
        array(&rows.progress)?,
    ])
}
