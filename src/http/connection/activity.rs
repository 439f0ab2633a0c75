//! What one connection is doing, written by its own task and read by the supervisor.
//!
//! Only the task of the connection writes here, but for [`Activity::ask_to_close`]. Relaxed operations are enough: the
//! supervisor acts on what it reads by asking, and the task decides.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use futures_util::task::AtomicWaker;

use super::head;
use super::rules::{Reason, Seen, Stage};
use super::ticks::Ticks;

/// Bytes of line breaks before a head that a client need not follow up: one empty line (RFC 9112, section 2.2).
const EMPTY_LINE: u64 = 2;
/// No reason to close: the connection has ended.
const ENDED: u8 = u8::MAX;

/// How much follows the head of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    IfNoneMatch(u64),
    /// Chunked.
    Unknown,
}

/// The record of one connection.
#[derive(Debug)]
pub struct Activity {
    pub id: u64,
    ticks: Ticks,
    stage: AtomicU8,
    since: AtomicU64,
    head: AtomicU64,
    leftover: AtomicBool,
    body: AtomicU64,
    body_part: AtomicU64,
    body_bytes: AtomicU64,
    blocked: AtomicU64,
    blocked_part: AtomicU64,
    blocked_bytes: AtomicU64,
    /// Bytes of answers that the socket does not take.
    unsent: AtomicU64,
    /// Bytes of the answer's body that nobody else shares and that are not encoded yet.
    body_left: AtomicU64,
    /// Bytes read from the socket; the position up to which they are held no longer.
    read: AtomicU64,
    parsed: AtomicU64,
    /// Bytes of line breaks before the next head, and whether another byte of it has arrived.
    blank: AtomicU64,
    head_begun: AtomicBool,
    /// Where the first head since the last answer ends, and where the request ends; 0 where that is not known.
    head_end: AtomicU64,
    request_end: AtomicU64,
    /// Whether the request in progress has a body.
    has_body: AtomicBool,
    /// Bytes that were read and not handed over.
    kept: AtomicU64,
    /// The last four bytes read.
    tail: AtomicU32,
    /// A read was put off until the answer is written.
    put_off: AtomicBool,
    /// A reason to close, or 0.
    asked: AtomicU8,
    waker: AtomicWaker,
}

impl Activity {
    /// A connection that was just opened: its first head is awaited.
    pub fn new(id: u64, ticks: Ticks) -> Self {
        let now = ticks.now();
        Self {
            id,
            ticks,
            stage: AtomicU8::new(Stage::Waiting as u8),
            since: AtomicU64::new(now),
            head: AtomicU64::new(now),
            leftover: AtomicBool::new(false),
            body: AtomicU64::new(0),
            body_part: AtomicU64::new(0),
            body_bytes: AtomicU64::new(0),
            blocked: AtomicU64::new(0),
            blocked_part: AtomicU64::new(0),
            blocked_bytes: AtomicU64::new(0),
            unsent: AtomicU64::new(0),
            body_left: AtomicU64::new(0),
            read: AtomicU64::new(0),
            parsed: AtomicU64::new(0),
            blank: AtomicU64::new(0),
            head_begun: AtomicBool::new(false),
            head_end: AtomicU64::new(0),
            request_end: AtomicU64::new(0),
            has_body: AtomicBool::new(false),
            kept: AtomicU64::new(0),
            tail: AtomicU32::new(0),
            put_off: AtomicBool::new(false),
            asked: AtomicU8::new(0),
            waker: AtomicWaker::new(),
        }
    }

    pub fn seen(&self) -> Seen {
        let stage = self.stage();
        let held = match stage {
            Stage::Upgraded | Stage::Closing => self.unsent.load(Relaxed),
            _ if self.is_blocked() => self.unanswered() + self.unsent.load(Relaxed) + self.body_left.load(Relaxed),
            _ => self.unanswered(),
        };
        Seen {
            stage,
            since: self.since.load(Relaxed),
            head: self.head.load(Relaxed),
            leftover: self.leftover.load(Relaxed),
            body: self.body.load(Relaxed),
            body_part: self.body_part.load(Relaxed),
            body_bytes: self.body_bytes.load(Relaxed),
            blocked: self.blocked.load(Relaxed),
            blocked_part: self.blocked_part.load(Relaxed),
            blocked_bytes: self.blocked_bytes.load(Relaxed),
            held,
        }
    }

    pub fn stage(&self) -> Stage {
        let stage = self.stage.load(Relaxed);
        Stage::ALL.into_iter().find(|it| *it as u8 == stage).unwrap_or(Stage::Closing)
    }

    fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Relaxed);
    }

    pub fn now(&self) -> u64 {
        self.ticks.now()
    }

    /// Bytes that were read and belong to no answered request: an unfinished head, the body of the request in progress,
    /// and what follows it. A body that its handler has left is thrown away as it arrives.
    fn unanswered(&self) -> u64 {
        let read = self.read.load(Relaxed);
        let from = match (self.leftover.load(Relaxed), self.request_end.load(Relaxed)) {
            (false, _) => self.parsed.load(Relaxed),
            (true, 0) => read,
            (true, end) => end,
        };
        read.saturating_sub(from) + self.kept.load(Relaxed)
    }

    /// How many of the next bytes actix may have now. It is given one request at a time, so that pipelined requests wait
    /// as bytes, and each is answered when the client has taken the answer before.
    pub fn share(&self, bytes: &[u8]) -> usize {
        match self.stage() {
            Stage::Waiting => match self.end_of_head(bytes) {
                Some(end) if head::end_of_next(&bytes[end..]).is_some() => end,
                _ => bytes.len(),
            },
            Stage::Working if !self.has_body.load(Relaxed) => 0,
            Stage::Working => match self.request_end.load(Relaxed) {
                0 => bytes.len(),
                end => {
                    let rest = end.saturating_sub(self.read.load(Relaxed));
                    usize::try_from(rest).unwrap_or(usize::MAX).min(bytes.len())
                }
            },
            Stage::Receiving | Stage::Upgraded | Stage::Closing => bytes.len(),
        }
    }

    /// Where the head that is awaited ends in the next bytes.
    fn end_of_head(&self, bytes: &[u8]) -> Option<usize> {
        match self.head_begun.load(Relaxed) {
            true => head::end(self.tail.load(Relaxed), bytes),
            false => head::end_of_next(bytes),
        }
    }

    /// So many bytes wait until actix may have them.
    pub fn keeps(&self, bytes: usize) {
        self.kept.store(bytes as u64, Relaxed);
    }

    /// Bytes came from the client.
    pub fn received(&self, bytes: &[u8]) {
        let before = self.read.load(Relaxed);
        let mut tail = self.tail.load(Relaxed);
        if self.stage() == Stage::Waiting {
            if self.head_end.load(Relaxed) == 0
                && let Some(end) = self.end_of_head(bytes)
            {
                self.head_end.store(before + end as u64, Relaxed);
            }
            self.begins_head(bytes);
        }
        for byte in &bytes[bytes.len().saturating_sub(4)..] {
            tail = tail << 8 | u32::from(*byte);
        }
        self.tail.store(tail, Relaxed);
        self.read.store(before + bytes.len() as u64, Relaxed);
    }

    /// A head is due from its first byte on. Line breaks before it are passed over, as actix does, and beyond one empty
    /// line count as its beginning.
    fn begins_head(&self, bytes: &[u8]) {
        if !self.head_begun.load(Relaxed) {
            let blank = head::blank(bytes);
            self.head_begun.store(blank < bytes.len(), Relaxed);
            self.blank.fetch_add(blank as u64, Relaxed);
        }
        let is_due = self.head_begun.load(Relaxed) || self.blank.load(Relaxed) > EMPTY_LINE;
        if is_due && self.head.load(Relaxed) == 0 {
            self.head.store(self.now(), Relaxed);
        }
    }

    /// A head is complete and its request is in progress.
    pub fn begins(&self, length: Length) {
        let (read, head_end) = (self.read.load(Relaxed), self.head_end.load(Relaxed));
        let end = match length {
            Length::IfNoneMatch(length) if head_end != 0 => head_end.saturating_add(length),
            _ => 0,
        };
        self.request_end.store(end, Relaxed);
        self.parsed.store(if head_end == 0 { read } else { head_end }, Relaxed);
        self.head_end.store(0, Relaxed);
        self.head.store(0, Relaxed);
        self.blank.store(0, Relaxed);
        self.leftover.store(false, Relaxed);
        self.has_body.store(length != Length::IfNoneMatch(0), Relaxed);
        self.body.store(0, Relaxed);
        self.body_bytes.store(0, Relaxed);
        self.enter(Stage::Working);
    }

    /// The handler waits for more of the body.
    pub fn awaits_body(&self) {
        let now = self.now();
        if self.body.load(Relaxed) == 0 {
            self.body.store(now, Relaxed);
        }
        if self.stage() == Stage::Working {
            self.body_part.store(now, Relaxed);
            self.enter(Stage::Receiving);
        }
        self.reads_on();
    }

    /// The handler got a part of the body, or nothing more will come.
    pub fn got_body(&self, bytes: usize) {
        self.body_bytes.fetch_add(bytes as u64, Relaxed);
        if self.stage() == Stage::Receiving {
            self.enter(Stage::Working);
        }
    }

    /// The handler wants no more of a body that has not ended.
    pub fn leaves_body(&self) {
        self.leftover.store(true, Relaxed);
        self.got_body(0);
    }

    /// The answer turns the connection into a WebSocket.
    pub fn upgrades(&self) {
        self.enter(Stage::Upgraded);
        self.reads_on();
    }

    /// The answer has a body that nobody else shares; so much of it is left.
    pub fn holds(&self, bytes: usize) {
        self.body_left.store(bytes as u64, Relaxed);
    }

    /// The session of a WebSocket has ended: what it has sent must now be read in time.
    pub fn hangs_up(&self) {
        if self.stage() == Stage::Upgraded {
            self.enter(Stage::Closing);
            if self.is_blocked() {
                self.begins_to_block();
            }
        }
    }

    /// An answer is complete. If bytes of a next request have arrived, its head is due from now on; so is the rest of
    /// the request's own body.
    pub fn ends(&self) {
        let now = self.now();
        let (read, end, tail) = (self.read.load(Relaxed), self.request_end.load(Relaxed), self.tail.load(Relaxed));
        let is_empty_line = |bytes| bytes <= EMPTY_LINE && head::is_blank(tail, bytes);
        let ends_there = head::ends(tail) || read.checked_sub(end).is_some_and(is_empty_line);
        let is_leftover = self.leftover.load(Relaxed) && read != end;
        let was_socket = matches!(self.stage(), Stage::Upgraded | Stage::Closing);
        let is_clean = !was_socket && !is_leftover && (read == end || ends_there);
        self.leftover.store(is_leftover, Relaxed);
        self.head.store(if is_clean { 0 } else { now }, Relaxed);
        self.head_begun.store(!is_clean, Relaxed);
        self.parsed.store(if is_clean || end == 0 { read } else { end }, Relaxed);
        self.body_left.store(0, Relaxed);
        self.since.store(now, Relaxed);
        self.enter(Stage::Waiting);
        self.reads_on();
    }

    pub fn is_blocked(&self) -> bool {
        self.blocked.load(Relaxed) != 0
    }

    /// The socket takes no more; so many bytes are left.
    pub fn blocks(&self, unsent: usize) {
        if !self.is_blocked() {
            self.begins_to_block();
        }
        self.unsent.store(unsent as u64, Relaxed);
    }

    fn begins_to_block(&self) {
        let now = self.now();
        self.blocked.store(now, Relaxed);
        self.blocked_part.store(now, Relaxed);
        self.blocked_bytes.store(0, Relaxed);
    }

    /// The socket took bytes.
    pub fn sent(&self, bytes: usize) {
        if self.is_blocked() {
            self.blocked_bytes.fetch_add(bytes as u64, Relaxed);
            self.blocked_part.store(self.now(), Relaxed);
        }
    }

    /// The socket took everything. What the client was kept from sending meanwhile is due only from now on.
    pub fn unblocks(&self) {
        if self.is_blocked() {
            let now = self.now();
            self.blocked.store(0, Relaxed);
            self.unsent.store(0, Relaxed);
            self.since.store(now, Relaxed);
            if self.head.load(Relaxed) != 0 {
                self.head.store(now, Relaxed);
            }
            self.reads_on();
        }
    }

    /// Nothing is read until `Self::reads_on`.
    pub fn puts_off_reading(&self) {
        self.put_off.store(true, Relaxed);
    }

    fn reads_on(&self) {
        if self.put_off.swap(false, Relaxed) {
            self.waker.wake();
        }
    }

    /// Who is to be woken when the connection is to close, or may read again.
    pub fn register(&self, waker: &std::task::Waker) {
        self.waker.register(waker);
    }

    /// Lets the connection's task look whether it is asked to close.
    pub fn wake(&self) {
        self.waker.wake();
    }

    /// Asks the connection's task to close it; `false` if that was asked before, or the connection has ended.
    pub fn ask_to_close(&self, reason: Reason) -> bool {
        let first = self.asked.compare_exchange(0, reason as u8 + 1, Relaxed, Relaxed).is_ok();
        self.waker.wake();
        first
    }

    pub fn asked_to_close(&self) -> Option<Reason> {
        match self.asked.load(Relaxed) {
            0 => None,
            asked => reason(asked),
        }
    }

    /// The reason has gone.
    pub fn stays(&self) {
        self.asked.store(0, Relaxed);
    }

    /// The connection has ended and can no longer be asked; what it was asked for.
    pub fn leaves(&self) -> Option<Reason> {
        reason(self.asked.swap(ENDED, Relaxed))
    }
}

fn reason(asked: u8) -> Option<Reason> {
    Reason::ALL.into_iter().find(|reason| *reason as u8 + 1 == asked)
}

#[cfg(test)]
mod tests;
