//! The body of a service, and its rules.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::text;
use crate::domain::violation::Violations;
use crate::domain::{Amount, HotelId, Service, ServiceBasis, ServiceId, Violation};
use crate::http::value::price;

/// A new service.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewService)]
pub struct ServiceBody {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    pub basis: Basis,
    /// The price of one unit, in minor units of the hotel's currency.
    #[schema(minimum = 0, maximum = 100_000_000_000_i64)]
    pub price_minor: i64,
}

/// The basis of a service's price.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ServiceBasis)]
pub enum Basis {
    /// Once for the stay, such as an airport transfer.
    PerStay,
    /// For each night, such as parking.
    PerNight,
    /// For each guest, such as a spa pass.
    PerPerson,
    /// For each guest and night, such as breakfast.
    PerPersonNight,
}

/// A service.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Service)]
pub struct ServiceView {
    #[schema(value_type = uuid::Uuid)]
    pub id: ServiceId,
    #[schema(value_type = uuid::Uuid)]
    pub hotel_id: HotelId,
    #[serde(flatten)]
    pub service: ServiceBody,
}

impl ServiceBody {
    /// The service, or all violations. A name that equals the `present` one is kept: it may be older than its rule.
    pub fn check(self, id: ServiceId, hotel_id: HotelId, present: Option<&Service>) -> Result<Service, Vec<Violation>> {
        let mut violations = Violations::default();
        let kept = present.map(|service| service.name.as_str());
        let name = violations.keep(text::line_unless_kept(&self.name, kept, 100, "/name"));
        let price = violations.keep(price(self.price_minor, "/price_minor"));
        let basis = self.basis.into();
        let service = name.zip(price).map(|(name, price): (_, Amount)| Service { id, hotel_id, name, basis, price });
        violations.finish(service)
    }
}

impl From<&Service> for ServiceBody {
    fn from(service: &Service) -> Self {
        Self { name: service.name.clone(), basis: service.basis.into(), price_minor: service.price.minor() }
    }
}

impl From<&Service> for ServiceView {
    fn from(service: &Service) -> Self {
        Self { id: service.id, hotel_id: service.hotel_id, service: service.into() }
    }
}

impl From<Basis> for ServiceBasis {
    fn from(basis: Basis) -> Self {
        match basis {
            Basis::PerStay => Self::PerStay,
            Basis::PerNight => Self::PerNight,
            Basis::PerPerson => Self::PerPerson,
            Basis::PerPersonNight => Self::PerPersonNight,
        }
    }
}

impl From<ServiceBasis> for Basis {
    fn from(basis: ServiceBasis) -> Self {
        match basis {
            ServiceBasis::PerStay => Self::PerStay,
            ServiceBasis::PerNight => Self::PerNight,
            ServiceBasis::PerPerson => Self::PerPerson,
            ServiceBasis::PerPersonNight => Self::PerPersonNight,
        }
    }
}
