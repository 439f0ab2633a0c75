//! What actors are told, and how they answer.

use std::sync::Arc;

use actix::Message;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::patience::Patience;
use super::{Error, Key, View};
use crate::domain::{BookingId, Date, Fact, HotelId, Move, NightsChange, Order, RatePlan, RoomType};
use crate::lease::Token;

/// What somebody wants a room type to do.
#[derive(Debug, Clone)]
pub(super) enum Intent {
    Book(Order),
    Act {
        booking: BookingId,
        act: Move,
        expected: Option<u64>,
    },
    /// Only if the room type still is at the sequence number that is `expected`, if one is.
    SetNights {
        expected: Option<u64>,
        change: NightsChange,
    },
    /// Only if the room type still is what was `seen`, if anything was.
    SetRoomType {
        seen: Option<RoomType>,
        room_type: RoomType,
    },
    /// The same; `seen` is without its nights.
    SetRatePlan {
        seen: Option<RatePlan>,
        plan: RatePlan,
    },
}

/// A request for a decision.
#[derive(Debug)]
pub(super) struct Ask {
    pub intent: Intent,
    pub caller: Caller,
}

/// Who waits for a decision, and on which terms.
#[derive(Debug)]
pub(super) struct Caller {
    pub key: Option<Unused>,
    /// Decide only.
    pub dry_run: bool,
    /// The request it belongs to, for the log.
    pub span: tracing::Span,
    pub patience: Patience,
    pub reply: Reply<Arc<Fact>>,
}

/// An idempotency key that was not in the store when it was looked up, at `at` or later.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unused {
    pub key: Key,
    pub at: Instant,
}

/// A request to see the nights [from, to).
#[derive(Debug)]
pub(super) struct Look {
    pub from: Date,
    pub to: Date,
    pub reply: Reply<View>,
}

/// Everything that comes from outside goes through one bounded mailbox, in one order.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) enum Request {
    Ask(Box<Ask>),
    Look(Look),
    /// Finish what was begun, give the room type back, and say so.
    Retire(oneshot::Sender<()>),
    /// If it is of this hotel: finish what was begun, and load again.
    Reload(HotelId),
}

/// The ownership of `token` is over: somebody else owns the room type.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Over {
    pub token: Token,
    /// How that was found out, for the metrics.
    pub cause: &'static str,
}

/// The history has this fact of the room type, whoever decided it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Advanced {
    pub sequence: u64,
}

/// What is in doubt is to be settled, and holds whose time is over are to be ended, if that can be done now.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Settle;

/// A fact decided under `token` was not stored.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Lost {
    pub token: Token,
    /// The database refused this very fact.
    pub refused: bool,
}

/// Nobody knows whether a fact decided under `token` was stored; its caller waits to be told.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct UnknownOutcome {
    pub token: Token,
    pub fact: Arc<Fact>,
    pub reply: Reply<Arc<Fact>>,
}

/// How a request ends that gets no answer.
#[derive(Debug)]
pub(super) enum Failure {
    Because(Error),
    /// Nothing was done and nothing stored: the actor has retired, or begins anew. Ask the directory again.
    Retired,
    /// The fact contradicts what is stored, so memory was wrong. It is being loaded again: ask once more.
    Contradicted,
    /// Somebody else used the idempotency key first: look it up.
    KeyTaken,
    /// The same answer, unless an earlier owner has used the idempotency key since it was looked up: look again.
    LookAgain(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Because(error)
    }
}

/// Where an answer goes. Dropped without an answer, the caller learns that it was interrupted.
#[derive(Debug)]
pub(super) struct Reply<T>(oneshot::Sender<Result<T, Failure>>);

impl<T> Reply<T> {
    pub fn new() -> (Self, oneshot::Receiver<Result<T, Failure>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), receiver)
    }

    /// Answers; a caller who has gone away does not mind.
    pub fn send(self, answer: Result<T, impl Into<Failure>>) {
        let _ = self.0.send(answer.map_err(Into::into));
    }
}
