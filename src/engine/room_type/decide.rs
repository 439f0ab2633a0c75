//! Requests: from the mailbox to the decision, and from there to the writer.

use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use jiff::SignedDuration;
use tracing::{debug, error};

use super::{RoomTypeActor, State, recovery};
use crate::domain::{
    Booking, BookingId, CalendarView, Command, Fact, FactId, Inventory, Move, Refusal, Timestamp, job,
};
use crate::engine::Error;
use crate::engine::deadline::count_expired;
use crate::engine::failpoint::Failpoint;
use crate::engine::message::{Caller, Decide, Failure, Intent, ReadNights};
use crate::store::{self, Answer, CommitEntry};
use crate::writer::{NoPermit, QueuePermit};

impl RoomTypeActor {
    pub(super) fn decide_request(&mut self, request: Decide, ctx: &mut Context<Self>) {
        let State::Serving(_) = &self.state else { return request.caller.reply.send(Err(self.not_serving())) };
        let span = request.caller.span.clone();
        let _entered = span.enter();
        self.shared.failpoints.passed(Failpoint::Received, self.id);
        let now = self.shared.clock.now();
        if request.caller.deadline.is_over(now) {
            count_expired("mailbox");
            return request.caller.reply.send(Err(Error::Expired));
        }
        if self.reload_if_clock_was_set_back(now, ctx) {
            return request.caller.reply.send(Err(Failure::Retired));
        }
        let permit = match self.expire_overdue(now, ctx).and_then(|()| self.permit()) {
            Ok(permit) => permit,
            Err(error) => return request.caller.reply.send(Err(error)),
        };
        let booking = match &request.intent {
            Intent::Act { booking: id, .. } => match self.known(*id) {
                Some(booking) if booking.room_type_id != self.id => {
                    return request.caller.reply.send(Err(Error::NoSuchBooking));
                }
                Some(booking) => Some(booking),
                None => return self.read_booking_for(*id, request, ctx),
            },
            _ => None,
        };
        match self.command(request.intent, booking, now) {
            Ok(command) => self.decide(command, now, request.caller, permit, ctx),
            Err(error) => self.answer(permit, request.caller.reply, Err(error.into()), ctx),
        }
        self.set_timer(ctx);
    }

    /// A booking's last decided state, if this actor remembers it.
    fn known(&self, id: BookingId) -> Option<Arc<Booking>> {
        let State::Serving(ownership) = &self.state else { return None };
        self.cache.get(id).or_else(|| ownership.inventory.hold(id)).cloned()
    }

    /// The domain's command for an intent. Fails when the object of the intent does not exist or has changed.
    fn command(&self, intent: Intent, booking: Option<Arc<Booking>>, now: Timestamp) -> Result<Command, Error> {
        Ok(match intent {
            Intent::Act { act, expected, .. } => {
                Command::Move { booking: booking.ok_or(Error::NoSuchBooking)?, act, expected }
            }
            Intent::Book(order) => {
                let ttl = SignedDuration::try_from(self.shared.options.hold_ttl).unwrap_or(SignedDuration::MAX);
                let hold_until = now.saturating_add(ttl).unwrap_or(Timestamp::MAX);
                Command::Book { id: BookingId(self.shared.ids.next()), order, hold_until }
            }
            Intent::SetNights { expected, change } => {
                let actual = self.inventory().map_or(0, Inventory::sequence);
                match expected {
                    Some(expected) if expected != actual => {
                        return Err(Error::Refused(Arc::new(Refusal::Stale { expected, actual })));
                    }
                    _ => Command::SetNights(change),
                }
            }
            Intent::SetRoomType { seen, room_type } => {
                let known = self.inventory().map(|inventory| &inventory.room_type);
                unchanged(seen.is_none_or(|seen| known == Some(&seen)))?;
                Command::SetRoomType(room_type)
            }
            Intent::SetRatePlan { seen, plan } => {
                let known = self.inventory().and_then(|inventory| inventory.plan(plan.id));
                unchanged(seen.is_none_or(|seen| known.is_some_and(|known| known.equals_except_nights(&seen))))?;
                Command::SetRatePlan(plan)
            }
        })
    }

