//! Search: what every hotel has to sell for a stay, answered from memory.
//!
//! Owns a shadow of what the actors know: one [`crate::domain::Inventory`] per room type, changed by the same facts
//! through the same function, and quoted by the same rule function, so that what is offered here is sold by the engine
//! unless somebody is faster. Called by `http/` through [`Index`]; built and kept up to date by [`follow()`], which
//! listens to the engine's hub. It is never asked for a decision and writes nothing.
//!
//! Invariants: a room type is what its facts up to its sequence have made it; what the index lacks, it knows to lack
//! ([`Index::caught_up`]), so who books and then searches finds the booking; what another node commits comes a moment
//! later. Readers never wait for the store: a write holds one hotel for the time of one fact.
//!
//! Limits: one read of the store at a time once the index is built; pages, radius and windows are `http/`'s. Memory
//! grows with the nights and prices that were touched, not with the horizon.
//!
//! When it fails (a notice was missed, a sequence jumps, the store does not answer) the store is read again: the hotel
//! concerned, or everything. Until then an answer may be old, never invented; before the first build there is none.
//!
//! Reading order: [`globe`], `screen` (a first look), `listing` (one hotel), `index` (all of them, by city and place),
//! [`query`], [`calendar`], `build` and `follow`.

mod build;
pub mod calendar;
mod follow;
pub mod globe;
mod groups;
mod index;
mod listing;
pub mod query;
mod screen;

pub use follow::follow;
pub use index::{Building, Index};
pub use query::{Offer, Page, PlanQuote, Position, RoomTypeOffer, Search, SearchArea, Sort};
