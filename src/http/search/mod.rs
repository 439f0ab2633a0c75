//! Search: what a city, or a neighbourhood, has to sell for a stay.
//!
//! Reads the parameters and renders the answer; both come from and go to [`crate::search`], which answers from memory.

pub mod docs;
mod handler;
pub mod offer;
pub mod query;

pub use handler::handle;
