//! Room types with work to do without a request, and the limit of concurrent loads.

use std::sync::Arc;

use innkeeper::clock::{Clock, ManualClock, System};
use innkeeper::domain::{Order, RoomTypeId, Stay};
use innkeeper::engine::{Engine, Options};
use innkeeper::lease::SingleNode;
use innkeeper::store::Store;

use crate::support::app::{NOW, in_system as run};
use crate::support::eventually::{PATIENCE, eventually};
use crate::support::fixtures::{house, order_for};
use crate::support::test_database::TestDatabase;
use crate::support::unreliable_journal::{Claiming, Unreliable};

fn engine(journal: Arc<Unreliable>, clock: &Arc<ManualClock>) -> Engine {
    let options = Options { threads: 2, answer_within: PATIENCE, ..Options::default() };
    Engine::start(options, journal, Arc::new(SingleNode::new(Arc::new(System))), clock.clone(), Arc::new(System))
}

/// A hotel with a plan and optionally a hold.
async fn room_type(store: &Arc<dyn Store>, engine: &Engine, clock: &ManualClock, hold: bool) -> RoomTypeId {
    let (hotel, room_type, plan) = house(1);
    store.insert_hotel(&hotel).await.unwrap();
    store.insert_room_type(&room_type).await.unwrap();
    engine.set_rate_plan(plan).await.unwrap();
    if hold {
        let today = hotel.today(clock.now());
        let order = order_for(Stay::new(today, today.tomorrow().unwrap()).unwrap());
        engine.book(room_type.id, Order { hold, ..order }, None).await.unwrap();
    }
    room_type.id
}

#[test]
fn a_start_with_many_holds_does_not_block_requests() {
    const HOLDS: usize = 40;
    run(async {
        let place = TestDatabase::new();
        let (store, clock) = (place.store().await, Arc::new(ManualClock::at(NOW.parse().unwrap())));
        let before = engine(Arc::new(Unreliable::new(store.clone())), &clock);
        for _ in 0..HOLDS {
            room_type(&store, &before, &clock, true).await;
        }
        before.shutdown().await;

        let journal = Arc::new(Unreliable::new(store.clone()));
        (0..HOLDS).for_each(|_| journal.next_claim(Claiming::Hangs));
        let after = engine(journal.clone(), &clock);
        assert_eq!(after.recover().await.unwrap(), HOLDS);
        // A node that is recovering does not start a second recovery.
        assert_eq!(after.recover().await.unwrap(), HOLDS);
        for _ in 0..8 {
            journal.hangs().await;
        }
        journal.release();
        for _ in 8..HOLDS {
            journal.hangs().await;
            journal.release();
        }
        (1..8).for_each(|_| journal.release());
        eventually("every hold has its timer", async || after.live_actors() == HOLDS).await;
        assert_eq!(journal.most_claims(), 8);
        after.shutdown().await;
    });
}

#[test]
fn a_store_that_does_not_answer_is_not_asked_for_every_room_type() {
    run(async {
        let place = TestDatabase::new();
        let (store, clock) = (place.store().await, Arc::new(ManualClock::at(NOW.parse().unwrap())));
        let journal = Arc::new(Unreliable::new(store.clone()));
        let engine = engine(journal.clone(), &clock);
        let changed = room_type(&store, &engine, &clock, false).await;
        let other = room_type(&store, &engine, &clock, false).await;
        let before = store.tokens(&[changed, other]).await.unwrap();

        journal.next_room_types_are_unknown();
        let hotel = store.room_type(changed).await.unwrap().unwrap().hotel_id;
        engine.hotel_changed(hotel).await;
        eventually("its room type is read again", async || {
            store.tokens(&[changed]).await.unwrap()[&changed] > before[&changed]
        })
        .await;
        // The request arrives after the message to the actor.
        let today = clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        engine.view(other, today, today).await.unwrap();
        assert_eq!(store.tokens(&[other]).await.unwrap()[&other], before[&other]);
        engine.shutdown().await;
    });
}
