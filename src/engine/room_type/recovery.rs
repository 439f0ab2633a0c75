//! Recovery: what an actor does about facts that were not stored, or whose outcome is unknown.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::time::{Instant, timeout};
use tracing::info;

use super::{RoomTypeActor, State};
use crate::domain::{Fact, FactId, RoomTypeId};
use crate::engine::Error;
use crate::engine::message::{
    CommitFailed, Failure, HistoryAdvanced, OwnershipEnded, Reply, RunDueWork, UnknownOutcome,
};
use crate::engine::ownership::CommitProgress;
use crate::engine::shared::Shared;
use crate::events::Notice;
use crate::lease::Token;
use crate::writer::Outcome;

/// How long after a refusal by the database the actor stores its facts one by one.
const ONE_BY_ONE_FOR: Duration = Duration::from_secs(10);

impl RoomTypeActor {
    fn add_unknown_outcome(&mut self, unknown: UnknownOutcome, ctx: &mut Context<Self>) {
        // The successor of a retired actor can still answer the caller.
        if let State::Retired(_) = &self.state
            && let Some(successor) = self.shared.directory.find(self.id)
        {
            return successor.addr.do_send(unknown);
        }
        self.shared.unknown_outcomes.add(self.id, unknown.fact.clone());
        match &self.state {
            // No actor can answer the caller. Dropping the reply interrupts the caller.
            State::Retired(_) => return,
            State::Serving(ownership) if ownership.token == unknown.token => {
                metrics::counter!("innkeeper_actor_restarts_total", "cause" => "unknown_outcome").increment(1);
                self.restart(ctx);
            }
            State::Serving(_) | State::Loading => {}
        }
        self.unknown_outcomes.push((unknown.fact, unknown.reply));
        if let State::Serving(_) = &self.state {
            self.resolve_unknown_outcomes(ctx);
        }
    }

    /// Asks the store which facts with an unknown outcome it has, publishes those, and answers their callers.
    ///
    /// This actor holds a higher token, so no commit under the old token can still succeed. One question is under way at
    /// a time; facts that are added meanwhile wait for the next. A restart drops the question but not the callers: the
    /// next ownership asks again.
    pub(super) fn resolve_unknown_outcomes(&mut self, ctx: &mut Context<Self>) {
        if self.resolving {
            return;
        }
        let facts = self.shared.unknown_outcomes.of(self.id);
        let ids: Vec<FactId> = facts.iter().map(|fact| fact.id).collect();
        self.unknown_outcomes.retain(|(fact, _)| ids.contains(&fact.id));
        if facts.is_empty() {
            return;
        }
        self.resolving = true;
        let question = find_stored(self.id, facts, ids.clone(), self.shared.clone());
        ctx.spawn(question.into_actor(self).map(move |stored, actor, ctx| {
            actor.resolving = false;
            actor.answer_callers(&ids, stored);
            if !actor.unknown_outcomes.is_empty() {
                actor.resolve_unknown_outcomes(ctx);
            }
        }));
    }

    /// Answers the callers of these facts. Without an answer from the store their replies are dropped, which interrupts
    /// them.
    fn answer_callers(&mut self, asked: &[FactId], stored: Option<HashSet<FactId>>) {
        for (fact, reply) in self.unknown_outcomes.extract_if(.., |(fact, _)| asked.contains(&fact.id)) {
            if let Some(stored) = &stored {
                reply.send(if stored.contains(&fact.id) { Ok(fact) } else { Err(Error::Interrupted) });
            }
        }
    }

    /// Interrupts all callers with an unknown outcome, because no ownership follows here. If another node owns the room
    /// type, the event history reports its facts. Otherwise the facts stay for the next actor.
    pub(super) fn abandon_unknown_outcomes(&mut self, why: &Error) {
        self.unknown_outcomes.clear();
        if matches!(why, Error::Elsewhere(_) | Error::NoSuchRoomType) {
            self.shared.unknown_outcomes.forget(self.id);
        }
    }

    /// For a while after a refusal by the database, waits for each fact to be stored before the next decision. If the
    /// database refuses many facts in a row, each costs a reload, but no other request is undone.
    pub(super) fn wait_for_store_after_refusal(&mut self, ctx: &mut Context<Self>) {
        if self.refused_at.is_none_or(|at| at.elapsed() > ONE_BY_ONE_FOR) {
            return;
        }
        let reload_if_left_out = |actor: &mut Self, ctx: &mut Context<Self>| {
            if matches!(&actor.state, State::Serving(ownership) if ownership.progress.has_left_out()) {
                metrics::counter!("innkeeper_actor_restarts_total", "cause" => "lost_commit").increment(1);
                actor.refused_at = Some(Instant::now());
                actor.restart(ctx);
            }
        };
        self.finish(reload_if_left_out, ctx);
    }

