//! The rules of a connection, as pure functions of its record.

use std::time::Duration;

/// The slowest rate at which a body may arrive and an answer may be read, in bytes per second.
pub const SLOWEST: u64 = 1_024;
/// Extra milliseconds in which actix closes an idle connection itself.
const ACTIX_CLOSES_WITHIN: u64 = 1_000;
/// How long the server must have waited for a client with a request in progress before a new connection may replace its
/// connection, in milliseconds.
const EVICTED_AFTER: u64 = 1_000;

/// The limits of one listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Open connections.
    pub connections: usize,
    /// How long a head may take, and how long a body or an answer may pause.
    pub request_timeout: Duration,
    /// How long a connection may stay open without a request.
    pub keep_alive: Duration,
    /// Bytes of unfinished requests and unread answers, for all clients together.
    pub buffered: u64,
    /// How long requests in progress may take during a shutdown.
    pub grace: Duration,
}

/// The most open connections with this limit. Connections that were asked to close take a moment.
pub const fn most(limit: usize) -> usize {
    let closing = limit / 16;
    limit.saturating_add(if closing > 16 { closing } else { 16 })
}

/// The stage of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// No request is in progress.
    Waiting,
    /// A handler answers a request.
    Working,
    /// A handler waits for the rest of the body.
    Receiving,
    /// The connection is a WebSocket. `ws` has its rules.
    Upgraded,
    /// The session of the WebSocket has ended. The client must read the remaining bytes in time.
    Closing,
}

impl Stage {
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Working, Self::Receiving, Self::Upgraded, Self::Closing];
}

/// A snapshot of a connection's record. Times are in milliseconds; 0 means never.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionState {
    pub stage: Stage,
    /// When the last answer ended, or the connection opened.
    pub since: u64,
    /// When the first byte of an unfinished head arrived.
    pub head: u64,
    /// Whether the unfinished bytes are the body of an answered request.
    pub leftover: bool,
    /// When a handler began to wait for a body, when it began to wait for the next part, and how many bytes arrived.
    pub body: u64,
    pub body_part: u64,
    pub body_bytes: u64,
    /// When the client stopped reading an answer, when it last read a part, and how many bytes it has read since.
    pub blocked: u64,
    pub blocked_part: u64,
    pub blocked_bytes: u64,
    /// Bytes that the process holds for the client.
    pub held: u64,
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The connection had no request for the keep-alive time.
    Idle,
    /// A head did not arrive in time.
    SlowHead,
    /// A body did not arrive in time.
    SlowBody,
    /// The body of an answered request did not end in time.
    EndlessBody,
    /// An answer was not read in time.
    Unread,
    /// The process holds too many bytes for its clients.
    Memory,
    /// The server is full, and a new connection replaces this one.
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

impl ConnectionState {
    /// The rule that the connection breaks, if any.
    pub fn breach(&self, now: u64, limits: &Limits) -> Option<Reason> {
        let timeout = millis(limits.request_timeout);
        // A fast beginning does not allow a long pause later.
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
            Stage::Waiting => {
                (age(now, self.since) > millis(limits.keep_alive) + ACTIX_CLOSES_WITHIN).then_some(Reason::Idle)
            }
            Stage::Receiving => overdue(self.body, self.body_part, self.body_bytes).then_some(Reason::SlowBody),
            Stage::Working | Stage::Upgraded | Stage::Closing => None,
        }
    }

    /// Whether closing the connection now loses nothing.
    pub fn is_idle(&self) -> bool {
        self.stage == Stage::Waiting && self.blocked == 0
    }

    /// Whether a new connection on a full server may replace this one.
    pub fn is_evictable(&self, now: u64) -> bool {
        let waits = || self.awaited_since().is_some_and(|since| age(now, since) >= EVICTED_AFTER);
        !matches!(self.stage, Stage::Upgraded | Stage::Closing) && (self.is_idle() || waits())
    }

    /// Since when the server waits for the client. `None` while the client waits for the server.
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
    const NEW: ConnectionState = ConnectionState {
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
    #[case::head(ConnectionState { head: 2_000, ..NEW }, 12_000, None)]
    #[case::slow_head(ConnectionState { head: 2_000, ..NEW }, 12_001, Some(Reason::SlowHead))]
    #[case::leftover(ConnectionState { head: 2_000, leftover: true, ..NEW }, 12_001, Some(Reason::EndlessBody))]
    #[case::working(ConnectionState { stage: Stage::Working, ..NEW }, 1_000_000, None)]
    #[case::websocket(ConnectionState { stage: Stage::Upgraded, blocked: 1, ..NEW }, 1_000_000, None)]
    #[case::closing_websocket(ConnectionState { stage: Stage::Closing, blocked: 1, ..NEW }, 1_000_000, Some(Reason::Unread))]
    #[case::body(ConnectionState { stage: Stage::Receiving, body: 2_000, body_part: 4_000, body_bytes: 2_048, ..NEW }, 14_000, None)]
    #[case::slow_body(ConnectionState { stage: Stage::Receiving, body: 2_000, body_part: 13_000, body_bytes: 2_047, ..NEW }, 14_000, Some(Reason::SlowBody))]
    #[case::silent_body(ConnectionState { stage: Stage::Receiving, body: 2_000, body_part: 3_000, body_bytes: 100_000, ..NEW }, 13_001, Some(Reason::SlowBody))]
    #[case::stopped(ConnectionState { stage: Stage::Working, blocked: 2_000, blocked_part: 3_000, blocked_bytes: 100_000, ..NEW }, 13_001, Some(Reason::Unread))]
    #[case::read(ConnectionState { stage: Stage::Working, blocked: 2_000, blocked_part: 9_000, blocked_bytes: 1_024, ..NEW }, 13_000, None)]
    #[case::unread(ConnectionState { stage: Stage::Working, blocked: 2_000, blocked_part: 9_000, blocked_bytes: 1_024, ..NEW }, 13_001, Some(Reason::Unread))]
    #[case::unread_before_head(ConnectionState { head: 1, blocked: 2_000, blocked_part: 2_000, ..NEW }, 12_000, None)]
    fn every_wait_for_a_client_has_an_end(
        #[case] state: ConnectionState,
        #[case] now: u64,
        #[case] breach: Option<Reason>,
    ) {
        assert_eq!(state.breach(now, &LIMITS), breach);
    }

    #[rstest]
    #[case::idle(NEW, true)]
    #[case::half_a_head(ConnectionState { head: 9_000, ..NEW }, true)]
    #[case::working(ConnectionState { stage: Stage::Working, ..NEW }, false)]
    #[case::body_that_arrives(ConnectionState { stage: Stage::Receiving, body_part: 9_500, ..NEW }, false)]
    #[case::body_that_stands_still(ConnectionState { stage: Stage::Receiving, body_part: 9_000, ..NEW }, true)]
    #[case::answer_that_is_read(ConnectionState { stage: Stage::Working, blocked: 1, blocked_part: 9_500, ..NEW }, false)]
    #[case::answer_that_is_not_read(ConnectionState { stage: Stage::Working, blocked: 1, blocked_part: 9_000, ..NEW }, true)]
    #[case::websocket(ConnectionState { stage: Stage::Upgraded, blocked: 1, blocked_part: 1, ..NEW }, false)]
    fn a_newcomer_takes_the_place_of_a_client_that_the_server_waits_for(
        #[case] state: ConnectionState,
        #[case] is_evictable: bool,
    ) {
        assert_eq!(state.is_evictable(10_000), is_evictable);
    }
}
