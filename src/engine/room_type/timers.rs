//! Timers: holds that run out, and actors that nobody needs.

use std::time::Duration;

use actix::prelude::*;
use tracing::info;

use super::{RoomTypeActor, State};

impl RoomTypeActor {
    /// Wakes up when the next hold runs out. Freeing does not depend on it (every request frees first); it announces.
    pub(super) fn set_timer(&mut self, ctx: &mut Context<Self>) {
        let State::Serving(tenure) = &self.state else { return };
        let next = tenure.inventory.next_expiry();
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

    /// Gives the room type back when nobody has asked for it in a while and nothing is left to do.
    pub(super) fn retire_if_idle(&mut self, ctx: &mut Context<Self>) {
        let State::Serving(tenure) = &self.state else { return };
        let quiet = self.last_used.elapsed() >= self.shared.options.idle_after;
        if quiet && tenure.is_durable() && tenure.inventory.next_expiry().is_none() && self.depth.is_zero() {
            info!(room_type = %self.id, "an idle room type is given back");
            self.retire(ctx, None);
        }
    }
}