    /// Ends the ownership for good, because another node owns the room type or should own it. Facts that were submitted
    /// are either committed in time or fenced. The writer reports both to their callers.
    fn end_ownership(&mut self, cause: &'static str, ctx: &mut Context<Self>) {
        metrics::counter!("innkeeper_actor_restarts_total", "cause" => cause).increment(1);
        info!(room_type = %self.id, cause, "the ownership has ended");
        self.retire(ctx, None);
    }
}

/// The facts that the store has. `None` when the store fails or takes longer than any caller waits: the outcomes stay
/// unknown.
async fn find_stored(
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
    shared.unknown_outcomes.resolved(room_type, &facts);
    Some(stored)
}

impl Handler<RunDueWork> for RoomTypeActor {
    type Result = ();

    fn handle(&mut self, _: RunDueWork, ctx: &mut Context<Self>) {
        self.catching_panics(ctx, |actor, ctx| {
            if let State::Serving(_) = &actor.state {
                actor.resolve_unknown_outcomes(ctx);
                actor.check_clock(ctx);
            }
        });
    }
}

impl Handler<OwnershipEnded> for RoomTypeActor {
    type Result = ();

    fn handle(&mut self, OwnershipEnded { token, cause }: OwnershipEnded, ctx: &mut Context<Self>) {
        if matches!(&self.state, State::Serving(ownership) if ownership.token == token) {
            self.end_ownership(cause, ctx);
        }
    }
}

impl Handler<HistoryAdvanced> for RoomTypeActor {
    type Result = ();

    /// Facts of this ownership are in memory before the history shows them. A higher sequence number is another owner's.
    fn handle(&mut self, HistoryAdvanced { sequence }: HistoryAdvanced, ctx: &mut Context<Self>) {
        if matches!(&self.state, State::Serving(ownership) if ownership.inventory.sequence() < sequence) {
            self.end_ownership("overtaken", ctx);
        }
    }
}

impl Handler<CommitFailed> for RoomTypeActor {
    type Result = ();

    fn handle(&mut self, failed: CommitFailed, ctx: &mut Context<Self>) {
        if failed.refused {
            self.refused_at = Some(Instant::now());
        }
        if matches!(&self.state, State::Serving(ownership) if ownership.token == failed.token) {
            metrics::counter!("innkeeper_actor_restarts_total", "cause" => "lost_commit").increment(1);
            self.restart(ctx);
        }
    }
}

impl Handler<UnknownOutcome> for RoomTypeActor {
    type Result = ();

    fn handle(&mut self, unknown: UnknownOutcome, ctx: &mut Context<Self>) {
        self.catching_panics(ctx, |actor, ctx| actor.add_unknown_outcome(unknown, ctx));
    }
}

/// The callback for the outcome of a fact, or of an answer without a change. It runs on the writer's task.
pub(super) fn on_outcome(
    actor: Addr<RoomTypeActor>,
    token: Token,
    progress: Arc<CommitProgress>,
    fact: Arc<Fact>,
    answer_only: bool,
    reply: Option<Reply<Arc<Fact>>>,
) -> impl FnOnce(Outcome) + Send {
    move |outcome| {
        let refused = matches!(outcome, Outcome::Refused | Outcome::Unstorable);
        if refused || outcome == Outcome::Duplicate {
            progress.mark_left_out();
        }
        let failure = match outcome {
            Outcome::Committed => {
                progress.mark_durable(fact.sequence);
                if !answer_only {
                    metrics::counter!("innkeeper_facts_total", "cause" => fact.change.cause()).increment(1);
                }
                if let Some(reply) = reply {
                    reply.send(Ok::<_, Failure>(fact));
                }
                return;
            }
            // The caller looks its key up in the store. The actor decides nothing on top of an answer.
            Outcome::UnknownOutcome if answer_only => {
                if let Some(reply) = reply {
                    reply.send(Err::<Arc<Fact>, _>(Failure::RecheckKey(Error::Interrupted)));
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
                progress.failure_of_dependents()
            }
            Outcome::Refused => Failure::ConflictWithStore,
            Outcome::Unstorable => Error::Unstorable.into(),
            Outcome::Lost => Error::Interrupted.into(),
        };
        actor.do_send(CommitFailed { token, refused });
        if let Some(reply) = reply {
            reply.send(Err(failure));
        }
    }
}
