//! Bookings: made by anybody, seen and changed by the administrator and by whoever has the manage token.

pub mod amend;
pub mod cancel;
pub mod check_in;
pub mod check_out;
pub mod confirm;
pub mod create;
pub mod docs;
pub mod list;
mod moves;
pub mod no_show;
pub mod order;
pub mod read;
pub mod view;

pub use view::BookingView;