    fn inventory(&self) -> Option<&Inventory> {
        match &self.state {
            State::Serving(ownership) => Some(&ownership.inventory),
            _ => None,
        }
    }

    fn decide(
        &mut self,
        command: Command,
        now: Timestamp,
        caller: Caller,
        permit: QueuePermit,
        ctx: &mut Context<Self>,
    ) {
        let State::Serving(ownership) = &mut self.state else { return };
        let started = Instant::now();
        let decision = ownership.inventory.decide(command, FactId(self.shared.ids.next()), now);
        metrics::histogram!("innkeeper_decide_seconds").record(started.elapsed());
        let decision = decision.map(|fact| (ownership.inventory.unchanged(&fact), fact));
        match decision {
            Ok((None, fact)) if !caller.dry_run => {
                debug!(room_type = %self.id, sequence = fact.sequence, cause = fact.change.cause(), "decided");
                self.shared.failpoints.passed(Failpoint::Decided, self.id);
                self.commit(Arc::new(fact), permit, Some(caller), ctx);
            }
            // The key must keep this answer also when the booking changes afterwards.
            Ok((Some(unchanged), _)) if caller.key.is_some() => {
                self.submit(Arc::new(unchanged), true, permit, Some(caller), ctx);
            }
            // A dry run writes nothing, and neither does a command that changes nothing.
            Ok((unchanged, fact)) => {
                self.answer(permit, caller.reply, Ok(Arc::new(unchanged.unwrap_or(fact))), ctx);
            }
            Err(refusal) => {
                debug!(room_type = %self.id, rule = refusal.name(), "refused");
                metrics::counter!("innkeeper_refusals_total", "rule" => refusal.name()).increment(1);
                let error = Error::Refused(Arc::new(refusal));
                let failure = match caller.key {
                    // An earlier owner may have used this key for the very change that now causes the refusal.
                    Some(unused) if unused.looked_up_at <= ownership.began => Failure::RecheckKey(error),
                    _ => error.into(),
                };
                self.answer(permit, caller.reply, Err(failure), ctx);
            }
        }
    }

    /// Applies a fact in memory and hands it to the writer.
    fn commit(&mut self, fact: Arc<Fact>, permit: QueuePermit, caller: Option<Caller>, ctx: &mut Context<Self>) {
        let State::Serving(ownership) = &mut self.state else { return };
        ownership.inventory.apply(&fact);
        self.shared.failpoints.passed(Failpoint::Applied, self.id);
        if let Some(booking) = fact.change.booking() {
            self.cache.keep(booking, ownership.progress.durable());
        }
        self.submit(fact, false, permit, caller, ctx);
    }

    /// Hands a fact to the writer, or the answer to a request that changed nothing.
    fn submit(
        &mut self,
        fact: Arc<Fact>,
        answer_only: bool,
        permit: QueuePermit,
        caller: Option<Caller>,
        ctx: &mut Context<Self>,
    ) {
        let State::Serving(ownership) = &self.state else { return };
        let key = caller.as_ref().and_then(|caller| caller.key).map(|unused| unused.key);
        let record = key.zip(Answer::to(&fact.change));
        let record = record.map(|(key, answer)| (key.digest, self.shared.idempotency.record(key, answer, fact.at)));
        let jobs = if answer_only { Vec::new() } else { job::caused_by(&fact) };
        let (room_type, token) = (self.id, ownership.token);
        let entry = CommitEntry { room_type, token, fact: fact.clone(), record, jobs, answer_only };
        let (reply, until) = caller.map(|caller| (caller.reply, caller.deadline.until)).unzip();
        let progress = ownership.progress.clone();
        let on_outcome = recovery::on_outcome(ctx.address(), token, progress, fact, answer_only, reply);
        permit.submit(entry, until, Box::new(on_outcome));
        self.shared.failpoints.passed(Failpoint::Submitted, self.id);
        self.wait_for_store_after_refusal(ctx);
    }

