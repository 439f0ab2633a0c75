//! The messages that actors receive, and how actors answer.

use std::sync::Arc;

use actix::Message;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::deadline::Deadline;
use super::{Error, Key};
use crate::domain::{BookingId, CalendarView, Date, Fact, HotelId, Move, NightsChange, Order, RatePlan, RoomType};
use crate::lease::Token;

/// What a client wants a room type to do.
#[derive(Debug, Clone)]
pub(super) enum Intent {
    Book(Order),
    Act {
        booking: BookingId,
        act: Move,
        expected: Option<u64>,
    },
    /// If `expected` is given, the room type must still be at this sequence number.
    SetNights {
        expected: Option<u64>,
        change: NightsChange,
    },
    /// If `seen` is given, the room type must still equal it.
    SetRoomType {
        seen: Option<RoomType>,
        room_type: RoomType,
    },
    /// If `seen` is given, the rate plan must still equal it, apart from its nights.
    SetRatePlan {
        seen: Option<RatePlan>,
        plan: RatePlan,
    },
}

/// Asks for a decision.
#[derive(Debug)]
pub(super) struct Decide {
    pub intent: Intent,
    pub caller: Caller,
}

/// The caller of a decision, and how to answer it.
#[derive(Debug)]
pub(super) struct Caller {
    pub key: Option<UnusedKey>,
    /// Decide, but change nothing.
    pub dry_run: bool,
    /// The span of the request, for the log.
    pub span: tracing::Span,
    pub deadline: Deadline,
    pub reply: Reply<Arc<Fact>>,
}

/// An idempotency key that the store did not have when it was looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnusedKey {
    pub key: Key,
    /// Start of the look-up.
    pub looked_up_at: Instant,
}

/// Asks for the nights [from, to).
#[derive(Debug)]
pub(super) struct ReadNights {
    pub from: Date,
    pub to: Date,
    pub reply: Reply<CalendarView>,
}

/// Everything that other modules ask of an actor. One bounded mailbox keeps these requests in order.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) enum Request {
    Decide(Box<Decide>),
    ReadNights(ReadNights),
    /// Finish the requests that were begun, give the room type back, then signal the sender.
    Retire(oneshot::Sender<()>),
    /// If the room type belongs to this hotel: finish the requests that were begun, then load again.
    Reload(HotelId),
}

/// The ownership of `token` has ended, because another node owns the room type or should own it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct OwnershipEnded {
    pub token: Token,
    /// How this node found out, for the metrics.
    pub cause: &'static str,
}

/// The history of the room type has reached this sequence number, through this node or another one.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct HistoryAdvanced {
    pub sequence: u64,
}

/// Asks an actor to resolve its unknown outcomes and to expire its overdue holds.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct RunDueWork;

/// A fact decided under `token` was not stored.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct CommitFailed {
    pub token: Token,
    /// The database refused this fact itself.
    pub refused: bool,
}

/// The store did not say whether it has a fact that was decided under `token`. The caller still waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct UnknownOutcome {
    pub token: Token,
    pub fact: Arc<Fact>,
    pub reply: Reply<Arc<Fact>>,
}

/// Why a request got no answer.
#[derive(Debug)]
pub(super) enum Failure {
    Error(Error),
    /// The actor has retired or is reloading. Nothing was stored. Ask the directory again.
    Retired,
    /// The fact contradicts the store, so the actor's memory was wrong. The actor reloads. Try again.
    ConflictWithStore,
    /// Another request used the idempotency key first. Look the key up.
    KeyTaken,
    /// This error, unless an earlier owner has used the idempotency key since it was looked up. Look the key up again.
    RecheckKey(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Sends the answer to the caller. A caller whose reply is dropped gets [`Error::Interrupted`].
#[derive(Debug)]
pub(super) struct Reply<T>(oneshot::Sender<Result<T, Failure>>);

impl<T> Reply<T> {
    pub fn new() -> (Self, oneshot::Receiver<Result<T, Failure>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), receiver)
    }

    /// Answers. Does nothing when the caller has gone away.
    pub fn send(self, answer: Result<T, impl Into<Failure>>) {
        let _ = self.0.send(answer.map_err(Into::into));
    }
}
