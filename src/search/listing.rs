//! One hotel in the index: everything it sells, and the least it asks for a night.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::domain::quote::Enquiry;
use crate::domain::{Amount, Change, Currency, Date, Fact, Hotel, HotelId, Inventory, Quote, RoomTypeId, Timestamp};

/// A hotel's place in the index. The place stays, what stands there changes.
pub(super) struct Listing {
    pub id: HotelId,
    /// A hotel keeps its currency.
    pub currency: Currency,
    /// No night of any room type is cheaper, in minor units: who sorts by price need not look into every hotel.
    floor: AtomicI64,
    house: RwLock<House>,
}

/// A hotel and its room types, in order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct House {
    pub hotel: Arc<Hotel>,
    pub stock: Vec<Inventory>,
}

/// What became of a fact.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The room type is as the fact has left it.
    Applied,
    /// It was there already.
    Known,
    /// A fact before it is missing: the store has it.
    Gap,
}

impl Listing {
    pub fn new(hotel: Arc<Hotel>) -> Self {
        let (id, currency) = (hotel.id, hotel.currency);
        let house = RwLock::new(House { hotel, stock: Vec::new() });
        Self { id, currency, floor: AtomicI64::new(i64::MAX), house }
    }

    /// Never held across an await.
    pub fn read(&self) -> RwLockReadGuard<'_, House> {
        self.house.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// No night costs less; `None` when there is nothing to buy.
    pub fn floor(&self) -> Option<Amount> {
        Some(self.floor.load(Ordering::Relaxed)).filter(|floor| *floor < i64::MAX).map(Amount)
    }

    /// What the store says of the hotel and of some of its room types. Where memory is newer, it stays.
    pub fn put(&self, hotel: &Arc<Hotel>, stock: impl IntoIterator<Item = Inventory>) {
        self.change(|house| {
            house.rename(hotel);
            for inventory in stock {
                house.put(inventory);
            }
            house.stock.shrink_to_fit();
            true
        });
    }

    /// Follows a room type by one fact.
    pub fn apply(&self, room_type: RoomTypeId, fact: &Fact, now: Timestamp) -> Heard {
        let mut heard = Heard::Gap;
        self.change(|house| {
            let Some(inventory) = house.find(room_type) else { return false };
            heard = match fact.sequence.checked_sub(inventory.sequence()) {
                None | Some(0) => Heard::Known,
                Some(1) => {
                    inventory.roll(now);
                    inventory.apply(fact);
                    Heard::Applied
                }
                Some(_) => Heard::Gap,
            };
            heard == Heard::Applied && !matches!(fact.change, Change::Booking { .. })
        });
        heard
    }

    /// Changes the house; prices may be different afterwards if the change says so.
    fn change(&self, change: impl FnOnce(&mut House) -> bool) {
        let mut house = self.house.write().unwrap_or_else(PoisonError::into_inner);
        if change(&mut house) {
            self.floor.store(house.floor().minor(), Ordering::Relaxed);
        }
    }
}

impl House {
    pub fn sequence(&self, room_type: RoomTypeId) -> Option<u64> {
        let index = self.position(room_type).ok()?;
        Some(self.stock[index].sequence())
    }

    /// Quotes of the room types that can be sold, the cheapest first.
    pub fn quotes(&self, enquiry: &Enquiry, today: Date) -> Vec<(&Inventory, Quote)> {
        let quote = |inventory: &Inventory| inventory.quote_on(enquiry, today).ok();
        let mut quotes: Vec<_> =
            self.stock.iter().filter_map(|inventory| Some((inventory, quote(inventory)?))).collect();
        quotes.sort_by_key(|(inventory, quote)| (quote.total, inventory.room_type.id));
        quotes
    }

    fn rename(&mut self, hotel: &Arc<Hotel>) {
        if self.hotel != *hotel {
            self.hotel = hotel.clone();
        }
        for inventory in &mut self.stock {
            inventory.hotel = self.hotel.clone();
        }
    }

    fn put(&mut self, mut inventory: Inventory) {
        inventory.hotel = self.hotel.clone();
        match self.position(inventory.room_type.id) {
            Ok(index) if self.stock[index].sequence() > inventory.sequence() => {}
            Ok(index) => self.stock[index] = inventory,
            Err(index) => self.stock.insert(index, inventory),
        }
    }

    fn floor(&self) -> Amount {
        let plans = self.stock.iter().flat_map(|inventory| &inventory.plans);
        plans.map(|plan| plan.lowest_price()).min().unwrap_or(Amount(i64::MAX))
    }

    fn find(&mut self, room_type: RoomTypeId) -> Option<&mut Inventory> {
        let index = self.position(room_type).ok()?;
        self.stock.get_mut(index)
    }

    fn position(&self, room_type: RoomTypeId) -> Result<usize, usize> {
        self.stock.binary_search_by_key(&room_type, |inventory| inventory.room_type.id)
    }
}
