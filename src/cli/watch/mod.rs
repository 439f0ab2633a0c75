//! `innkeeper watch`: the nights of a hotel, live.
//!
//! Owns a WebSocket client of `/v1/ws` ([`link`]), the picture it draws ([`picture`]) and two ways to show it: a table
//! that redraws itself in a terminal ([`table`]), and a line per frame anywhere else ([`line`]). It knows the protocol
//! and nothing of the server.
//!
//! Invariant: what is shown was committed, in order. When the connection is lost it comes back by itself, later and
//! later, and goes on after the last sequence it has seen.

mod line;
mod link;
mod picture;
mod show;
mod table;
#[cfg(test)]
mod testing;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use serde::Deserialize;
use uuid::Uuid;

use self::link::{Ended, Link};
use self::show::Show;
use super::Outcome;
use super::remote::{Page, Remote};
use crate::clock::{Clock, System};
use crate::domain::Date;
use crate::http::value::Day;
use crate::shutdown::Signals;
use crate::ws::frame::{After, Id, Subscribe};

/// Watch nights change, the moment they do.
///
/// In a terminal: a table of nights and room types, coloured by how full they are. Elsewhere: a line for every change.
/// It reconnects by itself and misses nothing. Ctrl+C ends it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Watch {
    /// Where the server is: http://host:port
    url: String,
    /// All room types of a hotel.
    #[arg(long, value_name = "ID", required_unless_present = "room_type", conflicts_with = "room_type")]
    hotel: Option<Uuid>,
    /// These room types.
    #[arg(long, value_name = "ID", num_args = 1..)]
    room_type: Vec<Uuid>,
    /// The first night. Default: today (UTC).
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// How many nights.
    #[arg(long, value_name = "N", default_value = "14", value_parser = clap::value_parser!(u16).range(1..=366))]
    nights: u16,
}

const EXAMPLES: &str = "\
Examples:
  innkeeper watch http://127.0.0.1:8080 --hotel 0190f3a2-…
  innkeeper watch http://127.0.0.1:8080 --room-type 0190f3a2-… 0190f3a3-… --from 2027-07-01 --nights 31";

/// The first and the longest pause before another try.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How often the table is drawn, at most.
const REDRAW_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Deserialize)]
struct Named {
    id: Uuid,
    name: String,
}

impl Watch {
    pub async fn run(&self) -> anyhow::Result<Outcome> {
        let remote = Remote::at(&self.url)?;
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        tokio::select! {
            refused = self.watch(&remote) => refused.map(|()| Outcome::Done),
            _ = signals.next() => Ok(Outcome::Done),
        }
    }

    /// Ends only when the server refuses, or nobody can be shown anything.
    async fn watch(&self, remote: &Remote) -> anyhow::Result<()> {
        let mut show = Show::new(self.names(remote).await)?;
        let mut pauses = pauses();
        loop {
            let subscribe = self.subscribe(show.seen());
            let why = match Link::open(&remote.socket("/v1/ws"), &subscribe).await {
                Ok(link) => {
                    show.connected();
                    let (heard, ended) = follow(link, &mut show).await?;
                    if heard {
                        pauses = self::pauses();
                    }
                    match ended {
                        Ended::Lost(why) => why,
                        Ended::Refused(error) => bail!("{} ({})", error.detail, error.code),
                    }
                }
                Err(why) => why,
            };
            let pause = pauses.next().unwrap_or(LONGEST_PAUSE);
            show.lost(&why, pause)?;
            tokio::time::sleep(pause).await;
        }
    }

    fn subscribe(&self, seen: BTreeMap<Uuid, u64>) -> Subscribe {
        let from = self.from.unwrap_or_else(|| System.now().to_zoned(TimeZone::UTC).date());
        Subscribe {
            kind: "subscribe".to_owned(),
            id: Id::Number(1),
            hotel_id: self.hotel,
            room_type_ids: (!self.room_type.is_empty()).then(|| self.room_type.clone()),
            from: Day(from),
            to: Day(from.saturating_add(i64::from(self.nights).days())),
            after: (!seen.is_empty()).then_some(After::Sequences(seen)),
        }
    }

    /// What the room types are called. Nicer to have, but no reason to fail: they have ids.
    async fn names(&self, remote: &Remote) -> BTreeMap<Uuid, String> {
        let mut names = BTreeMap::new();
        if let Some(hotel) = self.hotel {
            let page = remote.get::<Page<Named>>(&format!("/v1/hotels/{hotel}/room-types"), &[("limit", "200")]).await;
            names.extend(page.into_iter().flat_map(|page| page.items).map(|named| (named.id, named.name)));
        }
        for id in &self.room_type {
            let named = remote.get::<Named>(&format!("/v1/room-types/{id}"), &[]).await;
            names.extend(named.map(|named| (named.id, named.name)));
        }
        names
    }
}

/// Shows frames until there are no more; whether there were any, and why they ended.
async fn follow(mut link: Link, show: &mut Show) -> anyhow::Result<(bool, Ended)> {
    let mut heard = false;
    let mut tick = tokio::time::interval(REDRAW_EVERY);
    loop {
        tokio::select! {
            frame = link.next() => match frame {
                Ok(frame) => {
                    heard = true;
                    show.frame(&frame)?;
                }
                Err(ended) => return Ok((heard, ended)),
            },
            _ = tick.tick() => show.refresh()?,
        }
    }
}

/// Longer and longer, and never two clients in step.
fn pauses() -> impl Iterator<Item = Duration> {
    let pauses = ExponentialBuilder::default().with_min_delay(SHORTEST_PAUSE).with_max_delay(LONGEST_PAUSE);
    pauses.with_jitter().without_max_times().build()
}
