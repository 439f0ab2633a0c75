//! The handle: typed requests in, typed answers out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix::dev::SendError;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{Instrument, Span};

use super::claim_check::{self, ClaimCheck};
use super::directory::Directory;
use super::failpoint::{Failpoints, NoFailpoints};
use super::idempotency::IdempotencyRecords;
use super::message::{Ask, Caller, Failure, Intent, Look, Reply, Request, Unused};
use super::patience::{Client, Origin, Patience};
use super::unknown_outcomes::UnknownOutcomes;
use super::{BookingOutcome, Error, Key, MoveOptions, Options, View, revocation};
use crate::clock::{Clock, IdSource};
use crate::domain::{Booking, BookingId, Date, Fact, Move, Order, RoomTypeId};
use crate::events::Hub;
use crate::lease::{Asked, Lease};
use crate::store::Journal;
use crate::tasks::{Policy, Tasks};
use crate::writer::Writer;

/// How often a request follows a room type to its next actor before it gives up.
const MOVES: usize = 5;

/// The engine. Cheap to clone; ends with [`Engine::shutdown`].
#[derive(Clone)]
pub struct Engine {
    pub(super) shared: Arc<Shared>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
    tasks: Tasks,
    /// Where the requests come from that this handle is used for.
    pub(super) origin: Origin,
}

/// What all actors use.
pub(super) struct Shared {
    pub options: Options,
    pub journal: Arc<dyn Journal>,
    pub lease: Arc<dyn Lease>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    pub failpoints: Arc<dyn Failpoints>,
    pub hub: Hub,
    pub writer: Writer,
    pub idempotency: IdempotencyRecords,
    pub claim_check: ClaimCheck,
    pub unknown_outcomes: UnknownOutcomes,
    pub directory: Directory,
    /// Held while room types are woken.
    pub recovering: Arc<Mutex<()>>,
    closing: AtomicBool,
}

impl Shared {
    /// Whether nothing new is begun any more.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }
}

impl Engine {
    /// Starts the writer and the threads. Needs a running actix system.
    pub fn start(
        options: Options,
        journal: Arc<dyn Journal>,
        lease: Arc<dyn Lease>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        Self::start_probed(options, journal, lease, clock, ids, Arc::new(NoFailpoints))
    }

    /// Like [`Engine::start`], with somebody looking over the actors' shoulders.
    pub fn start_probed(
        options: Options,
        journal: Arc<dyn Journal>,
        lease: Arc<dyn Lease>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        failpoints: Arc<dyn Failpoints>,
    ) -> Self {
        let hub = Hub::default();
        let (writer, task) = Writer::start(journal.clone(), hub.clone(), options.batch);
        let idempotency = IdempotencyRecords::new(journal.clone(), clock.clone(), options.idempotency_ttl);
        let claim_check = claim_check::start(journal.clone());
        let directory = Directory::new(options.threads);
        let (unknown_outcomes, recovering, closing) = Default::default();
        let shared = Arc::new(Shared {
            options,
            journal,
            lease,
            clock,
            ids,
            failpoints,
            hub,
            writer,
            idempotency,
            claim_check,
            unknown_outcomes,
            directory,
            recovering,
            closing,
        });
        let tasks = Tasks::default();
        let (lease, watched) = (shared.lease.clone(), Arc::downgrade(&shared));
        // It ends with the engine.
        tasks.spawn("revocation", Policy::Finish, move |stop| {
            let (lease, watched) = (lease.clone(), watched.clone());
            async move {
                stop.run_until_cancelled(revocation::watch(lease, watched)).await;
            }
        });
        Self { shared, writer: Arc::new(Mutex::new(Some(task))), tasks, origin: Origin::default() }
    }

    /// Books, or holds, rooms of a type.
    pub async fn book(&self, room_type: RoomTypeId, order: Order, key: Option<Key>) -> Result<BookingOutcome, Error> {
        let result = self.booking_command(room_type, Intent::Book(order), key, false).await;
        metrics::counter!("innkeeper_bookings_total", "outcome" => outcome(&result)).increment(1);
        result
    }

    /// Does something with a booking.
    pub async fn act(&self, booking: BookingId, act: Move, options: MoveOptions) -> Result<BookingOutcome, Error> {
        let found = self.shared.journal.booking(booking).await.map_err(|_| Error::Unavailable)?;
        let room_type = found.ok_or(Error::NoSuchBooking)?.room_type_id;
        self.act_in(room_type, booking, act, options).await
    }

