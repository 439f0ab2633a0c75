//! Rate plans: what a night costs, and under which conditions.

use serde::{Deserialize, Serialize};

use super::{Amount, ByDate, CancellationPolicy, Date, RatePlanId, Restriction, RoomTypeId};

/// What one night says differently from its rate plan.
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
    /// Price of a night where the night itself names none.
    pub price: Amount,
    pub policy: CancellationPolicy,
    /// Nights that differ, by date. Not part of the plan's own record.
    #[serde(skip)]
    pub nights: ByDate<RateNight>,
}

impl RatePlan {
    /// Price of one room for every night of [from, to), in order.
    pub fn prices(&self, from: Date, to: Date) -> impl Iterator<Item = (Date, Amount)> {
        let price = |night: Option<&RateNight>| night.and_then(|night| night.price).unwrap_or(self.price);
        self.nights.walk(from, to).map(move |(date, night)| (date, price(night)))
    }

    /// A price that no night is below.
    pub fn lowest_price(&self) -> Amount {
        self.nights.iter().filter_map(|(_, night)| night.price).fold(self.price, Amount::min)
    }

    /// Price of one room for the night of `date`.
    pub fn price_on(&self, date: Date) -> Amount {
        self.night(date).price.unwrap_or(self.price)
    }

    /// Whether this is the same plan on the same terms, whatever its nights say.
    pub fn is_but_for_nights(&self, other: &Self) -> bool {
        let terms = |plan: &Self| (plan.id, plan.room_type_id, plan.price);
        terms(self) == terms(other) && self.name == other.name && self.policy == other.policy
    }

    pub fn restriction_on(&self, date: Date) -> Restriction {
        self.night(date).restriction
    }

    pub fn night(&self, date: Date) -> RateNight {
        self.nights.get(date).copied().unwrap_or_default()
    }
}
