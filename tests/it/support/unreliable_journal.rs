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

/// What becomes of a commit.
#[derive(Debug, Clone, Copy)]
pub enum Commit {
    Works,
    /// The store says that nothing was stored.
    RolledBack,
    /// The connection breaks before the COMMIT arrives: it says nothing, and nothing was stored.
    LostBefore,
    /// The connection breaks after it: it says nothing, and everything was stored.
    LostAfter,
    /// It panics, having stored everything.
    PanicAfter,
    /// It does not answer until it is released; then the connection breaks before the COMMIT arrives.
    HangsLostBefore,
    /// The same, but everything was stored at once.
    HangsLostAfter,
    /// Everything is stored at once, but it does not say so until it is released.
    Late,
}

/// What becomes of a claim, or of a question whether one still stands.
#[derive(Debug, Clone, Copy)]
pub enum Claiming {
    Unreachable,
    /// It does not answer until it is released.
    Hangs,
}

/// A journal that fails as often as it was told to, in that order, and works otherwise.
pub struct Unreliable {
    inner: Arc<dyn Journal>,
    commits: Mutex<VecDeque<Commit>>,
    /// The bytes of each entry of each batch.
    batches: Mutex<Vec<Vec<usize>>>,
    claims: Mutex<VecDeque<Claiming>>,
    standing: Mutex<VecDeque<Claiming>>,
    /// How often it was asked whether claims still stand.
    asked: AtomicUsize,
    /// Loads that are to hang.
    loads: AtomicUsize,
    /// Reads of a booking that are to hang.
    bookings: AtomicUsize,
    /// Questions what was committed that are to hang.
    doubts: AtomicUsize,
    /// How often it was asked what was committed.
    doubted: AtomicUsize,
    no_holds: AtomicBool,
    no_room_types: AtomicBool,
    /// Claims under way, and the most that ever were.
    claiming: AtomicUsize,
    most_claims: AtomicUsize,
    /// How often a room type was claimed.
    claimed: AtomicUsize,
    hanging: Semaphore,
    released: Semaphore,
}

impl Unreliable {
    pub fn new(inner: Arc<dyn Journal>) -> Self {
        let (commits, batches, claims, standing, asked, loads, bookings, doubts, doubted) = Default::default();
        let (no_holds, no_room_types, claiming, most_claims, claimed) = Default::default();
        let (hanging, released) = (Semaphore::new(0), Semaphore::new(0));
        Self {
            inner,
            commits,
            batches,
            claims,
            standing,
            asked,
            loads,
            bookings,
            doubts,
            doubted,
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

    /// The next question whether claims still stand.
    pub fn next_standing(&self, fate: Claiming) {
        self.standing.lock().unwrap().push_back(fate);
    }

    /// How often it was asked whether claims still stand.
    pub fn asked_for_standing(&self) -> usize {
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

    /// The next question what was committed is not answered until it is released.
    pub fn next_doubt_hangs(&self) {
        self.doubts.fetch_add(1, Ordering::SeqCst);
    }

    /// How often it was asked what was committed.
    pub fn doubted(&self) -> usize {
        self.doubted.load(Ordering::SeqCst)
    }

    /// Whoever asks which room types have holds waits until he is released, and then cannot be told.
    pub fn holds_cannot_be_found(&self) {
        self.no_holds.store(true, Ordering::SeqCst);
    }

    /// Who asks next which room types a hotel has cannot be told.
    pub fn next_room_types_are_unknown(&self) {
        self.no_room_types.store(true, Ordering::SeqCst);
    }

    /// How often a room type was claimed.
    pub fn claimed(&self) -> usize {
        self.claimed.load(Ordering::SeqCst)
    }

    /// The most claims that were under way at once.
    pub fn most_claims(&self) -> usize {
        self.most_claims.load(Ordering::SeqCst)
    }

    /// Waits until something hangs.
    pub async fn hangs(&self) {
        let hangs = tokio::time::timeout(PATIENCE, self.hanging.acquire()).await;
        hangs.expect("nothing hangs").unwrap().forget();
    }

    /// Lets what hangs go on.
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

/// Whether something is left to be counted down, which it is then.
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
        let fate = self.standing.lock().unwrap().pop_front();
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
        self.doubted.fetch_add(1, Ordering::SeqCst);
        if one_of(&self.doubts) {
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
