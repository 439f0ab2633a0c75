//! What a room type looks like from outside.

use super::{NightView, View};
use crate::domain::{Amount, Date, Inventory, RatePlan};

impl View {
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

/// The lowest price of the plans that sell a night.
fn cheapest(plans: &[RatePlan], date: Date) -> Option<Amount> {
    plans.iter().filter(|plan| !plan.restriction_on(date).stop_sell).map(|plan| plan.price_on(date)).min()
}
