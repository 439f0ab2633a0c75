//! What both SQL stores share without running a statement: reading rows, folding a batch into rows, verdicts, errors.
//!
//! Called by [`super::sqlite`], [`super::postgres`] and [`super::records`]. It runs no statement and holds no connection. A
//! row is mapped to a domain type once, through [`Columns`], which each driver implements for its own rows.
//!
//! Invariant: verdicts, folding and mapping are the same on every database.

mod changes;
mod columns;
mod error;
mod evidence;
mod history;
mod inventory;
mod isolate;
mod prices;
mod rows;
mod verdicts;
mod write;

pub use changes::Changes;
pub use columns::{Columns, unreadable};
pub use error::{cannot_migrate, contradicts, database_error};
pub use evidence::{booking_id, footprint, night_row, sequences, stray_idempotency_record, stray_job};
pub use history::{changed_hotel, due, end, event, excerpt, moment};
pub use inventory::{Found, earliest_today, loaded, stock};
pub use isolate::Isolation;
pub use rows::{basis_name, booking, counted_night, hotel, rate_plan, record, room_type, service};
pub use verdicts::BatchState;
pub use write::{BookingRow, Counted, EventRow, GuestRow, IdempotencyRow, JobRow, Progress, Rows, ServiceRow};
