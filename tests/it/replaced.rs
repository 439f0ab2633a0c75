//! An owner that was replaced without notice: two engines on one store, and each acts as the owner.

mod cut_off;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::future::join_all;
use innkeeper::clock::{Clock, ManualClock, System};
use innkeeper::domain::{Booking, Date, Fact, Move, Order, RoomTypeId, Stay};
use innkeeper::engine::{Engine, Error, MoveOptions, Options};
use innkeeper::events::tail::RemoteChanges;
use innkeeper::events::{Listener, Notice, Received};
use innkeeper::lease::{Acquired, Asked, Lease, Membership, Peer, Revoked, SingleNode, Token, Unavailable};
use innkeeper::store::Store;
use rstest::rstest;
use tokio::sync::Notify;

use crate::support::app::{NOW, in_system as run};
use crate::support::eventually::PATIENCE;
use crate::support::fixtures::{house, order_for};
use crate::support::test_database::TestDatabase;
use crate::support::unreliable_journal::{Claiming, Commit, Unreliable};

/// Grants everything, is as certain as a test sets it, and ends the ownerships that a test names.
struct Doubtful {
    lease: SingleNode,
    certain: AtomicBool,
    revoked: Mutex<Vec<Revoked>>,
    news: Notify,
}

impl Doubtful {
    fn revoke(&self, revoked: Revoked) {
        self.revoked.lock().unwrap().push(revoked);
        self.news.notify_one();
    }
}

#[async_trait]
impl Lease for Doubtful {
    async fn acquire(&self, room_type: RoomTypeId, asked: Asked) -> Result<Acquired, Unavailable> {
        self.lease.acquire(room_type, asked).await
    }

    async fn raise(&self, room_type: RoomTypeId, seen: Token) -> Result<Token, Unavailable> {
        self.lease.raise(room_type, seen).await
    }

    fn is_certain(&self, _: RoomTypeId, _: Token) -> bool {
        self.certain.load(Ordering::SeqCst)
    }

    fn release(&self, room_type: RoomTypeId, token: Token) {
        self.lease.release(room_type, token);
    }

    fn forget(&self, room_type: RoomTypeId, token: Token) {
        self.lease.forget(room_type, token);
    }

    fn belongs_here(&self, _: RoomTypeId) -> bool {
        true
    }

    fn last_found(&self, _: RoomTypeId) -> Option<Peer> {
        None
    }

    async fn revoked(&self) -> Vec<Revoked> {
        self.news.notified().await;
        std::mem::take(&mut *self.revoked.lock().unwrap())
    }
}

/// An owner of a room type with one room, and a second node that can take it over.
struct Rivals {
    old: Engine,
    journal: Arc<Unreliable>,
    lease: Arc<Doubtful>,
    new: Engine,
    room_type: RoomTypeId,
    today: Date,
    _place: TestDatabase,
}

impl Rivals {
    /// The old owner is in memory, and is `certain` or not.
    async fn meet(certain: bool) -> Self {
        let place = TestDatabase::new();
        let store = place.store().await;
        let clock = Arc::new(ManualClock::at(NOW.parse().unwrap()));
        let (hotel, room_type, plan) = house(1);
        store.insert_hotel(&hotel).await.unwrap();
        store.insert_room_type(&room_type).await.unwrap();
        let journal = Arc::new(Unreliable::new(store.clone()));
        let lease = SingleNode::new(Arc::new(System));
        let (revoked, news) = Default::default();
        let lease = Arc::new(Doubtful { lease, certain: AtomicBool::new(certain), revoked, news });
        let old = Engine::start(options(), journal.clone(), lease.clone(), clock.clone(), Arc::new(System));
        old.set_rate_plan(plan).await.unwrap();
        let new = other_engine(store, clock.clone());
        let today = hotel.today(clock.now());
        Self { old, journal, lease, new, room_type: room_type.id, today, _place: place }
    }

    /// One room for the only night of the test.
    fn order(&self) -> Order {
        order_for(Stay::new(self.today, self.today.tomorrow().unwrap()).unwrap())
    }

    async fn book(&self, engine: &Engine) -> Result<Arc<Booking>, Error> {
        Ok(engine.book(self.room_type, self.order(), None).await?.booking)
    }

    async fn cancel(&self, engine: &Engine, booking: &Booking, dry_run: bool) -> Result<Arc<Booking>, Error> {
        let options = MoveOptions { dry_run, ..MoveOptions::default() };
        let cancel = Move::Cancel;
        Ok(engine.act_in(self.room_type, booking.id, cancel, options).await?.booking)
    }

    async fn free(&self, engine: &Engine) -> Result<u16, Error> {
        let view = engine.view(self.room_type, self.today, self.today.tomorrow().unwrap()).await?;
        Ok(view.nights[0].free)
    }

    /// The token of the old owner.
    fn token(&self) -> Token {
        self.lease.lease.holdings(None, 1)[0].token
    }
}

