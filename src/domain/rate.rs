//! Rate plans: prices and their conditions.

use serde::{Deserialize, Serialize};

use super::{Amount, ByDate, CancellationPolicy, Date, RatePlanId, Restriction, RoomTypeId};

/// The values of one night that differ from its rate plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateNight {
    /// Replaces the plan's price on this night.
    #[serde(default)]
    pub price: Option<Amount>,
    #[serde(default)]
    pub restriction: Restriction,
}

/// One way of selling a room type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatePlan {
    pub id: RatePlanId,
    pub room_type_id: RoomTypeId,
    pub name: String,
    /// Price of a night without its own price.
    pub price: Amount,
    pub policy: CancellationPolicy,
    /// Nights with own values, by date. Not part of the plan's own record.
    #[serde(skip)]
    pub nights: ByDate<RateNight>,
}

impl RatePlan {
    /// Price of one room for every night of [from, to), in order.
    pub fn prices(&self, from: Date, to: Date) -> impl Iterator<Item = (Date, Amount)> {
        let price = |night: Option<&RateNight>| night.and_then(|night| night.price).unwrap_or(self.price);
        self.nights.walk(from, to).map(move |(date, night)| (date, price(night)))
    }

    /// The lowest price of any night.
    pub fn lowest_price(&self) -> Amount {
        self.nights.iter().filter_map(|(_, night)| night.price).fold(self.price, Amount::min)
    }

    /// Price of one room for the night of `date`.
    pub fn price_on(&self, date: Date) -> Amount {
        self.night(date).price.unwrap_or(self.price)
    }

    /// Whether both plans are equal apart from their nights.
    pub fn equals_except_nights(&self, other: &Self) -> bool {
        let settings = |plan: &Self| (plan.id, plan.room_type_id, plan.price);
        settings(self) == settings(other) && self.name == other.name && self.policy == other.policy
    }

    pub fn restriction_on(&self, date: Date) -> Restriction {
        self.night(date).restriction
    }

    pub fn night(&self, date: Date) -> RateNight {
        self.nights.get(date).copied().unwrap_or_default()
    }
}
