//! The real journal behind a connection that breaks when a test says so.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::anyhow;
use async_trait::async_trait;
use innkeeper::domain::{Booking, BookingId, FactId, HotelId, Inventory, RoomTypeId, Timestamp};
use innkeeper::lease::Token;
use innkeeper::store::{Claim, CommitEntry, CommitError, Error, IdempotencyRecord, Journal, KeyDigest, Verdict};
use tokio::sync::Semaphore;

use super::eventually::PATIENCE;

/// The fate of a commit.
#[derive(Debug, Clone, Copy)]
pub enum Commit {
    Works,
    /// The store reports that nothing was stored.
    RolledBack,
    /// The connection breaks before the COMMIT arrives: the outcome is unknown, and nothing was stored.
    LostBefore,
    /// The connection breaks after the COMMIT: the outcome is unknown, and everything was stored.
    LostAfter,
    /// It panics after everything was stored.
    PanicAfter,
    /// It does not answer until it is released. Then the connection breaks before the COMMIT arrives.
    HangsLostBefore,
    /// The same, but everything was stored at once.
    HangsLostAfter,
    /// Everything is stored at once, but the answer waits until it is released.
    Late,
}

/// The fate of a claim, or of a check of claims.
#[derive(Debug, Clone, Copy)]
pub enum Claiming {
    Unreachable,
    /// It does not answer until it is released.
    Hangs,
}

/// A journal that fails as often as a test asks, in that order, and otherwise works.
pub struct Unreliable {
    inner: Arc<dyn Journal>,
    commits: Mutex<VecDeque<Commit>>,
    /// The bytes of each entry of each batch.
    batches: Mutex<Vec<Vec<usize>>>,
    claims: Mutex<VecDeque<Claiming>>,
    claim_checks_planned: Mutex<VecDeque<Claiming>>,
    /// The number of checks of claims.
    asked: AtomicUsize,
    /// Loads that will hang.
    loads: AtomicUsize,
    /// Reads of a booking that will hang.
    bookings: AtomicUsize,
    /// Reads of unknown outcomes that will hang.
    unknown_outcomes: AtomicUsize,
    /// The number of reads of unknown outcomes.
    unknown_outcome_reads: AtomicUsize,
    no_holds: AtomicBool,
    no_room_types: AtomicBool,
    /// Claims under way, and the largest number so far.
    claiming: AtomicUsize,
    most_claims: AtomicUsize,
    /// The number of claims by room type.
    claimed: AtomicUsize,
    hanging: Semaphore,
    released: Semaphore,
}

impl Unreliable {
    pub fn new(inner: Arc<dyn Journal>) -> Self {
        let (commits, batches, claims, claim_checks_planned) = Default::default();
        let (asked, loads, bookings, unknown_outcomes, unknown_outcome_reads) = Default::default();
        let (no_holds, no_room_types, claiming, most_claims, claimed) = Default::default();
        let (hanging, released) = (Semaphore::new(0), Semaphore::new(0));
        Self {
            inner,
            commits,
            batches,
            claims,
            claim_checks_planned,
            asked,
            loads,
            bookings,
            unknown_outcomes,
            unknown_outcome_reads,
            no_holds,
            no_room_types,
            claiming,
            most_claims,
            claimed,
            hanging,
            released,
        }
    }

    pub fn next_commit(&self, fate: Commit) {
        self.commits.lock().unwrap().push_back(fate);
    }

    /// The bytes of each entry of each batch so far, as they were estimated.
    pub fn batches(&self) -> Vec<Vec<usize>> {
        self.batches.lock().unwrap().clone()
    }

    pub fn next_claim(&self, fate: Claiming) {
        self.claims.lock().unwrap().push_back(fate);
    }

    /// The fate of the next check of claims.
    pub fn next_claim_check(&self, fate: Claiming) {
        self.claim_checks_planned.lock().unwrap().push_back(fate);
    }

