//! One hotel in the index: its room types, and the lowest price of a night.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::prefilter::{self, Prefilter};
use crate::domain::quote::Enquiry;
use crate::domain::{
    Amount, Currency, Hotel, HotelId, Inventory, Party, Quote, RatePlan, RoomTypeId, Stay, Step, StepEffect, StepOrder,
    Timestamp,
};

/// The floor of a hotel that sells nothing.
const NOTHING: i64 = i64::MAX;
/// Floors are kept for 1 to this many adults in one room.
const SHARING: usize = 4;

/// A hotel's entry in the index. The entry stays; its contents change.
pub(super) struct Listing {
    pub id: HotelId,
    /// Never changes.
    pub currency: Currency,
    /// The lowest price of a night in minor units, by the number of adults in one room minus one. Read without a lock,
    /// so a search by price need not lock every hotel.
    floors: [AtomicI64; SHARING],
    stock: RwLock<HotelStock>,
}

/// A hotel and its room types, in order of their ids.
pub(super) struct HotelStock {
    pub hotel: Arc<Hotel>,
    pub room_types: Vec<RoomTypeStock>,
}

/// A room type that sells a stay, with the quotes of its plans, cheapest first.
pub(super) type Sold<'a> = (&'a Inventory, Vec<Quote>);

/// A room type, with data that rules out most searches quickly.
pub(super) struct RoomTypeStock {
    /// The lowest price of a night. `None`: no plan sells the room type.
    floor: Option<Amount>,
    prefilter: Prefilter,
    pub inventory: Inventory,
}

impl Listing {
    pub fn new(hotel: Arc<Hotel>) -> Self {
        let (id, currency) = (hotel.id, hotel.currency);
        let stock = RwLock::new(HotelStock { hotel, room_types: Vec::new() });
        Self { id, currency, floors: [const { AtomicI64::new(NOTHING) }; SHARING], stock }
    }

    /// Must not be held across an await.
    pub fn read(&self) -> RwLockReadGuard<'_, HotelStock> {
        self.stock.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lowest price of a night of a room for this party. `None` if no room type takes it.
    pub fn floor(&self, party: Party, rooms: u16) -> Option<Amount> {
        let sharing = usize::from(party.adults.div_ceil(rooms.max(1))).clamp(1, SHARING);
        Some(self.floors[sharing - 1].load(Ordering::Relaxed)).filter(|floor| *floor < NOTHING).map(Amount)
    }

    /// Replaces the hotel's own data.
    pub fn replace_hotel(&self, hotel: &Arc<Hotel>) {
        self.change(|stock| {
            stock.replace_hotel(hotel);
            false
        });
    }

    /// Replaces some room types. Newer ones in memory stay; returns `false` if there were any.
    pub fn put(&self, inventories: impl IntoIterator<Item = Inventory>) -> bool {
        let mut all_taken = true;
        self.change(|stock| {
            for inventory in inventories {
                all_taken &= stock.put(inventory);
            }
            stock.room_types.shrink_to_fit();
            true
        });
        all_taken
    }

    /// Rolls calendars to the hotel's date. Returns `false` if one begins later than that, because the clock or the
    /// hotel's time zone was set back. Then nights are missing and must be read from the store.
    pub fn roll(&self, now: Timestamp) -> bool {
        let stock = self.read();
        let today = stock.hotel.today(now);
        let firsts = stock.room_types.iter().map(|room_type| room_type.inventory.calendar.first());
        let (is_behind, is_ahead) =
            firsts.fold((false, false), |(behind, ahead), first| (behind || first < today, ahead || first > today));
        drop(stock);
        if is_behind {
            self.change(|stock| {
                stock.room_types.iter_mut().for_each(|room_type| room_type.inventory.roll(now));
                false
            });
        }
        !is_ahead
    }

    /// Applies a step if it is the next one. Otherwise nothing changes.
    pub fn follow(&self, room_type: RoomTypeId, step: Step, now: Timestamp) -> StepOrder {
        let mut order = StepOrder::Gap;
        self.change(|stock| {
            let Ok(index) = stock.position(room_type) else { return false };
            order = stock.room_types[index].follow(step, now);
            order == StepOrder::Next && !matches!(step.effect, StepEffect::Counts(_))
        });
        order
    }

    /// Changes the stock. `change` returns whether prices may have changed.
    fn change(&self, change: impl FnOnce(&mut HotelStock) -> bool) {
        let mut stock = self.stock.write().unwrap_or_else(PoisonError::into_inner);
        if change(&mut stock) {
            for (index, floor) in self.floors.iter().enumerate() {
                floor.store(stock.floor(index + 1).map_or(NOTHING, Amount::minor), Ordering::Relaxed);
            }
        }
    }
}

