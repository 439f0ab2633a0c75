//! One connection, from the handshake to the farewell: one task, which reads, writes and keeps the time.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::dashboard::{Dashboard, error};
use super::pace::Pace;
use super::request::{self, Misunderstanding};
use super::socket::Inbox;
use super::socket::decoder::{Broken, Heard};
use super::socket::encoder;
use super::socket::outbox::{Gone, Outbox};
use super::{Options, close, words};
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::shutdown::Draining;

/// Why a conversation is over.
enum Over {
    /// The client has gone.
    Gone,
    Because(CloseFrame),
}

/// Talks until one of the two has enough.
pub async fn run(inbox: Inbox, outbox: Outbox, dashboard: Dashboard, options: &Options, draining: Draining) {
    let mut line = Line { outbox, dashboard, options, pace: Pace::new(options.frames_per_sec) };
    let over = tokio::select! {
        biased;
        () = draining.begun() => Over::Because(close::going_away()),
        over = line.converse(inbox) => over,
    };
    if let Over::Because(reason) = over {
        tracing::debug!(?reason, "a dashboard is sent away");
        line.outbox.close(encoder::close(&reason));
    }
}

/// One end of a conversation.
struct Line<'a> {
    outbox: Outbox,
    dashboard: Dashboard,
    options: &'a Options,
    pace: Pace,
}

impl Line<'_> {
    async fn converse(&mut self, mut inbox: Inbox) -> Over {
        let mut silence = Silence::new(self.options.idle);
        loop {
            let said = tokio::select! {
                biased;
                heard = inbox.next() => {
                    silence.broken();
                    self.hear(heard).await
                }
                patience = silence.goes_on() => match patience {
                    true => self.send(encoder::ping()).await,
                    false => Err(Over::Because(close::policy("nothing was heard from the client for too long"))),
                },
                news = self.dashboard.news() => {
                    let frames = self.dashboard.tell(news).await;
                    self.say(frames).await
                }
            };
            if let Err(over) = said {
                return over;
            }
        }
    }

    /// Every frame counts, whatever it is: fragments, pings and pongs too.
    async fn hear(&mut self, heard: Option<Result<Heard, Broken>>) -> Result<(), Over> {
        let heard = match heard {
            Some(Ok(heard)) => heard,
            Some(Err(broken)) => return Err(Over::Because(close::broken(broken))),
            None => return Err(Over::Gone),
        };
        if !self.pace.keeps() {
            let problem = Problem::of(Code::TooManyFrames).retry_after_secs(1);
            self.send(words::write(&error(None, &problem))).await?;
            return Err(Over::Because(close::policy("too many frames in a second")));
        }
        match heard {
            Heard::Text(text) => self.answer(&text).await,
            Heard::Ping(payload) => self.send(encoder::pong(&payload)).await,
            Heard::Fragment | Heard::Pong => Ok(()),
            Heard::Close(reason) => Err(Over::Because(reason.unwrap_or_else(close::goodbye))),
        }
    }

    async fn answer(&mut self, text: &str) -> Result<(), Over> {
        let frame = match request::read(text, self.options) {
            Ok(request) => self.dashboard.serve(request).await,
            Err(Misunderstanding { id, problem }) => Some(error(id, &problem)),
        };
        self.say(frame.iter().map(words::write)).await
    }

    async fn say(&mut self, frames: impl IntoIterator<Item = Bytes>) -> Result<(), Over> {
        for frame in frames {
            self.send(frame).await?;
        }
        Ok(())
    }

    /// Sends, unless the client does not take what it was sent before.
    async fn send(&mut self, frame: Bytes) -> Result<(), Over> {
        match timeout(self.options.idle, self.outbox.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Gone)) => Err(Over::Gone),
            Err(_) => Err(Over::Because(close::too_slow())),
        }
    }
}

/// How long nothing has been heard.
struct Silence {
    limit: Duration,
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Silence {
    fn new(limit: Duration) -> Self {
        let since = Instant::now();
        Self { limit, since, timer: Box::pin(sleep_until(since + limit / 3)) }
    }

    fn broken(&mut self) {
        self.since = Instant::now();
    }

    /// Returns now and then: `true` as long as there is hope.
    async fn goes_on(&mut self) -> bool {
        self.timer.as_mut().await;
        let next = Instant::now() + self.limit / 3;
        self.timer.as_mut().reset(next);
        self.since.elapsed() < self.limit
    }
}