fn other_engine(store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Engine {
    let lease = Arc::new(SingleNode::new(Arc::new(System)));
    Engine::start(options(), store, lease, clock, Arc::new(System))
}

fn options() -> Options {
    Options { threads: 2, answer_within: PATIENCE, ..Options::default() }
}

#[test]
fn it_refuses_no_free_night() {
    run(async {
        let rivals = Rivals::meet(false).await;
        let sold = rivals.book(&rivals.old).await.unwrap();
        assert!(matches!(rivals.book(&rivals.old).await, Err(Error::Refused(_))), "it is sold");
        rivals.cancel(&rivals.new, &sold, false).await.unwrap();
        rivals.book(&rivals.old).await.expect("it is free");
    });
}

#[test]
fn it_shows_no_outdated_night() {
    run(async {
        let rivals = Rivals::meet(false).await;
        assert_eq!(rivals.free(&rivals.old).await.unwrap(), 1);
        rivals.book(&rivals.new).await.unwrap();
        assert_eq!(rivals.free(&rivals.old).await.unwrap(), 0);
    });
}

#[test]
fn it_acknowledges_nothing_that_was_done_already() {
    run(async {
        let rivals = Rivals::meet(false).await;
        let sold = rivals.book(&rivals.old).await.unwrap();
        rivals.cancel(&rivals.old, &sold, true).await.expect("it can be cancelled");
        rivals.cancel(&rivals.new, &sold, false).await.unwrap();
        let again = rivals.cancel(&rivals.old, &sold, true).await;
        assert!(matches!(again, Err(Error::Refused(_))), "{again:?}");
    });
}

#[test]
fn without_the_store_nothing_is_answered_from_memory() {
    run(async {
        let rivals = Rivals::meet(false).await;
        rivals.book(&rivals.old).await.unwrap();
        rivals.journal.next_claim_check(Claiming::Unreachable);
        assert!(matches!(rivals.book(&rivals.old).await, Err(Error::Unavailable)));
        rivals.journal.next_claim_check(Claiming::Unreachable);
        assert!(matches!(rivals.free(&rivals.old).await, Err(Error::Unavailable)));
        let before = rivals.token();
        assert_eq!(rivals.free(&rivals.old).await.unwrap(), 0);
        assert_eq!(rivals.token(), before, "it is still the owner");
    });
}

#[test]
fn a_certain_owner_does_not_check_its_claim() {
    run(async {
        let rivals = Rivals::meet(true).await;
        rivals.book(&rivals.old).await.unwrap();
        assert!(matches!(rivals.book(&rivals.old).await, Err(Error::Refused(_))));
        assert_eq!(rivals.free(&rivals.old).await.unwrap(), 0);
        assert_eq!(rivals.journal.claim_checks(), 0);
    });
}

#[test]
fn many_concurrent_reads_share_one_check() {
    run(async {
        let rivals = Rivals::meet(false).await;
        rivals.journal.next_claim_check(Claiming::Hangs);
        let first = rivals.free(&rivals.old);
        let others = async {
            rivals.journal.hangs().await;
            let looks = join_all((0..100).map(|_| rivals.free(&rivals.old)));
            // Requests after them are decided after them.
            let booked = async {
                rivals.book(&rivals.old).await.unwrap();
                rivals.journal.release();
            };
            tokio::join!(looks, booked).0
        };
        let (first, others) = tokio::join!(first, others);
        assert!(others.into_iter().chain([first]).all(|free| free.unwrap() == 1), "as it was when they looked");
        assert_eq!(rivals.journal.claim_checks(), 2);
    });
}

/// Redis has lost a lease and granted it to another node: the first owner is certain and wrong.
#[test]
fn a_foreign_fact_in_the_history_ends_the_ownership() {
    run(async {
        let rivals = Rivals::meet(true).await;
        assert_eq!(rivals.free(&rivals.old).await.unwrap(), 1);
        let booked = rivals.book(&rivals.new).await.unwrap();
        rivals.old.history_advanced(rivals.room_type, booked.sequence);
        assert_eq!(rivals.free(&rivals.old).await.unwrap(), 0);
    });
}

#[test]
fn its_own_facts_in_the_history_end_nothing() {
    run(async {
        let rivals = Rivals::meet(true).await;
        let token = rivals.token();
        rivals.journal.next_commit(Commit::Late);
        let heard_of = async {
            rivals.journal.hangs().await;
            // The plan was the first fact and the booking is the second one: the history has it before the owner gets
            // its answer.
            rivals.old.history_advanced(rivals.room_type, 2);
            let look = rivals.free(&rivals.old);
            let release = async { rivals.journal.release() };
            tokio::join!(look, release).0
        };
        let (booked, free) = tokio::join!(rivals.book(&rivals.old), heard_of);
        assert_eq!((booked.unwrap().sequence, free.unwrap()), (2, 0));
        rivals.old.history_advanced(rivals.room_type, 1);
        assert_eq!(rivals.free(&rivals.old).await.unwrap(), 0);
        assert_eq!(rivals.token(), token);
    });
}

/// The store stops answering during a commit. The caller gets `interrupted`, but subscribers of the hub must get the
/// stored fact.
#[rstest]
#[case::by_whoever_asks_next(false, true)]
#[case::without_anybody_asking(true, true)]
#[case::although_nobody_can_say_where_holds_are(true, false)]
fn an_unknown_outcome_is_published_when_the_store_returns(#[case] nobody_asks: bool, #[case] holds: bool) {
    run(async {
        let rivals = Rivals::meet(true).await;
        let mut hub = rivals.old.hub().listen();
        rivals.journal.next_commit(Commit::LostAfter);
        rivals.journal.next_claim(Claiming::Unreachable);
        let interrupted = rivals.book(&rivals.old).await.unwrap_err();
        assert!(matches!(interrupted, Error::Interrupted | Error::Unavailable), "{interrupted}");
        if !holds {
            rivals.journal.holds_cannot_be_found();
            rivals.journal.release();
        }
        if nobody_asks {
            assert_eq!(rivals.old.recover().await.is_ok(), holds);
        } else {
            assert_eq!(rivals.free(&rivals.old).await.unwrap(), 0);
        }
        let told = next_fact(&mut hub).await;
        assert_eq!((told.sequence, told.change.cause()), (2, "booked"));
    });
}

async fn next_fact(hub: &mut Listener) -> Arc<Fact> {
    let next = tokio::time::timeout(PATIENCE, hub.next()).await.expect("nothing is told");
    let Received::Notice(Notice::Committed(facts)) = next else { panic!("{next:?}") };
    facts[0].1.clone()
}
