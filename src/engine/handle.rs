//! The handle: typed requests in, typed answers out. It sends each request to the actor of its room type.

use std::sync::Arc;
use std::time::Duration;

use actix::dev::SendError;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{Instrument, Span};

use super::deadline::{Deadline, Origin, WaitingClient, count_expired};
use super::message::{Caller, Decide, Failure, Intent, ReadNights, Reply, Request, UnusedKey};
use super::shared::Shared;
use super::{BookingOutcome, Error, Key, MoveOptions, Outcome, revocation, room_type};
use crate::domain::{BookingId, CalendarView, Date, Fact, Move, Order, RoomTypeId};
use crate::events::Hub;
use crate::lease::{Asked, Peer};
use crate::store::Answer;
use crate::tasks::Tasks;

/// Actors of one room type that a request tries, one after the other, before it gives up.
const MAX_ACTORS_TRIED: usize = 5;

/// The engine. Cheap to clone. [`Engine::shutdown`] ends it.
#[derive(Clone)]
pub struct Engine {
    pub(super) shared: Arc<Shared>,
    writer_task: Arc<Mutex<Option<JoinHandle<()>>>>,
    tasks: Tasks,
    /// The origin of all requests that use this handle.
    origin: Origin,
}

impl Engine {
    pub(super) fn new(shared: Arc<Shared>, writer_task: JoinHandle<()>, tasks: Tasks) -> Self {
        Self { shared, writer_task: Arc::new(Mutex::new(Some(writer_task))), tasks, origin: Origin::default() }
    }

    /// A handle to the same engine for requests of another origin. For forwarded requests, this node takes every room
    /// type that has no owner, even when placement prefers another node.
    pub fn on_behalf_of(&self, origin: Origin) -> Self {
        let mut engine = self.clone();
        engine.origin = origin;
        engine
    }

    /// [`Engine::on_behalf_of`] another node.
    pub fn forwarded(&self) -> Self {
        self.on_behalf_of(Origin { asked: Asked::Forwarded, ..Origin::default() })
    }

    /// Books, or holds, rooms of a type.
    pub async fn book(&self, room_type: RoomTypeId, order: Order, key: Option<Key>) -> Result<BookingOutcome, Error> {
        let result = self.booking_command(room_type, Intent::Book(order), key, false).await;
        metrics::counter!("innkeeper_bookings_total", "outcome" => outcome(&result)).increment(1);
        result
    }

    /// Changes a booking. Looks up its room type first.
    pub async fn act(&self, booking: BookingId, act: Move, options: MoveOptions) -> Result<BookingOutcome, Error> {
        let found = self.shared.journal.booking(booking).await.map_err(|_| Error::Unavailable)?;
        let room_type = found.ok_or(Error::NoSuchBooking)?.room_type_id;
        self.act_in(room_type, booking, act, options).await
    }

    /// Like [`Engine::act`], for a caller that knows the booking's room type.
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

    /// The committed nights of [from, to) that lie inside the horizon.
    pub async fn view(&self, room_type: RoomTypeId, from: Date, to: Date) -> Result<CalendarView, Error> {
        let request = |reply| Request::ReadNights(ReadNights { from, to, reply });
        let within = self.shared.options.answer_within;
        self.in_time(within, async { self.send(room_type, None, request).await.map_err(without_key) }).await
    }

    /// The hub that publishes every committed fact.
    pub fn hub(&self) -> &Hub {
        &self.shared.hub
    }

    /// The longest time that a request may wait for its answer.
    pub fn answer_within(&self) -> Duration {
        self.shared.options.answer_within
    }

    /// The number of actors in memory.
    pub fn live_actors(&self) -> usize {
        self.shared.directory.alive()
    }

    /// The number of facts and answers that wait in each lane of the writer.
    pub fn lanes(&self) -> Vec<usize> {
        self.shared.writer.waiting()
    }

    /// Writes the engine's gauges. It sets absolute values: the recorder may start after the first actor, and relative
    /// changes would then end below zero.
    pub fn measure(&self) {
        metrics::gauge!("innkeeper_live_actors").set(self.live_actors() as f64);
        metrics::gauge!("innkeeper_mailbox_depth").set(self.shared.directory.waiting() as f64);
    }

    /// The background tasks of this engine, and of the process that runs it.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Waits until the writer has ended. Before a shutdown that is a failure: no fact can become durable any more.
    pub async fn writer_ended(&self) {
        self.shared.writer.ended().await;
    }

    /// Whether facts can still become durable.
    pub fn is_serving(&self) -> bool {
        !self.shared.closing.has_begun() && !self.shared.writer.has_ended()
    }

    /// Lets all actors finish the requests that they have begun, and gives their room types back. A request that arrives
    /// meanwhile may take a room type again, unless the lease refuses.
    pub async fn hand_over(&self) {
        revocation::retire_all(self.shared.directory.all()).await;
    }

