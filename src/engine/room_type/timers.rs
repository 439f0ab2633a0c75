//! Timers: they expire holds and retire idle actors.

use std::time::Duration;

use actix::prelude::*;
use tracing::info;

use super::{RoomTypeActor, State};
use crate::domain::Timestamp;

impl RoomTypeActor {
    /// Sets the timer to the next hold expiry. The timer only makes the event come in time: every request frees overdue
    /// holds first.
    pub(super) fn set_timer(&mut self, ctx: &mut Context<Self>) {
        let State::Serving(ownership) = &self.state else { return };
        let next = ownership.inventory.next_expiry();
        if self.timer.as_ref().map(|(at, _)| *at) == next {
            return;
        }
        if let Some((_, timer)) = self.timer.take() {
            ctx.cancel_future(timer);
        }
        let Some(at) = next else { return };
        let remaining = Duration::try_from(at.duration_since(self.shared.clock.now())).unwrap_or_default();
        let timer = ctx.run_later(remaining.max(Duration::from_millis(1)), |actor, ctx| {
            actor.timer = None;
            actor.catching_panics(ctx, |actor, ctx| {
                // If the writer's queue is full, the new timer tries again.
                let _ = actor.expire_overdue(actor.shared.clock.now(), ctx);
                actor.set_timer(ctx);
            });
        });
        self.timer = Some((at, timer));
    }

    /// Reloads if the clock was set back to a date whose nights this ownership has already dropped. Returns whether it
    /// does. Requests wait for the reload.
    pub(super) fn reload_if_clock_was_set_back(&mut self, now: Timestamp, ctx: &mut Context<Self>) -> bool {
        let is_ahead = matches!(&self.state, State::Serving(ownership) if ownership.inventory.is_ahead(now));
        if is_ahead {
            info!(room_type = %self.id, "the clock was set back: the room type is loaded again");
            metrics::counter!("innkeeper_actor_restarts_total", "cause" => "clock_set_back").increment(1);
            self.finish(Self::reload, ctx);
        }
        is_ahead
    }

    /// Expires overdue holds and sets the timer again. The clock may have jumped, or the machine may have been suspended,
    /// since the timer was set.
    pub(super) fn check_clock(&mut self, ctx: &mut Context<Self>) {
        let now = self.shared.clock.now();
        if !self.reload_if_clock_was_set_back(now, ctx) {
            // If the writer's queue is full, the next check tries again.
            let _ = self.expire_overdue(now, ctx);
            self.set_timer(ctx);
        }
    }

    /// Gives the room type back when no request has used it for a while and it has no holds and no pending facts.
    pub(super) fn retire_if_idle(&mut self, ctx: &mut Context<Self>) {
        let State::Serving(ownership) = &self.state else { return };
        let is_quiet = self.last_used.elapsed() >= self.shared.options.idle_after;
        if is_quiet && ownership.is_durable() && ownership.inventory.next_expiry().is_none() && self.depth.is_zero() {
            info!(room_type = %self.id, "an idle room type is given back");
            self.retire(ctx, None);
        }
    }
}
