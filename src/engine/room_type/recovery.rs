//! Recovery: what becomes of facts that were not stored, or of which nobody knows, and of their callers.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::time::{Instant, timeout};
use tracing::info;

use super::{RoomTypeActor, State};
use crate::domain::{Fact, FactId, RoomTypeId};
use crate::engine::message::{Advanced, Failure, Lost, Over, Reply, Settle, UnknownOutcome};
use crate::engine::ownership::Settled;
use crate::engine::{Error, Shared};
use crate::events::Notice;
use crate::lease::Token;
use crate::writer::Outcome;

/// How long after the database refused a fact the next ones are stored one by one.
const CAREFUL_FOR: Duration = Duration::from_secs(10);

impl RoomTypeActor {
    fn doubt(&mut self, doubt: UnknownOutcome, ctx: &mut Context<Self>) {
        // Who came after this actor can tell the caller.
        if let State::Retired(_) = &self.state
            && let Some(successor) = self.shared.directory.find(self.id)
        {
            return successor.addr.do_send(doubt);
        }
        self.shared.unknown_outcomes.add(self.id, doubt.fact.clone());
        match &self.state {
            // Nobody is left who could tell the caller: his reply is dropped.
            State::Retired(_) => return,
            State::Serving(ownership) if ownership.token == doubt.token => {
                metrics::counter!("innkeeper_actor_restarts_total", "cause" => "unknown_outcome").increment(1);
                self.restart(ctx);
            }
            State::Serving(_) | State::Loading => {}
        }
        self.unknown_outcomes.push((doubt.fact, doubt.reply));
        if let State::Serving(_) = &self.state {
            self.settle_doubts(ctx);
        }
    }

    /// Publishes what the store has of everything in doubt, and tells the callers who wait. By now this actor holds a
    /// higher token, so no commit of the old one can still succeed. One question at a time: what comes meanwhile waits for
    /// the next. A restart ends the asking, but not the waiting: the next ownership asks again.
    pub(super) fn settle_doubts(&mut self, ctx: &mut Context<Self>) {
        if self.asking {
            return;
        }
        let facts = self.shared.unknown_outcomes.of(self.id);
        let ids: Vec<FactId> = facts.iter().map(|fact| fact.id).collect();
        self.unknown_outcomes.retain(|(fact, _)| ids.contains(&fact.id));
        if facts.is_empty() {
            return;
        }
        self.asking = true;
        let asking = ask_the_store(self.id, facts, ids.clone(), self.shared.clone());
        ctx.spawn(asking.into_actor(self).map(move |stored, actor, ctx| {
            actor.asking = false;
            actor.tell_callers(&ids, stored);
            if !actor.unknown_outcomes.is_empty() {
                actor.settle_doubts(ctx);
            }
        }));
    }

    /// Tells the callers of these facts what the store has of them. Where it cannot say, they are interrupted: their
    /// replies are dropped.
    fn tell_callers(&mut self, asked: &[FactId], stored: Option<HashSet<FactId>>) {
        for (fact, reply) in self.unknown_outcomes.extract_if(.., |(fact, _)| asked.contains(&fact.id)) {
            if let Some(stored) = &stored {
                reply.send(if stored.contains(&fact.id) { Ok(fact) } else { Err(Error::Interrupted) });
            }
        }
    }

    /// There is no next ownership: the callers are interrupted. What another node owns is told by the history; else the
    /// next actor goes on.
    pub(super) fn leave_doubts(&mut self, why: &Error) {
        self.unknown_outcomes.clear();
        if matches!(why, Error::Elsewhere(_) | Error::NoSuchRoomType) {
            self.shared.unknown_outcomes.forget(self.id);
        }
    }

    /// After a refusal by the database, decides nothing on top of a fact before that one is stored. So a room type that
    /// is asked for one such fact after the other loads again for each of them, but nobody else's request is undone.
    pub(super) fn take_care(&mut self, ctx: &mut Context<Self>) {
        if self.refused_at.is_none_or(|at| at.elapsed() > CAREFUL_FOR) {
            return;
        }
        let reload_if_left_out = |actor: &mut Self, ctx: &mut Context<Self>| {
            if matches!(&actor.state, State::Serving(ownership) if ownership.settled.has_left_out()) {
                metrics::counter!("innkeeper_actor_restarts_total", "cause" => "lost_commit").increment(1);
                actor.refused_at = Some(Instant::now());
                actor.restart(ctx);
            }
        };
        self.finish(reload_if_left_out, ctx);
    }

