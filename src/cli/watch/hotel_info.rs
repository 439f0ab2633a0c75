//! The place: what the hotel and its room types are called, and which day it is there.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Deserialize;
use tokio::time::timeout;
use uuid::Uuid;

use super::Watch;
use crate::cli::remote::{Page, Remote};
use crate::clock::{Clock, System};
use crate::domain::Date;

/// How long all of it may take to be told.
const WITHIN: Duration = Duration::from_secs(5);

/// Nicer to know, but no reason to fail: room types have ids, and somewhere it is today.
#[derive(Debug, Default)]
pub struct HotelInfo {
    pub title: Option<String>,
    pub names: BTreeMap<Uuid, String>,
    pub zone: Option<TimeZone>,
}

#[derive(Debug, Deserialize)]
struct Hotel {
    name: String,
    city: String,
    timezone: String,
}

#[derive(Debug, Deserialize)]
struct RoomType {
    id: Uuid,
    hotel_id: Uuid,
    name: String,
}

impl HotelInfo {
    /// Asks, unless everything is known already.
    pub async fn learn(&mut self, remote: &Remote, watch: &Watch) {
        if self.zone.is_none()
            && let Ok(Ok(place)) = timeout(WITHIN, Self::ask(remote, watch)).await
        {
            *self = place;
        }
    }

    async fn ask(remote: &Remote, watch: &Watch) -> anyhow::Result<Self> {
        let mut room_types = Vec::new();
        if let Some(hotel) = watch.hotel {
            let path = format!("/v1/hotels/{hotel}/room-types");
            room_types = remote.get::<Page<RoomType>>(&path, &[("limit", "200")]).await?.items;
        }
        for id in &watch.room_type {
            room_types.push(remote.get(&format!("/v1/room-types/{id}"), &[]).await?);
        }
        let mut place = Self::default();
        if let Some(hotel) = watch.hotel.or_else(|| Some(room_types.first()?.hotel_id)) {
            let hotel: Hotel = remote.get(&format!("/v1/hotels/{hotel}"), &[]).await?;
            let several = room_types.iter().any(|one| Some(one.hotel_id) != room_types.first().map(|one| one.hotel_id));
            place.title = (!several).then(|| format!("{}, {}", hotel.name, hotel.city));
            place.zone = TimeZone::get(&hotel.timezone).ok();
        }
        place.names = room_types.into_iter().map(|room_type| (room_type.id, room_type.name)).collect();
        Ok(place)
    }

    /// The hotel's day; of the first hotel, if there are several, and in UTC as long as nobody has told.
    pub fn today(&self) -> Date {
        System.now().to_zoned(self.zone.clone().unwrap_or(TimeZone::UTC)).date()
    }

    /// How a room type is called: its name, or the end of its id, which differs most.
    pub fn name(&self, id: Uuid) -> String {
        self.names.get(&id).cloned().unwrap_or_else(|| short(id))
    }
}

fn short(id: Uuid) -> String {
    let id = id.to_string();
    format!("…{}", id.get(id.len().saturating_sub(8)..).unwrap_or(&id))
}
