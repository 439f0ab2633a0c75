//! Recovery: what becomes of facts that were not stored, or of which nobody knows, and of their callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix::prelude::*;

use super::{RoomTypeActor, State};
use crate::domain::{Fact, FactId};
use crate::engine::Error;
use crate::engine::message::{Doubt, Failure, LeaseLost, Lost, Reply};
use crate::events::Notice;
use crate::lease::Token;
use crate::writer::Outcome;

impl RoomTypeActor {
    fn doubt(&mut self, doubt: Doubt, ctx: &mut Context<Self>) {
        self.doubts.push((doubt.fact.id, doubt.fact, doubt.reply));
        match &self.state {
            State::Serving(tenure) if tenure.token == doubt.token => {
                metrics::counter!("innkeeper_actor_restarts_total", "cause" => "in_doubt").increment(1);
                self.restart(ctx);
            }
            State::Serving(_) => self.settle_doubts(ctx),
            State::Loading => {}
            State::Retired(_) => self.doubts.clear(),
        }
    }

    /// Tells callers in doubt what the store says. By now this actor holds a higher token, so no commit of the old one
    /// can still succeed.
    pub(super) fn settle_doubts(&mut self, ctx: &mut Context<Self>) {
        if self.doubts.is_empty() {
            return;
        }
        let doubts = std::mem::take(&mut self.doubts);
        let (room_type, shared) = (self.id, self.shared.clone());
        let settle = async move {
            let ids: Vec<FactId> = doubts.iter().map(|(id, ..)| *id).collect();
            // A store that cannot be asked leaves the callers interrupted: their replies are dropped.
            let Ok(stored) = shared.ledger.committed(&ids).await else { return };
            let facts: Arc<[_]> = doubts
                .iter()
                .filter(|(id, ..)| stored.contains(id))
                .map(|(_, fact, _)| (room_type, fact.clone()))
                .collect();
            shared.hub.publish(Notice::Committed(facts));
            for (id, fact, reply) in doubts {
                reply.send(if stored.contains(&id) { Ok(fact) } else { Err(Error::Interrupted) });
            }
        };
        ctx.spawn(settle.into_actor(self));
    }
}

impl Handler<LeaseLost> for RoomTypeActor {
    type Result = ();

    /// Throws the tenure away. What it has submitted was in time or will be fenced; who waits is told by the writer.
    fn handle(&mut self, lost: LeaseLost, ctx: &mut Context<Self>) {
        if matches!(&self.state, State::Serving(tenure) if tenure.token == lost.token) {
            self.retire(ctx, None);
        }
    }
}

impl Handler<Lost> for RoomTypeActor {
    type Result = ();

    fn handle(&mut self, lost: Lost, ctx: &mut Context<Self>) {
        if matches!(&self.state, State::Serving(tenure) if tenure.token == lost.token) {
            metrics::counter!("innkeeper_actor_restarts_total", "cause" => "lost_commit").increment(1);
            self.restart(ctx);
        }
    }
}

impl Handler<Doubt> for RoomTypeActor {
    type Result = ();

    fn handle(&mut self, doubt: Doubt, ctx: &mut Context<Self>) {
        self.guarded(ctx, |actor, ctx| actor.doubt(doubt, ctx));
    }
}

/// What the writer does with the outcome of a fact.
pub(super) fn settle(
    actor: Addr<RoomTypeActor>,
    token: Token,
    durable: Arc<AtomicU64>,
    fact: Arc<Fact>,
    reply: Option<Reply<Arc<Fact>>>,
) -> impl FnOnce(Outcome) + Send {
    move |outcome| {
        let failure = match outcome {
            Outcome::Committed => {
                durable.fetch_max(fact.sequence, Ordering::AcqRel);
                metrics::counter!("innkeeper_facts_total", "cause" => fact.change.cause()).increment(1);
                if let Some(reply) = reply {
                    reply.send(Ok::<_, Failure>(fact));
                }
                return;
            }
            Outcome::InDoubt => {
                let reply = reply.unwrap_or_else(|| Reply::new().0);
                return actor.do_send(Doubt { token, fact, reply });
            }
            Outcome::Duplicate => Failure::KeyTaken,
            Outcome::Fenced => {
                metrics::counter!("innkeeper_fenced_commits_total").increment(1);
                Error::Interrupted.into()
            }
            Outcome::Lost => Error::Interrupted.into(),
        };
        actor.do_send(Lost { token });
        if let Some(reply) = reply {
            reply.send(Err(failure));
        }
    }
}
