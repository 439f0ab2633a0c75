//! One connection after its handshake. One task reads, writes and enforces the time limits.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::dashboard::{Dashboard, error};
use super::pace::Pace;
use super::request::{self, InvalidFrame};
use super::socket::Inbox;
use super::socket::decoder::{DecodeError, Received};
use super::socket::encoder;
use super::socket::outbox::{Gone, Outbox};
use super::{Options, close, render};
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::shutdown::Draining;

/// Why a session ends.
enum End {
    /// The connection is closed.
    Disconnected,
    /// The server closes the connection with this frame.
    Close(CloseFrame),
}

/// Runs the session until the client or the server ends it.
pub async fn run(inbox: Inbox, outbox: Outbox, dashboard: Dashboard, options: &Options, draining: Draining) {
    let mut session = Session { outbox, dashboard, options, pace: Pace::new(options.frames_per_sec) };
    let end = tokio::select! {
        biased;
        () = draining.begun() => End::Close(close::going_away()),
        end = session.serve(inbox) => end,
    };
    if let End::Close(reason) = end {
        tracing::debug!(?reason, "the server closes a WebSocket");
        session.outbox.close(encoder::close(&reason));
    }
}

/// The server's side of a connection.
struct Session<'a> {
    outbox: Outbox,
    dashboard: Dashboard,
    options: &'a Options,
    pace: Pace,
}

impl Session<'_> {
    async fn serve(&mut self, mut inbox: Inbox) -> End {
        let mut idle = IdleTimer::new(self.options.idle);
        loop {
            let result = tokio::select! {
                biased;
                received = inbox.next() => {
                    idle.reset();
                    self.receive(received).await
                }
                within_limit = idle.tick() => match within_limit {
                    true => self.send(encoder::ping()).await,
                    false => Err(End::Close(close::policy("the client sent nothing within the idle time"))),
                },
                news = self.dashboard.news() => {
                    let frames = self.dashboard.render(news).await;
                    self.send_all(frames).await
                }
            };
            if let Err(end) = result {
                return end;
            }
        }
    }

    /// Counts and handles a frame. Fragments, pings and pongs count too.
    async fn receive(&mut self, received: Option<Result<Received, DecodeError>>) -> Result<(), End> {
        let received = match received {
            Some(Ok(received)) => received,
            Some(Err(error)) => return Err(End::Close(close::decode_error(error))),
            None => return Err(End::Disconnected),
        };
        if !self.pace.allows() {
            let problem = Problem::of(Code::TooManyFrames).retry_after_secs(1);
            self.send(render::frame(&error(None, &problem))).await?;
            return Err(End::Close(close::policy("too many frames per second")));
        }
        match received {
            Received::Text(text) => self.answer(&text).await,
            Received::Ping(payload) => self.send(encoder::pong(&payload)).await,
            Received::Fragment | Received::Pong => Ok(()),
            Received::Close(reason) => Err(End::Close(reason.unwrap_or_else(close::normal))),
        }
    }

    async fn answer(&mut self, text: &str) -> Result<(), End> {
        let frame = match request::read(text, self.options) {
            Ok(request) => self.dashboard.serve(request).await,
            Err(InvalidFrame { id, problem }) => Some(error(id, &problem)),
        };
        self.send_all(frame.iter().map(render::frame)).await
    }

    async fn send_all(&mut self, frames: impl IntoIterator<Item = Bytes>) -> Result<(), End> {
        for frame in frames {
            self.send(frame).await?;
        }
        Ok(())
    }

    /// Sends a frame. Ends the session if the client does not read earlier frames in time.
    async fn send(&mut self, frame: Bytes) -> Result<(), End> {
        match timeout(self.options.idle, self.outbox.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Gone)) => Err(End::Disconnected),
            Err(_) => Err(End::Close(close::too_slow())),
        }
    }
}

/// The time since the last frame of the client.
struct IdleTimer {
    limit: Duration,
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl IdleTimer {
    fn new(limit: Duration) -> Self {
        let since = Instant::now();
        Self { limit, since, timer: Box::pin(sleep_until(since + limit / 3)) }
    }

    fn reset(&mut self) {
        self.since = Instant::now();
    }

    /// Waits for a third of the limit. `true` while the client is within the limit.
    async fn tick(&mut self) -> bool {
        self.timer.as_mut().await;
        let next = Instant::now() + self.limit / 3;
        self.timer.as_mut().reset(next);
        self.since.elapsed() < self.limit
    }
}