impl HotelStock {
    pub fn inventories(&self) -> Vec<Inventory> {
        self.room_types.iter().map(|stock| stock.inventory.clone()).collect()
    }

    pub fn sequence(&self, room_type: RoomTypeId) -> Option<u64> {
        let index = self.position(room_type).ok()?;
        Some(self.room_types[index].inventory.sequence())
    }

    /// The lowest price of a stay in any room type. Room types whose floor is higher are skipped.
    pub fn cheapest(&self, enquiry: &Enquiry, now: Timestamp) -> Option<Amount> {
        let mut open = self.open(enquiry.stay).peekable();
        open.peek()?;
        let today = self.hotel.today(now);
        let mut lowest: Option<Amount> = None;
        for stock in open {
            let Some(floor) = stock.floor else { continue };
            let floor = floor.times(enquiry.stay.nights().into()).times(enquiry.rooms.into());
            if lowest.is_none_or(|lowest| floor < lowest)
                && let Some(quote) = stock.inventory.offer_on(enquiry, today)
            {
                lowest = Some(lowest.map_or(quote.total, |lowest| lowest.min(quote.total)));
            }
        }
        lowest
    }

    /// The room types that sell a stay, with a quote of each plan, cheapest first.
    pub fn quotes(&self, enquiry: &Enquiry, now: Timestamp) -> Vec<Sold<'_>> {
        let today = self.hotel.today(now);
        let quotes = |stock: &'_ RoomTypeStock| stock.inventory.offers_on(enquiry, today);
        let sold = self.open(enquiry.stay).map(|stock| (&stock.inventory, quotes(stock)));
        let mut sold: Vec<_> = sold.filter(|(_, quotes)| !quotes.is_empty()).collect();
        sold.sort_by_key(|(inventory, quotes)| (quotes.first().map(|quote| quote.total), inventory.room_type.id));
        sold
    }

    /// The room types that the prefilter does not rule out.
    fn open(&self, stay: Stay) -> impl Iterator<Item = &RoomTypeStock> {
        let nights = prefilter::nights(stay);
        self.room_types.iter().filter(move |stock| !stock.prefilter.rules_out(nights.clone()))
    }

    fn replace_hotel(&mut self, hotel: &Arc<Hotel>) {
        if self.hotel != *hotel {
            self.hotel = hotel.clone();
        }
        for stock in &mut self.room_types {
            stock.inventory.hotel = self.hotel.clone();
        }
    }

    /// Returns `false` if the one in memory is newer and stays.
    fn put(&mut self, mut inventory: Inventory) -> bool {
        inventory.hotel = self.hotel.clone();
        match self.position(inventory.room_type.id) {
            Ok(index) if self.room_types[index].inventory.sequence() > inventory.sequence() => return false,
            Ok(index) => self.room_types[index] = RoomTypeStock::new(inventory),
            Err(index) => self.room_types.insert(index, RoomTypeStock::new(inventory)),
        }
        true
    }

    /// The lowest floor of the room types that take this many adults.
    fn floor(&self, sharing: usize) -> Option<Amount> {
        let takes = |stock: &&RoomTypeStock| {
            let occupancy = stock.inventory.room_type.occupancy;
            usize::from(occupancy.max_adults.min(occupancy.max_occupancy)) >= sharing
        };
        self.room_types.iter().filter(takes).filter_map(|stock| stock.floor).min()
    }

    fn position(&self, room_type: RoomTypeId) -> Result<usize, usize> {
        self.room_types.binary_search_by_key(&room_type, |stock| stock.inventory.room_type.id)
    }
}

impl RoomTypeStock {
    fn new(inventory: Inventory) -> Self {
        Self { floor: floor(&inventory), prefilter: Prefilter::of(&inventory), inventory }
    }

    fn follow(&mut self, step: Step, now: Timestamp) -> StepOrder {
        let order = step.order_after(self.inventory.sequence());
        if order != StepOrder::Next {
            return order;
        }
        self.inventory.roll(now);
        self.inventory.follow(step);
        match step.effect {
            StepEffect::Counts(deltas) => self.prefilter.update(&self.inventory, deltas.iter().map(|delta| delta.date)),
            StepEffect::Nights { .. } | StepEffect::RoomType(_) | StepEffect::RatePlan(_) => {
                self.prefilter = Prefilter::of(&self.inventory);
                self.floor = floor(&self.inventory);
            }
        }
        order
    }
}

fn floor(inventory: &Inventory) -> Option<Amount> {
    inventory.plans.iter().map(RatePlan::lowest_price).min()
}
