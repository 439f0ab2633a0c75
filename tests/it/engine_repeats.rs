//! A request under a key that changes nothing: its answer is the key's answer, whatever happens afterwards.

use std::sync::Arc;

use innkeeper::domain::testing::guests;
use innkeeper::domain::{Amendment, Booking, BookingId, Move, Order};
use innkeeper::engine::failpoint::NoFailpoints;
use innkeeper::engine::{BookingOutcome, Engine, Error, Key, MoveOptions};
use jiff::SignedDuration;

use crate::engine::{EngineFixture, key, options, start};
use crate::support::app::in_system as run;

/// A booking of two rooms that was made three days ago. Idempotency records are kept for one.
async fn an_old_booking(house: &EngineFixture) -> Arc<Booking> {
    let stay = house.order().stay;
    let later = stay.check_in().saturating_add(jiff::Span::new().days(9));
    let stay = innkeeper::domain::Stay::new(later, later.tomorrow().unwrap()).unwrap();
    let order = Order { stay, rooms: 2, guests: guests(&[34, 35]), ..house.order() };
    let booked = house.engine.book(house.room_type, order, None).await.unwrap().booking;
    house.clock.advance(SignedDuration::from_hours(72));
    booked
}

async fn set_rooms(engine: &Engine, id: BookingId, rooms: u16, key: Option<Key>) -> Result<BookingOutcome, Error> {
    let amendment = Amendment { rooms: Some(rooms), waive_policy: true, ..Amendment::default() };
    engine.act(id, Move::Amend(amendment), MoveOptions { key, ..MoveOptions::default() }).await
}

#[test]
fn a_repeat_of_a_change_that_changed_nothing_is_answered_as_the_first_time() {
    run(async {
        for restart in [false, true] {
            let house = EngineFixture::plain(5).await;
            let booked = an_old_booking(&house).await;
            let again = key(1, 1);
            let first = set_rooms(&house.engine, booked.id, 2, Some(again)).await.unwrap();
            assert_eq!((&first.booking, first.replayed), (&booked, false));
            let sequence = house.store.evidence(house.room_type).await.unwrap().sequence;
            assert_eq!(sequence, booked.sequence, "it leaves no event");

            // Its answer is lost; a colleague takes a room away.
            set_rooms(&house.engine, booked.id, 1, None).await.unwrap();
            let engine = match restart {
                true => {
                    house.engine.shutdown().await;
                    start(options(), &house.store, &house.clock, Arc::new(NoFailpoints))
                }
                false => house.engine.clone(),
            };
            house.clock.advance(SignedDuration::from_hours(23));
            let repeated = set_rooms(&engine, booked.id, 2, Some(again)).await.unwrap();
            assert_eq!((&repeated.booking, repeated.replayed), (&booked, true), "after a restart: {restart}");
            let reused = set_rooms(&engine, booked.id, 3, Some(key(1, 2))).await;
            assert!(matches!(reused, Err(Error::KeyReused)), "{reused:?}");
            assert_eq!(house.store.booking(booked.id).await.unwrap().unwrap().rooms, 1);

            house.clock.advance(SignedDuration::from_hours(1));
            let expired = set_rooms(&engine, booked.id, 2, Some(again)).await.unwrap();
            assert_eq!((expired.booking.rooms, expired.replayed), (2, false), "a day later the key is free");
            house.verify().await;
        }
    });
}

#[test]
fn a_change_that_changes_nothing_is_answered_only_by_the_owner() {
    run(async {
        let house = EngineFixture::plain(5).await;
        let booked = an_old_booking(&house).await;
        let claim = house.store.claim(house.room_type, innkeeper::lease::Token(1)).await.unwrap();
        let innkeeper::store::Claim::Stale { current } = claim else { panic!("it has an owner") };
        house.store.claim(house.room_type, innkeeper::lease::Token(current.0 + 1)).await.unwrap();
        let stale = set_rooms(&house.engine, booked.id, 2, Some(key(1, 1))).await;
        assert!(matches!(stale, Err(Error::Interrupted)), "{stale:?}");
        let fresh = set_rooms(&house.engine, booked.id, 2, Some(key(1, 1))).await.unwrap();
        assert_eq!((&fresh.booking, fresh.replayed), (&booked, false));
    });
}
