//! Keeping the index up to date: steps are followed as they are heard, everything else is read again.
//!
//! One task. It listens before it reads, so that nothing falls between; it goes on listening while it reads, so that
//! the hub never has to drop anything. One thing is read at a time: what is wanted while it is being read is wanted
//! again, once. What cannot be read is tried again later, and nobody waits for it any more.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tracing::{error, warn};

use super::Index;
use super::build::{build, take_what_can_be_read};
use super::index::Progress;
use super::listing::Fate;
use crate::clock::Clock;
use crate::domain::{HotelId, RoomTypeId, Timestamp};
use crate::events::{Heard, Hub, Listener, Notice};
use crate::store::{Error, Store};

/// How long what could not be read is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Builds the index and keeps it up to date until the hub is gone. A mistake in here costs a new build, at most one a
/// second.
pub async fn follow(index: Index, hub: Hub, store: Arc<dyn Store>, clock: Arc<dyn Clock>) {
    let mut builds = interval(RETRY_AFTER);
    builds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        builds.tick().await;
        let follower = Follower::new(index.clone(), &hub, store.clone(), clock.clone());
        match AssertUnwindSafe(follower.run()).catch_unwind().await {
            Ok(()) => return,
            Err(_) => error!("following the engine panicked; the search index is built again"),
        }
        index.clear();
    }
}

struct Follower {
    index: Index,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    listener: Listener,
    /// What the store has to be asked for.
    wanted: BTreeMap<Wanted, Since>,
    reading: Option<Reading>,
    /// The first notice that something is still to be read for.
    oldest: Option<u64>,
    /// What could not be read, with the fact that must be known; tried again at the next tick.
    failed: BTreeMap<Wanted, u64>,
    ticks: Interval,
    built: bool,
}

/// What has to be read. Everything comes first, because it is all the rest as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    Everything,
    Hotel(HotelId),
    RoomType(RoomTypeId),
}

/// Why something has to be read.
#[derive(Debug, Clone, Copy, Default)]
struct Since {
    /// The first notice that asked for it; none when it is tried again.
    position: Option<u64>,
    /// The fact that must be known afterwards.
    sequence: u64,
}

struct Reading {
    what: Wanted,
    since: Since,
    done: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>,
}

impl Follower {
    fn new(index: Index, hub: &Hub, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let wanted = BTreeMap::from([(Wanted::Everything, Since::default())]);
        let (listener, failed, ticks) = (hub.listen(), BTreeMap::new(), interval(RETRY_AFTER));
        Self { index, store, clock, listener, wanted, reading: None, oldest: None, failed, ticks, built: false }
    }

    async fn run(mut self) {
        loop {
            self.read_on();
            self.tell();
            let done = async {
                match &mut self.reading {
                    Some(reading) => (&mut reading.done).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                heard = self.listener.next() => match heard {
                    Heard::Notice(notice) => self.take(notice),
                    Heard::Lagged(missed) => self.start_over(missed),
                    Heard::Closed => return,
                },
                result = done => self.has_read(result),
                _ = self.ticks.tick(), if !self.failed.is_empty() => self.try_again(),
            }
        }
    }

    fn take(&mut self, notice: Notice) {
        match notice {
            Notice::Hotel(hotel) => self.want(Wanted::Hotel(hotel), 0),
            Notice::Lost => self.want(Wanted::Everything, 0),
            Notice::Committed(_) | Notice::History(_) => {
                let now = self.clock.now();
                for (room_type, step) in notice.steps() {
                    if self.index.follow(room_type, step, now) == Fate::Gap {
                        self.want(Wanted::RoomType(room_type), step.sequence);
                    }
                }
            }
        }
    }

    fn start_over(&mut self, missed: u64) {
        warn!(missed, "the search index has fallen behind; it reads the store again");
        let first_missed = (self.listener.position() + 1).saturating_sub(missed);
        self.want_since(first_missed, Wanted::Everything, 0);
    }

    fn want(&mut self, what: Wanted, sequence: u64) {
        self.want_since(self.listener.position(), what, sequence);
    }

    /// `position`: the first notice that asks for it.
    fn want_since(&mut self, position: u64, what: Wanted, sequence: u64) {
        let since = self.wanted.entry(what).or_default();
        let position = *since.position.get_or_insert(position);
        // Whatever was wanted before was wanted for an earlier one.
        self.oldest.get_or_insert(position);
        since.sequence = since.sequence.max(sequence);
    }

    fn try_again(&mut self) {
        for (what, sequence) in std::mem::take(&mut self.failed) {
            let since = self.wanted.entry(what).or_default();
            since.sequence = since.sequence.max(sequence);
        }
    }

    /// Begins to read what is wanted next, unless something is being read.
    fn read_on(&mut self) {
        if self.reading.is_some() {
            return;
        }
        while let Some((what, mut since)) = self.wanted.pop_first() {
            if what == Wanted::Everything {
                let covered = std::mem::take(&mut self.wanted).into_values();
                since.position = covered.filter_map(|since| since.position).chain(since.position).min();
            }
            if !self.is_known(what, since) {
                let done = read(self.index.clone(), self.store.clone(), self.clock.now(), what);
                self.reading = Some(Reading { what, since, done: Box::pin(done) });
                break;
            }
        }
        let open = self.wanted.values().chain(self.reading.iter().map(|reading| &reading.since));
        self.oldest = open.filter_map(|since| since.position).min();
    }

    fn is_known(&self, what: Wanted, since: Since) -> bool {
        match what {
            Wanted::RoomType(id) => self.index.sequence(id).is_some_and(|sequence| sequence >= since.sequence),
            Wanted::Everything | Wanted::Hotel(_) => false,
        }
    }

    fn has_read(&mut self, result: Result<(), Error>) {
        let Some(Reading { what, since, .. }) = self.reading.take() else { return };
        match result {
            Ok(()) => self.built |= what == Wanted::Everything,
            Err(error) => {
                error!(?what, error = &error as &dyn std::error::Error, "search cannot read the store");
                self.failed.insert(what, since.sequence);
                self.ticks.reset();
            }
        }
    }

    /// Says how far the index is: just before the oldest notice that something is still to be read for.
    fn tell(&self) {
        let position = self.oldest.map_or(self.listener.position(), |oldest| oldest.saturating_sub(1));
        self.index.tell(Progress { built: self.built, position });
    }
}

async fn read(index: Index, store: Arc<dyn Store>, now: Timestamp, what: Wanted) -> Result<(), Error> {
    match what {
        Wanted::Everything => build(index, store, now).await,
        Wanted::Hotel(hotel) => take_hotel(&index, &*store, hotel, now).await,
        Wanted::RoomType(room_type) => take_hotel_of(&index, &*store, room_type, now).await,
    }
}

async fn take_hotel(index: &Index, store: &dyn Store, id: HotelId, now: Timestamp) -> Result<(), Error> {
    let Some(hotel) = store.hotel(id).await? else { return Ok(()) };
    let hotel = Arc::new(hotel);
    index.put([hotel.clone()]);
    match store.stock(id, now).await {
        Err(Error::Corrupt(_)) => take_what_can_be_read(index, store, &store.room_type_ids(id).await?, now).await,
        stock => {
            index.stock_up([(hotel, stock?)]);
            Ok(())
        }
    }
}

/// All room types of the hotel: one that was not known may belong to a hotel that was not known.
async fn take_hotel_of(index: &Index, store: &dyn Store, id: RoomTypeId, now: Timestamp) -> Result<(), Error> {
    match store.room_type(id).await? {
        Some(room_type) => take_hotel(index, store, room_type.hotel_id, now).await,
        None => Ok(()),
    }
}
