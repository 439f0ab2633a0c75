//! The engine on a real store: supervision, recovery, idempotency, holds, limits, shutdown.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use innkeeper::clock::{Clock, ManualClock, System};
use innkeeper::domain::{
    BookingId, Date, Hotel, Move, NightsChange, Order, Refusal, RoomTypeId, Status, Stay, nights_change::Patch, testing,
};
use innkeeper::engine::failpoint::{Failpoint, Failpoints, NoFailpoints};
use innkeeper::engine::{Engine, Error, Key, MoveOptions, Options};
use innkeeper::lease::{Lease, SingleNode, Token};
use innkeeper::store::audit::recount;
use innkeeper::store::{Claim, Fingerprint, KeyDigest, Store};
use jiff::SignedDuration;

use crate::support::app::in_system as run;
use crate::support::counted::counted;
use crate::support::eventually::PATIENCE;
use crate::support::fixtures::{self, order_for};
use crate::support::test_database::TestDatabase;

/// One hotel, one room type, one engine.
pub struct EngineFixture {
    pub engine: Engine,
    pub store: Arc<dyn Store>,
    pub clock: Arc<ManualClock>,
    pub room_type: RoomTypeId,
    pub today: Date,
    place: TestDatabase,
}

impl EngineFixture {
    async fn open(rooms: u16, options: Options, failpoints: Arc<dyn Failpoints>) -> Self {
        let place = TestDatabase::new();
        let store = place.store().await;
        let clock = Arc::new(ManualClock::at("2026-05-01T12:00:00Z".parse().unwrap()));
        let (hotel, room_type, plan) = fixtures::house(rooms);
        store.insert_hotel(&hotel).await.unwrap();
        store.insert_room_type(&room_type).await.unwrap();
        let engine = start(options, &store, &clock, failpoints);
        engine.set_rate_plan(plan).await.unwrap();
        let today = hotel.today(clock.now());
        Self { engine, store, clock, room_type: room_type.id, today, place }
    }

    pub async fn plain(rooms: u16) -> Self {
        Self::open(rooms, options(), Arc::new(NoFailpoints)).await
    }

    pub fn order(&self) -> Order {
        order_for(
            Stay::new(self.today.tomorrow().unwrap(), self.today.saturating_add(jiff::Span::new().days(3))).unwrap(),
        )
    }

    async fn book(&self) -> Result<innkeeper::engine::BookingOutcome, Error> {
        self.engine.book(self.room_type, self.order(), None).await
    }

    async fn free(&self) -> Vec<u16> {
        let until = self.today.saturating_add(jiff::Span::new().days(4));
        let view = self.engine.view(self.room_type, self.today, until).await.unwrap();
        view.nights.iter().map(|night| night.free).collect()
    }

    /// Recounts the store.
    pub async fn verify(&self) {
        let differences = recount(&self.store.evidence(self.room_type).await.unwrap());
        assert_eq!(differences, []);
    }
}

pub fn options() -> Options {
    Options { threads: 2, answer_within: PATIENCE, ..Options::default() }
}

pub fn start(
    options: Options,
    store: &Arc<dyn Store>,
    clock: &Arc<ManualClock>,
    failpoints: Arc<dyn Failpoints>,
) -> Engine {
    let lease: Arc<dyn Lease> = Arc::new(SingleNode::new(Arc::new(System)));
    Engine::start_with_failpoints(options, store.clone(), lease, clock.clone(), Arc::new(System), failpoints)
}

pub fn key(name: u8, of: u8) -> Key {
    Key { digest: KeyDigest([name; 32]), fingerprint: Fingerprint([of; 32]) }
}

/// Acts once at one failpoint when armed.
struct Once<F> {
    point: Failpoint,
    armed: AtomicBool,
    act: F,
}

impl<F: Fn() + Send + Sync + 'static> Once<F> {
    fn at(point: Failpoint, act: F) -> Arc<Self> {
        Arc::new(Self { point, armed: AtomicBool::new(false), act })
    }

    fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }
}

