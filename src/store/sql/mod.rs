//! What the stores that speak SQL have in common: how rows are read, what a batch makes of them, and who may write.
//!
//! Called by [`super::sqlite`] and [`super::postgres`] alone. It sends nothing: statements, connections and transactions
//! are theirs, as no two databases agree on them. A row is mapped once, through [`Columns`], which each implements for
//! its own rows.
//!
//! Invariant: what is decided here (verdicts, folding, mapping) is the same on every database.

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
pub use evidence::{booking_id, footprint, night_row, sequences, stray_idempotency_record};
pub use history::{MOMENT, changed_hotel, due, end, event, excerpt, moment};
pub use inventory::{Found, earliest_today, loaded, stock};
pub use isolate::Isolation;
pub use rows::{basis_name, booking, counted_night, hotel, rate_plan, record, room_type, service};
pub use verdicts::BatchState;
pub use write::{BookingRow, Counted, EventRow, GuestRow, IdempotencyRow, JobRow, Progress, Rows, ServiceRow};
