//! The hotels and room types of a file, created before the replay.

use super::Bookings;
use super::demand::Rooms;
use super::row::Reservation;
use super::source::Source;
use crate::clock::IdSource;
use crate::domain::catalogue::Zone;
use crate::domain::text;
use crate::domain::{
    Amount, CancellationPolicy, Date, Hotel, HotelId, Occupancy, RatePlan, RatePlanId, RoomType, RoomTypeId, Violation,
};
use crate::engine::Engine;
use crate::store::Store;

/// The public file is about two hotels in Portugal and gives its rates in euros.
const COUNTRY: &str = "PT";
const TIMEZONE: &str = "Europe/Lisbon";
const CURRENCY: &str = "EUR";
/// Nights beyond the longest lead time and the longest stay together.
const MARGIN_NIGHTS: u16 = 30;

/// Hotels and room types, in the order of [`Source::hotels`] and [`Source::room_types`].
pub struct ImportCatalogue {
    pub hotels: Vec<Hotel>,
    pub room_types: Vec<RoomType>,
}

impl ImportCatalogue {
    /// Plans the hotels and room types. Nothing is stored yet.
    pub fn plan(options: &Bookings, source: &Source, rooms: &Rooms, ids: &dyn IdSource) -> Result<Self, Violation> {
        let hotel = |name: &String| hotel(options, source, name, HotelId(ids.next()));
        let hotels: Vec<Hotel> = source.hotels.iter().map(hotel).collect::<Result<_, _>>()?;
        let room_type = |(index, named): (usize, &super::source::NamedRoomType)| {
            Some(RoomType {
                id: RoomTypeId(ids.next()),
                hotel_id: hotels.get(named.hotel)?.id,
                name: named.name.clone(),
                occupancy: widest(source.reservations.iter().filter(|reservation| reservation.room_type == index)),
                rooms: rooms.get(index).copied()?,
                overbooking_allowance: 0,
            })
        };
        let room_types = source.room_types.iter().enumerate().filter_map(room_type).collect();
        Ok(Self { hotels, room_types })
    }

    /// Stores hotels and room types. The engine creates the rate plans at the time of its clock.
    pub async fn open(
        &self,
        source: &Source,
        store: &dyn Store,
        engine: &Engine,
        ids: &dyn IdSource,
    ) -> anyhow::Result<()> {
        for hotel in &self.hotels {
            store.insert_hotel(hotel).await?;
        }
        for (index, room_type) in self.room_types.iter().enumerate() {
            store.insert_room_type(room_type).await?;
            let prices = source.reservations.iter().filter(|row| row.room_type == index).map(|row| row.price);
            engine.set_rate_plan(imported_plan(room_type.id, median(prices.collect()), ids)).await?;
        }
        Ok(())
    }

    /// The instant of all moves of a day: the check-in time. Cancelling at that instant is still free, because the deadline
    /// itself counts as in time.
    pub fn instant(&self, day: Date) -> crate::domain::Timestamp {
        self.hotels.first().map_or_else(Default::default, |hotel| hotel.check_in_at(day))
    }
}

fn hotel(options: &Bookings, source: &Source, name: &str, id: HotelId) -> Result<Hotel, Violation> {
    let longest = |length: fn(&Reservation) -> u16| source.reservations.iter().map(length).max().unwrap_or(1);
    let max_nights = longest(|reservation| reservation.stay.nights());
    let unknown = |_| Violation::new("/currency", "currency", "must be an ISO 4217 code");
    Ok(Hotel {
        id,
        name: name.to_owned(),
        city: text::line(&options.city, Hotel::MAX_CITY, "/city")?,
        country: COUNTRY.to_owned(),
        timezone: Zone::parse(TIMEZONE)?,
        currency: CURRENCY.parse().map_err(unknown)?,
        check_in_time: Hotel::DEFAULT_CHECK_IN_TIME,
        check_out_time: Hotel::DEFAULT_CHECK_OUT_TIME,
        location: None,
        max_nights,
        horizon_nights: longest(Reservation::lead_days) + max_nights + MARGIN_NIGHTS,
    })
}

/// The occupancy that fits the largest party of the room type.
fn widest<'a>(reservations: impl Iterator<Item = &'a Reservation>) -> Occupancy {
    let start = Occupancy { max_adults: 2, max_children: 0, max_occupancy: 2 };
    reservations.fold(start, |most, reservation| {
        let party = reservation.party;
        let children = party.children + party.babies;
        Occupancy {
            max_adults: most.max_adults.max(party.adults),
            max_children: most.max_children.max(children),
            max_occupancy: most.max_occupancy.max(party.adults + children),
        }
    })
}

fn imported_plan(room_type_id: RoomTypeId, price: Amount, ids: &dyn IdSource) -> RatePlan {
    RatePlan {
        id: RatePlanId(ids.next()),
        room_type_id,
        name: "Imported".to_owned(),
        price,
        policy: CancellationPolicy::flexible(),
        nights: Default::default(),
    }
}

/// The median price of a night. It is the price of the plan for bookings after the import.
fn median(mut prices: Vec<Amount>) -> Amount {
    prices.sort_unstable();
    prices.get(prices.len() / 2).copied().unwrap_or(Amount::ZERO)
}
