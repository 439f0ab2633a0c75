//! Bookings. Any caller may book. The administrator, and a guest with the manage token, may read and change a booking.

pub mod amend;
pub mod cancel;
pub mod confirm;
pub mod create;
pub mod docs;
pub mod front_desk;
pub mod list;
mod moves;
pub mod order;
pub mod read;
pub mod view;

pub use front_desk::FrontDesk;
pub use view::BookingView;
