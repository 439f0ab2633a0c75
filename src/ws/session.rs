//! One connection, from the handshake to the farewell: one task, which reads, writes and keeps the time.

use std::pin::Pin;
use std::time::Duration;

use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseReason, ProtocolError, Session};
use bytestring::ByteString;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::dashboard::{Dashboard, error};
use super::pace::Pace;
use super::request::{self, Misunderstanding};
use super::{Options, close, words};
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::shutdown::Draining;

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why a conversation is over.
enum Over {
    /// The client has gone.
    Gone,
    Because(CloseReason),
}

/// Talks until one of the two has enough.
pub async fn run(
    session: Session,
    messages: AggregatedMessageStream,
    dashboard: Dashboard,
    options: &Options,
    draining: Draining,
) {
    let over = tokio::select! {
        biased;
        () = draining.begun() => Over::Because(close::going_away()),
        over = converse(session.clone(), messages, dashboard, options) => over,
    };
    if let Over::Because(reason) = over {
        tracing::debug!(?reason, "a dashboard is sent away");
        let _ = timeout(FAREWELL, session.close(Some(reason))).await;
    }
}

async fn converse(
    session: Session,
    mut messages: AggregatedMessageStream,
    dashboard: Dashboard,
    options: &Options,
) -> Over {
    let mut line = Line { session, dashboard, options, pace: Pace::new(options.frames_per_sec) };
    let mut silence = Silence::new(options.idle);
    loop {
        let said = tokio::select! {
            biased;
            message = messages.recv() => {
                silence.broken();
                line.hear(message).await
            }
            patience = silence.goes_on() => match patience {
                true => line.ping().await,
                false => Err(Over::Because(close::policy("nothing was heard from the client for too long"))),
            },
            news = line.dashboard.news() => {
                let frames = line.dashboard.tell(news).await;
                line.say(frames).await
            }
        };
        if let Err(over) = said {
            return over;
        }
    }
}

/// The two ends of a conversation.
struct Line<'a> {
    session: Session,
    dashboard: Dashboard,
    options: &'a Options,
    pace: Pace,
}

impl Line<'_> {
    async fn hear(&mut self, message: Option<Result<AggregatedMessage, ProtocolError>>) -> Result<(), Over> {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(Over::Because(close::protocol(&error))),
            None => return Err(Over::Gone),
        };
        if !self.pace.keeps() {
            let problem = Problem::of(Code::TooManyFrames).retry_after_secs(1);
            self.say([words::write(&error(None, &problem))]).await?;
            return Err(Over::Because(close::policy("too many messages in a second")));
        }
        match message {
            AggregatedMessage::Text(text) => self.answer(&text).await,
            AggregatedMessage::Binary(_) => Err(Over::Because(close::binary())),
            AggregatedMessage::Ping(payload) => self.within(async |it| it.session.pong(&payload).await).await,
            AggregatedMessage::Pong(_) => Ok(()),
            AggregatedMessage::Close(reason) => Err(Over::Because(reason.unwrap_or_else(close::goodbye))),
        }
    }

    async fn answer(&mut self, text: &str) -> Result<(), Over> {
        let frame = match request::read(text, self.options) {
            Ok(request) => self.dashboard.serve(request).await,
            Err(Misunderstanding { id, problem }) => Some(error(id, &problem)),
        };
        self.say(frame.iter().map(words::write)).await
    }

    async fn say(&mut self, frames: impl IntoIterator<Item = ByteString>) -> Result<(), Over> {
        for frame in frames {
            self.within(async |it| it.session.text(frame).await).await?;
        }
        Ok(())
    }

    async fn ping(&mut self) -> Result<(), Over> {
        self.within(async |it| it.session.ping(b"").await).await
    }

    /// Sends, unless the client does not take what it was sent before.
    async fn within(&mut self, send: impl AsyncFnOnce(&mut Self) -> Result<(), actix_ws::Closed>) -> Result<(), Over> {
        let patience = self.options.idle;
        match timeout(patience, send(self)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Over::Gone),
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
