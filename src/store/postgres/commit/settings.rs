//! Writes settings: room types, plans and nights, which change seldom. The statements run one after the other, their
//! rows as JSON.
//!
//! A batch may raise a night and then sell it, or free a night and then lower it. So the order is: raise, count, lower.
//! The CHECK then sees each night as it is at the end.

use serde::Serialize;
use sqlx::PgConnection;

use super::super::session::{COMMIT_WITHIN, within};
use crate::store::Error;
use crate::store::sql::Rows;

/// Past nights keep the values that the room type had.
const KEEP_THE_PAST: &str = "
    UPDATE nights
    SET physical = coalesce(nights.physical, t.rooms),
        allowance = coalesce(nights.allowance, t.overbooking_allowance)
    FROM jsonb_to_recordset($1) AS new (id uuid, today date)
    JOIN room_types AS t ON t.id = new.id
    WHERE nights.room_type_id = t.id AND nights.date < new.today
        AND (nights.physical IS NULL OR nights.allowance IS NULL)";
const ROOM_TYPES: &str = "
    UPDATE room_types
    SET name = new.name,
        max_adults = (new.occupancy->>'max_adults')::integer,
        max_children = (new.occupancy->>'max_children')::integer,
        max_occupancy = (new.occupancy->>'max_occupancy')::integer,
        rooms = new.rooms,
        overbooking_allowance = new.overbooking_allowance
    FROM jsonb_to_recordset($1) AS new (
        id uuid, name text, occupancy jsonb, rooms integer, overbooking_allowance integer
    )
    WHERE room_types.id = new.id";
const PLANS: &str = "
    INSERT INTO rate_plans (id, room_type_id, name, price_minor, policy)
    SELECT new.id, new.room_type_id, new.name, new.price, new.policy
    FROM jsonb_to_recordset($1) AS new (id uuid, room_type_id uuid, name text, price bigint, policy jsonb)
    ON CONFLICT (id) DO UPDATE
    SET name = excluded.name, price_minor = excluded.price_minor, policy = excluded.policy";
const RATE_NIGHTS: &str = "
    INSERT INTO rate_nights (
        rate_plan_id, date, price_minor, stop_sell, closed_to_arrival, closed_to_departure, min_nights_arrival,
        max_nights_arrival, min_nights_through, max_nights_through
    )
    SELECT *
    FROM jsonb_to_recordset($1) AS new (
        rate_plan_id uuid, date date, price bigint, stop_sell boolean, closed_to_arrival boolean,
        closed_to_departure boolean, min_nights_arrival smallint, max_nights_arrival smallint,
        min_nights_through smallint, max_nights_through smallint
    )
    ON CONFLICT (rate_plan_id, date) DO UPDATE
    SET price_minor = excluded.price_minor,
        stop_sell = excluded.stop_sell,
        closed_to_arrival = excluded.closed_to_arrival,
        closed_to_departure = excluded.closed_to_departure,
        min_nights_arrival = excluded.min_nights_arrival,
        max_nights_arrival = excluded.max_nights_arrival,
        min_nights_through = excluded.min_nights_through,
        max_nights_through = excluded.max_nights_through";
/// The capacity of an existing night is written afterwards, and a forced exception that became smaller too.
const NIGHTS: &str = "
    INSERT INTO nights (
        room_type_id, date, physical, out_of_order, allowance, forced, stop_sell, closed_to_arrival,
        closed_to_departure, min_nights_arrival, max_nights_arrival, min_nights_through, max_nights_through, capacity
    )
    SELECT
        new.*,
        least(greatest(
            coalesce(new.physical, t.rooms) - new.out_of_order + coalesce(new.allowance, t.overbooking_allowance),
            0), 65535)
    FROM jsonb_to_recordset($1) AS new (
        room_type_id uuid, date date, physical integer, out_of_order integer, allowance integer, forced integer,
        stop_sell boolean, closed_to_arrival boolean, closed_to_departure boolean, min_nights_arrival smallint,
        max_nights_arrival smallint, min_nights_through smallint, max_nights_through smallint
    )
    JOIN room_types AS t ON t.id = new.room_type_id
    ON CONFLICT (room_type_id, date) DO UPDATE
    SET physical = excluded.physical,
        out_of_order = excluded.out_of_order,
        allowance = excluded.allowance,
        forced = greatest(nights.forced, excluded.forced),
        stop_sell = excluded.stop_sell,
        closed_to_arrival = excluded.closed_to_arrival,
        closed_to_departure = excluded.closed_to_departure,
        min_nights_arrival = excluded.min_nights_arrival,
        max_nights_arrival = excluded.max_nights_arrival,
        min_nights_through = excluded.min_nights_through,
        max_nights_through = excluded.max_nights_through";

/// Sets the due capacity of the nights of resized room types where `$comparison` holds, and sets `$also`.
macro_rules! resize {
    ($also:literal, $comparison:literal) => {
        concat!(
            "
    UPDATE nights
    SET capacity = due.capacity",
            $also,
            "
    FROM (
        SELECT
            n.room_type_id,
            n.date,
            least(greatest(
                coalesce(n.physical, t.rooms) - n.out_of_order + coalesce(n.allowance, t.overbooking_allowance),
                0), 65535) AS capacity
        FROM jsonb_to_recordset($1) AS resized (room_type_id uuid, \"from\" date)
        JOIN room_types AS t ON t.id = resized.room_type_id
        JOIN nights AS n ON n.room_type_id = t.id AND n.date >= resized.\"from\"
    ) AS due
    WHERE nights.room_type_id = due.room_type_id AND nights.date = due.date AND (",
            $comparison,
            ")"
        )
    };
}
const RAISE: &str = resize!("", "due.capacity > nights.capacity");
const LOWER: &str = resize!(
    ", forced = least(nights.forced, greatest(nights.sold + nights.held - due.capacity, 0))",
    "due.capacity < nights.capacity OR nights.forced > 0"
);

#[cfg(test)]
pub(in super::super) const STEPS: [&str; 7] = [KEEP_THE_PAST, ROOM_TYPES, PLANS, RATE_NIGHTS, NIGHTS, RAISE, LOWER];

/// Writes settings before the bookings are counted.
pub(super) async fn before(connection: &mut PgConnection, rows: &Rows<'_>) -> Result<(), Error> {
    step(connection, KEEP_THE_PAST, &rows.room_types).await?;
    step(connection, ROOM_TYPES, &rows.room_types).await?;
    step(connection, PLANS, &rows.plans).await?;
    step(connection, RATE_NIGHTS, &rows.rate_nights).await?;
    step(connection, NIGHTS, &rows.nights).await?;
    step(connection, RAISE, &rows.resized).await
}

/// Writes settings after the bookings are counted.
pub(super) async fn after(connection: &mut PgConnection, rows: &Rows<'_>) -> Result<(), Error> {
    step(connection, LOWER, &rows.resized).await
}

async fn step<T: Serialize>(connection: &mut PgConnection, sql: &'static str, rows: &[T]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = serde_json::to_value(rows).map_err(|error| Error::Corrupt(error.into()))?;
    within(COMMIT_WITHIN, sqlx::query(sql).bind(rows).execute(connection)).await?;
    Ok(())
}
