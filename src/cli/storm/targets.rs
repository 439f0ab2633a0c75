//! The targets of a storm: room types with nights that can be booked.

use std::collections::BTreeMap;

use anyhow::bail;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::Mix;
use crate::client::{Availability, Client, Error, Night, RoomType};
use crate::clock::{Clock, System};
use crate::domain::Date;
use crate::domain::order::MAX_ROOMS_PER_BOOKING;

/// The largest number of room types that are read.
pub const ROOM_TYPES: usize = 64;
/// Items of a page.
const PAGE: u32 = 200;
/// The first night that is read, in days from today in UTC. It lies in the future of every time zone.
const FROM_DAYS: i64 = 2;
/// The number of nights that are read.
const NIGHTS: i64 = 360;
/// The shortest run of nights that is used. A stay has up to three nights, and a change needs one more.
pub const SHORTEST: usize = 4;
const REQUESTS_AT_ONCE: usize = 8;

/// The targets of all guests. Never empty.
#[derive(Debug)]
pub struct Targets(pub Vec<Target>);

/// A run of nights of one room type that can be booked.
#[derive(Debug, Clone)]
pub struct Target {
    pub room_type: Uuid,
    pub city: String,
    /// Guests of a booking: as many adults as a room takes, at most two.
    pub guests: u16,
    pub first: Date,
    pub nights: usize,
    /// Rooms that are free on all of the nights.
    pub free: u16,
    /// The nights before the storm.
    pub before: Availability,
}

impl Targets {
    /// Reads the room types, and chooses those that a mix needs.
    pub async fn find(client: &Client, mix: Mix) -> anyhow::Result<Self> {
        let room_types = room_types(client).await?;
        let requests = room_types.into_iter().map(|(city, room_type)| target(client, city, room_type));
        let found: Vec<_> = stream::iter(requests).buffered(REQUESTS_AT_ONCE).try_collect().await?;
        let targets: Vec<Target> = found.into_iter().flatten().collect();
        let chosen = match mix {
            Mix::Spread | Mix::Churn | Mix::ReadMostly => targets,
            Mix::Hot => {
                targets.into_iter().max_by_key(|target| usize::from(target.free) * target.nights).into_iter().collect()
            }
            Mix::LastRoom => targets.into_iter().map(scarce).min_by_key(|target| target.free).into_iter().collect(),
        };
        if chosen.is_empty() {
            bail!("no room type has {SHORTEST} bookable nights in a row; `innkeeper serve --demo` has some");
        }
        Ok(Self(chosen))
    }
}

/// The first room types of the server, with their cities.
async fn room_types(client: &Client) -> Result<Vec<(String, RoomType)>, Error> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut request = client.hotels().limit(PAGE);
        if let Some(cursor) = &cursor {
            request = request.cursor(cursor);
        }
        let page = request.send().await?;
        for hotel in page.items {
            let page = client.room_types(hotel.id).limit(PAGE).send().await?;
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

/// The longest run of bookable nights of a room type, if it is long enough.
async fn target(client: &Client, city: String, room_type: RoomType) -> Result<Option<Target>, Error> {
    let today = System.now().to_zoned(TimeZone::UTC).date();
    let (from, to) = (today.saturating_add(FROM_DAYS.days()), today.saturating_add((FROM_DAYS + NIGHTS).days()));
    let before = client.availability(room_type.id, from, to).send().await?;
    let Some((first, nights)) = longest_open_run(&before) else { return Ok(None) };
    let free = before.nights.iter().skip(first).take(nights).map(|night| night.free).min().unwrap_or(0);
    let Some(first) = before.nights.get(first).map(|night| night.date) else { return Ok(None) };
    let guests = room_type.max_adults.min(2);
    Ok(Some(Target { room_type: room_type.id, city, guests, first, nights, free, before }))
}

/// The first nights of a target, for guests who want all of the same rooms.
fn scarce(target: Target) -> Target {
    let few = target.before.nights.iter().skip_while(|night| night.date < target.first).take(SHORTEST);
    let free = few.map(|night| night.free).min().unwrap_or(0).min(MAX_ROOMS_PER_BOOKING);
    Target { nights: SHORTEST, free, ..target }
}

/// Index and length of the longest run of bookable nights, if it is long enough.
fn longest_open_run(availability: &Availability) -> Option<(usize, usize)> {
    let (mut longest, mut run) = ((0, 0), (0, 0));
    let mut expected = None;
    for (index, night) in availability.nights.iter().enumerate() {
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
pub fn taken(availability: &Availability) -> BTreeMap<Date, i64> {
    availability.nights.iter().map(|night| (night.date, rooms_taken(night))).collect()
}

/// Nights with more rooms taken than the capacity.
pub fn oversold(availability: &Availability) -> impl Iterator<Item = &Night> {
    availability.nights.iter().filter(|night| {
        let rooms = i64::from(night.physical) - i64::from(night.out_of_order);
        let capacity = rooms + i64::from(night.overbooking_allowance);
        rooms_taken(night) > capacity.max(0) + i64::from(night.forced)
    })
}

fn rooms_taken(night: &Night) -> i64 {
    i64::from(night.sold) + i64::from(night.held)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::testing::june;
    use super::*;

    #[test]
    fn the_longest_run_of_open_nights_is_found() {
        assert_eq!(longest_open_run(&june(1, &[0, 2, 1, 1, 0, 0, 2, 0])), Some((2, 4)));
        assert_eq!(longest_open_run(&june(1, &[0, 1, 1, 2, 0])), None);
        let mut gap = june(1, &[0; 6]);
        gap.nights.remove(2);
        assert_eq!(longest_open_run(&gap), None, "{gap:?}");
    }

    #[test]
    fn a_night_is_oversold_when_more_rooms_are_taken_than_the_capacity() {
        let dates: Vec<_> = oversold(&june(1, &[2, 3, 0])).map(|night| night.date).collect();
        assert_eq!(dates, [date(2026, 6, 2)]);
    }
}
