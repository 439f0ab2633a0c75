//! Search: the offers of a city, or of the area around a place, for a stay.
//!
//! Reads the parameters and renders the answer. [`crate::search`] finds the offers in memory.

pub mod docs;
mod handler;
pub mod offer;
pub mod query;

pub use handler::handle;
