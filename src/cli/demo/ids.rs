//! The ids of the demo. The first hotel, room type, rate plan and service have the ids of the examples in `/docs`, so those
//! examples can be sent unchanged.

use std::cell::Cell;

use uuid::Uuid;

use crate::clock::IdSource;
use crate::domain::{HotelId, RatePlanId, RoomTypeId, ServiceId};
use crate::http::describe::example;

pub struct Ids<'a> {
    fresh: &'a dyn IdSource,
    hotel: Cell<Option<HotelId>>,
    room_type: Cell<Option<RoomTypeId>>,
    rate_plan: Cell<Option<RatePlanId>>,
    service: Cell<Option<ServiceId>>,
}

impl<'a> Ids<'a> {
    pub fn new(fresh: &'a dyn IdSource) -> Self {
        Self {
            fresh,
            hotel: Cell::new(Some(example::HOTEL)),
            room_type: Cell::new(Some(example::ROOM_TYPE)),
            rate_plan: Cell::new(Some(example::RATE_PLAN)),
            service: Cell::new(Some(example::SERVICE)),
        }
    }

    pub fn hotel(&self) -> HotelId {
        self.next(&self.hotel, HotelId)
    }

    pub fn room_type(&self) -> RoomTypeId {
        self.next(&self.room_type, RoomTypeId)
    }

    pub fn rate_plan(&self) -> RatePlanId {
        self.next(&self.rate_plan, RatePlanId)
    }

    pub fn service(&self) -> ServiceId {
        self.next(&self.service, ServiceId)
    }

    fn next<Id>(&self, example: &Cell<Option<Id>>, id: fn(Uuid) -> Id) -> Id {
        example.take().unwrap_or_else(|| id(self.fresh.next()))
    }
}
