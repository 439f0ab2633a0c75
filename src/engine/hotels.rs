//! What follows when a hotel, its services or its room types have changed, here or at another node: those are no facts, so
//! the actors that know the hotel as it was have to read it again.

use async_trait::async_trait;
use tracing::warn;

use super::Engine;
use super::message::{Advanced, Request};
use super::revocation::tell;
use crate::domain::{HotelId, RoomTypeId};
use crate::events::Notice;
use crate::events::tail::Tenants;

impl Engine {
    /// What is known of a hotel or its services has changed here: its live actors start again, and everybody is told.
    /// Whatever is asked of them from now on is answered by what the hotel is now.
    pub async fn hotel_changed(&self, hotel: HotelId) {
        self.reload_hotel(hotel).await;
        self.shared.hub.publish(Notice::Hotel(hotel));
    }

    /// Lets the live actors of a hotel start again, because it was changed somewhere. They are not waited for: one
    /// whose store hangs must not keep the news of all others. Those of other hotels go on: a store that cannot even
    /// say which actors these are is no store to load them all from.
    async fn reload_hotel(&self, hotel: HotelId) {
        let residents = match self.shared.journal.room_type_ids(hotel).await {
            Ok(ids) => ids.into_iter().filter_map(|id| self.shared.directory.find(id)).collect(),
            Err(error) => {
                warn!(%hotel, error = &error as &dyn std::error::Error, "which actors a hotel has is unknown: all are told");
                self.shared.directory.all()
            }
        };
        residents.iter().for_each(|resident| tell(resident, Request::Reload(hotel)));
    }
}

#[async_trait]
impl Tenants for Engine {
    async fn hotel_changed_elsewhere(&self, hotel: HotelId) {
        self.reload_hotel(hotel).await;
        self.shared.hub.relay(Notice::Hotel(hotel));
    }

    fn advanced(&self, room_type: RoomTypeId, sequence: u64) {
        if let Some(resident) = self.shared.directory.find(room_type) {
            resident.addr.do_send(Advanced { sequence });
        }
    }
}
