//! What another node has changed about a hotel, its services or its room types.

use async_trait::async_trait;

use super::Engine;
use crate::domain::HotelId;
use crate::events::Notice;
use crate::events::tail::Tenants;

#[async_trait]
impl Tenants for Engine {
    async fn hotel_changed_elsewhere(&self, hotel: HotelId) {
        self.reload_hotel(hotel).await;
        self.hub().relay(Notice::Hotel(hotel));
    }
}