impl<F: Fn() + Send + Sync + 'static> Failpoints for Once<F> {
    fn passed(&self, point: Failpoint, _: RoomTypeId) {
        if point == self.point && self.armed.swap(false, Ordering::SeqCst) {
            (self.act)();
        }
    }
}

#[test]
fn a_panic_anywhere_in_an_actor_is_an_error_and_the_next_request_is_served() {
    run(async {
        for point in [Failpoint::Received, Failpoint::Decided, Failpoint::Applied, Failpoint::Submitted] {
            let failpoints = Once::at(point, || panic!("injected"));
            let house = EngineFixture::open(5, options(), failpoints.clone()).await;
            failpoints.arm();
            let first = house.book().await;
            let booked = match first {
                // The writer had the fact already, so its caller gets the stored result.
                Ok(_) => {
                    assert_eq!(point, Failpoint::Submitted);
                    2
                }
                Err(Error::Interrupted) => 1,
                Err(other) => panic!("{point:?}: {other}"),
            };
            house.book().await.unwrap();
            let free = house.free().await;
            assert!(free[1] == 5 - booked || point == Failpoint::Submitted, "{point:?}: {free:?}");
            house.verify().await;
        }
    });
}

#[test]
fn a_thread_that_dies_is_replaced_and_the_next_request_is_served() {
    run(async {
        let failpoints = Once::at(Failpoint::Received, || {
            actix_rt::Arbiter::current().stop();
            panic!("the thread goes down");
        });
        let house = EngineFixture::open(5, Options { threads: 1, ..options() }, failpoints.clone()).await;
        house.book().await.unwrap();
        failpoints.arm();
        assert!(matches!(house.book().await, Err(Error::Interrupted)));
        // The end of the thread is noticed a little later; until then requests fail with an error.
        let mut served = house.book().await;
        while let Err(Error::Interrupted) = served {
            tokio::task::yield_now().await;
            served = house.book().await;
        }
        served.unwrap();
        house.verify().await;
    });
}

#[test]
fn an_owner_that_was_fenced_starts_again_under_a_higher_token() {
    run(async {
        let house = EngineFixture::plain(5).await;
        house.book().await.unwrap();
        let Claim::Stale { current } = house.store.claim(house.room_type, Token(1)).await.unwrap() else { panic!() };
        assert_eq!(house.store.claim(house.room_type, Token(current.0 + 1)).await.unwrap(), Claim::Granted);
        let before = counted("innkeeper_fenced_commits_total");
        assert!(matches!(house.book().await, Err(Error::Interrupted)));
        assert!(counted("innkeeper_fenced_commits_total") >= before + 1.0);
        house.book().await.unwrap();
        assert_eq!(house.free().await[1], 3);
        house.verify().await;
    });
}

#[test]
fn one_key_has_one_effect_and_one_answer() {
    run(async {
        let house = EngineFixture::plain(5).await;
        let first = house.engine.book(house.room_type, house.order(), Some(key(1, 1))).await.unwrap();
        let again = house.engine.book(house.room_type, house.order(), Some(key(1, 1))).await.unwrap();
        assert_eq!((first.booking.clone(), first.replayed, again.replayed), (again.booking, false, true));
        let other = house.engine.book(house.room_type, house.order(), Some(key(1, 2))).await;
        assert!(matches!(other, Err(Error::KeyReused)));
        house.engine.shutdown().await;

        let restarted = start(options(), &house.store, &house.clock, Arc::new(NoFailpoints));
        let after = restarted.book(house.room_type, house.order(), Some(key(1, 1))).await.unwrap();
        assert_eq!((after.booking, after.replayed), (first.booking, true));
        house.verify().await;
    });
}

#[test]
fn concurrent_repeats_of_a_key_join_the_first() {
    run(async {
        let house = EngineFixture::plain(50).await;
        let attempts = (0..20).map(|_| house.engine.book(house.room_type, house.order(), Some(key(7, 7))));
        let ids: HashSet<BookingId> = join_all(attempts).await.into_iter().map(|r| r.unwrap().booking.id).collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(house.free().await[1], 49);
    });
}

