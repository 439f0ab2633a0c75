//! The room-type actor: it decides the requests for one room type, one after the other.
//!
//! Its memory is one [`Ownership`]: the room type as it was loaded under a fencing token, plus the facts decided since.
//! After any failure the actor drops the whole ownership and begins a new one under a higher token. A panic, a failed
//! commit, a fenced commit and an unknown outcome all take this path.
//!
//! `decide` handles requests, `answer` sends answers that need no commit, `recovery` handles failed commits and unknown
//! outcomes, `timers` expires holds and retires idle actors.

mod answer;
mod decide;
mod recovery;
mod timers;

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::time::Instant;
use tracing::{debug, error, warn};

use super::Error;
use super::cache::Cache;
use super::directory::{ActorRef, MailboxDepth};
use super::failpoint::Failpoint;
use super::message::{Failure, Reply, Request};
use super::ownership::{self, Ownership};
use super::shared::Shared;
use crate::domain::{Fact, HotelId, RoomTypeId, Timestamp};
use crate::lease::Asked;

/// The actor of a room type. Starts one if there is none; `asked` then says where the request came in.
pub(super) fn find_or_start(id: RoomTypeId, asked: Asked, shared: &Arc<Shared>) -> ActorRef {
    shared.directory.find_or_insert(id, || start(id, asked, shared))
}

fn start(id: RoomTypeId, asked: Asked, shared: &Arc<Shared>) -> ActorRef {
    let depth = Arc::new(MailboxDepth::default());
    let actor = RoomTypeActor::new(id, asked, shared.clone(), depth.clone());
    let addr = match shared.threads.of(id) {
        Some(thread) => Supervisor::start_in_arbiter(&thread, |_| actor),
        None => Supervisor::start(|_| actor),
    };
    ActorRef { addr, depth }
}

/// One supervised actor.
pub(super) struct RoomTypeActor {
    id: RoomTypeId,
    /// Where the request came in that started this actor. Later ownerships use the default.
    asked: Asked,
    shared: Arc<Shared>,
    /// Counts requests in the mailbox.
    depth: Arc<MailboxDepth>,
    state: State,
    cache: Cache,
    /// Callers that wait until the store says whether it has their facts. The next ownership asks it.
    unknown_outcomes: Vec<(Arc<Fact>, Reply<Arc<Fact>>)>,
    /// A question to the store about unknown outcomes is under way.
    resolving: bool,
    timer: Option<(Timestamp, SpawnHandle)>,
    idle_check: Option<SpawnHandle>,
    /// When the database last refused a fact of this room type.
    refused_at: Option<Instant>,
    last_used: Instant,
}

enum State {
    /// Between two ownerships. The mailbox waits.
    Loading,
    Serving(Box<Ownership>),
    /// Removed from the directory. Late requests get this error, or are sent back to the directory.
    Retired(Option<Error>),
}

impl RoomTypeActor {
    fn new(id: RoomTypeId, asked: Asked, shared: Arc<Shared>, depth: Arc<MailboxDepth>) -> Self {
        shared.directory.actor_created();
        Self {
            id,
            asked,
            shared,
            depth,
            state: State::Loading,
            cache: Cache::default(),
            unknown_outcomes: Vec::new(),
            resolving: false,
            timer: None,
            idle_check: None,
            refused_at: None,
            last_used: Instant::now(),
        }
    }

    /// Takes the room type over. The mailbox waits until that has succeeded or failed.
    fn begin_ownership(&mut self, ctx: &mut Context<Self>) {
        let (id, asked, shared) = (self.id, std::mem::take(&mut self.asked), self.shared.clone());
        let begin = async move { ownership::begin(id, asked, &shared).await };
        let began = |result: Result<Ownership, Error>, actor: &mut Self, ctx: &mut Context<Self>| match result {
            Ok(ownership) => {
                actor.state = State::Serving(Box::new(ownership));
                actor.resolve_unknown_outcomes(ctx);
                actor.set_timer(ctx);
                actor.catching_panics(ctx, |actor, _| actor.shared.failpoints.passed(Failpoint::Loaded, actor.id));
            }
            Err(error) => {
                match error {
                    // Debug only: clients can send any number of requests for unknown room types.
                    Error::Elsewhere(_) | Error::NoSuchRoomType => {
                        debug!(room_type = %actor.id, %error, "the room type is not served here");
                    }
                    _ => warn!(room_type = %actor.id, %error, "the room type cannot be served"),
                }
                actor.retire(ctx, Some(error.clone()));
                // After the retirement: a caller that is interrupted now and retries finds another actor.
                actor.abandon_unknown_outcomes(&error);
            }
        };
        ctx.wait(begin.into_actor(self).map(began));
    }

