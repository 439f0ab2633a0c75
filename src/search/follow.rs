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
//! Calendars are compared with their hotels' dates when a hotel's date may have changed. If the clock was set back, nights
//! are missing and the hotel is read again. Every time zone has midnight at a quarter of an hour.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval, interval_at};
use tracing::{error, warn};

use super::Index;
use super::build::{Stocked, build, read_readable};
use super::index::Progress;
use super::meanwhile::Meanwhile;
use crate::clock::Clock;
use crate::domain::{HotelId, RoomTypeId, StepOrder, Timestamp};
use crate::events::{Hub, Listener, Notice, Received};
use crate::store::{Error, Store};
use crate::tasks::{Policy, Tasks};

/// The pause before a failed read is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How often the clock is read.
const COMPARE_INTERVAL: Duration = Duration::from_secs(2);
/// Seconds between two moments at which a date can begin somewhere.
const QUARTER: i64 = 15 * 60;

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
    /// The steps of the hotel's room types that arrived since the current read began.
    meanwhile: Meanwhile,
    /// The oldest notice whose read is not finished.
    oldest: Option<u64>,
    /// Failed reads, with the sequence number that must be reached. Tried again at the next tick.
    failed: BTreeMap<Wanted, u64>,
    ticks: Interval,
    comparisons: Interval,
    /// The quarter of an hour in which the calendars were compared last.
    compared: Option<i64>,
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
    /// By the clock when it began.
    began: Timestamp,
    done: Pin<Box<dyn Future<Output = Result<Read, Error>> + Send>>,
}

impl Follower {
    fn new(index: Index, hub: &Hub, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let wanted = BTreeMap::from([(Wanted::Everything, Since::default())]);
        let (listener, failed, ticks) = (hub.listen(), BTreeMap::new(), interval(RETRY_AFTER));
        let mut comparisons = interval_at(Instant::now() + COMPARE_INTERVAL, COMPARE_INTERVAL);
        comparisons.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (reading, meanwhile, oldest, compared, built) = Default::default();
        Self {
            index,
            store,
            clock,
            listener,
            wanted,
            reading,
            meanwhile,
            oldest,
            failed,
            ticks,
            comparisons,
            compared,
            built,
        }
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
                _ = self.comparisons.tick() => self.compare().await,
            }
        }
    }

    fn on_notice(&mut self, notice: Notice) {
        match notice {
            Notice::Hotel(hotel) => self.want(Wanted::Hotel(hotel), 0),
            Notice::Lost => self.want(Wanted::Everything, 0),
            Notice::Committed(_) | Notice::History(_) => {
                let now = self.clock.now();
                if self.compared != Some(quarter(now)) {
                    // A step rolls its calendar. A clock that is set back before the next comparison must not hide that.
                    self.compared = None;
                }
                for (room_type, step) in notice.steps() {
                    if self.index.follow(room_type, step, now) == StepOrder::Gap {
                        self.want(Wanted::RoomType(room_type), step.sequence);
                    }
                }
                self.keep(&notice);
            }
        }
    }

    /// Keeps the steps of the hotel that is read. While everything is read none are kept: where the index is newer than the
    /// read, it stays.
    fn keep(&mut self, notice: &Notice) {
        let Some(Reading { what, .. }) = &self.reading else { return };
        let hotel = match *what {
            Wanted::Everything => return,
            Wanted::Hotel(hotel) => Some(hotel),
            Wanted::RoomType(id) => self.index.hotel_of(id),
        };
        let concerns =
            |id: RoomTypeId| *what == Wanted::RoomType(id) || (hotel.is_some() && self.index.hotel_of(id) == hotel);
        self.meanwhile.keep(notice, concerns);
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

    /// Reads hotels again whose calendars begin after their current date. Within a quarter of an hour no date changes.
    async fn compare(&mut self) {
        let now = self.clock.now();
        if self.compared.replace(quarter(now)) != Some(quarter(now)) {
            let ahead = self.index.roll(now).await;
            self.read_again(ahead);
        }
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
                let began = self.clock.now();
                let done = read(self.index.clone(), self.store.clone(), began, what);
                self.reading = Some(Reading { what, since, began, done: Box::pin(done) });
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
        let Some(Reading { what, since, began, .. }) = self.reading.take() else { return };
        let meanwhile = std::mem::take(&mut self.meanwhile);
        if quarter(began) != quarter(self.clock.now()) {
            // Its calendars may begin on another date than today.
            self.compared = None;
        }
        match result {
            Ok(Read::Everything(overtaken)) => {
                self.built = true;
                self.read_again(overtaken);
            }
            Ok(Read::Hotel(mut stocked)) => {
                let stock = stocked.iter_mut().flat_map(|(_, stock)| stock);
                meanwhile.apply_to(stock, self.clock.now());
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

/// The number of the quarter of an hour.
fn quarter(now: Timestamp) -> i64 {
    now.as_second().div_euclid(QUARTER)
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
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::catalogue::Zone;

    #[test]
    fn a_date_begins_in_every_zone_at_a_quarter_of_an_hour() {
        let names: Vec<_> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let zones: Vec<_> = names.iter().filter_map(|name| Zone::parse(name).ok()).collect();
        assert!(zones.len() > 300);
        // A usual day, and two on which clocks are set.
        for day in ["2026-01-15T00:00:00Z", "2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z"] {
            let first: Timestamp = day.parse().unwrap();
            for quarter in 0..96 {
                let began = first + SignedDuration::from_secs(quarter * QUARTER);
                let ends = began + SignedDuration::from_secs(QUARTER - 1);
                assert_eq!(super::quarter(began), super::quarter(ends));
                for zone in &zones {
                    assert_eq!(zone.date(began), zone.date(ends), "{zone:?} at {began}");
                }
            }
        }
    }
}
