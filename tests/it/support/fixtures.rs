//! A small hotel and orders for it.

use innkeeper::clock::{IdSource, System};
use innkeeper::domain::{Hotel, HotelId, Order, RatePlan, RatePlanId, RoomType, RoomTypeId, Stay, testing};

/// A hotel with one room type and one plan at 100.00 a night, with ids that no other hotel has.
pub fn house(rooms: u16) -> (Hotel, RoomType, RatePlan) {
    let hotel = Hotel { id: HotelId(System.next()), ..testing::hotel() };
    let room_type = RoomType { id: RoomTypeId(System.next()), hotel_id: hotel.id, ..testing::room_type(rooms) };
    let plan =
        RatePlan { id: RatePlanId(System.next()), room_type_id: room_type.id, ..testing::plan(1, testing::PRICE) };
    (hotel, room_type, plan)
}

/// One room for one guest.
pub fn order_for(stay: Stay) -> Order {
    Order { guests: testing::guests(&[34]), ..testing::order(stay, 1) }
}
