//! Services sold with the room, and how often each is charged.

use serde::{Deserialize, Serialize};

use super::{Amount, HotelId, ServiceId};

/// How often one unit of a service is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceBasis {
    /// Once (an airport pick-up).
    PerStay,
    /// For each night (parking).
    PerNight,
    /// For each guest (a spa pass).
    PerPerson,
    /// For each guest and night (breakfast).
    PerPersonNight,
}

impl ServiceBasis {
    /// The units for a stay of `nights` nights with `persons` guests.
    pub fn units(self, nights: u16, persons: u32) -> u64 {
        match self {
            Self::PerStay => 1,
            Self::PerNight => u64::from(nights),
            Self::PerPerson => u64::from(persons),
            Self::PerPersonNight => u64::from(persons) * u64::from(nights),
        }
    }
}

/// A service on a hotel's price list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    pub id: ServiceId,
    pub hotel_id: HotelId,
    pub name: String,
    pub basis: ServiceBasis,
    pub price: Amount,
}

/// A service of a booking. Its name and price are those of the sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedService {
    pub service_id: ServiceId,
    pub name: String,
    pub basis: ServiceBasis,
    pub unit_price: Amount,
    pub quantity: u16,
    /// `unit_price` × `quantity` × the units of the stay.
    pub amount: Amount,
}

impl BookedService {
    /// Sells `quantity` of a service for a stay.
    pub fn sell(service: &Service, quantity: u16, nights: u16, persons: u32) -> Self {
        let sold = Self {
            service_id: service.id,
            name: service.name.clone(),
            basis: service.basis,
            unit_price: service.price,
            quantity,
            amount: Amount::ZERO,
        };
        sold.for_stay(nights, persons)
    }

    /// The service after the stay has changed, at the price of the sale.
    pub fn for_stay(mut self, nights: u16, persons: u32) -> Self {
        let units = self.basis.units(nights, persons).saturating_mul(u64::from(self.quantity));
        self.amount = self.unit_price.times(units);
        self
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(ServiceBasis::PerStay, 1)]
    #[case(ServiceBasis::PerNight, 3)]
    #[case(ServiceBasis::PerPerson, 2)]
    #[case(ServiceBasis::PerPersonNight, 6)]
    fn a_basis_counts_what_it_names(#[case] basis: ServiceBasis, #[case] units: u64) {
        assert_eq!(basis.units(3, 2), units);
    }
}