    /// Reserves a place in the writer's queue before the decision, so that a decided fact can always be submitted.
    fn permit(&self) -> Result<QueuePermit, Error> {
        self.shared.writer.reserve(self.id).map_err(|none| match none {
            NoPermit::Full => Error::Busy,
            NoPermit::Ended => Error::Unavailable,
        })
    }

    /// Expires overdue holds, so that every later decision sees their rooms free.
    pub(super) fn expire_overdue(&mut self, now: Timestamp, ctx: &mut Context<Self>) -> Result<(), Error> {
        let State::Serving(ownership) = &mut self.state else { return Err(Error::Interrupted) };
        ownership.inventory.roll(now);
        while let State::Serving(ownership) = &self.state
            && let Some(booking) = ownership.inventory.overdue(now)
        {
            let permit = self.permit()?;
            let command = Command::Move { booking, act: Move::Expire, expected: None };
            match ownership.inventory.decide(command, FactId(self.shared.ids.next()), now) {
                Ok(fact) => self.commit(Arc::new(fact), permit, None, ctx),
                Err(refusal) => {
                    error!(room_type = %self.id, %refusal, "an overdue hold cannot be expired");
                    return Err(Error::Unavailable);
                }
            }
        }
        Ok(())
    }

    /// Reads a booking from the store. Requests for it wait in a queue meanwhile.
    fn read_booking_for(&mut self, id: BookingId, request: Decide, ctx: &mut Context<Self>) {
        if self.cache.waiting() >= self.shared.options.mailbox {
            return request.caller.reply.send(Err(Error::Busy));
        }
        if !self.cache.enqueue(id, request) {
            return;
        }
        let journal = self.shared.journal.clone();
        let read = async move { journal.booking(id).await };
        let booking_read = move |result: Result<Option<Booking>, store::Error>,
                                 actor: &mut Self,
                                 ctx: &mut Context<Self>| {
            actor.catching_panics(ctx, |actor, ctx| {
                let queue = actor.cache.take_queue(id);
                let State::Serving(ownership) = &actor.state else {
                    return queue.into_iter().for_each(|request| request.caller.reply.send(Err(actor.not_serving())));
                };
                let error = match result {
                    // Another node has owned this room type meanwhile, so this memory is outdated.
                    Ok(Some(booking))
                        if booking.room_type_id == actor.id && booking.sequence > ownership.inventory.sequence() =>
                    {
                        metrics::counter!("innkeeper_actor_restarts_total", "cause" => "overtaken").increment(1);
                        actor.restart(ctx);
                        Error::Interrupted
                    }
                    Ok(Some(booking)) => {
                        actor.cache.keep(&Arc::new(booking), ownership.progress.durable());
                        return queue.into_iter().for_each(|request| actor.decide_request(request, ctx));
                    }
                    Ok(None) => Error::NoSuchBooking,
                    Err(_) => Error::Unavailable,
                };
                queue.into_iter().for_each(|request| request.caller.reply.send(Err(error.clone())));
            });
        };
        ctx.spawn(read.into_actor(self).map(booking_read));
    }

    pub(super) fn read_nights(&mut self, request: ReadNights, ctx: &mut Context<Self>) {
        let State::Serving(_) = &self.state else { return request.reply.send(Err(self.not_serving())) };
        let now = self.shared.clock.now();
        if self.reload_if_clock_was_set_back(now, ctx) {
            return request.reply.send(Err(Failure::Retired));
        }
        let permit = match self.expire_overdue(now, ctx).and_then(|()| self.permit()) {
            Ok(permit) => permit,
            Err(error) => return request.reply.send(Err(error)),
        };
        let State::Serving(ownership) = &self.state else { return };
        let view = CalendarView::of(&ownership.inventory, request.from, request.to);
        self.answer(permit, request.reply, Ok(view), ctx);
        self.set_timer(ctx);
    }
}

fn unchanged(holds: bool) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Changed) }
}