/// As after a request that made something else, by a key that belongs to the whole installation.
#[test]
fn a_key_with_an_answer_that_is_no_booking_is_reused() {
    run(async {
        let house = EngineFixture::plain(5).await;
        house.engine.book(house.room_type, house.order(), Some(key(1, 1))).await.unwrap();
        for (kind, answer) in [("hotel", serde_json::to_string(&testing::hotel()).unwrap()), ("payment", "{}".into())] {
            let other = format!("UPDATE idempotency_records SET kind = '{kind}', answer = '{answer}'");
            house.place.execute(&other).await;
            let restarted = start(options(), &house.store, &house.clock, Arc::new(NoFailpoints));
            let repeated = restarted.book(house.room_type, house.order(), Some(key(1, 1))).await;
            assert!(matches!(repeated, Err(Error::KeyReused)), "{kind}: {repeated:?}");
        }
        house.verify().await;
    });
}

#[test]
fn a_refusal_does_not_use_up_its_key() {
    run(async {
        let house = EngineFixture::plain(1).await;
        let first = house.book().await.unwrap();
        let refused = house.engine.book(house.room_type, house.order(), Some(key(3, 3))).await;
        assert!(matches!(refused, Err(Error::Refused(why)) if why.name() == "sold_out"));
        house.engine.act(first.booking.id, Move::Cancel, MoveOptions::default()).await.unwrap();
        let outcome = house.engine.book(house.room_type, house.order(), Some(key(3, 3))).await.unwrap();
        assert!(!outcome.replayed);
    });
}

#[test]
fn a_key_expires() {
    run(async {
        let house = EngineFixture::plain(5).await;
        let book = || house.engine.book(house.room_type, house.order(), Some(key(1, 1)));
        let first = book().await.unwrap();
        house.clock.advance(SignedDuration::from_hours(23));
        assert!(book().await.unwrap().replayed);
        house.clock.advance(SignedDuration::from_hours(1));
        let again = book().await.unwrap();
        assert!(!again.replayed && again.booking.id != first.booking.id);
        house.verify().await;
    });
}

#[test]
fn a_hold_that_runs_out_is_free_at_once_even_before_its_timer() {
    run(async {
        let house = EngineFixture::plain(1).await;
        let held = house.engine.book(house.room_type, Order { hold: true, ..house.order() }, None).await.unwrap();
        let Err(Error::Refused(refusal)) = house.book().await else { panic!("the room is held") };
        let Refusal::Unavailable { retry_at, .. } = &*refusal else { panic!("{refusal:?}") };
        assert_eq!(*retry_at, held.booking.status.expires_at());
        house.clock.advance(SignedDuration::from_mins(15));
        house.book().await.unwrap();
        let late = house.engine.act(held.booking.id, Move::Confirm, MoveOptions::default()).await;
        assert!(matches!(late, Err(Error::Refused(why)) if matches!(*why, Refusal::HoldExpired { .. })));
        house.verify().await;
    });
}

#[test]
fn a_hold_runs_out_by_itself_also_after_a_restart() {
    run(async {
        let options = Options { hold_ttl: Duration::from_millis(300), ..options() };
        let house = EngineFixture::open(1, options.clone(), Arc::new(NoFailpoints)).await;
        let hold = Order { hold: true, ..house.order() };
        let held = house.engine.book(house.room_type, hold, None).await.unwrap();
        house.engine.shutdown().await;
        house.clock.advance(SignedDuration::from_mins(1));

        let restarted = start(options, &house.store, &house.clock, Arc::new(NoFailpoints));
        assert_eq!(restarted.recover().await.unwrap(), 1);
        while house.store.booking(held.booking.id).await.unwrap().unwrap().status != Status::Expired {
            tokio::task::yield_now().await;
        }
        house.verify().await;
    });
}

