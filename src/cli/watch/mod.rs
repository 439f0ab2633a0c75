//! `innkeeper watch`: the nights of a hotel, live.
//!
//! Owns two views of a [`Projection`](crate::client::Projection): a table that redraws itself in a terminal ([`table`]),
//! and one line per frame elsewhere ([`mod@line`]). The WebSocket belongs to [`crate::client`].
//!
//! Invariant: every night on the screen was committed, and changes appear in the order of their commits. A lost connection
//! is opened again with growing pauses, and resumes after the last sequence number. At midnight of the hotel the window
//! moves to the next day.

mod cell;
mod choose;
mod hotel_info;
mod keys;
mod line;
mod show;
mod table;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::ToSpan;
use uuid::Uuid;

use self::hotel_info::HotelInfo;
use self::show::Show;
use super::Outcome;
use crate::client::{Client, Error, Live, Subscription, Watched};
use crate::domain::Date;
use crate::shutdown::Signals;

/// Show the nights of a hotel, and every change within milliseconds.
///
/// In a terminal, it draws a table of nights and room types. Colours show how full a night is, and a change is
/// highlighted for a moment. Arrows (or h, j, k, l), PgUp, PgDn and Space scroll. Home (or g) returns to the first night,
/// and q ends the program. Elsewhere, it prints one line per change. A lost connection is opened again, and no change is
/// missed. Ctrl+C ends the program.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Watch {
    /// Address of the server: http://host:port
    url: String,
    /// All room types of this hotel. Without --hotel and --room-type, the command lists the hotels.
    #[arg(long, value_name = "ID", conflicts_with = "room_type")]
    hotel: Option<Uuid>,
    /// Only these room types.
    #[arg(long, value_name = "ID", num_args = 1..)]
    room_type: Vec<Uuid>,
    /// The first night. Default: today at the hotel. The window moves at midnight.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Number of nights.
    #[arg(long, value_name = "N", default_value = "14", value_parser = clap::value_parser!(u16).range(1..=366))]
    nights: u16,
}

const EXAMPLES: &str = "\
Examples:
  innkeeper watch http://127.0.0.1:8080
  innkeeper watch http://127.0.0.1:8080 --hotel 0190f3a2-…
  innkeeper watch http://127.0.0.1:8080 --room-type 0190f3a2-… 0190f3a3-… --from 2027-07-01 --nights 31
  innkeeper watch http://127.0.0.1:8080 --hotel 0190f3a2-… | grep cancelled

To make bookings that it can show: innkeeper storm http://127.0.0.1:8080 --mix churn";

/// The first and the longest pause before the connection is opened again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// The shortest time between two drawings of the table.
const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// Why the stream ended.
enum Ended {
    Failed(Error),
    /// The window of nights moves to the next day.
    NewDay,
    /// The user pressed the key that ends the program.
    Quit,
}

impl Watch {
    pub async fn run(&self) -> anyhow::Result<Outcome> {
        // The command repeats requests by itself, and reports a server that cannot be reached at once.
        let client = Client::at(&self.url)?.with_attempts(1);
        if !self.room_type.is_empty() {
            return self.watch_until_signal(&client, Watched::RoomTypes(self.room_type.clone())).await;
        }
        let hotel = match self.hotel {
            Some(hotel) => Some(hotel),
            // No signal handler yet: a signal ends the program while a person chooses.
            None => choose::hotel(&client, &self.url).await?,
        };
        match hotel {
            Some(hotel) => self.watch_until_signal(&client, Watched::Hotel(hotel)).await,
            None => Ok(Outcome::Done),
        }
    }

    async fn watch_until_signal(&self, client: &Client, watched: Watched) -> anyhow::Result<Outcome> {
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        tokio::select! {
            ended = self.watch(client, &watched) => ended.map(|()| Outcome::Done),
            _ = signals.next() => Ok(Outcome::Done),
        }
    }

    /// Ends when the user quits, the server refuses the subscription, or the output fails.
    async fn watch(&self, client: &Client, watched: &Watched) -> anyhow::Result<()> {
        let mut show = Show::new(&self.url)?;
        let mut pauses = pauses();
        loop {
            show.hotel.learn(client, watched).await;
            let first = self.first_night(&show.hotel);
            let ended = match client.watch(&self.subscription(watched, first, show.seen(first))).await {
                Ok(live) => self.follow(live, first, &mut show, || pauses = self::pauses()).await?,
                Err(error) => Ended::Failed(error),
            };
            match ended {
                Ended::Failed(error) if error.is_temporary() => {
                    let pause = pauses.next().unwrap_or(LONGEST_PAUSE);
                    show.lost(&error.into(), pause)?;
                    tokio::time::sleep(pause).await;
                }
                Ended::Failed(error) => return Err(error.into()),
                Ended::NewDay => {}
                Ended::Quit => return Ok(()),
            }
        }
    }

    /// Shows frames until the stream ends. Calls `heard` for each frame.
    async fn follow(
        &self,
        mut live: Live,
        first: Date,
        show: &mut Show,
        mut heard: impl FnMut(),
    ) -> anyhow::Result<Ended> {
        show.connected();
        let mut tick = tokio::time::interval(REDRAW_EVERY);
        loop {
            tokio::select! {
                frame = live.next() => match frame {
                    Ok(frame) => {
                        heard();
                        show.frame(&frame)?;
                    }
                    Err(error) => return Ok(Ended::Failed(error)),
                },
                _ = tick.tick() => show.refresh()?,
            }
            if show.is_over() {
                return Ok(Ended::Quit);
            }
            if self.first_night(&show.hotel) != first {
                return Ok(Ended::NewDay);
            }
        }
    }

    fn first_night(&self, hotel: &HotelInfo) -> Date {
        self.from.unwrap_or_else(|| hotel.today())
    }

    fn subscription(&self, watched: &Watched, from: Date, seen: BTreeMap<Uuid, u64>) -> Subscription {
        let to = from.saturating_add(i64::from(self.nights).days());
        Subscription { watched: watched.clone(), from, to, seen }
    }
}

/// Growing pauses with jitter, so that many clients do not reconnect at the same moment.
fn pauses() -> impl Iterator<Item = Duration> {
    let pauses = ExponentialBuilder::default().with_min_delay(SHORTEST_PAUSE).with_max_delay(LONGEST_PAUSE);
    pauses.with_jitter().without_max_times().build()
}