    /// Refuses new requests, finishes those that were begun, gives all room types back, and ends the writer.
    pub async fn shutdown(&self) {
        self.shared.closing.begin();
        self.hand_over().await;
        self.tasks.abandon();
        self.shared.threads.stop();
        if let Some(writer) = self.writer_task.lock().await.take() {
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
        match self.command(room_type, intent, key, dry_run).await? {
            Outcome { answer: Answer::Booking(booking), replayed } => Ok(BookingOutcome { booking, replayed }),
            Outcome { .. } => Err(Error::KeyReused),
        }
    }

    /// A command whose answer an idempotency record can keep.
    pub(super) async fn command(
        &self,
        room_type: RoomTypeId,
        intent: Intent,
        key: Option<Key>,
        dry_run: bool,
    ) -> Result<Outcome, Error> {
        let Some(key) = key.filter(|_| !dry_run) else {
            let fact = self.decide_without_key(room_type, intent, dry_run).await?;
            return Ok(Outcome { answer: answer_of(&fact).map_err(without_key)?, replayed: false });
        };
        let (left, deadline, _client) = self.deadline()?;
        // The owner looks the key up. This check saves that look-up for a request that is forwarded anyway.
        if let Some(owner) = self.known_owner(room_type)
            && self.shared.directory.find(room_type).is_none()
        {
            return Err(Error::Elsewhere(owner));
        }
        // The request runs on a task of its own, so a caller that gives up does not cancel it half-way. A second request
        // under the same key joins the first one, which may not be durable yet. An undecided request still ends at its
        // deadline.
        let engine = self.clone();
        let work = async move {
            let work = async |unused| {
                let fact = engine.decide(room_type, intent.clone(), Some(unused), false, &deadline).await?;
                Ok(engine.shared.idempotency.record(key, answer_of(&fact)?, fact.at))
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
        let (left, deadline, _client) = self.deadline()?;
        let decide = async { self.decide(room_type, intent, None, dry_run, &deadline).await.map_err(without_key) };
        self.in_time(left, decide).await
    }

    /// The deadline of a request that begins now, and the time until then. Fails when the request is too old already.
    fn deadline(&self) -> Result<(Duration, Deadline, WaitingClient), Error> {
        let left = self.origin.time_left(self.shared.options.answer_within);
        if left.is_zero() {
            count_expired("door");
            return Err(Error::Expired);
        }
        let (deadline, client) = Deadline::after(left, &*self.shared.clock);
        Ok((left, deadline, client))
    }

    /// Ends the caller's wait after `left`. A request that was decided continues without the caller.
    async fn in_time<T>(&self, left: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        timeout(left, work).await.unwrap_or(Err(Error::Interrupted))
    }

    async fn decide(
        &self,
        room_type: RoomTypeId,
        intent: Intent,
        key: Option<UnusedKey>,
        dry_run: bool,
        deadline: &Deadline,
    ) -> Result<Arc<Fact>, Failure> {
        let request = |reply| {
            Request::Decide(Box::new(Decide {
                intent: intent.clone(),
                caller: Caller { key, dry_run, span: Span::current(), deadline: deadline.clone(), reply },
            }))
        };
        self.send(room_type, Some(deadline), request).await
    }

    /// Sends a request to the room type's actor and waits for the answer. When the actor has retired, the request goes
    /// to the next actor, until the deadline.
    async fn send<T>(
        &self,
        id: RoomTypeId,
        deadline: Option<&Deadline>,
        request: impl Fn(Reply<T>) -> Request,
    ) -> Result<T, Failure> {
        // A running actor may have been started for a local request, which accepts "elsewhere". A forwarded request
        // tries a second time, so that this node takes the room type.
        let mut retry_elsewhere = self.origin.asked == Asked::Forwarded;
        // The first conflict with the store may come from outdated memory. The actor has reloaded before the second.
        let mut reloaded = false;
        for _ in 0..MAX_ACTORS_TRIED {
            if self.shared.closing.has_begun() {
                return Err(Error::ShuttingDown.into());
            }
            if deadline.is_some_and(|deadline| deadline.is_over(self.shared.clock.now())) {
                count_expired("way");
                return Err(Error::Expired.into());
            }
            let actor = match self.shared.directory.find(id) {
                Some(actor) => actor,
                None => {
                    if let Some(owner) = self.known_owner(id) {
                        return Err(Error::Elsewhere(owner).into());
                    }
                    room_type::find_or_start(id, self.origin.asked, &self.shared)
                }
            };
            if !actor.depth.enter(self.shared.options.mailbox) {
                return Err(Error::Busy.into());
            }
            let (reply, answer) = Reply::new();
            match actor.addr.try_send(request(reply)) {
                Ok(()) => match answer.await.unwrap_or_else(|_| Err(Error::Interrupted.into())) {
                    Err(Failure::Retired) => tokio::task::yield_now().await,
                    Err(Failure::ConflictWithStore) if !reloaded => reloaded = true,
                    Err(Failure::ConflictWithStore) => return Err(Error::Unstorable.into()),
                    Err(Failure::Error(Error::Elsewhere(_))) if retry_elsewhere => retry_elsewhere = false,
                    answered => return answered,
                },
                Err(error) => {
                    actor.depth.leave();
                    match error {
                        SendError::Full(_) => return Err(Error::Busy.into()),
                        SendError::Closed(_) => self.shared.directory.remove(id, &actor.addr),
                    }
                }
            }
        }
        Err(Error::Interrupted.into())
    }

    /// The node that recently answered as the owner of a room type. A forwarded request ignores it: the sender has
    /// found this node to be the owner.
    fn known_owner(&self, room_type: RoomTypeId) -> Option<Peer> {
        match self.origin.asked {
            Asked::Here => self.shared.lease.last_found(room_type),
            Asked::Forwarded => None,
        }
    }
}

fn answer_of(fact: &Fact) -> Result<Answer, Failure> {
    Answer::to(&fact.change).ok_or_else(|| Error::Interrupted.into())
}

/// The outcome label of a booking request in the metrics.
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

/// The error of a request without an idempotency key. Such a request has no key to look up again.
fn without_key(failure: Failure) -> Error {
    match failure {
        Failure::Error(error) | Failure::RecheckKey(error) => error,
        Failure::ConflictWithStore => Error::Unstorable,
        Failure::Retired | Failure::KeyTaken => Error::Interrupted,
    }
}