#[test]
fn two_concurrent_cancellations_free_the_room_once() {
    run(async {
        let house = EngineFixture::plain(2).await;
        let booking = house.book().await.unwrap().booking.id;
        house.book().await.unwrap();
        // A fresh engine does not have the booking: both requests wait for the same read.
        house.engine.shutdown().await;
        let engine = start(options(), &house.store, &house.clock, Arc::new(NoFailpoints));
        let cancel = || engine.act(booking, Move::Cancel, MoveOptions::default());
        let results = join_all([cancel(), cancel(), cancel()]).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        let view = engine.view(house.room_type, house.today.tomorrow().unwrap(), house.order().stay.check_out()).await;
        assert_eq!(view.unwrap().nights[0].free, 1);
        house.verify().await;
    });
}

#[test]
fn a_dry_run_answers_the_fee_and_changes_nothing() {
    run(async {
        let house = EngineFixture::plain(2).await;
        let booking = house.book().await.unwrap().booking;
        let dry = MoveOptions { dry_run: true, ..MoveOptions::default() };
        let quoted = house.engine.act(booking.id, Move::Cancel, dry).await.unwrap();
        assert!(matches!(quoted.booking.status, Status::Cancelled { .. }));
        assert_eq!(*house.store.booking(booking.id).await.unwrap().unwrap().status.name(), *"confirmed");
        assert_eq!(house.free().await[1], 1);
    });
}

#[test]
fn a_full_mailbox_refuses_further_requests() {
    run(async {
        let (opened, gate) = std::sync::mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        // Until the gate opens, the first request blocks the actor.
        let failpoints = Once::at(Failpoint::Received, move || {
            let _ = gate.lock().unwrap().recv();
        });
        let house = EngineFixture::open(100, Options { mailbox: 8, threads: 1, ..options() }, failpoints.clone()).await;
        failpoints.arm();
        let crowd: Vec<_> = (0..40)
            .map(|_| {
                let (engine, room_type, order) = (house.engine.clone(), house.room_type, house.order());
                tokio::spawn(async move { engine.book(room_type, order, None).await })
            })
            .collect();
        // At most eight requests wait and one is in work; the others have their answer already.
        while crowd.iter().filter(|task| task.is_finished()).count() < 31 {
            tokio::task::yield_now().await;
        }
        drop(opened);
        let results: Vec<_> = join_all(crowd).await.into_iter().map(Result::unwrap).collect();
        let busy = results.iter().filter(|result| matches!(result, Err(Error::Busy))).count();
        let booked = results.iter().filter(|result| result.is_ok()).count();
        assert!((8..=9).contains(&booked) && busy + booked == 40, "{booked} booked, {busy} busy");
        house.verify().await;
    });
}

#[test]
fn an_idle_actor_is_passivated_and_loaded_again() {
    run(async {
        let options = Options { idle_after: Duration::from_millis(20), ..options() };
        let house = EngineFixture::open(2, options, Arc::new(NoFailpoints)).await;
        house.book().await.unwrap();
        while house.engine.live_actors() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(house.free().await[1], 1);
    });
}

#[test]
fn shutdown_finishes_the_requests_under_way() {
    run(async {
        let house = EngineFixture::plain(500).await;
        let done = Arc::new(AtomicUsize::new(0));
        let crowd: Vec<_> = (0..200)
            .map(|_| {
                let (engine, room_type, order, done) =
                    (house.engine.clone(), house.room_type, house.order(), done.clone());
                tokio::spawn(async move {
                    let result = engine.book(room_type, order, None).await;
                    done.fetch_add(1, Ordering::SeqCst);
                    result
                })
            })
            .collect();
        while done.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        house.engine.shutdown().await;
        let results: Vec<_> = join_all(crowd).await.into_iter().map(Result::unwrap).collect();
        let booked = results.iter().filter(|result| result.is_ok()).count() as u64;
        assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(Error::ShuttingDown | Error::Interrupted))));
        // One fact is the rate plan. Nothing that was stored went unanswered.
        assert_eq!(house.store.evidence(house.room_type).await.unwrap().sequence, booked + 1);
        assert!(matches!(house.book().await, Err(Error::ShuttingDown)));
        house.verify().await;
    });
}

