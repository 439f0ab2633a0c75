//! Physical rooms. No code assigns them yet, so these tests check the schema with SQL.

use super::contract;
use super::fixture::{StoreFixture, booking, order, stay};

/// A hotel, and a booking.
type Guest = (String, String);

/// A hotel with two bookings, and statements about its assignments.
struct Plan {
    house: StoreFixture,
    hotel: String,
    bookings: [String; 2],
}

impl Plan {
    async fn of(house: StoreFixture) -> Self {
        let mut desk = house.desk(5).await;
        let hotel = desk.inventory.hotel.id.to_string();
        let entries = [desk.book(order(stay(1, 3), 1)), desk.book(order(stay(1, 3), 1))];
        house.commit(&entries).await;
        let bookings = entries.map(|entry| booking(&entry).id.to_string());
        Self { house, hotel, bookings }
    }

    /// A booking of another hotel.
    async fn stranger(house: &StoreFixture) -> Guest {
        let mut desk = house.desk_in(&house.hotel("Casa Verde", "Porto").await, 1).await;
        let entry = desk.book(order(stay(1, 3), 1));
        house.commit(std::slice::from_ref(&entry)).await;
        (desk.inventory.hotel.id.to_string(), booking(&entry).id.to_string())
    }

    /// Assigns a room of this hotel to a booking between two days of May. Returns the rule that forbids it.
    async fn assign(&self, booking: usize, room: &str, arrival: u8, departure: u8) -> Result<(), String> {
        self.assign_to(&(self.hotel.clone(), self.bookings[booking].clone()), room, arrival, departure).await
    }

    async fn assign_to(&self, (hotel, booking): &Guest, room: &str, from: u8, to: u8) -> Result<(), String> {
        let columns = "hotel_id, room, arrival, departure, booking_id";
        let values = format!("'{hotel}', '{room}', '2026-05-{from:02}', '2026-05-{to:02}', '{booking}'");
        self.run(&format!("INSERT INTO room_assignments ({columns}) VALUES ({values})")).await
    }

    /// Changes the assignments of a booking.
    async fn change(&self, booking: usize, change: &str) -> Result<(), String> {
        let booking = &self.bookings[booking];
        self.run(&format!("UPDATE room_assignments SET {change} WHERE booking_id = '{booking}'")).await
    }

    async fn run(&self, sql: &str) -> Result<(), String> {
        // SQLite does not name the violated foreign key.
        const RULES: [(&str, &str); 4] = [
            ("one_booking_a_night", "one_booking_a_night"),
            ("one_night_at_least", "one_night_at_least"),
            ("of_the_bookings_hotel", "of_the_bookings_hotel"),
            ("FOREIGN KEY constraint failed", "of_the_bookings_hotel"),
        ];
        let Err(error) = self.house.place.attempt(sql).await else { return Ok(()) };
        let said = error.to_string();
        let rule = RULES.into_iter().find(|(words, _)| said.contains(words));
        Err(rule.map_or(said, |(_, rule)| rule.to_owned()))
    }
}

fn taken() -> Result<(), String> {
    Err("one_booking_a_night".to_owned())
}

async fn a_room_that_is_taken_is_not_given_to_another_booking_in_any_of_its_nights(house: StoreFixture) {
    let plan = Plan::of(house).await;
    plan.assign(0, "101", 10, 14).await.unwrap();
    for (arrival, departure) in [(10, 14), (9, 11), (13, 16), (11, 12), (8, 20)] {
        assert_eq!(plan.assign(1, "101", arrival, departure).await, taken(), "{arrival} to {departure}");
    }
    assert_eq!(plan.assign(0, "101", 12, 15).await, taken(), "not even to the same booking");
}

async fn one_guest_leaves_a_room_and_the_next_one_comes_on_the_same_day(house: StoreFixture) {
    let plan = Plan::of(house).await;
    plan.assign(0, "101", 10, 14).await.unwrap();
    plan.assign(1, "101", 14, 15).await.unwrap();
    plan.assign(1, "101", 9, 10).await.unwrap();
}

async fn rooms_are_told_apart_by_their_whole_name_and_their_hotel(house: StoreFixture) {
    let other = Plan::stranger(&house).await;
    let plan = Plan::of(house).await;
    for room in ["101", "10", "1011", "101 ", "101a", "101A", "ä", ""] {
        plan.assign(0, room, 10, 14).await.unwrap();
    }
    plan.assign_to(&other, "101", 10, 14).await.unwrap();
}

async fn a_booking_has_no_room_in_another_hotel(house: StoreFixture) {
    let other = Plan::stranger(&house).await;
    let plan = Plan::of(house).await;
    let elsewhere = || Err("of_the_bookings_hotel".to_owned());
    assert_eq!(plan.assign_to(&(other.0.clone(), plan.bookings[0].clone()), "101", 10, 14).await, elsewhere());
    assert_eq!(plan.assign_to(&(plan.hotel.clone(), other.1.clone()), "101", 10, 14).await, elsewhere());
    plan.assign(0, "101", 10, 14).await.unwrap();
    assert_eq!(plan.change(0, &format!("hotel_id = '{}'", other.0)).await, elsewhere());
}

async fn an_assignment_that_changes_is_in_nobodys_way_but_the_others(house: StoreFixture) {
    let plan = Plan::of(house).await;
    plan.assign(0, "101", 10, 12).await.unwrap();
    plan.assign(1, "102", 10, 12).await.unwrap();
    assert_eq!(plan.change(1, "room = '101'").await, taken());
    plan.change(1, "arrival = '2026-05-11', departure = '2026-05-14'").await.unwrap();
    assert_eq!(plan.change(1, "room = '101'").await, taken());
    plan.change(0, "departure = '2026-05-11'").await.unwrap();
    plan.change(1, "room = '101'").await.unwrap();
    assert_eq!(plan.change(0, "departure = '2026-05-12'").await, taken());
}

async fn nobody_sleeps_for_no_night(house: StoreFixture) {
    let plan = Plan::of(house).await;
    assert_eq!(plan.assign(0, "101", 10, 10).await, Err("one_night_at_least".to_owned()));
}

contract!(
    a_room_that_is_taken_is_not_given_to_another_booking_in_any_of_its_nights,
    one_guest_leaves_a_room_and_the_next_one_comes_on_the_same_day,
    rooms_are_told_apart_by_their_whole_name_and_their_hotel,
    an_assignment_that_changes_is_in_nobodys_way_but_the_others,
    nobody_sleeps_for_no_night,
    a_booking_has_no_room_in_another_hotel,
);
