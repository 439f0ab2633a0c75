//! The record of one connection: its task writes it, and the supervisor reads it.
//!
//! Only the connection's task writes the record, except for [`Activity::ask_to_close`]. Relaxed operations suffice: the
//! supervisor only asks the task to close, and the task decides.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use futures_util::task::AtomicWaker;

use super::head;
use super::rules::{ConnectionState, Reason, Stage};
use super::ticks::Ticks;

/// Bytes of line breaks that may precede a head without being part of it: one empty line (RFC 9112, section 2.2).
const EMPTY_LINE: u64 = 2;
/// The mark of a closed connection, in place of a reason.
const ENDED: u8 = u8::MAX;

/// The length of a request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// The value of Content-Length, or 0 without a body.
    Exact(u64),
    /// The body is chunked.
    Unknown,
}

/// The record of one connection. Times are in milliseconds; 0 means never.
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
    /// Bytes of answers that the socket does not accept yet.
    unsent: AtomicU64,
    /// Bytes of the answer's body that are not encoded yet, if no other answer shares their memory.
    body_left: AtomicU64,
    /// Bytes read from the socket, and the position up to which they are no longer held.
    read: AtomicU64,
    parsed: AtomicU64,
    /// Bytes of line breaks before the next head, and whether its first other byte has arrived.
    blank: AtomicU64,
    head_begun: AtomicBool,
    /// Where the first head since the last answer ends, and where its request ends. 0 means unknown.
    head_end: AtomicU64,
    request_end: AtomicU64,
    /// Whether the request in progress has a body.
    has_body: AtomicBool,
    /// Bytes that were read but not given to actix.
    kept: AtomicU64,
    /// The last four bytes that were given to actix.
    tail: AtomicU32,
    /// Whether reading is paused until the answer is written.
    is_paused: AtomicBool,
    /// The reason to close, as its number plus 1. 0 means none.
    asked: AtomicU8,
    waker: AtomicWaker,
}

