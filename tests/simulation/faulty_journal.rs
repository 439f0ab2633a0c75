//! A journal with faults: slow, unreachable, rolled back, or with an unknown outcome.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use async_trait::async_trait;
use innkeeper::domain::{Booking, BookingId, FactId, HotelId, Inventory, RoomTypeId, Timestamp};
use innkeeper::lease::Token;
use innkeeper::store::{Claim, CommitEntry, CommitError, Error, IdempotencyRecord, Journal, KeyDigest, Verdict};

use crate::dice::Dice;
use crate::memory_journal::MemoryJournal;

/// A promise that is broken on purpose, by the journal or by the leases, to test the oracle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Acknowledges a batch and does not store it.
    LosesCommits,
    /// Stores an effect without its key.
    LosesKeys,
    /// Loads a room type without its bookings.
    LosesCounters,
    /// Reports every unknown outcome as stored.
    ClearsDoubts,
    /// Treats an owner as certain that may have been replaced.
    AlwaysCertain,
}

/// Longer than any time-out of a caller.
pub const TOO_LONG: Duration = Duration::from_secs(12);

pub struct FaultyJournal {
    inner: Arc<MemoryJournal>,
    dice: Arc<Dice>,
    /// Transactions whose client lost the connection during COMMIT. The database decides later.
    zombies: Mutex<Vec<Vec<CommitEntry>>>,
    lie: Option<Lie>,
}

impl FaultyJournal {
    pub fn new(inner: Arc<MemoryJournal>, dice: Arc<Dice>, lie: Option<Lie>) -> Self {
        Self { inner, dice, zombies: Mutex::default(), lie }
    }

    /// A random delay, or no answer.
    async fn reach(&self) -> Result<(), Error> {
        self.dice.nap(20).await;
        match self.dice.fault(1) {
            true => Err(Error::Unavailable(anyhow!("simulated: the store is not there"))),
            false => Ok(()),
        }
    }

    /// Lets the database decide on transactions without a waiting client.
    async fn end_zombies(&self) {
        let zombies = std::mem::take(&mut *self.zombies.lock().unwrap_or_else(PoisonError::into_inner));
        for batch in zombies {
            if self.dice.chance(50) {
                self.dice.saw("a lost transaction that commits later");
                let _ = self.inner.commit(&batch).await;
            }
        }
    }
}

#[async_trait]
impl Journal for FaultyJournal {
    async fn claim(&self, room_type: RoomTypeId, token: Token) -> Result<Claim, Error> {
        self.reach().await?;
        self.end_zombies().await;
        let claim = self.inner.claim(room_type, token).await;
        // The claim may have been granted although its answer is lost.
        self.reach().await?;
        claim
    }

    async fn tokens(&self, room_types: &[RoomTypeId]) -> Result<HashMap<RoomTypeId, Token>, Error> {
        self.reach().await?;
        let tokens = self.inner.tokens(room_types).await;
        self.dice.nap(10).await;
        tokens
    }

    async fn load(&self, room_type: RoomTypeId, now: Timestamp) -> Result<Option<Inventory>, Error> {
        self.reach().await?;
        let mut loaded = self.inner.load(room_type, now).await;
        if self.lie == Some(Lie::LosesCounters)
            && let Ok(Some(inventory)) = &mut loaded
        {
            let untouched = innkeeper::domain::Calendar::new(
                inventory.calendar.first(),
                inventory.hotel.horizon_nights,
                inventory.room_type.rooms,
                inventory.room_type.overbooking_allowance,
            );
            inventory.calendar = untouched;
        }
        loaded
    }

    async fn commit(&self, batch: &[CommitEntry]) -> Result<Vec<Verdict>, CommitError> {
        self.dice.nap(20).await;
        self.end_zombies().await;
        if self.dice.fault(1) {
            self.dice.saw("a commit rolled back");
            return Err(CommitError::RolledBack(anyhow!("simulated: rolled back")));
        }
        if self.dice.fault(1) {
            let fate = self.dice.below(4);
            self.dice.saw(["lost before a commit", "lost after", "lost during", "a panic after"][fate]);
            return match fate {
                0 => Err(CommitError::UnknownOutcome(anyhow!("simulated: lost before the commit"))),
                1 => {
                    let _ = self.inner.commit(batch).await;
                    Err(CommitError::UnknownOutcome(anyhow!("simulated: lost after the commit")))
                }
                2 => {
                    self.zombies.lock().unwrap_or_else(PoisonError::into_inner).push(batch.to_vec());
                    Err(CommitError::UnknownOutcome(anyhow!("simulated: lost during the commit")))
                }
                _ => {
                    let _ = self.inner.commit(batch).await;
                    panic!("simulated: the store panicked after the commit")
                }
            };
        }
        let verdicts = match self.lie {
            Some(Lie::LosesCommits) if self.dice.chance(10) => Ok(vec![Verdict::Committed; batch.len()]),
            Some(Lie::LosesKeys) => {
                let keyless = |entry: &CommitEntry| CommitEntry { record: None, ..entry.clone() };
                self.inner.commit(&batch.iter().map(keyless).collect::<Vec<_>>()).await
            }
            _ => self.inner.commit(batch).await,
        };
        for verdict in verdicts.iter().flatten() {
            self.dice.saw(format!("{verdict:?}"));
        }
        match self.dice.fault(1) && self.dice.chance(20) {
            true => tokio::time::sleep(TOO_LONG).await,
            false => self.dice.nap(20).await,
        }
        verdicts
    }

    async fn committed(&self, facts: &[FactId]) -> Result<HashSet<FactId>, Error> {
        self.reach().await?;
        if self.lie == Some(Lie::ClearsDoubts) {
            return Ok(facts.iter().copied().collect());
        }
        self.inner.committed(facts).await
    }

    async fn recall(&self, keys: &[KeyDigest], now: Timestamp) -> Result<HashMap<KeyDigest, IdempotencyRecord>, Error> {
        self.reach().await?;
        let known = self.inner.recall(keys, now).await;
        self.dice.nap(10).await;
        known
    }

    async fn forget_idempotency_records(&self, now: Timestamp, limit: u32) -> Result<u64, Error> {
        self.reach().await?;
        self.inner.forget_idempotency_records(now, limit).await
    }

    async fn booking(&self, id: BookingId) -> Result<Option<Booking>, Error> {
        self.reach().await?;
        let booking = self.inner.booking(id).await;
        self.dice.nap(10).await;
        booking
    }

    async fn room_types_with_holds(&self) -> Result<Vec<RoomTypeId>, Error> {
        self.reach().await?;
        self.inner.room_types_with_holds().await
    }

    async fn room_type_ids(&self, hotel: HotelId) -> Result<Vec<RoomTypeId>, Error> {
        self.reach().await?;
        self.inner.room_type_ids(hotel).await
    }
}
