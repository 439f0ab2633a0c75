//! Answers that ride on no commit: refusals, looks, dry runs.
//!
//! A yes is stored, under a token that the store checked. Everything else is said from memory, and an owner may have been
//! replaced without hearing of it. Yet every answer is the truth of one moment between question and answer
//! (linearizability), because of two rules:
//!
//! 1. It leaves when everything that was in memory at the decision is durable.
//! 2. At the decision nobody else had claimed the room type. Where the lease is certain, nobody can have: Raft's leader
//!    lease. Otherwise the store is asked, after the decision, whether this claim still stands: Raft's read index, many
//!    at once ([`super::super::standing`]).
//!
//! By the second rule, nothing was committed up to the decision that memory lacked. Take the first moment from there on at
//! which all that memory had was committed; by the first rule it is before the answer. Nothing else is committed then:
//! what is decided here later is committed later, and a claim by somebody else would have fenced what was still to come.
//!
//! Whoever asks under a key whose attempt is under way already has asked when that attempt did: he joins it
//! ([`super::super::attempts`]), and may be told what was the truth before he came, but not before the key did.
//!
//! Where the claim does not stand, the tenure is over and the question goes to the new owner. Limits: what a certain lease
//! is worth ([`crate::lease`]). Where Redis has forgotten one, the history ends the tenure as soon as it tells of a fact
//! that is not this owner's: at the next wake-up, or half a second later.

use actix::prelude::*;

use super::{RoomTypeActor, State};
use crate::engine::message::{Failure, Over, Reply};
use crate::writer::Place;

impl RoomTypeActor {
    /// Answers when the answer is known to be true; if that is never known, the caller is told so.
    pub(super) fn answer<T: Send + 'static>(
        &self,
        place: Place,
        reply: Reply<T>,
        answer: Result<T, Failure>,
        ctx: &Context<Self>,
    ) {
        let State::Serving(tenure) = &self.state else { return };
        if self.shared.lease.is_certain(self.id, tenure.token) {
            return tenure.when_durable(place, |settled| reply.send(settled.and(answer)));
        }
        let (token, claim) = (tenure.token, (self.id, tenure.token));
        let (shared, actor) = (self.shared.clone(), ctx.address());
        tenure.when_durable(place, move |settled| {
            if let Err(undone) = settled {
                return reply.send(Err::<T, _>(undone));
            }
            shared.standing.tell(claim, move |stands| match stands {
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
