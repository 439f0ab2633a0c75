//! One hotel in the index: everything it sells, and the least it asks for a night.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::screen::{self, Screen};
use crate::domain::quote::Enquiry;
use crate::domain::{
    Amount, Currency, Hotel, HotelId, Inventory, Party, Quote, RatePlan, RoomTypeId, Stay, Step, Timestamp, Trace,
};

/// The floor where there is nothing to buy.
const NOTHING: i64 = i64::MAX;
/// How many adults share a room, as far as floors are told apart.
const SHARING: usize = 4;

/// A hotel's place in the index. The place stays, what stands there changes.
pub(super) struct Listing {
    pub id: HotelId,
    /// A hotel keeps its currency.
    pub currency: Currency,
    /// By the number of adults in one room, less one: no room type that takes them has a cheaper night, in minor units.
    /// Read without a lock, so that who sorts by price need not look into every hotel.
    floors: [AtomicI64; SHARING],
    house: RwLock<HotelStock>,
}

/// A hotel and its room types, in order of their ids.
pub(super) struct HotelStock {
    pub hotel: Arc<Hotel>,
    pub stock: Vec<Stock>,
}

/// A room type that sells a stay, and the quotes of its plans, the cheapest first.
pub(super) type Sold<'a> = (&'a Inventory, Vec<Quote>);

/// A room type, with what can be said of it at a glance.
pub(super) struct Stock {
    /// No night is cheaper; nothing is sold where there is none.
    floor: Option<Amount>,
    screen: Screen,
    pub inventory: Inventory,
}

/// What became of a step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The room type is as the step has left it.
    Followed,
    /// It was there already.
    Known,
    /// One before it is missing: the store has it.
    Gap,
}

impl Listing {
    pub fn new(hotel: Arc<Hotel>) -> Self {
        let (id, currency) = (hotel.id, hotel.currency);
        let house = RwLock::new(HotelStock { hotel, stock: Vec::new() });
        Self { id, currency, floors: [const { AtomicI64::new(NOTHING) }; SHARING], house }
    }

    /// Never held across an await.
    pub fn read(&self) -> RwLockReadGuard<'_, HotelStock> {
        self.house.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// No night of a room for them costs less; `None` when there is no such room to buy.
    pub fn floor(&self, party: Party, rooms: u16) -> Option<Amount> {
        let sharing = usize::from(party.adults.div_ceil(rooms.max(1))).clamp(1, SHARING);
        Some(self.floors[sharing - 1].load(Ordering::Relaxed)).filter(|floor| *floor < NOTHING).map(Amount)
    }

    /// What the store says of the hotel.
    pub fn rename(&self, hotel: &Arc<Hotel>) {
        self.change(|house| {
            house.rename(hotel);
            false
        });
    }

    /// What the store says of some of the room types. Where memory is newer, it stays; `false` if that was so.
    pub fn put(&self, stock: impl IntoIterator<Item = Inventory>) -> bool {
        let mut taken = true;
        self.change(|house| {
            for inventory in stock {
                taken &= house.put(inventory);
            }
            house.stock.shrink_to_fit();
            true
        });
        taken
    }

    /// Moves calendars on to the hotel's date. `false` where one begins later than that, because the hotel's time zone or
    /// the clock was set back: then days are missing, which the store has.
    pub fn roll(&self, now: Timestamp) -> bool {
        let house = self.read();
        let today = house.hotel.today(now);
        let firsts = house.stock.iter().map(|stock| stock.inventory.calendar.first());
        let (is_behind, is_ahead) =
            firsts.fold((false, false), |(behind, ahead), first| (behind || first < today, ahead || first > today));
        drop(house);
        if is_behind {
            self.change(|house| {
                house.stock.iter_mut().for_each(|stock| stock.inventory.roll(now));
                false
            });
        }
        !is_ahead
    }

    /// Follows a room type by one step of its history.
    pub fn follow(&self, room_type: RoomTypeId, step: Step, now: Timestamp) -> Fate {
        let mut fate = Fate::Gap;
        self.change(|house| {
            let Ok(index) = house.position(room_type) else { return false };
            fate = house.stock[index].follow(step, now);
            fate == Fate::Followed && !matches!(step.trace, Trace::Counts(_))
        });
        fate
    }

