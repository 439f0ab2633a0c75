//! Bookings: made by anybody, seen and changed by the administrator and by whoever has the manage token.

pub mod amend;
pub mod at_the_desk;
pub mod cancel;
pub mod confirm;
pub mod create;
pub mod docs;
pub mod list;
mod moves;
pub mod order;
pub mod read;
pub mod view;

pub use at_the_desk::AtTheDesk;
pub use view::BookingView;
