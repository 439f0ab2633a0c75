//! The write path, and what recovery needs: which file does what.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use uuid::Uuid;

use super::Postgres;
use crate::domain::{Booking, BookingId, FactId, HotelId, Inventory, RoomTypeId, Timestamp};
use crate::lease::Token;
use crate::store::db::Database;
use crate::store::records::{bookings, idempotency, room_types};
use crate::store::sql::Columns;
use crate::store::{Claim, CommitEntry, CommitError, Error, IdempotencyRecord, Journal, KeyDigest, Verdict};

pub(super) const COMMITTED: &str = "SELECT fact_id FROM events WHERE fact_id = ANY($1)";

#[async_trait]
impl Journal for Postgres {
    fn lanes(&self) -> usize {
        self.writer.size()
    }

    async fn claim(&self, room_type: RoomTypeId, token: Token) -> Result<Claim, Error> {
        self.raise_token(room_type, token).await
    }

    async fn tokens(&self, room_types: &[RoomTypeId]) -> Result<HashMap<RoomTypeId, Token>, Error> {
        self.current_tokens(room_types).await
    }

    async fn load(&self, room_type: RoomTypeId, now: Timestamp) -> Result<Option<Inventory>, Error> {
        self.load_inventory(room_type, now).await
    }

    async fn commit(&self, batch: &[CommitEntry]) -> Result<Vec<Verdict>, CommitError> {
        let committed = self.commit_batch(batch).await;
        if committed.is_err() {
            self.writable.suspect();
        }
        committed
    }

    async fn committed(&self, facts: &[FactId]) -> Result<HashSet<FactId>, Error> {
        let facts: Vec<Uuid> = facts.iter().map(|fact| fact.0).collect();
        let rows = self.pool.all(sqlx::query(COMMITTED).bind(facts)).await?;
        rows.iter().map(|row| row.uuid("fact_id").map(FactId)).collect()
    }

    async fn recall(&self, keys: &[KeyDigest], now: Timestamp) -> Result<HashMap<KeyDigest, IdempotencyRecord>, Error> {
        self.recall_idempotency_records(keys, now).await
    }

    async fn forget_idempotency_records(&self, now: Timestamp, limit: u32) -> Result<u64, Error> {
        let mut writing = self.writer().await?;
        let deleted = idempotency::delete_expired(&mut writing, now, limit).await?;
        writing.commit().await?;
        Ok(deleted)
    }

    async fn booking(&self, id: BookingId) -> Result<Option<Booking>, Error> {
        bookings::find(&mut self.reader().await?, id).await
    }

    async fn room_types_with_holds(&self) -> Result<Vec<RoomTypeId>, Error> {
        room_types::with_holds(&mut self.reader().await?).await
    }

    async fn room_type_ids(&self, hotel: HotelId) -> Result<Vec<RoomTypeId>, Error> {
        room_types::ids_of_hotel(&mut self.reader().await?, hotel).await
    }
}
