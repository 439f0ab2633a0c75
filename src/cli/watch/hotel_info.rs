//! Names of the hotel and its room types, and the date at the hotel.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::time::timeout;
use uuid::Uuid;

use crate::client::{Client, Error, Watched};
use crate::clock::{Clock, System};
use crate::domain::Date;

/// The time-out for all requests together.
const WITHIN: Duration = Duration::from_secs(5);
/// The largest number of room types whose names are read.
const ROOM_TYPES: u32 = 200;

/// Details that the display can do without. A room type without a name is shown by its id.
#[derive(Debug, Default)]
pub struct HotelInfo {
    /// `None` as long as it is not known, and where the room types belong to several hotels.
    pub title: Option<String>,
    pub names: BTreeMap<Uuid, String>,
    pub zone: Option<TimeZone>,
}

impl HotelInfo {
    /// Reads the details, unless they are known. A failure leaves them as they are.
    pub async fn learn(&mut self, client: &Client, watched: &Watched) {
        if self.zone.is_none()
            && let Ok(Ok(hotel)) = timeout(WITHIN, Self::read(client, watched)).await
        {
            *self = hotel;
        }
    }

    async fn read(client: &Client, watched: &Watched) -> Result<Self, Error> {
        let mut room_types = Vec::new();
        match watched {
            Watched::Hotel(hotel) => room_types = client.room_types(*hotel).limit(ROOM_TYPES).send().await?.items,
            Watched::RoomTypes(ids) => {
                for id in ids {
                    room_types.push(client.room_type(*id).send().await?);
                }
            }
        }
        let first = match watched {
            Watched::Hotel(hotel) => Some(*hotel),
            Watched::RoomTypes(_) => room_types.first().map(|room_type| room_type.hotel_id),
        };
        let mut info = Self::default();
        if let Some(first) = first {
            let hotel = client.hotel(first).send().await?;
            let is_only = room_types.iter().all(|room_type| room_type.hotel_id == first);
            info.title = is_only.then(|| format!("{}, {}", hotel.name, hotel.city));
            info.zone = TimeZone::get(&hotel.timezone).ok();
        }
        info.names = room_types.into_iter().map(|room_type| (room_type.id, room_type.name)).collect();
        Ok(info)
    }

    /// The date at the hotel, or at the first of several hotels. In UTC as long as the time zone is not known.
    pub fn today(&self) -> Date {
        System.now().to_zoned(self.zone.clone().unwrap_or(TimeZone::UTC)).date()
    }

    /// The name of a room type, or the end of its id.
    pub fn name(&self, id: Uuid) -> String {
        self.names.get(&id).cloned().unwrap_or_else(|| short(id))
    }
}

/// The last characters of an id: those of two ids differ most.
fn short(id: Uuid) -> String {
    let id = id.to_string();
    format!("…{}", id.get(id.len().saturating_sub(8)..).unwrap_or(&id))
}
