//! `innkeeper watch`: the nights of a hotel, live.
//!
//! Owns a WebSocket client of `/v1/ws` ([`link`]), the projection it draws ([`projection`]) and two ways to show it: a table
//! that redraws itself in a terminal ([`table`]), and a line per frame anywhere else ([`mod@line`]). It knows the protocol
//! and nothing of the server.
//!
//! Invariant: what is shown was committed, in order. When the connection is lost it comes back by itself, later and
//! later, and goes on after the last sequence it has seen. When the hotel's day ends the window moves on.

mod cell;
mod choose;
mod hotel_info;
mod keys;
mod line;
mod link;
mod projection;
mod show;
mod table;
#[cfg(test)]
mod testing;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::ToSpan;
use uuid::Uuid;

use self::hotel_info::HotelInfo;
use self::link::{Ended, Link};
use self::show::Show;
use super::Outcome;
use super::remote::Remote;
use crate::domain::Date;
use crate::http::value::Day;
use crate::shutdown::Signals;
use crate::ws::frame::{After, Id, Subscribe};

/// Watch nights change, the moment they do.
///
/// In a terminal: a table of nights and room types, coloured by how full they are; what has just changed lights up.
/// Arrows (or h, j, k, l), PgUp, PgDn and Space scroll, Home (or g) returns to the first night, q ends it. Elsewhere: a line for every change. It reconnects by itself and misses
/// nothing. Ctrl+C ends it.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Watch {
    /// Where the server is: http://host:port
    url: String,
    /// All room types of a hotel. Without it and without --room-type, the hotels are listed to choose from.
    #[arg(long, value_name = "ID", conflicts_with = "room_type")]
    hotel: Option<Uuid>,
    /// These room types.
    #[arg(long, value_name = "ID", num_args = 1..)]
    room_type: Vec<Uuid>,
    /// The first night. Default: the hotel's today, and tomorrow its tomorrow.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// How many nights.
    #[arg(long, value_name = "N", default_value = "14", value_parser = clap::value_parser!(u16).range(1..=366))]
    nights: u16,
}

const EXAMPLES: &str = "\
Examples:
  innkeeper watch http://127.0.0.1:8080
  innkeeper watch http://127.0.0.1:8080 --hotel 0190f3a2-…
  innkeeper watch http://127.0.0.1:8080 --room-type 0190f3a2-… 0190f3a3-… --from 2027-07-01 --nights 31
  innkeeper watch http://127.0.0.1:8080 --hotel 0190f3a2-… | grep cancelled

To see something happen: innkeeper storm http://127.0.0.1:8080 --mix churn";

/// The first and the longest pause before another try.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How often the table is drawn, at most.
const REDRAW_EVERY: Duration = Duration::from_millis(100);

impl Watch {
    pub async fn run(&self) -> anyhow::Result<Outcome> {
        let remote = Remote::at(&self.url)?;
        if self.hotel.is_none() && self.room_type.is_empty() {
            // Signals end the program by themselves while somebody chooses.
            return match choose::hotel(&remote, &self.url).await? {
                Some(hotel) => Self { hotel: Some(hotel), ..self.clone() }.watch_until_told(&remote).await,
                None => Ok(Outcome::Done),
            };
        }
        self.watch_until_told(&remote).await
    }

    async fn watch_until_told(&self, remote: &Remote) -> anyhow::Result<Outcome> {
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        tokio::select! {
            refused = self.watch(remote) => refused.map(|()| Outcome::Done),
            _ = signals.next() => Ok(Outcome::Done),
        }
    }

    /// Ends only when somebody has seen enough, the server refuses, or nobody can be shown anything.
    async fn watch(&self, remote: &Remote) -> anyhow::Result<()> {
        let mut show = Show::new(&self.url)?;
        let mut pauses = pauses();
        loop {
            show.place.learn(remote, self).await;
            let first = self.first_night(&show.place);
            let subscribe = self.subscribe(first, show.seen(first));
            let ended = match Link::open(&remote.socket("/v1/ws"), &subscribe).await {
                Ok(link) => self.follow(link, first, &mut show, || pauses = self::pauses()).await?,
                Err(why) => Ended::Lost(why),
            };
            match ended {
                Ended::Lost(why) => {
                    let pause = pauses.next().unwrap_or(LONGEST_PAUSE);
                    show.lost(&why, pause)?;
                    tokio::time::sleep(pause).await;
                }
                Ended::Refused(error) => bail!("{} ({})", error.detail, error.code),
                Ended::NewDay => {}
                Ended::Quit => return Ok(()),
            }
        }
    }

    /// Shows frames until there are no more; why. Says when there was one.
    async fn follow(
        &self,
        mut link: Link,
        first: Date,
        show: &mut Show,
        mut heard: impl FnMut(),
    ) -> anyhow::Result<Ended> {
        show.connected();
        let mut tick = tokio::time::interval(REDRAW_EVERY);
        loop {
            tokio::select! {
                frame = link.next() => match frame {
                    Ok(frame) => {
                        heard();
                        show.frame(&frame)?;
                    }
                    Err(ended) => return Ok(ended),
                },
                _ = tick.tick() => show.refresh()?,
            }
            if show.is_over() {
                return Ok(Ended::Quit);
            }
            if self.first_night(&show.place) != first {
                return Ok(Ended::NewDay);
            }
        }
    }

    fn first_night(&self, place: &HotelInfo) -> Date {
        self.from.unwrap_or_else(|| place.today())
    }

    fn subscribe(&self, first: Date, seen: BTreeMap<Uuid, u64>) -> Subscribe {
        Subscribe {
            kind: "subscribe".to_owned(),
            id: Id::Number(1),
            hotel_id: self.hotel,
            room_type_ids: (!self.room_type.is_empty()).then(|| self.room_type.clone()),
            from: Day(first),
            to: Day(first.saturating_add(i64::from(self.nights).days())),
            after: (!seen.is_empty()).then_some(After::Sequences(seen)),
        }
    }
}

/// Longer and longer, and never two clients in step.
fn pauses() -> impl Iterator<Item = Duration> {
    let pauses = ExponentialBuilder::default().with_min_delay(SHORTEST_PAUSE).with_max_delay(LONGEST_PAUSE);
    pauses.with_jitter().without_max_times().build()
}
