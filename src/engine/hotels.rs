//! Changes of a hotel, its services or its list of room types, made here or on another node.
//!
//! Such a change is no fact, so no actor decides it. The actors of the hotel reload to see it.

use async_trait::async_trait;
use tracing::warn;

use super::Engine;
use super::message::{HistoryAdvanced, Request};
use crate::domain::{HotelId, RoomTypeId};
use crate::events::Notice;
use crate::events::tail::RemoteChanges;

impl Engine {
    /// To be called after a hotel or its services were changed on this node. Its actors reload, and the hub announces
    /// the change. Requests that arrive after this call see the changed hotel.
    pub async fn hotel_changed(&self, hotel: HotelId) {
        self.reload_hotel(hotel).await;
        self.shared.hub.publish(Notice::Hotel(hotel));
    }

    /// Makes the actors of a hotel reload. Does not wait for them, because an actor whose store hangs must not delay
    /// the changes of other hotels. If the store cannot list the hotel's room types, all actors get the request, and
    /// those of other hotels ignore it.
    async fn reload_hotel(&self, hotel: HotelId) {
        let actors = match self.shared.journal.room_type_ids(hotel).await {
            Ok(ids) => ids.into_iter().filter_map(|id| self.shared.directory.find(id)).collect(),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                warn!(%hotel, error, "the room types of a changed hotel cannot be read: all actors check their hotel");
                self.shared.directory.all()
            }
        };
        actors.iter().for_each(|actor| actor.send_unbounded(Request::Reload(hotel)));
    }
}

#[async_trait]
impl RemoteChanges for Engine {
    async fn hotel_changed_elsewhere(&self, hotel: HotelId) {
        self.reload_hotel(hotel).await;
        self.shared.hub.relay(Notice::Hotel(hotel));
    }

    fn history_advanced(&self, room_type: RoomTypeId, sequence: u64) {
        if let Some(actor) = self.shared.directory.find(room_type) {
            actor.addr.do_send(HistoryAdvanced { sequence });
        }
    }
}