    /// Throws the ownership away for good: somebody else owns the room type, or is to. What was submitted was in time or
    /// will be fenced; who waits is told by the writer.
    fn over(&mut self, cause: &'static str, ctx: &mut Context<Self>) {
        metrics::counter!("innkeeper_actor_restarts_total", "cause" => cause).increment(1);
        info!(room_type = %self.id, cause, "the ownership is over");
        self.retire(ctx, None);
    }
}

/// Which of the facts are stored. A store that cannot be asked, or takes longer than anybody waits, leaves them in doubt.
async fn ask_the_store(
    room_type: RoomTypeId,
    facts: Vec<Arc<Fact>>,
    ids: Vec<FactId>,
    shared: Arc<Shared>,
) -> Option<HashSet<FactId>> {
    let answer = timeout(shared.options.answer_within, shared.journal.committed(&ids)).await;
    let stored = answer.ok()?.ok()?;
    let found: Arc<[_]> =
        facts.iter().filter(|fact| stored.contains(&fact.id)).map(|fact| (room_type, fact.clone())).collect();
    if !found.is_empty() {
        shared.hub.publish(Notice::Committed(found));
    }
    shared.unknown_outcomes.settled(room_type, &facts);
    Some(stored)
}

impl Handler<Settle> for RoomTypeActor {
    type Result = ();

    fn handle(&mut self, _: Settle, ctx: &mut Context<Self>) {
        self.guarded(ctx, |actor, ctx| {
            if let State::Serving(_) = &actor.state {
                actor.settle_doubts(ctx);
                actor.look_at_the_clock(ctx);
            }
        });
    }
}

impl Handler<Over> for RoomTypeActor {
    type Result = ();

    fn handle(&mut self, Over { token, cause }: Over, ctx: &mut Context<Self>) {
        if matches!(&self.state, State::Serving(ownership) if ownership.token == token) {
            self.over(cause, ctx);
        }
    }
}

impl Handler<Advanced> for RoomTypeActor {
    type Result = ();

    /// This ownership's own facts are in memory before anybody else hears of them.
    fn handle(&mut self, Advanced { sequence }: Advanced, ctx: &mut Context<Self>) {
        if matches!(&self.state, State::Serving(ownership) if ownership.inventory.sequence() < sequence) {
            self.over("overtaken", ctx);
        }
    }
}

impl Handler<Lost> for RoomTypeActor {
    type Result = ();

    fn handle(&mut self, lost: Lost, ctx: &mut Context<Self>) {
        if lost.refused {
            self.refused_at = Some(Instant::now());
        }
        if matches!(&self.state, State::Serving(ownership) if ownership.token == lost.token) {
            metrics::counter!("innkeeper_actor_restarts_total", "cause" => "lost_commit").increment(1);
            self.restart(ctx);
        }
    }
}

impl Handler<UnknownOutcome> for RoomTypeActor {
    type Result = ();

    fn handle(&mut self, doubt: UnknownOutcome, ctx: &mut Context<Self>) {
        self.guarded(ctx, |actor, ctx| actor.doubt(doubt, ctx));
    }
}

/// What the writer does with the outcome of a fact.
pub(super) fn settle(
    actor: Addr<RoomTypeActor>,
    token: Token,
    settled: Arc<Settled>,
    fact: Arc<Fact>,
    reply: Option<Reply<Arc<Fact>>>,
) -> impl FnOnce(Outcome) + Send {
    move |outcome| {
        let refused = matches!(outcome, Outcome::Refused | Outcome::Unstorable);
        if refused || outcome == Outcome::Duplicate {
            settled.leave_out();
        }
        let failure = match outcome {
            Outcome::Committed => {
                settled.is_durable(fact.sequence);
                metrics::counter!("innkeeper_facts_total", "cause" => fact.change.cause()).increment(1);
                if let Some(reply) = reply {
                    reply.send(Ok::<_, Failure>(fact));
                }
                return;
            }
            Outcome::UnknownOutcome => {
                let reply = reply.unwrap_or_else(|| Reply::new().0);
                return actor.do_send(UnknownOutcome { token, fact, reply });
            }
            Outcome::Duplicate => Failure::KeyTaken,
            Outcome::Fenced => {
                metrics::counter!("innkeeper_fenced_commits_total").increment(1);
                settled.undone()
            }
            Outcome::Refused => Failure::Contradicted,
            Outcome::Unstorable => Error::Unstorable.into(),
            Outcome::Lost => Error::Interrupted.into(),
        };
        actor.do_send(Lost { token, refused });
        if let Some(reply) = reply {
            reply.send(Err(failure));
        }
    }
}
