//! Ownership of room types among several nodes: what this one is to give up, and how somebody who was sent here asks.

use std::sync::{Arc, Weak};

use futures_util::stream::{self, StreamExt};
use tokio::sync::oneshot;

use super::directory::Resident;
use super::handle::{Engine, Shared};
use super::message::{Over, Request};
use super::patience::Origin;
use crate::domain::RoomTypeId;
use crate::lease::{Asked, Lease, Peer, Revoked, Why};

/// How many actors are asked to finish at once.
const FINISHING_AT_ONCE: usize = 64;

impl Engine {
    /// The same engine for requests of some origin. For those that another node has sent here, taking this one for the
    /// owner, it takes every room type that nobody owns, whichever node it belongs to.
    pub fn on_behalf_of(&self, origin: Origin) -> Self {
        let mut engine = self.clone();
        engine.origin = origin;
        engine
    }

    /// [`Engine::on_behalf_of`] another node.
    pub fn forwarded(&self) -> Self {
        self.on_behalf_of(Origin { asked: Asked::Forwarded, ..Origin::default() })
    }

    /// The owner, where it was found a moment ago: nothing need be started here to ask again. Who was sent here insists.
    pub(super) fn known_elsewhere(&self, room_type: RoomTypeId) -> Option<Peer> {
        match self.origin.asked {
            Asked::Here => self.shared.lease.last_found(room_type),
            Asked::Forwarded => None,
        }
    }

    /// Finishes what was begun and gives all room types back. Those that are asked for again meanwhile are taken again,
    /// unless their lease says otherwise.
    pub async fn hand_over(&self) {
        finish_all(self.shared.directory.all()).await;
    }

    /// How many facts and answers wait in each of the lanes to the store.
    pub fn lanes(&self) -> Vec<usize> {
        self.shared.writer.waiting()
    }
}

/// Ends ownerships that are to end, for as long as the engine lives.
pub(super) async fn watch(lease: Arc<dyn Lease>, shared: Weak<Shared>) {
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
            (Some(resident), Why::Lost) => resident.addr.do_send(Over { token: *token, cause: "lease_lost" }),
            (Some(resident), Why::CutOff) => resident.addr.do_send(Over { token: *token, cause: "cut_off" }),
            (Some(resident), Why::Misplaced) => misplaced.push(resident),
            // Whatever it was granted for has ended already.
            (None, _) => shared.lease.release(*room_type, *token),
        }
    }
    // A store that hangs must not keep the next ones from being heard of.
    tokio::spawn(finish_all(misplaced));
}

/// Asks actors to finish and to retire, and waits until they have.
async fn finish_all(residents: Vec<Resident>) {
    stream::iter(residents).for_each_concurrent(FINISHING_AT_ONCE, finish).await;
}

async fn finish(resident: Resident) {
    let (done, finished) = oneshot::channel();
    tell(&resident, Request::Retire(done));
    // An actor that is gone has dropped its sender.
    let _ = finished.await;
}

/// Tells an actor what it must hear, however much waits for it. Whatever it is asked afterwards stands behind this.
pub(super) fn tell(resident: &Resident, request: Request) {
    resident.depth.enter(usize::MAX);
    resident.addr.do_send(request);
}
