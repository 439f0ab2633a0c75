//! Revocation: ends ownerships that this node must give up.
//!
//! The lease reports what it has revoked. A lost lease ends the actor at once. A misplaced room type, which another
//! node should own, first finishes the requests that it has begun.

use std::sync::{Arc, Weak};

use futures_util::stream::{self, StreamExt};
use tokio::sync::oneshot;

use super::directory::ActorRef;
use super::message::{OwnershipEnded, Request};
use super::shared::Shared;
use crate::lease::{Lease, Revoked, Why};

/// Actors that retire at the same time, at most.
const RETIRING_AT_ONCE: usize = 64;

/// Ends revoked ownerships until the engine is dropped.
pub(super) async fn follow(lease: Arc<dyn Lease>, shared: Weak<Shared>) {
    loop {
        let revoked = lease.revoked().await;
        let Some(shared) = shared.upgrade() else { return };
        end(&revoked, &shared);
    }
}

fn end(revoked: &[Revoked], shared: &Shared) {
    let mut misplaced = Vec::new();
    for Revoked { room_type, token, why } in revoked {
        match (shared.directory.find(*room_type), why) {
            (Some(actor), Why::Lost) => actor.addr.do_send(OwnershipEnded { token: *token, cause: "lease_lost" }),
            (Some(actor), Why::CutOff) => actor.addr.do_send(OwnershipEnded { token: *token, cause: "cut_off" }),
            (Some(actor), Why::Misplaced) => misplaced.push(actor),
            // The actor that the lease was granted for has ended already.
            (None, _) => shared.lease.release(*room_type, *token),
        }
    }
    // On a task of its own: a store that hangs must not delay the next revocation.
    tokio::spawn(retire_all(misplaced));
}

/// Lets actors finish the requests that they have begun and retire. Returns when all have.
pub(super) async fn retire_all(actors: Vec<ActorRef>) {
    stream::iter(actors).for_each_concurrent(RETIRING_AT_ONCE, retire).await;
}

async fn retire(actor: ActorRef) {
    let (retired, wait) = oneshot::channel();
    actor.send_unbounded(Request::Retire(retired));
    // An actor that is gone has dropped its sender.
    let _ = wait.await;
}
