//! `verify` finds changes that were made directly in the database.

use innkeeper::domain::nights_change::Patch;
use innkeeper::domain::testing::nights_change;
use innkeeper::domain::{Command, NightsChange};
use rstest::rstest;

use crate::store_contract::fixture::{self, StoreFixture, keyed, order, stay};
use crate::support::program::{Ended, Workplace};

/// A database with a booking of two nights with an idempotency key, then changed by SQL.
struct Tampered {
    workplace: Workplace,
    house: StoreFixture,
}

impl Tampered {
    async fn with(sql: &str) -> Self {
        let house = fixture::any().await;
        let mut desk = house.desk(3).await;
        house.commit(&[keyed(desk.book(order(stay(1, 2), 1)), 7)]).await;
        house.store.close().await.unwrap();
        house.place.execute(sql).await;
        Self { workplace: Workplace::new(), house }
    }

    fn verify(&self) -> Ended {
        self.workplace.run(&["verify", "--database-url", &self.house.place.url()])
    }
}

#[tokio::test]
async fn a_correct_database_has_no_difference() {
    let said = Tampered::with("SELECT 1").await.verify().succeeded().stdout;
    assert_eq!(said, "room types recounted: 1; differences: 0\n");
}

#[rstest]
#[case(
    "UPDATE nights SET capacity = 4 WHERE date = '2026-05-02'",
    "2026-05-02: a capacity of 4 is stored, the settings make it 3"
)]
#[case(
    "UPDATE nights SET out_of_order = 1 WHERE date = '2026-05-03'",
    "2026-05-03: a capacity of 3 is stored, the settings make it 2"
)]
#[case(
    "UPDATE nights SET forced = 2 WHERE date = '2026-05-02'",
    "2026-05-02: 2 rooms are forced beyond the capacity, its guests need 0"
)]
#[case("UPDATE nights SET sold = 2 WHERE date = '2026-05-02'", "2026-05-02: 2 sold in the calendar, 1 in the bookings")]
#[case("UPDATE bookings SET check_out = '2026-05-05'", "2026-05-04: 0 sold in the calendar, 1 in the bookings")]
#[case("UPDATE room_types SET sequence = 9", "sequence is 9, but there are 2 events, from 1 to 2")]
#[case("UPDATE events SET booking_id = NULL", ": its last change has no event")]
#[case(
    r#"UPDATE idempotency_records SET answer = '{"id": "f0", "room_type_id": "f1"}'"#,
    "idempotency key 0707070707070707070707070707070707070707070707070707070707070707: its booking f0 does not exist"
)]
#[case("UPDATE idempotency_records SET answer = '{}'", ": its answer names no booking")]
#[case(
    "UPDATE idempotency_records SET kind = 'rate_plan', answer = '{\"id\": \"f0\"}'",
    ": its rate_plan f0 does not exist"
)]
#[case(
    r#"UPDATE jobs SET payload = '{"booking_id": "f0", "sequence": 2}'"#,
    "job 1 (booking_confirmation): its booking f0 does not exist"
)]
#[case("UPDATE jobs SET tenant = NULL", ", not of the installation")]
#[tokio::test]
async fn every_manipulation_is_named(#[case] sql: &str, #[case] difference: &str) {
    let ended = Tampered::with(sql).await.verify();
    assert!(ended.stdout.contains(&format!("{difference}\n")), "{ended:#?}");
    assert!(ended.stdout.ends_with("room types recounted: 1; differences: 1\n"), "{ended:#?}");
    ended.failed(3);
}

#[tokio::test]
async fn a_forced_lower_capacity_is_not_overselling() {
    let house = fixture::any().await;
    let mut desk = house.desk(3).await;
    let booked = desk.book(order(stay(1, 2), 3));
    let forced = NightsChange { physical: Patch::Set(1), forced_by: Some("Rui".to_owned()), ..nights_change(1, 1) };
    let forced = desk.decide(Command::SetNights(forced)).unwrap();
    house.commit(&[booked, forced]).await;
    let said = Workplace::new().run(&["verify", "--database-url", &house.place.url()]).succeeded().stdout;
    let told = "nights with more guests than rooms because a lower capacity was forced: 1\n";
    assert_eq!(said, format!("{told}room types recounted: 1; differences: 0\n"));
}

#[tokio::test]
async fn the_exit_code_is_right_without_a_reader() {
    let tampered = Tampered::with("UPDATE nights SET capacity = 4").await;
    let mut started = tampered.workplace.start(&["verify", "--database-url", &tampered.house.place.url()]);
    drop(started.0.stdout.take());
    assert_eq!(started.0.wait().unwrap().code(), Some(3));
}