    /// Does something with a booking of a known room type: saves a look-up.
    pub async fn act_in(
        &self,
        room_type: RoomTypeId,
        booking: BookingId,
        act: Move,
        options: MoveOptions,
    ) -> Result<BookingOutcome, Error> {
        let MoveOptions { key, expected, dry_run } = options;
        self.booking_command(room_type, Intent::Act { booking, act, expected }, key, dry_run).await
    }

    /// The committed nights of [from, to), as far as they lie inside the horizon.
    pub async fn view(&self, room_type: RoomTypeId, from: Date, to: Date) -> Result<View, Error> {
        let look = |reply| Request::Look(Look { from, to, reply });
        let within = self.shared.options.answer_within;
        self.in_time(within, async { self.send(room_type, None, look).await.map_err(without_key) }).await
    }

    /// Where everything committed is published.
    pub fn hub(&self) -> &Hub {
        &self.shared.hub
    }

    /// How long a request may wait to be decided.
    pub fn answer_within(&self) -> Duration {
        self.shared.options.answer_within
    }

    /// How many actors are in memory.
    pub fn live_actors(&self) -> usize {
        self.shared.directory.alive()
    }

    /// Writes the engine's gauges as they are now. They are set, never counted up and down: a count that begins before
    /// the recorder does would end below zero.
    pub fn measure(&self) {
        metrics::gauge!("innkeeper_live_actors").set(self.live_actors() as f64);
        metrics::gauge!("innkeeper_mailbox_depth").set(self.shared.directory.waiting() as f64);
    }

    /// The background tasks of this engine, and of the process that runs it.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Waits until the writer has ended. Before a shutdown that is a failure: nothing can become durable any more.
    pub async fn writer_ended(&self) {
        self.shared.writer.ended().await;
    }

    /// Whether requests can still become durable.
    pub fn is_serving(&self) -> bool {
        !self.shared.is_closing() && !self.shared.writer.has_ended()
    }

    /// Refuses new requests, finishes those that were begun, gives all room types back, and ends the writer.
    pub async fn shutdown(&self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        self.hand_over().await;
        self.tasks.abandon();
        self.shared.directory.stop_threads();
        if let Some(writer) = self.writer.lock().await.take() {
            self.shared.writer.finish().await;
            let _ = writer.await;
        }
    }

    async fn booking_command(
        &self,
        room_type: RoomTypeId,
        intent: Intent,
        key: Option<Key>,
        dry_run: bool,
    ) -> Result<BookingOutcome, Error> {
        let Some(key) = key.filter(|_| !dry_run) else {
            let fact = self.decide_without_key(room_type, intent, dry_run).await?;
            return Ok(BookingOutcome { booking: booking_of(&fact).map_err(without_key)?, replayed: false });
        };
        let (left, patience, _client) = self.patience()?;
        // The owner looks the key up: one look less into the store for what is sent on anyway.
        if let Some(owner) = self.known_elsewhere(room_type)
            && self.shared.directory.find(room_type).is_none()
        {
            return Err(Error::Elsewhere(owner));
        }
        // On a task of its own: once decided, a request is finished, whether or not somebody still waits. Were it dropped
        // half-way, or given up when the caller's time is over, a second one under the same key could begin before the
        // first is durable; so it joins the first instead. What is not decided yet ends with the client's patience.
        let engine = self.clone();
        let work = async move {
            let work = async |unused| {
                booking_of(&*engine.decide(room_type, intent.clone(), Some(unused), false, &patience).await?)
            };
            engine.shared.idempotency.once(key, work).await
        };
        let work = tokio::spawn(work.in_current_span());
        self.in_time(left, async { work.await.unwrap_or(Err(Error::Interrupted)) }).await
    }

    pub(super) async fn decide_without_key(
        &self,
        room_type: RoomTypeId,
        intent: Intent,
        dry_run: bool,
    ) -> Result<Arc<Fact>, Error> {
        let (left, patience, _client) = self.patience()?;
        let decide = async { self.decide(room_type, intent, None, dry_run, &patience).await.map_err(without_key) };
        self.in_time(left, decide).await
    }

    /// How long a client waits that begins to wait now, unless its request is too old already.
    fn patience(&self) -> Result<(Duration, Patience, Client), Error> {
        let left = self.origin.left_of(self.shared.options.answer_within);
        if left.is_zero() {
            expired("door");
            return Err(Error::Expired);
        }
        let (patience, client) = Patience::of(left, &*self.shared.clock);
        Ok((left, patience, client))
    }

