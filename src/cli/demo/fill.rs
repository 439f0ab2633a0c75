//! Creates the demo hotels through the catalogue and the engine, as an administrator does.

use jiff::ToSpan;
use jiff::civil::Weekday;

use super::hotels::{CITIES, City, DemoHotel, Room};
use super::ids::Ids;
use crate::domain::catalogue::{Coordinates, Zone};
use crate::domain::nights_change::{Patch, RestrictionPatch};
use crate::domain::{
    Amount, ByDate, CancellationPolicy, Date, Hotel, HotelId, NightsChange, Occupancy, RatePlan, RatePlanId, RoomType,
    Service, Timestamp, Violation,
};
use crate::engine::Engine;
use crate::store::Store;

/// The surcharge of weekend nights in percent.
const WEEKEND_SURCHARGE: u8 = 25;
/// The discount of the non-refundable plan in percent.
const NON_REFUNDABLE_DISCOUNT: u8 = 12;
/// Weekend prices and restrictions are set for this many days.
const SEASON_DAYS: i64 = 365;

/// Creates every demo hotel.
pub async fn fill(store: &dyn Store, engine: &Engine, ids: &Ids<'_>, now: Timestamp) -> anyhow::Result<()> {
    for city in CITIES {
        for demo in city.hotels {
            let hotel = hotel(city, demo, ids.hotel()).map_err(|violation| anyhow::anyhow!("{violation}"))?;
            store.insert_hotel(&hotel).await?;
            for (name, basis, price) in city.services {
                let id = ids.service();
                let (name, price) = ((*name).to_owned(), Amount(*price));
                let service = Service { id, hotel_id: hotel.id, name, basis: *basis, price };
                store.insert_service(&service).await?;
            }
            for room in demo.rooms {
                open_room_type(store, engine, ids, &hotel, room, now).await?;
            }
        }
    }
    Ok(())
}

fn hotel(city: &City, demo: &DemoHotel, id: HotelId) -> Result<Hotel, Violation> {
    let currency = city.currency.parse().map_err(|_| Violation::new("/currency", "currency", "must be known"))?;
    Ok(Hotel {
        id,
        name: demo.name.to_owned(),
        city: city.name.to_owned(),
        country: city.country.to_owned(),
        timezone: Zone::parse(city.timezone)?,
        currency,
        check_in_time: Hotel::DEFAULT_CHECK_IN_TIME,
        check_out_time: Hotel::DEFAULT_CHECK_OUT_TIME,
        location: Some(Coordinates::new(demo.latitude, demo.longitude)?),
        max_nights: Hotel::DEFAULT_MAX_NIGHTS,
        horizon_nights: Hotel::DEFAULT_HORIZON_NIGHTS,
    })
}

/// Creates a room type with a flexible plan and a cheaper non-refundable plan. Weekends cost more.
async fn open_room_type(
    store: &dyn Store,
    engine: &Engine,
    ids: &Ids<'_>,
    hotel: &Hotel,
    room: &Room,
    now: Timestamp,
) -> anyhow::Result<()> {
    let Room(name, max_adults, max_children, max_occupancy, rooms, price) = *room;
    let id = ids.room_type();
    let occupancy = Occupancy { max_adults, max_children, max_occupancy };
    let (hotel_id, overbooking_allowance) = (hotel.id, 0);
    let room_type = RoomType { id, hotel_id, name: name.to_owned(), occupancy, rooms, overbooking_allowance };
    store.insert_room_type(&room_type).await?;

    let season = Season::from(hotel.today(now));
    let discounted = Amount(price).percent(100 - NON_REFUNDABLE_DISCOUNT);
    let flexible = ("Flexible", Amount(price), CancellationPolicy::flexible());
    let non_refundable = ("Non-refundable", discounted, CancellationPolicy::non_refundable());
    for (name, price, policy) in [flexible, non_refundable] {
        let plan = ids.rate_plan();
        let name = name.to_owned();
        let nights = ByDate::default();
        engine.set_rate_plan(RatePlan { id: plan, room_type_id: id, name, price, policy, nights }).await?;
        engine.set_nights(id, season.weekend_price(plan, price)).await?;
    }
    if rooms <= 3 {
        engine.set_nights(id, season.no_single_saturdays()).await?;
    }
    if rooms >= 20 {
        engine.set_nights(id, season.renovation()).await?;
    }
    Ok(())
}

/// The nights that demo prices and restrictions cover.
struct Season {
    from: Date,
    to: Date,
}

impl Season {
    fn from(today: Date) -> Self {
        Self { from: today, to: today.saturating_add(SEASON_DAYS.days()) }
    }

    fn untouched(&self, weekdays: Option<&[Weekday]>) -> NightsChange {
        NightsChange { weekdays: weekdays.map(<[_]>::to_vec), ..NightsChange::untouched(self.from, self.to) }
    }

    fn weekend_price(&self, plan: RatePlanId, price: Amount) -> NightsChange {
        let price = price + price.percent(WEEKEND_SURCHARGE);
        let weekend = self.untouched(Some(&[Weekday::Friday, Weekday::Saturday]));
        NightsChange { rate_plan: Some(plan), price: Patch::Set(price), ..weekend }
    }

    /// The smallest room types need two nights when the arrival is a Saturday.
    fn no_single_saturdays(&self) -> NightsChange {
        let restriction = RestrictionPatch { min_nights_arrival: Patch::Set(2), ..RestrictionPatch::default() };
        NightsChange { restriction, ..self.untouched(Some(&[Weekday::Saturday])) }
    }

    /// Two rooms are out of order for two weeks in the second month.
    fn renovation(&self) -> NightsChange {
        let from = self.from.saturating_add(30.days());
        NightsChange { from, to: from.saturating_add(14.days()), out_of_order: Patch::Set(2), ..self.untouched(None) }
    }
}