#[test]
fn a_hotels_new_rules_apply_to_actors_in_memory() {
    run(async {
        let house = EngineFixture::plain(5).await;
        house.book().await.unwrap();
        let room_type = house.store.room_type(house.room_type).await.unwrap().unwrap();
        let seen = house.store.hotel(room_type.hotel_id).await.unwrap().unwrap();
        let hotel = Hotel { max_nights: 1, ..seen.clone() };
        assert!(house.store.update_hotel(&seen, &hotel).await.unwrap());
        house.engine.hotel_changed(hotel.id).await;
        assert!(matches!(house.book().await, Err(Error::Refused(why)) if why.name() == "too_many_nights"));
    });
}

#[test]
fn a_shorter_horizon_keeps_existing_bookings() {
    run(async {
        let house = EngineFixture::plain(1).await;
        let far = house.today.saturating_add(jiff::Span::new().days(40));
        let order = order_for(Stay::new(far, far.tomorrow().unwrap()).unwrap());
        house.engine.book(house.room_type, order.clone(), None).await.unwrap();
        let room_type = house.store.room_type(house.room_type).await.unwrap().unwrap();
        let seen = house.store.hotel(room_type.hotel_id).await.unwrap().unwrap();
        let hotel = Hotel { horizon_nights: 20, ..seen.clone() };
        assert!(house.store.update_hotel(&seen, &hotel).await.unwrap());
        house.engine.hotel_changed(hotel.id).await;
        let again = house.engine.book(house.room_type, order.clone(), None).await;
        assert!(matches!(again, Err(Error::Refused(why)) if why.name() == "beyond_horizon"));
        house.clock.advance(SignedDuration::from_hours(24 * 30));
        let again = house.engine.book(house.room_type, order, None).await;
        assert!(matches!(again, Err(Error::Refused(why)) if why.name() == "sold_out"));
        house.verify().await;
    });
}

#[test]
fn nights_are_closed_and_opened() {
    run(async {
        let house = EngineFixture::plain(5).await;
        let stay = house.order().stay;
        let mut change = NightsChange::untouched(stay.check_in(), stay.check_out());
        change.restriction.stop_sell = Patch::Set(true);
        assert_eq!(house.engine.set_nights(house.room_type, change.clone()).await.unwrap().changed, 2);
        assert!(matches!(house.book().await, Err(Error::Refused(why)) if why.name() == "closed"));
        change.restriction.stop_sell = Patch::Reset;
        house.engine.set_nights(house.room_type, change).await.unwrap();
        house.book().await.unwrap();
        house.verify().await;
    });
}

#[test]
fn an_unknown_booking_is_not_found() {
    run(async {
        let house = EngineFixture::plain(1).await;
        let unknown = BookingId(uuid::Uuid::nil());
        let act = house.engine.act_in(house.room_type, unknown, Move::Cancel, MoveOptions::default()).await;
        assert!(matches!(act, Err(Error::NoSuchBooking)));
        let nowhere = RoomTypeId(uuid::Uuid::nil());
        assert!(matches!(house.engine.view(nowhere, house.today, house.today).await, Err(Error::NoSuchRoomType)));
    });
}

#[test]
fn a_retired_actor_leaves_memory() {
    run(async {
        let house = EngineFixture::plain(1).await;
        let nowhere = RoomTypeId(uuid::Uuid::nil());
        assert!(matches!(house.engine.view(nowhere, house.today, house.today).await, Err(Error::NoSuchRoomType)));
        house.engine.hand_over().await;
        while house.engine.live_actors() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(house.free().await[1], 1);
        assert_eq!(house.engine.live_actors(), 1);
    });
}
