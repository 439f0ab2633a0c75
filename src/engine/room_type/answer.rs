//! Answers that ride on no commit: refusals, looks, dry runs.
//!
//! A yes is stored, under a token that the store checked. Everything else is said from memory, and an owner may have been
//! replaced without hearing of it. Yet every answer is the truth of one moment between question and answer
//! (linearizability), because of two rules:
//!
//! 1. It leaves when everything that was in memory at the decision is durable.
//! 2. At the decision nobody else had claimed the room type. Where the lease is certain, nobody can have: Raft's leader
//!    lease. Otherwise the store is asked, after the decision, whether this claim still stands: Raft's read index, many
//!    at once ([`super::super::claim_check`]).
//!
//! By the second rule, nothing was committed up to the decision that memory lacked. Take the first moment from there on at
//! which all that memory had was committed; by the first rule it is before the answer. Nothing else is committed then:
//! what is decided here later is committed later, and a claim by somebody else would have fenced what was still to come.
//!
//! Whoever asks under a key whose record is under way already has asked when that record did: he joins it
//! ([`super::super::idempotency`]), and may be told what was the truth before he came, but not before the key did.
//!
//! Where the claim does not stand, the ownership is over and the question goes to the new owner. Limits: what a certain lease
//! is worth ([`crate::lease`]). Where Redis has forgotten one, the history ends the ownership as soon as it tells of a fact
//! that is not this owner's: at the next wake-up, or half a second later.

use actix::prelude::*;

use super::{RoomTypeActor, State};
use crate::engine::message::{Failure, Over, Reply};
use crate::writer::QueuePermit;

impl RoomTypeActor {
    /// Answers when the answer is known to be true; if that is never known, the caller is told so.
    pub(super) fn answer<T: Send + 'static>(
        &self,
        permit: QueuePermit,
        reply: Reply<T>,
        answer: Result<T, Failure>,
        ctx: &Context<Self>,
    ) {
        let State::Serving(ownership) = &self.state else { return };
        if self.shared.lease.is_certain(self.id, ownership.token) {
            return ownership.when_durable(permit, |settled| reply.send(settled.and(answer)));
        }
        let (token, claim) = (ownership.token, (self.id, ownership.token));
        let (shared, actor) = (self.shared.clone(), ctx.address());
        ownership.when_durable(permit, move |settled| {
            if let Err(undone) = settled {
                return reply.send(Err::<T, _>(undone));
            }
            shared.claim_check.tell(claim, move |stands| match stands {
                Ok(true) => reply.send(answer),
                Ok(false) => {
                    actor.do_send(Over { token, cause: "replaced" });
                    reply.send(Err::<T, _>(Failure::Retired));
                }
                Err(error) => reply.send(Err::<T, _>(error)),
            });
        });
    }
}