    /// No caller waits longer than this; what was decided goes on.
    async fn in_time<T>(&self, left: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        timeout(left, work).await.unwrap_or(Err(Error::Interrupted))
    }

    async fn decide(
        &self,
        room_type: RoomTypeId,
        intent: Intent,
        key: Option<Unused>,
        dry_run: bool,
        patience: &Patience,
    ) -> Result<Arc<Fact>, Failure> {
        let ask = |reply| {
            Request::Ask(Box::new(Ask {
                intent: intent.clone(),
                caller: Caller { key, dry_run, span: Span::current(), patience: patience.clone(), reply },
            }))
        };
        self.send(room_type, Some(patience), ask).await
    }

    /// Sends a request to the room type's actor and waits for the answer, following the room type when its actor
    /// retires, for as long as the client has patience.
    async fn send<T>(
        &self,
        id: RoomTypeId,
        patience: Option<&Patience>,
        request: impl Fn(Reply<T>) -> Request,
    ) -> Result<T, Failure> {
        // An actor that was started for somebody who came in here may give up where this one insists.
        let mut insist = self.origin.asked == Asked::Forwarded;
        // Memory may have been out of date once; what is loaded since is not.
        let mut contradicted = false;
        for _ in 0..MOVES {
            if self.shared.is_closing() {
                return Err(Error::ShuttingDown.into());
            }
            if patience.is_some_and(|patience| patience.has_ended(self.shared.clock.now())) {
                expired("way");
                return Err(Error::Expired.into());
            }
            let resident = match self.shared.directory.find(id) {
                Some(resident) => resident,
                None => {
                    if let Some(owner) = self.known_elsewhere(id) {
                        return Err(Error::Elsewhere(owner).into());
                    }
                    self.shared.directory.find_or_start(id, self.origin.asked, &self.shared)
                }
            };
            if !resident.depth.enter(self.shared.options.mailbox) {
                return Err(Error::Busy.into());
            }
            let (reply, answer) = Reply::new();
            match resident.addr.try_send(request(reply)) {
                Ok(()) => match answer.await.unwrap_or_else(|_| Err(Error::Interrupted.into())) {
                    Err(Failure::Retired) => tokio::task::yield_now().await,
                    Err(Failure::Contradicted) if !contradicted => contradicted = true,
                    Err(Failure::Contradicted) => return Err(Error::Unstorable.into()),
                    Err(Failure::Because(Error::Elsewhere(_))) if insist => insist = false,
                    answered => return answered,
                },
                Err(error) => {
                    resident.depth.leave();
                    match error {
                        SendError::Full(_) => return Err(Error::Busy.into()),
                        SendError::Closed(_) => self.shared.directory.remove(id, &resident.addr),
                    }
                }
            }
        }
        Err(Error::Interrupted.into())
    }
}

fn booking_of(fact: &Fact) -> Result<Arc<Booking>, Failure> {
    fact.change.booking().cloned().ok_or_else(|| Error::Interrupted.into())
}

/// How a request for a booking ended, for the metrics.
fn outcome(result: &Result<BookingOutcome, Error>) -> &'static str {
    match result {
        Ok(BookingOutcome { replayed: true, .. }) => "replayed",
        Ok(outcome) => outcome.booking.status.name(),
        Err(Error::Refused(refusal)) => refusal.name(),
        Err(Error::NoSuchRoomType | Error::NoSuchBooking) => "not_found",
        Err(Error::KeyReused) => "key_reused",
        Err(Error::Unstorable) => "unstorable",
        Err(Error::Changed) => "changed",
        Err(Error::Busy) => "busy",
        Err(Error::Interrupted) => "interrupted",
        Err(Error::Expired) => "expired",
        Err(Error::Elsewhere(_)) => "elsewhere",
        Err(Error::Unavailable | Error::NoLease | Error::Outsider(_) | Error::ShuttingDown) => "unavailable",
    }
}

/// Counts a request that was dropped undecided, and where.
pub(super) fn expired(place: &'static str) {
    metrics::counter!("innkeeper_requests_expired_total", "place" => place).increment(1);
}

/// Without an idempotency key nobody else can have taken it.
fn without_key(failure: Failure) -> Error {
    match failure {
        Failure::Because(error) | Failure::LookAgain(error) => error,
        Failure::Contradicted => Error::Unstorable,
        Failure::Retired | Failure::KeyTaken => Error::Interrupted,
    }
}
