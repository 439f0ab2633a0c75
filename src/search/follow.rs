//! Keeps the index up to date: applies steps as they arrive and reads everything else from the store again.
//!
//! One task. It listens to the hub before it reads the store, so no step is missed. It keeps listening while it reads,
//! so the hub drops no notice. It reads one thing at a time. Requests for a read in progress cause one more read. A
//! failed read is tried again later; searches no longer wait for it.
//!
//! A changed hotel is read again with all its room types, because their calendars may begin on another date now. The
//! read replaces the index's data after the steps that arrived meanwhile are applied to it. Without them, under load,
//! the index would always be newer than the read. If it still is, the hotel is read again.
//!
//! Calendars are regularly compared with their hotels' dates. If the clock was set back, nights are missing and the
//! hotel is read again.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval, interval_at};
use tracing::{error, warn};

use super::Index;
use super::build::{Stocked, build, read_readable};
use super::index::Progress;
use crate::clock::Clock;
use crate::domain::{HotelId, Inventory, RoomTypeId, StepOrder, Timestamp};
use crate::events::{Hub, Listener, Notice, Received};
use crate::store::{Error, Store};
use crate::tasks::{Policy, Tasks};

/// The pause before a failed read is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How often calendars are compared with their hotels' dates.
const COMPARE_INTERVAL: Duration = Duration::from_secs(2);
/// Notices that are kept during a read. If more arrive, the result of the read may be older than the index.
const MAX_MEANWHILE: usize = 16_384;

/// Starts the task that builds the index and keeps it up to date. After a panic it builds the index again.
pub fn follow(index: Index, hub: Hub, store: Arc<dyn Store>, clock: Arc<dyn Clock>, tasks: &Tasks) {
    tasks.spawn("search", Policy::Restart, move |stop| {
        index.clear();
        let follower = Follower::new(index.clone(), &hub, store.clone(), clock.clone());
        async move {
            stop.run_until_cancelled(follower.run()).await;
        }
    });
}

struct Follower {
    index: Index,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    listener: Listener,
    /// What must be read from the store.
    wanted: BTreeMap<Wanted, Since>,
    reading: Option<Reading>,
    /// The steps that arrived since the current read began.
    meanwhile: Vec<Notice>,
    /// The oldest notice whose read is not finished.
    oldest: Option<u64>,
    /// Failed reads, with the sequence number that must be reached. Tried again at the next tick.
    failed: BTreeMap<Wanted, u64>,
    ticks: Interval,
    comparisons: Interval,
    built: bool,
}

/// Something to read. `Everything` comes first, because it includes the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    Everything,
    Hotel(HotelId),
    RoomType(RoomTypeId),
}

/// Why something must be read.
#[derive(Debug, Clone, Copy, Default)]
struct Since {
    /// The first notice that needs it. `None` for a retry.
    position: Option<u64>,
    /// The sequence number that must be reached by the read.
    sequence: u64,
}

/// The result of a read.
enum Read {
    /// The index has it already. Only these hotels are left, because the index had newer data of them.
    Everything(Vec<HotelId>),
    /// One hotel. Empty if it does not exist.
    Hotel(Stocked),
}

struct Reading {
    what: Wanted,
    since: Since,
    done: Pin<Box<dyn Future<Output = Result<Read, Error>> + Send>>,
}

impl Follower {
    fn new(index: Index, hub: &Hub, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let wanted = BTreeMap::from([(Wanted::Everything, Since::default())]);
        let (listener, failed, ticks) = (hub.listen(), BTreeMap::new(), interval(RETRY_AFTER));
        let mut comparisons = interval_at(Instant::now() + COMPARE_INTERVAL, COMPARE_INTERVAL);
        comparisons.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (reading, meanwhile, oldest, built) = Default::default();
        Self { index, store, clock, listener, wanted, reading, meanwhile, oldest, failed, ticks, comparisons, built }
    }

