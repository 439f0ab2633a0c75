//! The rules that a connection has to keep, decided from numbers alone.

use std::time::Duration;

/// The slowest rate, in bytes a second, at which a body may arrive and an answer may be read.
pub const SLOWEST: u64 = 1_024;
/// What actix is left to close an idle connection by itself, in milliseconds.
const COURTESY: u64 = 1_000;
/// How long the server must have waited for a client with a request in progress before a newcomer may take its place, in
/// milliseconds.
const PATIENCE: u64 = 1_000;

/// What one listener allows.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections open at the same time.
    pub connections: usize,
    /// How long a head may take, and how long a body or an answer may stand still.
    pub request_timeout: Duration,
    /// How long a connection may stay without a request.
    pub keep_alive: Duration,
    /// Bytes that all clients together may make the process hold: unfinished requests and unread answers.
    pub buffered: u64,
    /// How long requests in progress may take at shutdown.
    pub grace: Duration,
}

/// The most connections that are open at a time where `limit` may be: those that were asked to make room take a moment.
pub const fn most(limit: usize) -> usize {
    let closing = limit / 16;
    limit.saturating_add(if closing > 16 { closing } else { 16 })
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// No request is in progress.
    Waiting,
    /// A request is being answered.
    Working,
    /// A request's handler waits for the rest of its body.
    Receiving,
    /// The connection has become a WebSocket, which has rules of its own.
    Upgraded,
    /// The WebSocket's session has ended. The client has to take what is left.
    Closing,
}

impl Stage {
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Working, Self::Receiving, Self::Upgraded, Self::Closing];
}

/// A connection at one moment. Times are milliseconds of one clock; 0 means never.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub stage: Stage,
    /// When the last answer ended, or the connection was opened.
    pub since: u64,
    /// When the first byte of an unfinished head arrived.
    pub head: u64,
    /// Whether what is unfinished is the body of a request that has its answer.
    pub leftover: bool,
    /// When a handler began to wait for a body, since when it waits for the next part, and how much has come.
    pub body: u64,
    pub body_part: u64,
    pub body_bytes: u64,
    /// When the client stopped taking an answer, when it last took a part, and how much it has taken since.
    pub blocked: u64,
    pub blocked_part: u64,
    pub blocked_bytes: u64,
    /// Bytes that are held for the client.
    pub held: u64,
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It had no request for the keep-alive time.
    Idle,
    /// A head did not arrive in time.
    SlowHead,
    /// A body did not arrive in time.
    SlowBody,
    /// The body of an answered request never ended.
    EndlessBody,
    /// An answer was not read in time.
    Unread,
    /// The process holds too much for its clients.
    Memory,
    /// A new connection needs the place.
    Full,
}

impl Reason {
    pub const ALL: [Self; 7] =
        [Self::Idle, Self::SlowHead, Self::SlowBody, Self::EndlessBody, Self::Unread, Self::Memory, Self::Full];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::SlowHead => "slow_head",
            Self::SlowBody => "slow_body",
            Self::EndlessBody => "endless_body",
            Self::Unread => "unread",
            Self::Memory => "memory",
            Self::Full => "full",
        }
    }
}

impl Seen {
    /// The rule that the connection breaks now, if any.
    pub fn breach(&self, now: u64, limits: &Limits) -> Option<Reason> {
        let timeout = millis(limits.request_timeout);
        // Speed at first does not excuse silence later.
        let overdue = |since: u64, part: u64, bytes: u64| {
            age(now, part) > timeout || age(now, since) > timeout + bytes * 1_000 / SLOWEST
        };
        if self.stage == Stage::Upgraded {
            return None;
        }
        if self.blocked != 0 {
            return overdue(self.blocked, self.blocked_part, self.blocked_bytes).then_some(Reason::Unread);
        }
        match self.stage {
            Stage::Waiting if self.head != 0 => {
                let reason = if self.leftover { Reason::EndlessBody } else { Reason::SlowHead };
                (age(now, self.head) > timeout).then_some(reason)
            }
            Stage::Waiting => (age(now, self.since) > millis(limits.keep_alive) + COURTESY).then_some(Reason::Idle),
            Stage::Receiving => overdue(self.body, self.body_part, self.body_bytes).then_some(Reason::SlowBody),
            Stage::Working | Stage::Upgraded | Stage::Closing => None,
        }
    }

    /// Whether nothing is lost when the connection is closed now.
    pub fn is_idle(&self) -> bool {
        self.stage == Stage::Waiting && self.blocked == 0
    }

    /// Whether a new connection on a full server may take the place of this one.
    pub fn gives_way(&self, now: u64) -> bool {
        let waits = || self.awaited_since().is_some_and(|since| age(now, since) >= PATIENCE);
        !matches!(self.stage, Stage::Upgraded | Stage::Closing) && (self.is_idle() || waits())
    }