    /// Changes the house; prices may be different afterwards if the change says so.
    fn change(&self, change: impl FnOnce(&mut HotelStock) -> bool) {
        let mut house = self.house.write().unwrap_or_else(PoisonError::into_inner);
        if change(&mut house) {
            for (index, floor) in self.floors.iter().enumerate() {
                floor.store(house.floor(index + 1).map_or(NOTHING, Amount::minor), Ordering::Relaxed);
            }
        }
    }
}

impl HotelStock {
    pub fn inventories(&self) -> Vec<Inventory> {
        self.stock.iter().map(|stock| stock.inventory.clone()).collect()
    }

    pub fn sequence(&self, room_type: RoomTypeId) -> Option<u64> {
        let index = self.position(room_type).ok()?;
        Some(self.stock[index].inventory.sequence())
    }

    /// The lowest price of a stay in any of the room types. Those that cannot be lower are not asked.
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

    /// The room types that sell a stay with a quote of each plan, the cheapest first.
    pub fn quotes(&self, enquiry: &Enquiry, now: Timestamp) -> Vec<Sold<'_>> {
        let today = self.hotel.today(now);
        let quotes = |stock: &'_ Stock| stock.inventory.offers_on(enquiry, today);
        let sold = self.open(enquiry.stay).map(|stock| (&stock.inventory, quotes(stock)));
        let mut sold: Vec<_> = sold.filter(|(_, quotes)| !quotes.is_empty()).collect();
        sold.sort_by_key(|(inventory, quotes)| (quotes.first().map(|quote| quote.total), inventory.room_type.id));
        sold
    }

    /// The room types that a first look does not rule out.
    fn open(&self, stay: Stay) -> impl Iterator<Item = &Stock> {
        let nights = screen::nights(stay);
        self.stock.iter().filter(move |stock| !stock.screen.rules_out(nights.clone()))
    }

    fn rename(&mut self, hotel: &Arc<Hotel>) {
        if self.hotel != *hotel {
            self.hotel = hotel.clone();
        }
        for stock in &mut self.stock {
            stock.inventory.hotel = self.hotel.clone();
        }
    }

    /// `false`: memory is newer, and stays.
    fn put(&mut self, mut inventory: Inventory) -> bool {
        inventory.hotel = self.hotel.clone();
        match self.position(inventory.room_type.id) {
            Ok(index) if self.stock[index].inventory.sequence() > inventory.sequence() => return false,
            Ok(index) => self.stock[index] = Stock::new(inventory),
            Err(index) => self.stock.insert(index, Stock::new(inventory)),
        }
        true
    }

    /// The lowest floor of the room types that so many adults can share.
    fn floor(&self, sharing: usize) -> Option<Amount> {
        let takes = |stock: &&Stock| {
            let occupancy = stock.inventory.room_type.occupancy;
            usize::from(occupancy.max_adults.min(occupancy.max_occupancy)) >= sharing
        };
        self.stock.iter().filter(takes).filter_map(|stock| stock.floor).min()
    }

    fn position(&self, room_type: RoomTypeId) -> Result<usize, usize> {
        self.stock.binary_search_by_key(&room_type, |stock| stock.inventory.room_type.id)
    }
}

impl Stock {
    fn new(inventory: Inventory) -> Self {
        Self { floor: floor(&inventory), screen: Screen::of(&inventory), inventory }
    }

    fn follow(&mut self, step: Step, now: Timestamp) -> Fate {
        match step.sequence.checked_sub(self.inventory.sequence()) {
            None | Some(0) => return Fate::Known,
            Some(1) => {}
            Some(_) => return Fate::Gap,
        }
        self.inventory.roll(now);
        self.inventory.follow(step);
        match step.trace {
            Trace::Counts(deltas) => self.screen.look_again(&self.inventory, deltas.iter().map(|delta| delta.date)),
            Trace::Nights { .. } | Trace::RoomType(_) | Trace::RatePlan(_) => {
                self.screen = Screen::of(&self.inventory);
                self.floor = floor(&self.inventory);
            }
        }
        Fate::Followed
    }
}

fn floor(inventory: &Inventory) -> Option<Amount> {
    inventory.plans.iter().map(RatePlan::lowest_price).min()
}
