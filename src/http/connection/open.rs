//! All open connections of a listener, and the supervisor that closes connections which break a rule.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::activity::Activity;
use super::plain;
use super::rules::{Limits, Reason, millis, most};
use super::stream::Connection;
use super::ticks::Ticks;
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::tasks::{Policy, Tasks};

/// How often the supervisor checks all connections.
pub const TICK: Duration = Duration::from_millis(250);
/// The most connections that one search for an idle connection returns.
const CANDIDATES: usize = 512;
/// How many clients are refused with an answer at the same time, and how long the answer may take.
const REFUSALS: usize = 64;
const REFUSED_WITHIN: Duration = Duration::from_secs(1);

/// The connections of one listener, on all of its threads.
pub struct Connections {
    /// The name of the listener in metrics.
    listener: &'static str,
    limits: Limits,
    clock: Arc<dyn Clock>,
    began: Instant,
    ticks: Ticks,
    open: DashMap<u64, Arc<Activity>>,
    next: AtomicU64,
    /// The number of open connections, and how many of them are asked to close for a new one.
    count: AtomicUsize,
    leaving: AtomicUsize,
    candidates: Mutex<Candidates>,
    refusals: Semaphore,
}

/// Connections that may be replaced by a new one. The best candidate is last.
#[derive(Default)]
struct Candidates {
    list: Vec<(u64, Arc<Activity>)>,
    /// The tick of the last search.
    searched: u64,
}

