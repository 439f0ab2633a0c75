//! The room-type actor: one room type, one decision after the other.
//!
//! Its memory is one [`Ownership`]: the inventory as loaded under a fencing token, plus what it has decided since. When
//! anything goes wrong, the ownership is thrown away as a whole and a new one begins under a higher token: the same path
//! for a panic, a failed commit, a fenced commit and a commit in doubt.

mod answer;
mod decide;
mod recovery;
mod timers;

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::time::Instant;
use tracing::{debug, error, warn};

use super::cache::Cache;
use super::failpoint::Failpoint;
use super::message::{Failure, Reply, Request};
use super::ownership::{self, Ownership};
use super::{Depth, Error, Shared};
use crate::domain::{Fact, HotelId, RoomTypeId, Timestamp};
use crate::lease::Asked;

/// One supervised actor.
pub(super) struct RoomTypeActor {
    id: RoomTypeId,
    /// Where the request came in that this actor was started for; later ownerships are its own idea.
    asked: Asked,
    shared: Arc<Shared>,
    /// Requests in the mailbox and in line for a booking.
    depth: Arc<Depth>,
    state: State,
    cache: Cache,
    /// Callers whose facts are in doubt until the next ownership can ask the store.
    unknown_outcomes: Vec<(Arc<Fact>, Reply<Arc<Fact>>)>,
    /// The store is being asked about what is in doubt.
    asking: bool,
    timer: Option<(Timestamp, SpawnHandle)>,
    idle_check: Option<SpawnHandle>,
    /// When the database last refused a fact of this room type.
    refused_at: Option<Instant>,
    last_used: Instant,
}

enum State {
    /// Between ownerships: nothing is handled until the next one begins.
    Loading,
    Serving(Box<Ownership>),
    /// Out of the directory; whoever still comes is sent back there, or told why.
    Retired(Option<Error>),
}

impl RoomTypeActor {
    pub fn new(id: RoomTypeId, asked: Asked, shared: Arc<Shared>, depth: Arc<Depth>) -> Self {
        shared.directory.born();
        Self {
            id,
            asked,
            shared,
            depth,
            state: State::Loading,
            cache: Cache::default(),
            unknown_outcomes: Vec::new(),
            asking: false,
            timer: None,
            idle_check: None,
            refused_at: None,
            last_used: Instant::now(),
        }
    }

    /// Takes the room type over, and lets the mailbox wait for it.
    fn begin_tenure(&mut self, ctx: &mut Context<Self>) {
        let (id, asked, shared) = (self.id, std::mem::take(&mut self.asked), self.shared.clone());
        let begin = async move { ownership::begin(id, asked, &shared).await };
        let began = |result: Result<Ownership, Error>, actor: &mut Self, ctx: &mut Context<Self>| match result {
            Ok(ownership) => {
                actor.state = State::Serving(Box::new(ownership));
                actor.settle_doubts(ctx);
                actor.set_timer(ctx);
                actor.guarded(ctx, |actor, _| actor.shared.failpoints.passed(Failpoint::Loaded, actor.id));
            }
            Err(error) => {
                match error {
                    // Any stranger can ask for a room type that does not exist.
                    Error::Elsewhere(_) | Error::NoSuchRoomType => {
                        debug!(room_type = %actor.id, %error, "the room type is not served here");
                    }
                    _ => warn!(room_type = %actor.id, %error, "the room type cannot be served"),
                }
                actor.retire(ctx, Some(error.clone()));
                // Who hears of it now and asks again finds another actor.
                actor.leave_doubts(&error);
            }
        };
        ctx.wait(begin.into_actor(self).map(began));
    }

    /// Runs a piece of work; if it panics, the ownership is over. Callers whose reply it held are told they were
    /// interrupted, because a dropped reply says so.
    fn guarded(&mut self, ctx: &mut Context<Self>, work: impl FnOnce(&mut Self, &mut Context<Self>)) {
        let work = std::panic::AssertUnwindSafe(|| work(self, ctx));
        if std::panic::catch_unwind(work).is_err() {
            error!(room_type = %self.id, "the room type's actor panicked and starts again");
            metrics::counter!("innkeeper_actor_restarts_total", "cause" => "panic").increment(1);
            self.restart(ctx);
        }
    }

    /// Throws the ownership away; the supervisor starts the next one. The mailbox survives. For those in line for a booking
    /// nothing was done, so they ask again: what was read for them would be this ownership's.
    fn restart(&mut self, ctx: &mut Context<Self>) {
        self.state = State::Loading;
        let cache = std::mem::take(&mut self.cache);
        cache.into_lines().for_each(|ask| ask.caller.reply.send(Err(Failure::Retired)));
        self.timer = None;
        self.asking = false;
        ctx.stop();
    }

    /// Begins a new ownership, unless this actor has none any more.
    fn reload(&mut self, ctx: &mut Context<Self>) {
        if let State::Serving(_) = &self.state {
            self.restart(ctx);
        }
    }

    /// Leaves the directory. The supervisor ends when the last address is gone and nothing is left to run: a timer would
    /// keep the actor in memory for ever.
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

    /// Why nothing can be asked of this actor now.
    fn not_serving(&self) -> Failure {
        match &self.state {
            State::Retired(None) => Failure::Retired,
            State::Retired(Some(error)) => error.clone().into(),
            State::Loading | State::Serving(_) => Error::Interrupted.into(),
        }
    }

    /// Finishes what was begun, then does what is to be done `then`. Requests behind this one in the mailbox wait: after
    /// a retirement they are sent to the directory, after a restart they are served.
    fn finish(&mut self, then: impl FnOnce(&mut Self, &mut Context<Self>) + 'static, ctx: &mut Context<Self>) {
        let (writer, id) = (self.shared.writer.clone(), self.id);
        let drained = async move { writer.drained(id).await };
        ctx.wait(drained.into_actor(self).map(move |(), actor, ctx| then(actor, ctx)));
    }

    /// A hotel has changed: if it is this room type's, what is known of it may be wrong.
    fn hotel_changed(&mut self, hotel: HotelId, ctx: &mut Context<Self>) {
        if matches!(&self.state, State::Serving(ownership) if ownership.inventory.hotel.id == hotel) {
            self.finish(Self::reload, ctx);
        }
    }
}

impl Actor for RoomTypeActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        // The directory's depth is the limit; this one must not be the lower.
        ctx.set_mailbox_capacity(self.shared.options.mailbox.saturating_add(1));
        if !matches!(self.state, State::Retired(_)) {
            let every = self.shared.options.idle_after.max(Duration::from_millis(10));
            self.idle_check = Some(ctx.run_interval(every, Self::retire_if_idle));
            self.begin_tenure(ctx);
        }
    }
}

impl Supervised for RoomTypeActor {}

impl Drop for RoomTypeActor {
    fn drop(&mut self) {
        self.shared.directory.died();
    }
}

impl Handler<Request> for RoomTypeActor {
    type Result = ();

    fn handle(&mut self, request: Request, ctx: &mut Context<Self>) {
        self.depth.leave();
        self.last_used = Instant::now();
        self.guarded(ctx, |actor, ctx| match request {
            Request::Ask(ask) => actor.ask(*ask, ctx),
            Request::Look(look) => actor.look(look, ctx),
            Request::Retire(done) => {
                let retire = |actor: &mut Self, ctx: &mut Context<Self>| {
                    actor.retire(ctx, None);
                    let _ = done.send(());
                };
                actor.finish(retire, ctx);
            }
            Request::Reload(hotel) => actor.hotel_changed(hotel, ctx),
        });
    }
}
