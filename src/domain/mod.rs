//! The domain: stays, calendars, prices, policies, bookings, and the rules between them.
//!
//! **What it owns.** Every decision of the engine.
//!
//! **Who calls it.** `engine/` decides and applies facts. `store/` rebuilds inventories. `search/` quotes with the same
//! rules. `events/` applies steps to its projections.
//!
//! **What it never does.** It does no I/O, never waits, reads no clock and draws no random number. Time and ids are
//! arguments.
//!
//! **Invariant.** For every night of every room type, sold + held ≤ physical − out of order + allowance. The one exception
//! are guests for whom a lower capacity was forced. It is counted ([`Night::forced`]) and ends with them.
//!
//! **Failure.** Nothing here fails for an outside reason. A "no" is a [`Refusal`], a value like any other. Input that breaks
//! a rule of its own field is a [`Violation`].
//!
//! **How to add a rule.** A rule about a sale belongs in [`quote`], a rule about a state in [`lifecycle`]. A rule about
//! one input field belongs in the type of that field. Add a [`Refusal`] with its name, and its problem code in
//! `http/refusal.rs`.
//!
//! Reading order: [`stay`], [`party`], [`restriction`], [`calendar`], [`rate`], [`policy`], [`booking`], [`order`],
//! [`inventory`] (the aggregate that an actor owns), [`quote`] (the one rule function), [`lifecycle`] (the state machine),
//! [`fact`], [`job`] (what a fact causes), [`step`] (how followers apply facts), [`refusal`].

pub mod booking;
pub mod by_date;
pub mod calendar;
mod capacity_change;
pub mod catalogue;
pub mod contact;
pub mod fact;
pub mod holds;
pub mod ids;
pub mod inventory;
pub mod job;
pub mod lifecycle;
pub mod money;
pub mod name;
pub mod nights_change;
pub mod order;
pub mod party;
pub mod policy;
#[cfg(test)]
mod properties;
pub mod quote;
pub mod rate;
pub mod refusal;
pub mod restriction;
pub mod runs;
pub mod service;
pub mod stay;
pub mod step;
#[doc(hidden)]
pub mod testing;
pub mod text;
mod unchanged;
pub mod view;
pub mod violation;

pub use booking::{AddedRooms, Booking, Status};
pub use by_date::ByDate;
pub use calendar::{Calendar, Night, NightDelta};
pub use catalogue::{Hotel, RoomType};
pub use contact::{Contact, Email, Mobile};
pub use fact::{Cause, Change, Fact};
pub use ids::{BookingId, FactId, HotelId, RatePlanId, RoomTypeId, ServiceId};
pub use inventory::{Command, Inventory};
pub use job::{Job, JobKind, JobPayload};
pub use lifecycle::Move;
pub use money::{Amount, Currency};
pub use nights_change::NightsChange;
pub use order::{Amendment, Order, PlanChoice};
pub use party::{Guest, Occupancy, Party};
pub use policy::{CancellationPolicy, Fee, Tier};
pub use quote::{PlanOffer, Quote};
pub use rate::{RateNight, RatePlan};
pub use refusal::{FailingNight, Reason, Refusal};
pub use restriction::Restriction;
pub use runs::{Run, Runs};
pub use service::{BookedService, Service, ServiceBasis};
pub use stay::Stay;
pub use step::{Step, StepEffect, StepOrder};
pub use view::{CalendarView, NightView};
pub use violation::Violation;

/// An instant in time.
pub use jiff::Timestamp;
/// A calendar date in the hotel's time zone. As a night, the night that begins on this date.
pub use jiff::civil::Date;