    async fn run(mut self) {
        loop {
            self.start_next_read();
            self.publish_progress();
            let done = async {
                match &mut self.reading {
                    Some(reading) => (&mut reading.done).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                received = self.listener.next() => match received {
                    Received::Notice(notice) => self.on_notice(notice),
                    Received::Lagged(missed) => self.start_over(missed),
                    Received::Closed => return,
                },
                result = done => self.finish_read(result),
                _ = self.ticks.tick(), if !self.failed.is_empty() => self.try_again(),
                _ = self.comparisons.tick() => self.compare(),
            }
        }
    }

    fn on_notice(&mut self, notice: Notice) {
        match notice {
            Notice::Hotel(hotel) => self.want(Wanted::Hotel(hotel), 0),
            Notice::Lost => self.want(Wanted::Everything, 0),
            Notice::Committed(_) | Notice::History(_) => {
                let now = self.clock.now();
                for (room_type, step) in notice.steps() {
                    if self.index.follow(room_type, step, now) == StepOrder::Gap {
                        self.want(Wanted::RoomType(room_type), step.sequence);
                    }
                }
                if self.reading.is_some() && self.meanwhile.len() < MAX_MEANWHILE {
                    self.meanwhile.push(notice);
                }
            }
        }
    }

    fn start_over(&mut self, missed: u64) {
        warn!(missed, "the search index fell behind the commits: it reads the store again");
        let first_missed = (self.listener.position() + 1).saturating_sub(missed);
        self.want_since(first_missed, Wanted::Everything, 0);
    }

    fn want(&mut self, what: Wanted, sequence: u64) {
        self.want_since(self.listener.position(), what, sequence);
    }

    /// `position`: the first notice that needs it.
    fn want_since(&mut self, position: u64, what: Wanted, sequence: u64) {
        let since = self.wanted.entry(what).or_default();
        let position = *since.position.get_or_insert(position);
        // Earlier entries have lower positions.
        self.oldest.get_or_insert(position);
        since.sequence = since.sequence.max(sequence);
    }

    /// Reads hotels again whose calendars begin after their current date.
    fn compare(&mut self) {
        self.read_again(self.index.roll(self.clock.now()));
    }

    /// Reads hotels at the next tick, so that a clock that was set back does not cause a read without a pause. Searches
    /// do not wait for these reads.
    fn read_again(&mut self, hotels: Vec<HotelId>) {
        if self.failed.is_empty() && !hotels.is_empty() {
            self.ticks.reset();
        }
        self.failed.extend(hotels.into_iter().map(|hotel| (Wanted::Hotel(hotel), 0)));
    }

    fn try_again(&mut self) {
        for (what, sequence) in std::mem::take(&mut self.failed) {
            let since = self.wanted.entry(what).or_default();
            since.sequence = since.sequence.max(sequence);
        }
    }

    /// Starts the next read, unless one is in progress.
    fn start_next_read(&mut self) {
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

    fn finish_read(&mut self, result: Result<Read, Error>) {
        let Some(Reading { what, since, .. }) = self.reading.take() else { return };
        let meanwhile = std::mem::take(&mut self.meanwhile);
        match result {
            Ok(Read::Everything(overtaken)) => {
                self.built = true;
                self.read_again(overtaken);
            }
            Ok(Read::Hotel(mut stocked)) => {
                let stock = stocked.iter_mut().flat_map(|(_, stock)| stock);
                bring_forward(stock, &meanwhile, self.clock.now());
                let overtaken = self.index.stock_up(stocked);
                self.read_again(overtaken);
            }
            Err(error) => {
                error!(?what, error = &error as &dyn std::error::Error, "search cannot read the store; it tries again");
                self.failed.insert(what, since.sequence);
                self.ticks.reset();
            }
        }
    }

    /// Publishes the progress: just before the oldest notice whose read is not finished.
    fn publish_progress(&self) {
        let position = self.oldest.map_or(self.listener.position(), |oldest| oldest.saturating_sub(1));
        self.index.set_progress(Progress { built: self.built, position });
    }
}

/// Applies the steps that arrived during a read to its result.
fn bring_forward<'a>(stock: impl Iterator<Item = &'a mut Inventory>, meanwhile: &[Notice], now: Timestamp) {
    let mut stock: HashMap<_, _> = stock.map(|inventory| (inventory.room_type.id, inventory)).collect();
    for (room_type, step) in meanwhile.iter().flat_map(Notice::steps) {
        if let Some(inventory) = stock.get_mut(&room_type)
            && step.order_after(inventory.sequence()) == StepOrder::Next
        {
            inventory.roll(now);
            inventory.follow(step);
        }
    }
}

async fn read(index: Index, store: Arc<dyn Store>, now: Timestamp, what: Wanted) -> Result<Read, Error> {
    match what {
        Wanted::Everything => build(index, store, now).await.map(Read::Everything),
        Wanted::Hotel(hotel) => read_hotel(&index, &*store, hotel, now).await.map(Read::Hotel),
        Wanted::RoomType(room_type) => read_hotel_of(&index, &*store, room_type, now).await.map(Read::Hotel),
    }
}

async fn read_hotel(index: &Index, store: &dyn Store, id: HotelId, now: Timestamp) -> Result<Stocked, Error> {
    let Some(hotel) = store.hotel(id).await? else { return Ok(Vec::new()) };
    let hotel = Arc::new(hotel);
    index.put([hotel.clone()]);
    match store.stock(id, now).await {
        Err(Error::Corrupt(_)) => read_readable(store, &store.room_type_ids(id).await?, now).await,
        stock => Ok(vec![(hotel, stock?)]),
    }
}

/// Reads all room types of the hotel: an unknown room type may belong to an unknown hotel.
async fn read_hotel_of(index: &Index, store: &dyn Store, id: RoomTypeId, now: Timestamp) -> Result<Stocked, Error> {
    match store.room_type(id).await? {
        Some(room_type) => read_hotel(index, store, room_type.hotel_id, now).await,
        None => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{book, day, inventory, noon, order, run, stay};

    #[test]
    fn steps_that_arrived_during_a_read_are_applied_to_it() {
        let (now, mut known) = (noon(0), inventory(9));
        let id = known.room_type.id;
        let mut told = |number| run(&mut known, book(number, order(stay(0, 2), 1), now), now).unwrap();
        let before = told(1);
        let mut read = inventory(9);
        read.follow(before.step());
        let heard = [before, told(2), told(3)];
        let heard = heard.map(|fact| Notice::Committed(vec![(id, fact)].into()));
        bring_forward([&mut read].into_iter(), &heard, now);
        assert_eq!((read.sequence(), read.calendar.first()), (3, day(0)));
        assert_eq!(read.calendar, known.calendar);
    }

    #[test]
    fn a_step_after_a_gap_is_left_to_the_next_read() {
        let (now, mut known, mut read) = (noon(0), inventory(9), inventory(9));
        let id = read.room_type.id;
        run(&mut known, book(1, order(stay(0, 2), 1), now), now).unwrap();
        let second = run(&mut known, book(2, order(stay(0, 2), 1), now), now).unwrap();
        bring_forward([&mut read].into_iter(), &[Notice::Committed(vec![(id, second)].into())], now);
        assert_eq!(read.sequence(), 0);
    }
}
