//! The terms on which a room type is sold: requests of the administrator, decided by the actor like every other.

use super::handle::Engine;
use super::message::Intent;
use super::{Error, NightsOutcome};
use crate::domain::{Change, NightsChange, RatePlan, RoomType, RoomTypeId};

impl Engine {
    /// Sets capacity, restrictions or prices of nights.
    pub async fn set_nights(&self, room_type: RoomTypeId, change: NightsChange) -> Result<NightsOutcome, Error> {
        self.change_nights(room_type, None, change).await
    }

    /// The same, only if the room type still is at this sequence number; else it is refused as stale.
    pub async fn change_nights(
        &self,
        room_type: RoomTypeId,
        expected: Option<u64>,
        change: NightsChange,
    ) -> Result<NightsOutcome, Error> {
        let fact = self.decide_without_key(room_type, Intent::SetNights { expected, change }, false).await?;
        let changed = match &fact.change {
            Change::Nights { nights, rates, .. } => nights.len() + rates.len(),
            _ => 0,
        };
        Ok(NightsOutcome { sequence: fact.sequence, changed })
    }

    /// Replaces what a room type is; the sequence number of the change.
    pub async fn set_room_type(&self, room_type: RoomType) -> Result<u64, Error> {
        self.set(room_type.id, Intent::SetRoomType { seen: None, room_type }).await
    }

    /// The same, only if the room type still is what was `seen`; else [`Error::Changed`].
    pub async fn change_room_type(&self, seen: RoomType, room_type: RoomType) -> Result<u64, Error> {
        self.set(room_type.id, Intent::SetRoomType { seen: Some(seen), room_type }).await
    }

    /// Makes a rate plan, or replaces what it is; the sequence number of the change.
    pub async fn set_rate_plan(&self, plan: RatePlan) -> Result<u64, Error> {
        self.set(plan.room_type_id, Intent::SetRatePlan { seen: None, plan }).await
    }

    /// The same, only if the plan still is what was `seen`, whatever its nights say; else [`Error::Changed`].
    pub async fn change_rate_plan(&self, seen: RatePlan, plan: RatePlan) -> Result<u64, Error> {
        self.set(plan.room_type_id, Intent::SetRatePlan { seen: Some(seen), plan }).await
    }

    async fn set(&self, room_type: RoomTypeId, intent: Intent) -> Result<u64, Error> {
        Ok(self.decide_without_key(room_type, intent, false).await?.sequence)
    }
}