    /// Since when the server has been waiting for this client; `None` while the client waits for the server.
    pub fn awaited_since(&self) -> Option<u64> {
        match self.stage {
            _ if self.blocked != 0 => Some(self.blocked_part),
            Stage::Waiting => Some(self.since),
            Stage::Receiving => Some(self.body_part),
            Stage::Working | Stage::Upgraded | Stage::Closing => None,
        }
    }
}

fn age(now: u64, since: u64) -> u64 {
    now.saturating_sub(since)
}

pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const LIMITS: Limits = Limits {
        connections: 1,
        request_timeout: Duration::from_secs(10),
        keep_alive: Duration::from_secs(75),
        buffered: 0,
        grace: Duration::from_secs(1),
    };
    /// Opened at 1 s.
    const NEW: Seen = Seen {
        stage: Stage::Waiting,
        since: 1_000,
        head: 0,
        leftover: false,
        body: 0,
        body_part: 0,
        body_bytes: 0,
        blocked: 0,
        blocked_part: 0,
        blocked_bytes: 0,
        held: 0,
    };

    #[rstest]
    #[case::idle(NEW, 77_000, None)]
    #[case::idle_for_too_long(NEW, 77_001, Some(Reason::Idle))]
    #[case::head(Seen { head: 2_000, ..NEW }, 12_000, None)]
    #[case::slow_head(Seen { head: 2_000, ..NEW }, 12_001, Some(Reason::SlowHead))]
    #[case::leftover(Seen { head: 2_000, leftover: true, ..NEW }, 12_001, Some(Reason::EndlessBody))]
    #[case::working(Seen { stage: Stage::Working, ..NEW }, 1_000_000, None)]
    #[case::websocket(Seen { stage: Stage::Upgraded, blocked: 1, ..NEW }, 1_000_000, None)]
    #[case::closing_websocket(Seen { stage: Stage::Closing, blocked: 1, ..NEW }, 1_000_000, Some(Reason::Unread))]
    #[case::body(Seen { stage: Stage::Receiving, body: 2_000, body_part: 4_000, body_bytes: 2_048, ..NEW }, 14_000, None)]
    #[case::slow_body(Seen { stage: Stage::Receiving, body: 2_000, body_part: 13_000, body_bytes: 2_047, ..NEW }, 14_000, Some(Reason::SlowBody))]
    #[case::silent_body(Seen { stage: Stage::Receiving, body: 2_000, body_part: 3_000, body_bytes: 100_000, ..NEW }, 13_001, Some(Reason::SlowBody))]
    #[case::stopped(Seen { stage: Stage::Working, blocked: 2_000, blocked_part: 3_000, blocked_bytes: 100_000, ..NEW }, 13_001, Some(Reason::Unread))]
    #[case::read(Seen { stage: Stage::Working, blocked: 2_000, blocked_part: 9_000, blocked_bytes: 1_024, ..NEW }, 13_000, None)]
    #[case::unread(Seen { stage: Stage::Working, blocked: 2_000, blocked_part: 9_000, blocked_bytes: 1_024, ..NEW }, 13_001, Some(Reason::Unread))]
    #[case::unread_before_head(Seen { head: 1, blocked: 2_000, blocked_part: 2_000, ..NEW }, 12_000, None)]
    fn every_wait_for_a_client_has_an_end(#[case] seen: Seen, #[case] now: u64, #[case] breach: Option<Reason>) {
        assert_eq!(seen.breach(now, &LIMITS), breach);
    }

    #[rstest]
    #[case::idle(NEW, true)]
    #[case::half_a_head(Seen { head: 9_000, ..NEW }, true)]
    #[case::working(Seen { stage: Stage::Working, ..NEW }, false)]
    #[case::body_that_arrives(Seen { stage: Stage::Receiving, body_part: 9_500, ..NEW }, false)]
    #[case::body_that_stands_still(Seen { stage: Stage::Receiving, body_part: 9_000, ..NEW }, true)]
    #[case::answer_that_is_read(Seen { stage: Stage::Working, blocked: 1, blocked_part: 9_500, ..NEW }, false)]
    #[case::answer_that_is_not_read(Seen { stage: Stage::Working, blocked: 1, blocked_part: 9_000, ..NEW }, true)]
    #[case::websocket(Seen { stage: Stage::Upgraded, blocked: 1, blocked_part: 1, ..NEW }, false)]
    fn a_newcomer_takes_the_place_of_a_client_that_the_server_waits_for(#[case] seen: Seen, #[case] gives_way: bool) {
        assert_eq!(seen.gives_way(10_000), gives_way);
    }
}
