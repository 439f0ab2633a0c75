//! Search: the hotels and room types that can be booked for a stay, answered from memory.
//!
//! **What it owns.** A copy of what the actors know: one [`crate::domain::Inventory`] per room type. The same facts change
//! it through the same function, and the same rule function quotes it. So the engine sells what search offers, unless
//! another guest was faster.
//!
//! **Who calls it.** `http/` searches through [`Index`]. [`follow()`] builds the index and keeps it up to date from the
//! engine's hub.
//!
//! **What it never does.** It decides nothing and writes nothing.
//!
//! # Invariants
//!
//! - A room type is the result of its facts up to its sequence number.
//! - The index knows what it lacks ([`Index::caught_up`]), so a guest who books and then searches sees the booking. A
//!   commit of another node arrives a moment later.
//! - Searches never wait for the store. A write locks one hotel while it applies one fact.
//!
//! # Limits
//!
//! After the first build, one read of the store runs at a time. `http/` limits pages, radius and windows. Memory grows
//! with the nights and prices that were changed, not with the horizon.
//!
//! # Failure
//!
//! After a missed notice, a gap in the sequence numbers, or a failed read, the hotel concerned or everything is read
//! again. Until then an answer may be old but never wrong about its own sequence number. Before the first build there is
//! no answer ([`Building`]).
//!
//! # Reading order
//!
//! [`globe`], `prefilter` (rules out room types quickly), `listing` (one hotel), `index` (all hotels), [`query`],
//! [`calendar`], `build` and `follow`.

mod build;
pub mod calendar;
mod follow;
pub mod globe;
mod groups;
mod index;
mod listing;
mod meanwhile;
mod prefilter;
pub mod query;

pub use follow::follow;
pub use index::{Building, Index};
pub use query::{Offer, Page, PlanQuote, Position, RoomTypeOffer, Search, SearchArea, Sort};
