//! Search: what a city has to sell for a stay, cheapest hotel first.
//!
//! Every candidate is quoted by the very function that decides about bookings, so what is offered here is sold by
//! `POST /v1/bookings`, unless somebody was faster.

pub mod docs;
mod handler;
pub mod offer;
pub mod query;

pub use handler::handle;
