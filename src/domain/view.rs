//! A calendar as clients see it: nights with their free rooms and the cheapest price.

use super::{Amount, Currency, Date, Inventory, Night, RatePlan, RoomTypeId};

/// Some nights of a room type.
#[derive(Debug, Clone)]
pub struct CalendarView {
    pub room_type_id: RoomTypeId,
    pub currency: Currency,
    /// The sequence number of the last fact in this view.
    pub sequence: u64,
    /// The first night on sale, which is the hotel's current date, and the date after the last one.
    pub on_sale: [Date; 2],
    pub nights: Vec<NightView>,
}

/// One night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NightView {
    pub date: Date,
    pub night: Night,
    pub physical: u16,
    pub allowance: i16,
    pub free: u16,
    /// The room type is closed on this night, or all its rate plans are.
    pub closed: bool,
    /// Price of one room under the cheapest open plan.
    pub price: Option<Amount>,
}

impl CalendarView {
    /// The nights of [from, to) that lie inside the horizon.
    pub fn of(inventory: &Inventory, from: Date, to: Date) -> Self {
        let calendar = &inventory.calendar;
        let on_sale = [calendar.first(), inventory.hotel.horizon_end(calendar.first())];
        let to = to.min(on_sale[1]);
        let nights = calendar.range(from, to).map(|(date, night)| {
            let price = cheapest(&inventory.plans, date).filter(|_| !night.restriction.stop_sell);
            NightView {
                date,
                night: *night,
                physical: calendar.physical(night),
                allowance: calendar.allowance(night),
                free: calendar.free(night),
                closed: price.is_none(),
                price,
            }
        });
        Self {
            room_type_id: inventory.room_type.id,
            currency: inventory.hotel.currency,
            sequence: inventory.sequence(),
            on_sale,
            nights: nights.collect(),
        }
    }
}

/// The lowest price among the plans that sell a night.
fn cheapest(plans: &[RatePlan], date: Date) -> Option<Amount> {
    plans.iter().filter(|plan| !plan.restriction_on(date).stop_sell).map(|plan| plan.price_on(date)).min()
}
