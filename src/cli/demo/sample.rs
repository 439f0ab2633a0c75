//! A stay that can be booked now, for the curl line of the banner.

use jiff::ToSpan;
use jiff::tz::TimeZone;

use crate::domain::quote::Enquiry;
use crate::domain::{HotelId, Inventory, Party, RatePlanId, RoomTypeId, Stay, Timestamp};
use crate::store::{Error, Page, Store};

/// A room type, a stay that its rules accept, and the number of adults.
#[derive(Debug)]
pub struct Sample {
    pub hotel: String,
    pub hotel_id: HotelId,
    pub city: String,
    pub room_type_name: String,
    pub room_type: RoomTypeId,
    pub rate_plan: RatePlanId,
    pub rate_plan_name: String,
    pub stay: Stay,
    pub adults: u16,
}

/// The limit of hotels that are tried. When none of them can be booked, the banner has no curl line.
const HOTELS: u32 = 200;
/// The arrivals that are tried, in days after today.
const ARRIVALS: [i64; 4] = [14, 30, 60, 120];

pub async fn find(store: &dyn Store, now: Timestamp) -> Result<Option<Sample>, Error> {
    let today = TimeZone::UTC.to_datetime(now).date();
    for hotel in store.hotels(None, Page { after: None, limit: HOTELS }).await? {
        let stock = store.stock(hotel.id, now).await?;
        for days in ARRIVALS {
            let arrival = today.saturating_add(days.days());
            let Ok(stay) = Stay::new(arrival, arrival.saturating_add(2.days())) else { continue };
            let bookable = |adults| stock.iter().find_map(move |inventory| bookable(inventory, stay, adults, now));
            if let Some(sample) = [2, 1].into_iter().find_map(bookable) {
                return Ok(Some(sample));
            }
        }
    }
    Ok(None)
}

fn bookable(inventory: &Inventory, stay: Stay, adults: u16, now: Timestamp) -> Option<Sample> {
    let party = Party { adults, children: 0 };
    let enquiry = Enquiry { stay, rooms: 1, party, rate_plan: None, forced: false, keeping: None };
    let offers = inventory.offers_on(&enquiry, inventory.hotel.today(now));
    let plans: Vec<_> = offers.iter().filter_map(|offer| inventory.plan(offer.rate_plan)).collect();
    // A plan that can be cancelled is better to try.
    let plan = plans.iter().find(|plan| !plan.policy.tiers().is_empty()).or(plans.first())?;
    Some(Sample {
        hotel: inventory.hotel.name.clone(),
        hotel_id: inventory.hotel.id,
        city: inventory.hotel.city.clone(),
        room_type_name: inventory.room_type.name.clone(),
        room_type: inventory.room_type.id,
        rate_plan: plan.id,
        rate_plan_name: plan.name.clone(),
        stay,
        adults,
    })
}
