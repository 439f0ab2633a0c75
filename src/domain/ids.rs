//! Ids. Every id is a UUIDv7 (RFC 9562): unique without coordination, and sorted by creation.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

id! {
    /// A hotel.
    HotelId,
    /// A kind of room of one hotel. Ownership and ordering of facts are per room type.
    RoomTypeId,
    /// One way of selling a room type: a price and its conditions.
    RatePlanId,
    /// Something sold with the room: breakfast, parking, a pick-up.
    ServiceId,
    /// One stay of n rooms of one room type.
    BookingId,
    /// A change of a room type.
    FactId,
}
