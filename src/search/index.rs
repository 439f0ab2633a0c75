//! Every hotel, found by its id, its room types, its city and its place on the globe.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use tokio::sync::watch;
use tokio::time::timeout;

use super::globe::Square;
use super::groups::{Group, Groups};
use super::listing::{Fate, Listing};
use crate::domain::{Hotel, HotelId, Inventory, RoomTypeId, Step, Timestamp, name};

/// How long a search waits for an index that is not built, or that lacks what was committed before the search began.
const PATIENCE: Duration = Duration::from_secs(1);

/// The index has never been complete yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the search index is being built")]
pub struct Building;

/// The index. Cheap to clone; it is filled by [`super::follow()`].
#[derive(Clone, Default)]
pub struct Index(Arc<Shelves>);

#[derive(Default)]
struct Shelves {
    hotels: DashMap<HotelId, Arc<Listing>>,
    room_types: DashMap<RoomTypeId, Arc<Listing>>,
    cities: Groups<String>,
    squares: Groups<Square>,
    progress: watch::Sender<Progress>,
}

/// How far the index is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// It has been complete once.
    pub built: bool,
    /// The last notice of the hub up to which nothing is left to be done.
    pub position: u64,
}

impl Index {
    /// Whether there is anything to answer from.
    pub fn is_built(&self) -> bool {
        self.0.progress.borrow().built
    }

    /// Waits until the index knows everything up to a [`crate::events::Hub::position`]. Not long: if it takes longer,
    /// answers are that old.
    pub async fn caught_up(&self, position: u64) -> Result<(), Building> {
        match timeout(PATIENCE, self.reached(position)).await {
            Err(_) if !self.is_built() => Err(Building),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The same for who has time.
    pub async fn reached(&self, position: u64) {
        let mut progress = self.0.progress.subscribe();
        // An error would mean that the index is gone.
        drop(progress.wait_for(|progress| progress.built && progress.position >= position).await);
    }

    /// How many hotels and room types there are.
    pub fn size(&self) -> (usize, usize) {
        (self.0.hotels.len(), self.0.room_types.len())
    }

    /// The number of the last fact that the index knows of a room type.
    pub fn sequence(&self, room_type: RoomTypeId) -> Option<u64> {
        let listing = self.0.room_types.get(&room_type)?.clone();
        listing.read().sequence(room_type)
    }

    /// A copy of every room type, in order of their ids: to compare one index with another.
    pub fn stock(&self) -> Vec<Inventory> {
        let mut stock: Vec<_> = self.0.hotels.iter().flat_map(|listing| listing.read().inventories()).collect();
        stock.sort_by_key(|inventory| inventory.room_type.id);
        stock
    }

    pub(super) fn hotel(&self, id: HotelId) -> Option<Arc<Listing>> {
        self.0.hotels.get(&id).map(|listing| listing.clone())
    }

    /// The hotels of a city; capitals do not matter.
    pub(super) fn city(&self, city: &str) -> Group {
        self.0.cities.get(&name::key(city))
    }

    pub(super) fn square(&self, square: Square) -> Group {
        self.0.squares.get(&square)
    }

    /// Takes hotels in as the store has them now. One that was there already moves to where it will be looked for; two
    /// at a time must not say different things about the same hotel.
    pub(super) fn put(&self, hotels: impl IntoIterator<Item = Arc<Hotel>>) {
        let mut newcomers = Vec::new();
        for hotel in hotels {
            let (listing, is_new) = self.listing(&hotel);
            match is_new {
                true => newcomers.push((hotel, listing)),
                false => {
                    self.regroup(&listing, &hotel);
                    listing.rename(&hotel);
                }
            }
        }
        self.group(newcomers);
    }

    /// Takes room types in, of hotels that may have been there before; those stay what they are. The hotels of which
    /// something newer was known: that may rest on what the hotel was.
    pub(super) fn stock_up(&self, hotels: impl IntoIterator<Item = (Arc<Hotel>, Vec<Inventory>)>) -> Vec<HotelId> {
        let (mut newcomers, mut overtaken) = (Vec::new(), Vec::new());
        for (hotel, stock) in hotels {
            let (listing, is_new) = self.listing(&hotel);
            let ids: Vec<_> = stock.iter().map(|inventory| inventory.room_type.id).collect();
            if !listing.put(stock) {
                overtaken.push(hotel.id);
            }
            for id in ids {
                self.0.room_types.entry(id).or_insert_with(|| listing.clone());
            }
            if is_new {
                newcomers.push((hotel, listing));
            }
        }
        self.group(newcomers);
        overtaken
    }

    /// Moves all calendars on to their hotels' dates. The hotels whose calendars begin later than that.
    pub(super) fn roll(&self, now: Timestamp) -> Vec<HotelId> {
        let ahead = self.0.hotels.iter().filter(|listing| !listing.roll(now));
        ahead.map(|listing| listing.id).collect()
    }

    /// The place of a hotel, made if there is none.
    fn listing(&self, hotel: &Arc<Hotel>) -> (Arc<Listing>, bool) {
        let mut is_new = false;
        let make = || {
            is_new = true;
            Arc::new(Listing::new(hotel.clone()))
        };
        let listing = self.0.hotels.entry(hotel.id).or_insert_with(make).clone();
        (listing, is_new)
    }

    fn group(&self, newcomers: Vec<(Arc<Hotel>, Arc<Listing>)>) {
        let square = |(hotel, listing): &(Arc<Hotel>, Arc<Listing>)| Some((square_of(hotel)?, listing.clone()));
        self.0.squares.add(newcomers.iter().filter_map(square));
        self.0.cities.add(newcomers.into_iter().map(|(hotel, listing)| (name::key(&hotel.city), listing)));
    }

    /// Follows a room type by one step of its history.
    pub(super) fn follow(&self, room_type: RoomTypeId, step: Step, now: Timestamp) -> Fate {
        let listing = self.0.room_types.get(&room_type).map(|listing| listing.clone());
        listing.map_or(Fate::Gap, |listing| listing.follow(room_type, step, now))
    }

    /// Forgets everything, as if it had never been built.
    pub(super) fn clear(&self) {
        self.tell(Progress::default());
        self.0.hotels.clear();
        self.0.room_types.clear();
        self.0.cities.clear();
        self.0.squares.clear();
    }

    pub(super) fn tell(&self, progress: Progress) {
        self.0.progress.send_if_modified(|known| std::mem::replace(known, progress) != progress);
    }

    /// Moves a hotel that was there already to where it will be looked for.
    fn regroup(&self, listing: &Arc<Listing>, hotel: &Hotel) {
        let before = listing.read().hotel.clone();
        self.0.cities.shift(listing, Some(name::key(&before.city)), Some(name::key(&hotel.city)));
        self.0.squares.shift(listing, square_of(&before), square_of(hotel));
    }
}

fn square_of(hotel: &Hotel) -> Option<Square> {
    hotel.location.map(Square::of)
}
