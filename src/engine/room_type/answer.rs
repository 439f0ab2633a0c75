//! Answers that need no commit: refusals, reads and dry runs.
//!
//! An accepted command is stored under a token that the store checks. Every other answer comes from memory, and an owner
//! may have been replaced without knowing it. Still, each answer is linearizable: it is true at one instant between the
//! request and the answer. Two rules ensure this:
//!
//! 1. The answer leaves after everything that was in memory at the decision is durable.
//! 2. At the decision, no other owner had claimed the room type. A certain lease proves that, like a leader lease in
//!    Raft. Otherwise the store is asked after the decision whether this claim is still the last one, like a read index
//!    in Raft. `claim_check` batches these questions.
//!
//! Proof. By rule 2, memory lacked nothing that was committed up to the decision. Take the first instant from then on at
//! which everything in memory was committed. By rule 1 it lies before the answer. Nothing else is committed at that
//! instant: this owner commits its later decisions later, and another owner's claim would have fenced its earlier ones.
//!
//! A request whose idempotency key is already in progress joins that first request ([`super::super::idempotency`]). Its
//! answer may be true at an instant before it arrived, but not before the first request did.
//!
//! When the claim is no longer the last one, the ownership ends and the request goes to the new owner.
//!
//! Limits: a certain lease is as good as the clocks and the memory of Redis ([`crate::lease`]). When Redis has
//! forgotten a lease, the event history ends the ownership as soon as it shows a fact of another owner. That is at the
//! next wake-up, or half a second later.

use actix::prelude::*;

use super::{RoomTypeActor, State};
use crate::engine::message::{Failure, OwnershipEnded, Reply};
use crate::writer::QueuePermit;

impl RoomTypeActor {
    /// Sends the answer when both rules hold, or a failure when they never will.
    pub(super) fn answer<T: Send + 'static>(
        &self,
        permit: QueuePermit,
        reply: Reply<T>,
        answer: Result<T, Failure>,
        ctx: &Context<Self>,
    ) {
        let State::Serving(ownership) = &self.state else { return };
        if self.shared.lease.is_certain(self.id, ownership.token) {
            return ownership.when_durable(permit, |durable| reply.send(durable.and(answer)));
        }
        let (token, claim) = (ownership.token, (self.id, ownership.token));
        let (shared, actor) = (self.shared.clone(), ctx.address());
        ownership.when_durable(permit, move |durable| {
            if let Err(failure) = durable {
                return reply.send(Err::<T, _>(failure));
            }
            shared.claim_check.load_then(claim, move |is_last| match is_last {
                Ok(true) => reply.send(answer),
                Ok(false) => {
                    actor.do_send(OwnershipEnded { token, cause: "replaced" });
                    reply.send(Err::<T, _>(Failure::Retired));
                }
                Err(error) => reply.send(Err::<T, _>(error)),
            });
        });
    }
}
