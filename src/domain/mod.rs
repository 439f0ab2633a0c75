//! The field itself: stays, calendars, prices, policies, bookings, and the rules between them.
//!
//! Owns every decision the engine takes. Called by `engine/` (to decide and apply), by `store/` (to rebuild what it
//! decided from) and by search (to quote by the very same rules). It never waits, reads a clock, draws a random number
//! or touches a file: time and ids are arguments. Nothing in here can fail for an outside reason; a "no" is a
//! [`Refusal`], a value like any other.
//!
//! Invariant: for every night of every room type, sold + held ≤ physical − out of order + allowance. Guests for whom a
//! lower capacity was forced are the one exception: it is counted ([`Night::forced`]), and it ends with them.
//!
//! Reading order: [`stay`], [`party`], [`restriction`], [`calendar`], [`rate`], [`policy`], [`booking`], [`order`],
//! [`inventory`] (the aggregate an actor owns), [`quote`] (the one rule function), [`lifecycle`] (the state machine),
//! [`fact`], [`refusal`].

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
pub mod violation;

pub use booking::{AddedRooms, Booking, Status};
pub use by_date::ByDate;
pub use calendar::{Calendar, Night, NightDelta};
pub use catalogue::{Hotel, RoomType};
pub use contact::{Contact, Email, Mobile};
pub use fact::{Cause, Change, Fact};
pub use ids::{BookingId, FactId, HotelId, RatePlanId, RoomTypeId, ServiceId};
pub use inventory::{Command, Inventory};
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
pub use step::{Step, Trace};
pub use violation::Violation;

/// An instant, the same everywhere.
pub use jiff::Timestamp;
/// A calendar date in the hotel's own time zone; as a night, the one that begins on that date.
pub use jiff::civil::Date;