    /// The number of checks of claims.
    pub fn claim_checks(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The next load reads, but does not answer until it is released.
    pub fn next_load_hangs(&self) {
        self.loads.fetch_add(1, Ordering::SeqCst);
    }

    /// The next read of a booking does not answer until it is released.
    pub fn next_booking_hangs(&self) {
        self.bookings.fetch_add(1, Ordering::SeqCst);
    }

    /// The next read of unknown outcomes does not answer until it is released.
    pub fn next_unknown_outcome_hangs(&self) {
        self.unknown_outcomes.fetch_add(1, Ordering::SeqCst);
    }

    /// The number of reads of unknown outcomes.
    pub fn unknown_outcome_reads(&self) -> usize {
        self.unknown_outcome_reads.load(Ordering::SeqCst)
    }

    /// The search for room types with holds waits until it is released, and then fails.
    pub fn holds_cannot_be_found(&self) {
        self.no_holds.store(true, Ordering::SeqCst);
    }

    /// The next read of a hotel's room types fails.
    pub fn next_room_types_are_unknown(&self) {
        self.no_room_types.store(true, Ordering::SeqCst);
    }

    /// The number of claims of a room type.
    pub fn claimed(&self) -> usize {
        self.claimed.load(Ordering::SeqCst)
    }

    /// The largest number of claims under way at the same time.
    pub fn most_claims(&self) -> usize {
        self.most_claims.load(Ordering::SeqCst)
    }

    /// Waits until a call hangs.
    pub async fn hangs(&self) {
        let hangs = tokio::time::timeout(PATIENCE, self.hanging.acquire()).await;
        hangs.expect("nothing hangs").unwrap().forget();
    }

    /// Releases the calls that hang.
    pub fn release(&self) {
        self.released.add_permits(1);
    }

    async fn hang(&self) {
        self.hanging.add_permits(1);
        self.released.acquire().await.unwrap().forget();
    }

    async fn suffer(&self, fate: Option<Claiming>) -> Result<(), Error> {
        match fate {
            Some(Claiming::Unreachable) => return Err(Error::Unavailable(anyhow!("there is no connection"))),
            Some(Claiming::Hangs) => self.hang().await,
            None => {}
        }
        Ok(())
    }
}

/// Decrements a counter. Returns whether it was above zero.
fn one_of(count: &AtomicUsize) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1)).is_ok()
}

fn lost() -> Result<Vec<Verdict>, CommitError> {
    Err(CommitError::UnknownOutcome(anyhow!("the connection broke during COMMIT")))
}

#[async_trait]
impl Journal for Unreliable {
    fn lanes(&self) -> usize {
        self.inner.lanes()
    }

    async fn claim(&self, room_type: RoomTypeId, token: Token) -> Result<Claim, Error> {
        self.claimed.fetch_add(1, Ordering::SeqCst);
        let fate = self.claims.lock().unwrap().pop_front();
        self.most_claims.fetch_max(self.claiming.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let suffered = self.suffer(fate).await;
        self.claiming.fetch_sub(1, Ordering::SeqCst);
        suffered?;
        self.inner.claim(room_type, token).await
    }

    async fn tokens(&self, room_types: &[RoomTypeId]) -> Result<HashMap<RoomTypeId, Token>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let fate = self.claim_checks_planned.lock().unwrap().pop_front();
        self.suffer(fate).await?;
        self.inner.tokens(room_types).await
    }

    async fn commit(&self, batch: &[CommitEntry]) -> Result<Vec<Verdict>, CommitError> {
        self.batches.lock().unwrap().push(batch.iter().map(CommitEntry::bytes).collect());
        let fate = self.commits.lock().unwrap().pop_front();
        let fate = fate.unwrap_or(Commit::Works);
        if let Commit::Late = fate {
            let verdicts = self.inner.commit(batch).await;
            self.hang().await;
            return verdicts;
        }
        if matches!(fate, Commit::LostAfter | Commit::PanicAfter | Commit::HangsLostAfter) {
            self.inner.commit(batch).await?;
        }
        if matches!(fate, Commit::HangsLostBefore | Commit::HangsLostAfter) {
            self.hang().await;
        }
        match fate {
            Commit::Works => self.inner.commit(batch).await,
            Commit::RolledBack => Err(CommitError::RolledBack(anyhow!("rolled back"))),
            Commit::PanicAfter => panic!("on purpose"),
            _ => lost(),
        }
    }

    async fn load(&self, room_type: RoomTypeId, now: Timestamp) -> Result<Option<Inventory>, Error> {
        let loaded = self.inner.load(room_type, now).await;
        if one_of(&self.loads) {
            self.hang().await;
        }
        loaded
    }

    async fn committed(&self, facts: &[FactId]) -> Result<HashSet<FactId>, Error> {
        self.unknown_outcome_reads.fetch_add(1, Ordering::SeqCst);
        if one_of(&self.unknown_outcomes) {
            self.hang().await;
        }
        self.inner.committed(facts).await
    }

    async fn recall(&self, keys: &[KeyDigest], now: Timestamp) -> Result<HashMap<KeyDigest, IdempotencyRecord>, Error> {
        self.inner.recall(keys, now).await
    }

    async fn forget_idempotency_records(&self, now: Timestamp, limit: u32) -> Result<u64, Error> {
        self.inner.forget_idempotency_records(now, limit).await
    }

    async fn booking(&self, id: BookingId) -> Result<Option<Booking>, Error> {
        if one_of(&self.bookings) {
            self.hang().await;
        }
        self.inner.booking(id).await
    }

    async fn room_types_with_holds(&self) -> Result<Vec<RoomTypeId>, Error> {
        if self.no_holds.load(Ordering::SeqCst) {
            self.hang().await;
            return Err(Error::Unavailable(anyhow!("there is no connection")));
        }
        self.inner.room_types_with_holds().await
    }

    async fn room_type_ids(&self, hotel: HotelId) -> Result<Vec<RoomTypeId>, Error> {
        if self.no_room_types.swap(false, Ordering::SeqCst) {
            return Err(Error::Unavailable(anyhow!("there is no connection")));
        }
        self.inner.room_type_ids(hotel).await
    }
}
