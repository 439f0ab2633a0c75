//! An event as it is written.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    Amount, BookingId, HotelId, Night, NightDelta, RateNight, RatePlanId, RoomTypeId, Run, StepEffect, Timestamp,
};
use crate::http::nights::availability::Restrictions;
use crate::http::openapi::names::EventCause;
use crate::http::value::Day;
use crate::store::feed::Event;

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventPage {
    pub items: Vec<EventView>,
    /// Send it as `cursor` to go on. It is there on every page, also on an empty one. Only an empty page that was asked
    /// for with the older `after` has none.
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// Whether more events were there already. When false, ask again a little later.
    pub more: bool,
}

/// Something that has happened to a room type.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    /// Grows from event to event; numbers may be left out. It is also a cursor.
    position: u64,
    #[schema(value_type = uuid::Uuid)]
    hotel_id: HotelId,
    #[schema(value_type = uuid::Uuid)]
    room_type_id: RoomTypeId,
    /// Grows by one from event to event of a room type.
    sequence: u64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(value_type = EventCause)]
    cause: String,
    #[schema(value_type = Option<uuid::Uuid>)]
    booking_id: Option<BookingId>,
    /// The nights that changed.
    nights: Vec<EventNight>,
    /// The nights of rate plans that changed.
    rates: Vec<EventRate>,
    /// The room type's new values, after `room_type_set`.
    #[serde(skip_serializing_if = "Option::is_none")]
    room_type: Option<EventRoomType>,
    /// The rate plan's new values, after `rate_plan_set`.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_plan: Option<EventRatePlan>,
}

/// A night that a booking moved, and by how much; or nights that follow each other, and their new values.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum EventNight {
    Moved {
        date: Day,
        sold_delta: i32,
        held_delta: i32,
    },
    Set {
        /// First night.
        from: Day,
        /// The date after the last night: all of them have these values now.
        to: Day,
        /// Null: the room type's `rooms`.
        physical: Option<u16>,
        out_of_order: u16,
        /// Null: the room type's.
        overbooking_allowance: Option<i16>,
        restrictions: Restrictions,
    },
}

/// Nights of a rate plan that follow each other, with their new values.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventRate {
    #[schema(value_type = uuid::Uuid)]
    rate_plan_id: RatePlanId,
    /// First night.
    from: Day,
    /// The date after the last night.
    to: Day,
    /// Null: the plan's.
    #[schema(value_type = Option<i64>)]
    price_minor: Option<Amount>,
    restrictions: Restrictions,
}

/// What a room type is now.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventRoomType {
    name: String,
    rooms: u16,
    overbooking_allowance: i16,
}

/// What a rate plan is now.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventRatePlan {
    #[schema(value_type = uuid::Uuid)]
    id: RatePlanId,
    name: String,
    #[schema(value_type = i64)]
    price_minor: Amount,
}

impl From<&Event> for EventView {
    fn from(event: &Event) -> Self {
        let view = Self {
            position: event.position,
            hotel_id: event.hotel,
            room_type_id: event.room_type,
            sequence: event.sequence,
            at: event.at,
            cause: event.cause.clone(),
            booking_id: event.booking,
            nights: Vec::new(),
            rates: Vec::new(),
            room_type: None,
            rate_plan: None,
        };
        match event.payload.step_effect() {
            StepEffect::Counts(deltas) => Self { nights: deltas.iter().map(EventNight::moved).collect(), ..view },
            StepEffect::Nights { nights, rates } => Self {
                nights: nights.runs().iter().map(EventNight::set).collect(),
                rates: rates.runs().iter().map(EventRate::of).collect(),
                ..view
            },
            StepEffect::RoomType(room_type) => {
                let (name, rooms) = (room_type.name.clone(), room_type.rooms);
                let overbooking_allowance = room_type.overbooking_allowance;
                Self { room_type: Some(EventRoomType { name, rooms, overbooking_allowance }), ..view }
            }
            StepEffect::RatePlan(plan) => {
                let (id, name, price_minor) = (plan.id, plan.name.clone(), plan.price);
                Self { rate_plan: Some(EventRatePlan { id, name, price_minor }), ..view }
            }
        }
    }
}

impl EventNight {
    fn moved(delta: &NightDelta) -> Self {
        Self::Moved { date: Day(delta.date), sold_delta: delta.sold, held_delta: delta.held }
    }

    fn set(&Run { from, to, value: night }: &Run<Night>) -> Self {
        Self::Set {
            from: Day(from),
            to: Day(to),
            physical: night.physical,
            out_of_order: night.out_of_order,
            overbooking_allowance: night.allowance,
            restrictions: night.restriction.into(),
        }
    }
}

impl EventRate {
    fn of(&Run { from, to, value: (rate_plan_id, rate) }: &Run<(RatePlanId, RateNight)>) -> Self {
        let restrictions = rate.restriction.into();
        Self { rate_plan_id, from: Day(from), to: Day(to), price_minor: rate.price, restrictions }
    }
}
