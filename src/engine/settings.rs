//! Changes of nights, room types and rate plans. The administrator requests them; the room type's actor decides them.

use super::handle::Engine;
use super::message::Intent;
use super::{Error, NightsOutcome};
use crate::domain::{Change, NightsChange, RatePlan, RoomType, RoomTypeId};

impl Engine {
    /// Sets capacity, restrictions or prices of nights.
    pub async fn set_nights(&self, room_type: RoomTypeId, change: NightsChange) -> Result<NightsOutcome, Error> {
        self.change_nights(room_type, None, change).await
    }

    /// Like [`Engine::set_nights`]. If `expected` is given and the room type is at another sequence number, the change is
    /// refused as stale.
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

    /// Replaces a room type's settings. Returns the sequence number of the change.
    pub async fn set_room_type(&self, room_type: RoomType) -> Result<u64, Error> {
        self.set(room_type.id, Intent::SetRoomType { seen: None, room_type }).await
    }

    /// Like [`Engine::set_room_type`]. Fails with [`Error::Changed`] if the room type no longer equals `seen`.
    pub async fn change_room_type(&self, seen: RoomType, room_type: RoomType) -> Result<u64, Error> {
        self.set(room_type.id, Intent::SetRoomType { seen: Some(seen), room_type }).await
    }

    /// Creates a rate plan, or replaces its settings. Returns the sequence number of the change.
    pub async fn set_rate_plan(&self, plan: RatePlan) -> Result<u64, Error> {
        self.set(plan.room_type_id, Intent::SetRatePlan { seen: None, plan }).await
    }

    /// Like [`Engine::set_rate_plan`]. Fails with [`Error::Changed`] if the plan, apart from its nights, no longer equals
    /// `seen`.
    pub async fn change_rate_plan(&self, seen: RatePlan, plan: RatePlan) -> Result<u64, Error> {
        self.set(plan.room_type_id, Intent::SetRatePlan { seen: Some(seen), plan }).await
    }

    async fn set(&self, room_type: RoomTypeId, intent: Intent) -> Result<u64, Error> {
        Ok(self.decide_without_key(room_type, intent, false).await?.sequence)
    }
}
