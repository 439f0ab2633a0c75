//! Hotels and room types, as far as a guest needs them.

use serde::Deserialize;
use uuid::Uuid;

use super::{Client, Page, Request};

/// A hotel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hotel {
    pub id: Uuid,
    pub name: String,
    pub city: String,
    pub country: String,
    /// An IANA name, such as `Europe/Lisbon`.
    pub timezone: String,
    pub currency: String,
}

/// A room type of a hotel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RoomType {
    pub id: Uuid,
    pub hotel_id: Uuid,
    pub name: String,
    pub max_adults: u16,
    pub max_children: u16,
    pub max_occupancy: u16,
    /// Rooms that exist, unless a night says otherwise.
    pub rooms: u16,
}

impl Client {
    /// All hotels, a page at a time.
    pub fn hotels(&self) -> Request<'_, Page<Hotel>> {
        self.read("/v1/hotels".to_owned())
    }

    pub fn hotel(&self, id: Uuid) -> Request<'_, Hotel> {
        self.read(format!("/v1/hotels/{id}"))
    }

    /// The room types of a hotel, a page at a time.
    pub fn room_types(&self, hotel: Uuid) -> Request<'_, Page<RoomType>> {
        self.read(format!("/v1/hotels/{hotel}/room-types"))
    }

    pub fn room_type(&self, id: Uuid) -> Request<'_, RoomType> {
        self.read(format!("/v1/room-types/{id}"))
    }
}
