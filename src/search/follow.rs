//! Keeping the index up to date: steps are followed as they are heard, everything else is read again.
//!
//! One task. It listens before it reads, so that nothing falls between; it goes on listening while it reads, so that
//! the hub never has to drop anything. One thing is read at a time: what is wanted while it is being read is wanted
//! again, once. What cannot be read is tried again later, and nobody waits for it any more.
//!
//! A hotel that is read was changed, so what is known of its room types may rest on what it was: their calendars may begin
//! on another day. The reading replaces it, brought forward by the steps that were heard meanwhile; otherwise what was
//! heard would always be newer than what was read, under load. Where it still is, the hotel is read again. Every now and
//! then calendars are compared with their hotels' dates: where the clock was set back, days are missing.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval, interval_at};
use tracing::{error, warn};

use super::Index;
use super::build::{Stocked, build, read_what_can_be};
use super::index::Progress;
use super::listing::Fate;
use crate::clock::Clock;
use crate::domain::{HotelId, Inventory, RoomTypeId, Timestamp};
use crate::events::{Heard, Hub, Listener, Notice};
use crate::store::{Error, Store};
use crate::tasks::{Policy, Tasks};

/// How long what could not be read is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How often calendars are compared with their hotels' dates.
const COMPARED_EVERY: Duration = Duration::from_secs(2);
/// Notices that are kept while something is read. After more, what was read may be older than what is known.
const HEARD: usize = 16_384;

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
    /// What the store has to be asked for.
    wanted: BTreeMap<Wanted, Since>,
    reading: Option<Reading>,
    /// The steps that were told since it was begun to be read.
    heard: Vec<Notice>,
    /// The first notice that something is still to be read for.
    oldest: Option<u64>,
    /// What could not be read, with the fact that must be known; tried again at the next tick.
    failed: BTreeMap<Wanted, u64>,
    ticks: Interval,
    comparisons: Interval,
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

/// What was read.
enum Read {
    /// It is in the index already, but for these hotels, of which something newer was known.
    Everything(Vec<HotelId>),
    /// One hotel, if there is one.
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
        let mut comparisons = interval_at(Instant::now() + COMPARED_EVERY, COMPARED_EVERY);
        comparisons.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (reading, heard, oldest, built) = Default::default();
        Self { index, store, clock, listener, wanted, reading, heard, oldest, failed, ticks, comparisons, built }
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
                _ = self.comparisons.tick() => self.compare(),
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
                if self.reading.is_some() && self.heard.len() < HEARD {
                    self.heard.push(notice);
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

    /// Reads hotels again whose calendars begin later than they should.
    fn compare(&mut self) {
        self.read_again(self.index.roll(self.clock.now()));
    }

    /// At the next tick: a store that was set back would otherwise be read without a pause. Nobody waits for these.
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

    fn has_read(&mut self, result: Result<Read, Error>) {
        let Some(Reading { what, since, .. }) = self.reading.take() else { return };
        let heard = std::mem::take(&mut self.heard);
        match result {
            Ok(Read::Everything(overtaken)) => {
                self.built = true;
                self.read_again(overtaken);
            }
            Ok(Read::Hotel(mut stocked)) => {
                let stock = stocked.iter_mut().flat_map(|(_, stock)| stock);
                bring_forward(stock, &heard, self.clock.now());
                let overtaken = self.index.stock_up(stocked);
                self.read_again(overtaken);
            }
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

/// Lets what was read follow the steps that were heard since.
fn bring_forward<'a>(stock: impl Iterator<Item = &'a mut Inventory>, heard: &[Notice], now: Timestamp) {
    let mut stock: HashMap<_, _> = stock.map(|inventory| (inventory.room_type.id, inventory)).collect();
    for (room_type, step) in heard.iter().flat_map(Notice::steps) {
        if let Some(inventory) = stock.get_mut(&room_type)
            && step.sequence == inventory.sequence() + 1
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
        Err(Error::Corrupt(_)) => read_what_can_be(store, &store.room_type_ids(id).await?, now).await,
        stock => Ok(vec![(hotel, stock?)]),
    }
}

/// All room types of the hotel: one that was not known may belong to a hotel that was not known.
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
    fn a_reading_that_was_overtaken_is_brought_forward_and_keeps_its_calendar() {
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
    fn what_was_read_after_a_gap_waits_for_the_next_reading() {
        let (now, mut known, mut read) = (noon(0), inventory(9), inventory(9));
        let id = read.room_type.id;
        run(&mut known, book(1, order(stay(0, 2), 1), now), now).unwrap();
        let second = run(&mut known, book(2, order(stay(0, 2), 1), now), now).unwrap();
        bring_forward([&mut read].into_iter(), &[Notice::Committed(vec![(id, second)].into())], now);
        assert_eq!(read.sequence(), 0);
    }
}