impl Connections {
    pub fn new(listener: &'static str, limits: Limits, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            listener,
            limits,
            clock,
            began: Instant::now(),
            ticks: Ticks::default(),
            open: DashMap::new(),
            next: AtomicU64::new(0),
            count: AtomicUsize::new(0),
            leaving: AtomicUsize::new(0),
            candidates: Mutex::default(),
            refusals: Semaphore::new(REFUSALS),
        })
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Admits a new connection. A full server asks other connections to close. If too few can, the stream is returned.
    pub fn admit(self: &Arc<Self>, stream: TcpStream) -> Result<Connection, TcpStream> {
        let open = self.count.fetch_add(1, Relaxed) + 1;
        if open > most(self.limits.connections) || !self.evict_idle() {
            self.count.fetch_sub(1, Relaxed);
            return Err(stream);
        }
        let activity = Arc::new(Activity::new(self.next.fetch_add(1, Relaxed), self.ticks.clone()));
        self.open.insert(activity.id, activity.clone());
        Ok(Connection::new(stream, activity, self.clone()))
    }

    /// Answers a client that there are too many connections.
    pub async fn refuse(&self, mut stream: TcpStream) -> io::Error {
        metrics::counter!("innkeeper_connections_refused_total").increment(1);
        if let Ok(_permit) = self.refusals.try_acquire() {
            let answer = plain::answer(&Problem::of(Code::TooManyConnections).retry_after_secs(1), self.now());
            let answering = async {
                stream.write_all(&answer).await?;
                stream.shutdown().await?;
                // Closing with unread bytes would reset the connection and lose the answer.
                let mut ignored = [0; 512];
                while stream.read(&mut ignored).await? > 0 {}
                io::Result::Ok(())
            };
            let _ = timeout(REFUSED_WITHIN, answering).await;
        }
        io::Error::other("too many connections")
    }

    /// Whether the open connections exceed the limit, without those that were asked to close.
    fn is_full(&self) -> bool {
        self.count.load(Relaxed).saturating_sub(self.leaving.load(Relaxed)) > self.limits.connections
    }

    /// Asks connections to close until the others are within the limit, the longest idle one first. `false` if too few
    /// can.
    fn evict_idle(&self) -> bool {
        if !self.is_full() {
            return true;
        }
        let mut candidates = self.candidates.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            while self.is_full() {
                let Some((since, candidate)) = candidates.list.pop() else { break };
                if candidate.state().awaited_since() == Some(since) {
                    self.ask_to_evict(&candidate);
                }
            }
            if !self.is_full() {
                return true;
            }
            let now = self.ticks.now();
            if candidates.searched == now {
                return false;
            }
            candidates.searched = now;
            candidates.list = self.find_candidates(now);
        }
    }

    /// Asks a connection to close. The count comes first, because the connection may decline at once on another thread.
    fn ask_to_evict(&self, connection: &Activity) {
        self.leaving.fetch_add(1, Relaxed);
        if !connection.ask_to_close(Reason::Full) {
            self.leaving.fetch_sub(1, Relaxed);
        }
    }

    /// Idle connections or, if there are none, connections whose request waits for the client. The longest wait is
    /// last.
    fn find_candidates(&self, now: u64) -> Vec<(u64, Arc<Activity>)> {
        let (mut idle, mut slow) = (Vec::new(), Vec::new());
        for connection in &self.open {
            let state = connection.state();
            let Some(since) = state.awaited_since() else { continue };
            if !state.is_evictable(now) || connection.asked_to_close().is_some() {
                continue;
            }
            let found = if state.is_idle() { &mut idle } else { &mut slow };
            found.push((since, connection.value().clone()));
        }
        let mut found = if idle.is_empty() { slow } else { idle };
        found.sort_unstable_by_key(|(since, _)| *since);
        found.truncate(CANDIDATES);
        found.reverse();
        found
    }

    /// A connection that was asked to close stays open, because the reason no longer holds.
    pub fn keep_open(&self, activity: &Activity, reason: Reason) {
        activity.withdraw_close();
        if reason == Reason::Full {
            self.leaving.fetch_sub(1, Relaxed);
        }
    }

    /// Counts a connection that is closed for a reason.
    pub fn closed(&self, reason: Reason) {
        metrics::counter!("innkeeper_connections_closed_total", "reason" => reason.name()).increment(1);
    }

    /// Removes a closed connection.
    pub fn remove(&self, activity: &Activity) {
        self.open.remove(&activity.id);
        self.count.fetch_sub(1, Relaxed);
        if activity.close_for_good() == Some(Reason::Full) {
            self.leaving.fetch_sub(1, Relaxed);
        }
    }

    /// Starts the supervisor.
    pub fn supervise(self: &Arc<Self>, task: &'static str, tasks: &Tasks) {
        let connections = self.clone();
        tasks.spawn(task, Policy::Restart, move |stop| connections.clone().sweep(stop));
    }

    async fn sweep(self: Arc<Self>, stop: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.ticks.set(millis(self.began.elapsed()));
            self.check_all();
        }
    }

    fn check_all(&self) {
        let now = self.ticks.now();
        let (mut held, mut holders) = (0, Vec::new());
        for connection in &self.open {
            let state = connection.state();
            if connection.asked_to_close().is_some() {
                // Wakes the connection again, in case it missed the first time.
                connection.wake();
            } else if let Some(reason) = state.breach(now, &self.limits) {
                connection.ask_to_close(reason);
            } else if let Some(since) = state.awaited_since().filter(|_| state.held > 0) {
                holders.push((since, state.held, connection.value().clone()));
            }
            held += state.held;
        }
        self.free_memory(held, holders);
        metrics::gauge!("innkeeper_connections", "listener" => self.listener).set(self.count.load(Relaxed) as f64);
        metrics::gauge!("innkeeper_client_buffers_bytes", "listener" => self.listener).set(held as f64);
    }

    /// Closes the connections that the server has waited for longest, until the others are within the limit.
    fn free_memory(&self, mut held: u64, mut holders: Vec<(u64, u64, Arc<Activity>)>) {
        if held <= self.limits.buffered {
            return;
        }
        holders.sort_unstable_by_key(|(since, ..)| *since);
        for (_, bytes, connection) in holders {
            if held <= self.limits.buffered {
                return;
            }
            connection.ask_to_close(Reason::Memory);
            held = held.saturating_sub(bytes);
        }
    }
}