    /// Runs a piece of work. A panic ends the ownership. Callers whose reply was dropped get [`Error::Interrupted`].
    fn catching_panics(&mut self, ctx: &mut Context<Self>, work: impl FnOnce(&mut Self, &mut Context<Self>)) {
        let work = std::panic::AssertUnwindSafe(|| work(self, ctx));
        if std::panic::catch_unwind(work).is_err() {
            error!(room_type = %self.id, "the room type's actor panicked and starts again");
            metrics::counter!("innkeeper_actor_restarts_total", "cause" => "panic").increment(1);
            self.restart(ctx);
        }
    }

    /// Drops the ownership. The supervisor starts the next one; the mailbox survives. Requests that wait for a booking
    /// are sent back, because a read for this ownership must not serve the next one.
    fn restart(&mut self, ctx: &mut Context<Self>) {
        self.state = State::Loading;
        let cache = std::mem::take(&mut self.cache);
        cache.into_waiting().for_each(|request| request.caller.reply.send(Err(Failure::Retired)));
        self.timer = None;
        self.resolving = false;
        ctx.stop();
    }

    /// Begins a new ownership, unless this actor has none any more.
    fn reload(&mut self, ctx: &mut Context<Self>) {
        if let State::Serving(_) = &self.state {
            self.restart(ctx);
        }
    }

    /// Leaves the directory. The supervisor ends with the last address and the last pending future, so all timers are
    /// cancelled: they would keep the actor in memory.
    fn retire(&mut self, ctx: &mut Context<Self>, why: Option<Error>) {
        self.shared.directory.remove(self.id, &ctx.address());
        let timers = [self.idle_check.take(), self.timer.take().map(|(_, timer)| timer)];
        for timer in timers.into_iter().flatten() {
            ctx.cancel_future(timer);
        }
        if let State::Serving(ownership) = std::mem::replace(&mut self.state, State::Retired(why)) {
            self.shared.lease.release(self.id, ownership.token);
        }
    }

    /// The failure of a request that arrives while this actor does not serve.
    fn not_serving(&self) -> Failure {
        match &self.state {
            State::Retired(None) => Failure::Retired,
            State::Retired(Some(error)) => error.clone().into(),
            State::Loading | State::Serving(_) => Error::Interrupted.into(),
        }
    }

    /// Waits until the writer has finished all facts of this room type, then runs `then`. Later requests in the mailbox
    /// wait. After a retirement they go back to the directory, after a restart they are served.
    fn finish(&mut self, then: impl FnOnce(&mut Self, &mut Context<Self>) + 'static, ctx: &mut Context<Self>) {
        let (writer, id) = (self.shared.writer.clone(), self.id);
        let drained = async move { writer.drained(id).await };
        ctx.wait(drained.into_actor(self).map(move |(), actor, ctx| then(actor, ctx)));
    }

    /// Reloads if the changed hotel is the one of this room type.
    fn hotel_changed(&mut self, hotel: HotelId, ctx: &mut Context<Self>) {
        if matches!(&self.state, State::Serving(ownership) if ownership.inventory.hotel.id == hotel) {
            self.finish(Self::reload, ctx);
        }
    }
}

impl Actor for RoomTypeActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        // `MailboxDepth` is the limit, so the mailbox itself must hold at least as much.
        ctx.set_mailbox_capacity(self.shared.options.mailbox.saturating_add(1));
        if !matches!(self.state, State::Retired(_)) {
            let every = self.shared.options.idle_after.max(Duration::from_millis(10));
            self.idle_check = Some(ctx.run_interval(every, Self::retire_if_idle));
            self.begin_ownership(ctx);
        }
    }
}

impl Supervised for RoomTypeActor {}

impl Drop for RoomTypeActor {
    fn drop(&mut self) {
        self.shared.directory.actor_dropped();
    }
}

impl Handler<Request> for RoomTypeActor {
    type Result = ();

    fn handle(&mut self, request: Request, ctx: &mut Context<Self>) {
        self.depth.leave();
        self.last_used = Instant::now();
        self.catching_panics(ctx, |actor, ctx| match request {
            Request::Decide(request) => actor.decide_request(*request, ctx),
            Request::ReadNights(request) => actor.read_nights(request, ctx),
            Request::Retire(retired) => {
                let retire = |actor: &mut Self, ctx: &mut Context<Self>| {
                    actor.retire(ctx, None);
                    let _ = retired.send(());
                };
                actor.finish(retire, ctx);
            }
            Request::Reload(hotel) => actor.hotel_changed(hotel, ctx),
        });
    }
}
