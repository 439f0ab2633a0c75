//! Another program has locked rows of a PostgreSQL database, and does not give them up.

use std::time::{Duration, Instant};

use innkeeper::domain::Command;
use innkeeper::store::{CommitEntry, Verdict};
use rstest::rstest;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::store_contract::fixture::{self, Desk, StoreFixture, day, order, stay};
use crate::support::eventually::eventually;
use crate::support::test_database::Lock;

/// A row that the writes to a room type need, beside its own.
#[derive(Debug, Clone, Copy)]
enum Row {
    Night,
    Hotel,
    Plan,
}

impl Row {
    async fn lock(self, house: &StoreFixture, desk: &Desk) -> Lock {
        let lock = match self {
            Self::Night => format!("SELECT FROM nights WHERE room_type_id = '{}' FOR UPDATE", desk.id()),
            Self::Hotel => format!("SELECT FROM hotels WHERE id = '{}' FOR UPDATE", desk.inventory.hotel.id),
            Self::Plan => format!("SELECT FROM rate_plans WHERE room_type_id = '{}' FOR UPDATE", desk.id()),
        };
        let mut program = PgConnection::connect(&house.place.url()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {lock}"))).execute(&mut program).await.unwrap();
        Lock::Postgres(program)
    }

    /// Something that needs the row.
    fn decide(self, desk: &mut Desk, settings: bool) -> CommitEntry {
        match (self, settings) {
            (Self::Plan, true) => {
                let plan = desk.inventory.plans[0].clone();
                desk.decide(Command::SetRatePlan(plan)).unwrap()
            }
            (Self::Night, true) => {
                let mut change = innkeeper::domain::NightsChange::untouched(day(1), day(2));
                change.out_of_order = innkeeper::domain::nights_change::Patch::Set(1);
                desk.decide(Command::SetNights(change)).unwrap()
            }
            _ => desk.book(order(stay(1, 1), 1)),
        }
    }
}

#[rstest]
#[case::a_night(Row::Night, false)]
#[case::settings_of_a_night(Row::Night, true)]
#[case::a_hotel(Row::Hotel, false)]
#[case::a_plan(Row::Plan, false)]
#[case::settings_of_a_plan(Row::Plan, true)]
#[tokio::test]
async fn a_locked_row_keeps_only_the_room_types_that_need_it(#[case] row: Row, #[case] settings: bool) {
    let house = fixture::postgres().await;
    let (mut locked, mut first, mut last) = (house.desk(50).await, house.desk(50).await, house.desk(50).await);
    // The night has a row.
    house.commit(&[locked.book(order(stay(1, 1), 1))]).await;
    let lock = row.lock(&house, &locked).await;
    let decided = locked.clone();
    let left_out = [Verdict::Committed, Verdict::Fenced, Verdict::Fenced, Verdict::Committed];
    let batch = [
        first.book(order(stay(1, 1), 1)),
        row.decide(&mut locked, settings),
        locked.book(order(stay(2, 1), 1)),
        last.book(order(stay(1, 1), 1)),
    ];
    assert_eq!(house.commit(&batch).await, left_out, "its actor begins again");

    let since = Instant::now();
    for _ in 0..20 {
        let mut locked = decided.clone();
        let batch = [
            first.book(order(stay(1, 1), 1)),
            row.decide(&mut locked, settings),
            locked.book(order(stay(2, 1), 1)),
            last.book(order(stay(1, 1), 1)),
        ];
        assert_eq!(house.commit(&batch).await, left_out);
    }
    assert!(since.elapsed() < Duration::from_secs(20), "no batch waits for the lock again: {:?}", since.elapsed());
    lock.release().await;
    let mut again = decided;
    let again = row.decide(&mut again, settings);
    let again = std::slice::from_ref(&again);
    eventually("its room type is tried again", async || house.commit(again).await == [Verdict::Committed]).await;
    for desk in [locked, first, last] {
        house.assert_sound(desk.id()).await;
    }
}
