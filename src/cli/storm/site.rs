//! The place: which room types there are, and which nights of theirs a storm can go for.

use std::collections::BTreeMap;

use anyhow::bail;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use serde::Deserialize;
use uuid::Uuid;

use super::Mix;
use crate::cli::remote::{Page, Remote};
use crate::clock::{Clock, System};
use crate::domain::Date;
use crate::domain::order::MAX_ROOMS_PER_BOOKING;

/// Room types that are looked at, at most.
pub const ROOM_TYPES: usize = 64;
/// Nights that are looked at: not too soon for any time zone, and a year.
const FROM_DAYS: i64 = 2;
const NIGHTS: i64 = 360;
/// The fewest nights in a row that are of use, as stays have up to three.
pub const SHORTEST: usize = 4;
const LOOKS_AT_ONCE: usize = 8;

/// Everything guests can ask for.
#[derive(Debug)]
pub struct Site {
    /// Never empty.
    pub targets: Vec<Target>,
}

/// Nights in a row, of a room type, that can be booked.
#[derive(Debug, Clone)]
pub struct Target {
    pub room_type: Uuid,
    pub city: String,
    /// How many adults a room takes, at most two.
    pub guests: u16,
    pub first: Date,
    pub nights: usize,
    /// Rooms that are free on every one of the nights.
    pub free: u16,
    /// As everything stood before.
    pub before: View,
}

/// A room type's nights, as the API shows them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct View {
    pub sequence: u64,
    pub nights: Vec<Night>,
}

/// One night.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Night {
    pub date: Date,
    pub physical: i64,
    pub out_of_order: i64,
    pub overbooking_allowance: i64,
    pub sold: i64,
    pub held: i64,
    /// Beyond the capacity, for guests for whom a lower one was forced.
    #[serde(default)]
    pub forced: i64,
    pub free: u16,
    pub closed: bool,
}

#[derive(Debug, Deserialize)]
struct Hotel {
    id: Uuid,
    city: String,
}

#[derive(Debug, Deserialize)]
struct RoomType {
    id: Uuid,
    max_adults: u16,
}

impl Site {
    /// Looks around, and chooses what a mix needs.
    pub async fn survey(remote: &Remote, mix: Mix) -> anyhow::Result<Self> {
        let room_types = room_types(remote).await?;
        let looks = room_types.into_iter().map(|(city, room_type)| look(remote, city, room_type));
        let looked: Vec<_> = stream::iter(looks).buffered(LOOKS_AT_ONCE).try_collect().await?;
        let targets: Vec<Target> = looked.into_iter().flatten().collect();
        let chosen = match mix {
            Mix::Spread | Mix::Churn | Mix::ReadMostly => targets,
            Mix::Hot => {
                targets.into_iter().max_by_key(|target| usize::from(target.free) * target.nights).into_iter().collect()
            }
            Mix::LastRoom => targets.into_iter().map(scarce).min_by_key(|target| target.free).into_iter().collect(),
        };
        if chosen.is_empty() {
            bail!("there is no room type with {SHORTEST} bookable nights in a row; `innkeeper serve --demo` has some");
        }
        Ok(Self { targets: chosen })
    }
}

/// The first room types there are, with their cities.
async fn room_types(remote: &Remote) -> anyhow::Result<Vec<(String, RoomType)>> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "200")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page: Page<Hotel> = remote.get("/v1/hotels", &query).await?;
        for hotel in page.items {
            let path = format!("/v1/hotels/{}/room-types", hotel.id);
            let page: Page<RoomType> = remote.get(&path, &[("limit", "200")]).await?;
            found.extend(page.items.into_iter().map(|room_type| (hotel.city.clone(), room_type)));
            if found.len() >= ROOM_TYPES {
                found.truncate(ROOM_TYPES);
                return Ok(found);
            }
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

/// What can be booked of a room type, if that is enough.
async fn look(remote: &Remote, city: String, room_type: RoomType) -> anyhow::Result<Option<Target>> {
    let today = System.now().to_zoned(TimeZone::UTC).date();
    let (from, to) = (today.saturating_add(FROM_DAYS.days()), today.saturating_add((FROM_DAYS + NIGHTS).days()));
    let before = view(remote, room_type.id, from, to).await?;
    let Some((first, nights)) = before.longest_open_run() else { return Ok(None) };
    let free = before.nights.iter().skip(first).take(nights).map(|night| night.free).min().unwrap_or(0);
    let Some(first) = before.nights.get(first).map(|night| night.date) else { return Ok(None) };
    let guests = room_type.max_adults.min(2);
    Ok(Some(Target { room_type: room_type.id, city, guests, first, nights, free, before }))
}

/// The nights [from, to) of a room type.
pub async fn view(remote: &Remote, room_type: Uuid, from: Date, to: Date) -> anyhow::Result<View> {
    let query = [("from", from.to_string()), ("to", to.to_string())];
    let query = query.each_ref().map(|(name, date)| (*name, date.as_str()));
    remote.get(&format!("/v1/room-types/{room_type}/availability"), &query).await
}

/// The few nights at the beginning, all of whose rooms are to be fought for.
fn scarce(target: Target) -> Target {
    let few = target.before.nights.iter().skip_while(|night| night.date < target.first).take(SHORTEST);
    let free = few.map(|night| night.free).min().unwrap_or(0).min(MAX_ROOMS_PER_BOOKING);
    Target { nights: SHORTEST, free, ..target }
}

impl View {
    /// Where the most nights in a row can be booked, and how many, if there are enough.
    fn longest_open_run(&self) -> Option<(usize, usize)> {
        let (mut longest, mut run) = ((0, 0), (0, 0));
        let mut expected = None;
        for (index, night) in self.nights.iter().enumerate() {
            let follows = expected == Some(night.date);
            expected = Some(night.date.saturating_add(1.day()));
            run = match (night.closed || night.free == 0, follows) {
                (true, _) => (index + 1, 0),
                (false, true) => (run.0, run.1 + 1),
                (false, false) => (index, 1),
            };
            if run.1 > longest.1 {
                longest = run;
            }
        }
        Some(longest).filter(|(_, nights)| *nights >= SHORTEST)
    }

    /// Rooms taken, by night.
    pub fn taken(&self) -> BTreeMap<Date, i64> {
        self.nights.iter().map(|night| (night.date, night.sold + night.held)).collect()
    }

    /// Nights with more rooms taken than there are.
    pub fn oversold(&self) -> impl Iterator<Item = &Night> {
        self.nights.iter().filter(|night| {
            let capacity = night.physical - night.out_of_order + night.overbooking_allowance;
            night.sold + night.held > capacity.max(0) + night.forced
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::testing::june;

    #[test]
    fn the_longest_run_of_open_nights_is_found() {
        assert_eq!(june(1, &[0, 2, 1, 1, 0, 0, 2, 0]).longest_open_run(), Some((2, 4)));
        assert_eq!(june(1, &[0, 1, 1, 2, 0]).longest_open_run(), None);
        let mut gap = june(1, &[0; 6]);
        gap.nights.remove(2);
        assert_eq!(gap.longest_open_run(), None, "{gap:?}");
    }

    #[test]
    fn a_night_is_oversold_when_more_is_taken_than_there_is() {
        let dates: Vec<_> = june(1, &[2, 3, 0]).oversold().map(|night| night.date).collect();
        assert_eq!(dates, [date(2026, 6, 2)]);
    }
}
