//! The JSON of an event.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    Amount, BookingId, HotelId, Night, NightDelta, RateNight, RatePlanId, RoomTypeId, Run, StepEffect, Timestamp,
};
use crate::http::names::EventCause;
use crate::http::nights::availability::Restrictions;
use crate::http::value::Day;
use crate::store::feed::Event;

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventPage {
    pub items: Vec<EventView>,
    /// Send it as `cursor` to get the next page. Every page has it, even an empty page. Only an empty page of a request
    /// with the deprecated `after` has none.
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// Whether more events exist already. If false, ask again later.
    pub more: bool,
}

/// A committed change of a room type.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    /// Grows from event to event, with gaps. It can be sent as a cursor.
    position: u64,
    #[schema(value_type = uuid::Uuid)]
    hotel_id: HotelId,
    #[schema(value_type = uuid::Uuid)]
    room_type_id: RoomTypeId,
    /// Grows by one with each event of the room type.
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

/// A night whose counts changed and by how much, or a range of nights with new values.
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
        /// The date after the last night. All nights of the range have these values now.
        to: Day,
        /// Null means the `rooms` of the room type.
        physical: Option<u16>,
        out_of_order: u16,
        /// Null means the value of the room type.
        overbooking_allowance: Option<i16>,
        restrictions: Restrictions,
    },
}

/// A range of nights of a rate plan, with new values.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventRate {
    #[schema(value_type = uuid::Uuid)]
    rate_plan_id: RatePlanId,
    /// First night.
    from: Day,
    /// The date after the last night.
    to: Day,
    /// Null means the price of the rate plan.
    #[schema(value_type = Option<i64>)]
    price_minor: Option<Amount>,
    restrictions: Restrictions,
}

/// The new values of a room type.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventRoomType {
    name: String,
    rooms: u16,
    overbooking_allowance: i16,
}

/// The new values of a rate plan.
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