impl Activity {
    /// The record of a new connection, which waits for its first head.
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
            is_paused: AtomicBool::new(false),
            asked: AtomicU8::new(0),
            waker: AtomicWaker::new(),
        }
    }

    /// The state of the connection, for the rules.
    pub fn state(&self) -> ConnectionState {
        let stage = self.stage();
        let held = match stage {
            Stage::Upgraded | Stage::Closing => self.unsent.load(Relaxed),
            _ if self.is_blocked() => self.unanswered() + self.unsent.load(Relaxed) + self.body_left.load(Relaxed),
            _ => self.unanswered(),
        };
        ConnectionState {
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
    /// and the bytes after it. A body that its handler dropped is discarded as it arrives.
    fn unanswered(&self) -> u64 {
        let read = self.read.load(Relaxed);
        let from = match (self.leftover.load(Relaxed), self.request_end.load(Relaxed)) {
            (false, _) => self.parsed.load(Relaxed),
            (true, 0) => read,
            (true, end) => end,
        };
        read.saturating_sub(from) + self.kept.load(Relaxed)
    }

    /// How many of the next bytes actix gets now. actix gets one request at a time. Pipelined requests wait as bytes,
    /// and each is answered after the client has received the answer before.
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

    /// Sets the number of bytes that wait for actix.
    pub fn set_kept(&self, bytes: usize) {
        self.kept.store(bytes as u64, Relaxed);
    }

    /// Records bytes that were given to actix.
    pub fn received(&self, bytes: &[u8]) {
        let before = self.read.load(Relaxed);
        let mut tail = self.tail.load(Relaxed);
        if self.stage() == Stage::Waiting {
            if self.head_end.load(Relaxed) == 0
                && let Some(end) = self.end_of_head(bytes)
            {
                self.head_end.store(before + end as u64, Relaxed);
            }
            self.note_head(bytes);
        }
        for byte in &bytes[bytes.len().saturating_sub(4)..] {
            tail = tail << 8 | u32::from(*byte);
        }
        self.tail.store(tail, Relaxed);
        self.read.store(before + bytes.len() as u64, Relaxed);
    }

    /// Starts the time limit of a head at its first byte. Line breaks before a head are skipped, as actix does. More
    /// than one empty line counts as the beginning of a head.
    fn note_head(&self, bytes: &[u8]) {
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

    /// A head is complete, and its request begins.
    pub fn begin(&self, length: Length) {
        let (read, head_end) = (self.read.load(Relaxed), self.head_end.load(Relaxed));
        let end = match length {
            Length::Exact(length) if head_end != 0 => head_end.saturating_add(length),
            _ => 0,
        };
        self.request_end.store(end, Relaxed);
        self.parsed.store(if head_end == 0 { read } else { head_end }, Relaxed);
        self.head_end.store(0, Relaxed);
        self.head.store(0, Relaxed);
        self.blank.store(0, Relaxed);
        self.leftover.store(false, Relaxed);
        self.has_body.store(length != Length::Exact(0), Relaxed);
        self.body.store(0, Relaxed);
        self.body_bytes.store(0, Relaxed);
        self.enter(Stage::Working);
    }

    /// The handler waits for the next part of the body.
    pub fn wait_for_body(&self) {
        let now = self.now();
        if self.body.load(Relaxed) == 0 {
            self.body.store(now, Relaxed);
        }
        if self.stage() == Stage::Working {
            self.body_part.store(now, Relaxed);
            self.enter(Stage::Receiving);
        }
        self.resume_reading();
    }

    /// The handler received a part of the body, or the body has ended.
    pub fn receive_body(&self, bytes: usize) {
        self.body_bytes.fetch_add(bytes as u64, Relaxed);
        if self.stage() == Stage::Receiving {
            self.enter(Stage::Working);
        }
    }

    /// The handler dropped a body that has not ended.
    pub fn drop_body(&self) {
        self.leftover.store(true, Relaxed);
        self.receive_body(0);
    }

    /// The connection becomes a WebSocket.
    pub fn upgrade(&self) {
        self.enter(Stage::Upgraded);
        self.resume_reading();
    }

    /// Sets how many bytes of the answer's body are left, if no other answer shares them.
    pub fn set_body_left(&self, bytes: usize) {
        self.body_left.store(bytes as u64, Relaxed);
    }

    /// The session of a WebSocket has ended. The client must read the remaining bytes in time.
    pub fn session_ended(&self) {
        if self.stage() == Stage::Upgraded {
            self.enter(Stage::Closing);
            if self.is_blocked() {
                self.start_block();
            }
        }
    }

    /// An answer is complete. If bytes of the next request have arrived, the time limit of its head begins now. The
    /// same holds for the rest of the present request's body.
    pub fn end(&self) {
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
        self.resume_reading();
    }

    pub fn is_blocked(&self) -> bool {
        self.blocked.load(Relaxed) != 0
    }

    /// The socket accepts no more bytes; `unsent` bytes are left.
    pub fn block(&self, unsent: usize) {
        if !self.is_blocked() {
            self.start_block();
        }
        self.unsent.store(unsent as u64, Relaxed);
    }

    fn start_block(&self) {
        let now = self.now();
        self.blocked.store(now, Relaxed);
        self.blocked_part.store(now, Relaxed);
        self.blocked_bytes.store(0, Relaxed);
    }

    /// The socket accepted bytes.
    pub fn sent(&self, bytes: usize) {
        if self.is_blocked() {
            self.blocked_bytes.fetch_add(bytes as u64, Relaxed);
            self.blocked_part.store(self.now(), Relaxed);
        }
    }

    /// The socket accepted all bytes. The time limit of a head that waited meanwhile begins now.
    pub fn unblock(&self) {
        if self.is_blocked() {
            let now = self.now();
            self.blocked.store(0, Relaxed);
            self.unsent.store(0, Relaxed);
            self.since.store(now, Relaxed);
            if self.head.load(Relaxed) != 0 {
                self.head.store(now, Relaxed);
            }
            self.resume_reading();
        }
    }

    /// Pauses reading until `Self::resume_reading`.
    pub fn pause_reading(&self) {
        self.is_paused.store(true, Relaxed);
    }

    fn resume_reading(&self) {
        if self.is_paused.swap(false, Relaxed) {
            self.waker.wake();
        }
    }

    /// Sets the waker for a close and for the end of a pause.
    pub fn register(&self, waker: &std::task::Waker) {
        self.waker.register(waker);
    }

    /// Wakes the connection's task, which checks whether it is asked to close.
    pub fn wake(&self) {
        self.waker.wake();
    }

    /// Asks the connection's task to close. `false` if it was asked before, or if the connection is closed.
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

    /// Withdraws the request to close.
    pub fn withdraw_close(&self) {
        self.asked.store(0, Relaxed);
    }

    /// Marks the connection as closed: it can no longer be asked. Returns the reason for which it was asked.
    pub fn close_for_good(&self) -> Option<Reason> {
        reason(self.asked.swap(ENDED, Relaxed))
    }
}

fn reason(asked: u8) -> Option<Reason> {
    Reason::ALL.into_iter().find(|reason| *reason as u8 + 1 == asked)
}

#[cfg(test)]
mod tests;
