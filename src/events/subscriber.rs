//! One subscriber: the room types and hotels that it watches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Error;
use super::live::Live;
use super::mailbox::{Due, Mailbox, News, Slot};
use super::topic::Topic;
use super::update::{Update, Window};
use crate::domain::{HotelId, RoomTypeId};

/// Watches room types and hotels for one reader. Dropping it ends all of them.
#[derive(Debug)]
pub struct Subscriber {
    live: Live,
    mailbox: Arc<Mailbox>,
    watched: BTreeMap<Slot, (Arc<Topic>, RoomTypeId, Window)>,
    hotels: BTreeSet<HotelId>,
    own: Slot,
}

impl Subscriber {
    pub(super) fn new(live: Live) -> Self {
        let own = live.new_slot();
        Self { live, mailbox: Arc::default(), watched: BTreeMap::new(), hotels: BTreeSet::new(), own }
    }

    /// Begins to watch nights of a room type. `after` is the sequence number that the reader has already seen.
    pub async fn watch(&mut self, room_type: RoomTypeId, window: Window, after: Option<u64>) -> Result<Slot, Error> {
        let slot = self.live.new_slot();
        let topic = self.live.enter(room_type, window, slot, &self.mailbox)?;
        self.watched.insert(slot, (topic.clone(), room_type, window));
        if let Err(error) = topic.load(self.live.sources()).await {
            self.unwatch(slot);
            return Err(error);
        }
        self.mailbox.open(slot, after.map_or(Due::Snapshot, |after| Due::Resume { after }));
        Ok(slot)
    }

    pub fn unwatch(&mut self, slot: Slot) {
        if let Some((topic, room_type, window)) = self.watched.remove(&slot) {
            self.mailbox.close(slot);
            topic.leave(window, slot);
            self.live.remove_if_unwatched(room_type);
        }
    }

    /// The number of watched room types. One that is watched twice counts twice.
    pub fn watched(&self) -> usize {
        self.watched.len()
    }

    /// Begins to follow the list of room types of a hotel.
    pub fn follow_hotel(&mut self, hotel: HotelId) {
        self.hotels.insert(hotel);
        self.live.follow_hotel(hotel, self.own, &self.mailbox);
    }

    pub fn leave_hotel(&mut self, hotel: HotelId) {
        if self.hotels.remove(&hotel) {
            self.live.leave_hotel(hotel, self.own);
        }
    }

    /// Waits for news. Cancelling the wait loses nothing.
    pub async fn news(&self) -> News {
        self.mailbox.next().await
    }

    /// The updates that bring a due slot to the current state.
    pub async fn updates(&self, slot: Slot, due: Due) -> Result<Vec<Update>, Error> {
        let Some((topic, _, window)) = self.watched.get(&slot) else { return Ok(Vec::new()) };
        topic.updates((*window, slot, &self.mailbox), due, self.live.sources()).await
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let slots: Vec<Slot> = self.watched.keys().copied().collect();
        slots.into_iter().for_each(|slot| self.unwatch(slot));
        let hotels = std::mem::take(&mut self.hotels);
        hotels.into_iter().for_each(|hotel| self.live.leave_hotel(hotel, self.own));
    }
}
