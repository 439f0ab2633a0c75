//! The final state of the database, read with `psql`, independent of our code and of its driver.

use std::path::Path;
use std::process::Command;

use innkeeper::domain::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Everything that the checker compares with.
#[derive(Debug, Default)]
pub struct Truth {
    pub room_types: Vec<RoomType>,
    pub bookings: Vec<Booking>,
    /// In the order of their positions.
    pub events: Vec<Event>,
    pub recounts: Vec<Recount>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct RoomType {
    pub id: Uuid,
    /// Rooms for sale on every night.
    pub rooms: i64,
    /// The sequence number of its last fact.
    pub sequence: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Booking {
    pub id: Uuid,
    pub room_type_id: Uuid,
    pub status: String,
    pub arrival: Date,
    pub departure: Date,
    pub rooms: i64,
    pub external_reference: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    pub position: u64,
    pub room_type_id: Uuid,
    pub sequence: u64,
    /// Microseconds by the clock of the node that decided it.
    pub at: i64,
    pub cause: String,
    pub booking_id: Option<Uuid>,
    #[serde(default)]
    pub deltas: Vec<Delta>,
}

/// The change of a night by an event.
#[derive(Debug, Clone, Deserialize)]
pub struct Delta {
    pub date: Date,
    pub sold: i64,
    pub held: i64,
}

/// A night as stored, and as counted from the bookings.
#[derive(Debug, Clone, Deserialize)]
pub struct Recount {
    pub room_type_id: Uuid,
    pub date: Date,
    pub capacity: Option<i64>,
    pub sold: i64,
    pub held: i64,
    pub booked: i64,
    pub on_hold: i64,
}

const ROOM_TYPES: &str = "SELECT id, rooms + overbooking_allowance AS rooms, sequence FROM room_types";

const BOOKINGS: &str = "SELECT id, room_type_id, status, check_in AS arrival, check_out AS departure, rooms,
    external_reference FROM bookings";

const EVENTS: &str = "SELECT position, room_type_id, sequence, at, cause, booking_id,
    coalesce(payload -> 'deltas', '[]') AS deltas FROM events ORDER BY position";

const RECOUNTS: &str = "
    WITH occupied AS (
        SELECT room_type_id, night::date AS date,
            coalesce(sum(rooms) FILTER (WHERE status = 'confirmed'), 0) AS booked,
            coalesce(sum(rooms) FILTER (WHERE status = 'held'), 0) AS on_hold
        FROM bookings, generate_series(check_in, check_out - 1, interval '1 day') AS night
        GROUP BY 1, 2
    )
    SELECT room_type_id, date, capacity, coalesce(sold, 0) AS sold, coalesce(held, 0) AS held,
        coalesce(booked, 0) AS booked, coalesce(on_hold, 0) AS on_hold
    FROM nights FULL JOIN occupied USING (room_type_id, date)";

impl Truth {
    /// Reads a database through the socket in a folder.
    pub fn of(socket: &Path, database: &str) -> Self {
        Self {
            room_types: rows(socket, database, ROOM_TYPES),
            bookings: rows(socket, database, BOOKINGS),
            events: rows(socket, database, EVENTS),
            recounts: rows(socket, database, RECOUNTS),
        }
    }
}

fn rows<T: DeserializeOwned>(socket: &Path, database: &str, query: &str) -> Vec<T> {
    let json = format!("SELECT coalesce(json_agg(found), '[]') FROM ({query}) AS found");
    let mut psql = Command::new("psql");
    psql.args(["-XAqt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", &json, "-h"]).arg(socket);
    let output = psql.output().unwrap_or_else(|error| panic!("{error}: psql; ./tests/run.sh installs it"));
    assert!(output.status.success(), "{query}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
