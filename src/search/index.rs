//! The index: finds hotels by id, room type, city and grid square.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::globe::Square;
use super::groups::{Group, Groups};
use super::listing::Listing;
use crate::domain::{Hotel, HotelId, Inventory, RoomTypeId, Step, StepOrder, Timestamp, name};

/// How long a search waits until the index is built and contains everything committed before the search.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// Hotels whose calendars are rolled before other tasks get their turn.
const ROLLED_AT_ONCE: usize = 256;

/// The index has not been complete yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the search index is being built")]
pub struct Building;

/// The index. Cheap to clone. [`super::follow()`] fills it.
#[derive(Clone, Default)]
pub struct Index(Arc<Inner>);

#[derive(Default)]
struct Inner {
    hotels: DashMap<HotelId, Arc<Listing>>,
    room_types: DashMap<RoomTypeId, Arc<Listing>>,
    cities: Groups<String>,
    squares: Groups<Square>,
    progress: watch::Sender<Progress>,
}

/// The progress of the index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// It has been complete at least once.
    pub built: bool,
    /// Everything up to this notice of the hub is in the index.
    pub position: u64,
}

impl Index {
    /// Whether searches can be answered.
    pub fn is_built(&self) -> bool {
        self.0.progress.borrow().built
    }

    /// Waits until the index contains everything up to a [`crate::events::Hub::position`]. After a second it returns
    /// all the same: answers are then that old.
    pub async fn caught_up(&self, position: u64) -> Result<(), Building> {
        match timeout(CATCH_UP_TIMEOUT, self.reached(position)).await {
            Err(_) if !self.is_built() => Err(Building),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Like [`Index::caught_up`], without a time limit.
    pub async fn reached(&self, position: u64) {
        let mut progress = self.0.progress.subscribe();
        // An error would mean that the index was dropped.
        drop(progress.wait_for(|progress| progress.built && progress.position >= position).await);
    }

    /// The numbers of hotels and room types.
    pub fn size(&self) -> (usize, usize) {
        (self.0.hotels.len(), self.0.room_types.len())
    }

    /// The sequence number of a room type in the index.
    pub fn sequence(&self, room_type: RoomTypeId) -> Option<u64> {
        let listing = self.0.room_types.get(&room_type)?.clone();
        listing.read().sequence(room_type)
    }

    /// A copy of every room type, in order of ids. Tests compare indexes with it.
    pub fn stock(&self) -> Vec<Inventory> {
        let mut stock: Vec<_> = self.0.hotels.iter().flat_map(|listing| listing.read().inventories()).collect();
        stock.sort_by_key(|inventory| inventory.room_type.id);
        stock
    }

    pub(super) fn hotel(&self, id: HotelId) -> Option<Arc<Listing>> {
        self.0.hotels.get(&id).map(|listing| listing.clone())
    }

    /// The hotels of a city, without regard to case.
    pub(super) fn city(&self, city: &str) -> Group {
        self.0.cities.get(&name::key(city))
    }

    pub(super) fn square(&self, square: Square) -> Group {
        self.0.squares.get(&square)
    }

    /// Puts hotels into the index as the store has them. A known hotel moves to its new city and square. Calls for one
    /// hotel must not run at the same time.
    pub(super) fn put(&self, hotels: impl IntoIterator<Item = Arc<Hotel>>) {
        let mut added = Vec::new();
        for hotel in hotels {
            let (listing, is_new) = self.listing(&hotel);
            match is_new {
                true => added.push((hotel, listing)),
                false => {
                    self.regroup(&listing, &hotel);
                    listing.replace_hotel(&hotel);
                }
            }
        }
        self.group(added);
    }

    /// Puts room types into the index. Known hotels keep their own data. If the index has newer room types of a hotel,
    /// they stay. Returns these hotels, because their room types may rest on old data of the hotel.
    pub(super) fn stock_up(&self, hotels: impl IntoIterator<Item = (Arc<Hotel>, Vec<Inventory>)>) -> Vec<HotelId> {
        let (mut added, mut overtaken) = (Vec::new(), Vec::new());
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
                added.push((hotel, listing));
            }
        }
        self.group(added);
        overtaken
    }

    /// The hotel of a room type, if the index knows it.
    pub(super) fn hotel_of(&self, room_type: RoomTypeId) -> Option<HotelId> {
        self.0.room_types.get(&room_type).map(|listing| listing.id)
    }

    /// Rolls all calendars to their hotels' dates, a few at a time. Returns the hotels whose calendars begin later than that.
    pub(super) async fn roll(&self, now: Timestamp) -> Vec<HotelId> {
        let listings: Vec<_> = self.0.hotels.iter().map(|listing| listing.clone()).collect();
        let mut ahead = Vec::new();
        for part in listings.chunks(ROLLED_AT_ONCE) {
            ahead.extend(part.iter().filter(|listing| !listing.roll(now)).map(|listing| listing.id));
            yield_now().await;
        }
        ahead
    }

    /// The listing of a hotel, and whether it is new.
    fn listing(&self, hotel: &Arc<Hotel>) -> (Arc<Listing>, bool) {
        let mut is_new = false;
        let make = || {
            is_new = true;
            Arc::new(Listing::new(hotel.clone()))
        };
        let listing = self.0.hotels.entry(hotel.id).or_insert_with(make).clone();
        (listing, is_new)
    }

    fn group(&self, added: Vec<(Arc<Hotel>, Arc<Listing>)>) {
        let square = |(hotel, listing): &(Arc<Hotel>, Arc<Listing>)| Some((square_of(hotel)?, listing.clone()));
        self.0.squares.add(added.iter().filter_map(square));
        self.0.cities.add(added.into_iter().map(|(hotel, listing)| (name::key(&hotel.city), listing)));
    }

    /// Applies a step of a room type if it is the next one. An unknown room type is a gap.
    pub(super) fn follow(&self, room_type: RoomTypeId, step: Step, now: Timestamp) -> StepOrder {
        let listing = self.0.room_types.get(&room_type).map(|listing| listing.clone());
        listing.map_or(StepOrder::Gap, |listing| listing.follow(room_type, step, now))
    }

    /// Removes everything, as if it had never been built.
    pub(super) fn clear(&self) {
        self.set_progress(Progress::default());
        self.0.hotels.clear();
        self.0.room_types.clear();
        self.0.cities.clear();
        self.0.squares.clear();
    }

    pub(super) fn set_progress(&self, progress: Progress) {
        self.0.progress.send_if_modified(|known| std::mem::replace(known, progress) != progress);
    }

    /// Moves a known hotel to its new city and square.
    fn regroup(&self, listing: &Arc<Listing>, hotel: &Hotel) {
        let before = listing.read().hotel.clone();
        self.0.cities.move_hotel(listing, Some(name::key(&before.city)), Some(name::key(&hotel.city)));
        self.0.squares.move_hotel(listing, square_of(&before), square_of(hotel));
    }
}

fn square_of(hotel: &Hotel) -> Option<Square> {
    hotel.location.map(Square::of)
}
