//! Timers: holds that run out, and actors that nobody needs.

use std::time::Duration;

use actix::prelude::*;
use tracing::info;

use super::{RoomTypeActor, State};
use crate::domain::Timestamp;

impl RoomTypeActor {
    /// Wakes up when the next hold runs out. Freeing does not depend on it (every request frees first); it announces.
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
            actor.guarded(ctx, |actor, ctx| {
                // A full writer is tried again when the timer is set anew.
                let _ = actor.expire_overdue(actor.shared.clock.now(), ctx);
                actor.set_timer(ctx);
            });
        });
        self.timer = Some((at, timer));
    }

    /// Loads again if the clock was ahead when this ownership let nights go, and was set back since. Requests wait meanwhile.
    pub(super) fn clock_was_set_back(&mut self, now: Timestamp, ctx: &mut Context<Self>) -> bool {
        let is_ahead = matches!(&self.state, State::Serving(ownership) if ownership.inventory.is_ahead(now));
        if is_ahead {
            info!(room_type = %self.id, "the clock was set back: the room type is loaded again");
            metrics::counter!("innkeeper_actor_restarts_total", "cause" => "clock_set_back").increment(1);
            self.finish(Self::reload, ctx);
        }
        is_ahead
    }

    /// Ends the holds whose time is over, and sets the timer by what the clock shows now: it may have jumped, or the machine
    /// may have been suspended, since the timer was set.
    pub(super) fn look_at_the_clock(&mut self, ctx: &mut Context<Self>) {
        let now = self.shared.clock.now();
        if !self.clock_was_set_back(now, ctx) {
            // A full writer is tried again with the next look.
            let _ = self.expire_overdue(now, ctx);
            self.set_timer(ctx);
        }
    }

    /// Gives the room type back when nobody has asked for it in a while and nothing is left to do.
    pub(super) fn retire_if_idle(&mut self, ctx: &mut Context<Self>) {
        let State::Serving(ownership) = &self.state else { return };
        let quiet = self.last_used.elapsed() >= self.shared.options.idle_after;
        if quiet && ownership.is_durable() && ownership.inventory.next_expiry().is_none() && self.depth.is_zero() {
            info!(room_type = %self.id, "an idle room type is given back");
            self.retire(ctx, None);
        }
    }
}
