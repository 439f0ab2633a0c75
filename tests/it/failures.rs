//! Failures of the store, over HTTP: callers get the stored result or a 503, a repeat gets the first answer, and
//! nothing is half done. The store is a real one.

mod abandoned;
mod disk;
mod refused;

use std::pin::pin;

use futures_util::future::{Either, join_all, select};
use futures_util::poll;
use innkeeper::app::{self, Listeners};
use innkeeper::domain::{HotelId, Move, RoomTypeId};
use innkeeper::engine::MoveOptions;
use innkeeper::events::tail::RemoteChanges;
use innkeeper::store::audit::recount;
use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::json;

use crate::support::app::{
    ADMIN, Answer, App, answer, config, listener, order, with_test_database, with_unreliable_journal,
    with_unreliable_journal_on,
};
use crate::support::eventually::{PATIENCE, eventually};
use crate::support::test_database::TestDatabase;
use crate::support::unreliable_journal::{Claiming, Commit, Unreliable};

/// Checks for a 503 with its code and Retry-After.
fn assert_503(answer: &Answer, codes: &[&str]) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    assert!(codes.contains(&answer.body["code"].as_str().unwrap()), "{}", answer.body);
    let retry: u32 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=5).contains(&retry), "Retry-After: {retry}");
}

/// Rooms sold in the night of 1 June, from the actor and from the store.
async fn sold(app: &App, room_type: &str) -> u64 {
    let id: RoomTypeId = room_type.parse().unwrap();
    assert_eq!(recount(&app.running.store.evidence(id).await.unwrap()), []);
    let path = format!("/v1/room-types/{room_type}/availability?from=2026-06-01&to=2026-06-02");
    persist(async || app.get(&path).await).await.body["nights"][0]["sold"].as_u64().unwrap()
}

async fn hotel_of(app: &App, room_type: &str) -> HotelId {
    let room_type = app.get(&format!("/v1/room-types/{room_type}")).await;
    room_type.body["hotel_id"].as_str().unwrap().parse().unwrap()
}

/// Repeats a request after a 503. Returns the first other answer.
async fn persist(ask: impl AsyncFn() -> Answer) -> Answer {
    let answered = tokio::time::timeout(PATIENCE, async {
        loop {
            let answer = ask().await;
            if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                return answer;
            }
        }
    });
    answered.await.expect("it never came back")
}

/// Repeats a booking.
async fn book_until_answered(app: &App, key: &str, room_type: &str) -> Answer {
    persist(async || app.book(key, &order(room_type, 1, 2)).await).await
}

/// Books with a key until a call of it hangs in the store. The caller's time-out is a second, which may end before the
/// call on a busy machine.
async fn book_until_it_hangs(app: &App, journal: &Unreliable, key: &str, room_type: &str) {
    let mut hangs = pin!(journal.hangs());
    loop {
        assert_503(&app.book(key, &order(room_type, 1, 2)).await, &["interrupted"]);
        if poll!(hangs.as_mut()).is_ready() {
            return;
        }
    }
}

/// An application whose callers have a time-out of a second, and a room type that was created before.
fn with_short_time_outs(rooms: u16, test: impl AsyncFnOnce(&App, &Unreliable, &str)) {
    let place = TestDatabase::new();
    let room_type = with_test_database(&place, &[], async |app| app.room_type(rooms).await);
    with_unreliable_journal_on(&place, &[("answer_within_secs", "1")], async |app, journal| {
        test(app, journal, &room_type).await;
    });
}

#[rstest]
#[case::rolled_back(Commit::RolledBack)]
#[case::lost_before(Commit::LostBefore)]
fn a_booking_that_was_not_stored_is_an_honest_503_and_its_repeat_books_once(#[case] fate: Commit) {
    with_unreliable_journal(&[], async |app, journal| {
        let room_type = app.room_type(3).await;
        journal.next_commit(fate);
        assert_503(&app.book("k", &order(&room_type, 1, 2)).await, &["interrupted"]);
        assert_eq!(sold(app, &room_type).await, 0);

        let first = app.book("k", &order(&room_type, 1, 2)).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
        assert!(!first.headers.contains_key("idempotent-replayed"));
        let again = app.book("k", &order(&room_type, 1, 2)).await;
        assert_eq!((again.body, &again.headers["idempotent-replayed"]), (first.body, &"true".parse().unwrap()));
        assert_eq!(sold(app, &room_type).await, 1);
    });
}

#[rstest]
#[case::lost_after(Commit::LostAfter)]
#[case::panic_after(Commit::PanicAfter)]
fn a_booking_with_an_unknown_outcome_gets_its_answer_from_the_store(#[case] fate: Commit) {
    with_unreliable_journal(&[], async |app, journal| {
        let room_type = app.room_type(3).await;
        journal.next_commit(fate);
        let first = app.book("k", &order(&room_type, 1, 2)).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
        let again = app.book("k", &order(&room_type, 1, 2)).await;
        assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
        assert_eq!(sold(app, &room_type).await, 1);

        let cancel = format!("/v1/bookings/{}/cancel", first.body["id"].as_str().unwrap());
        let cancel =
            || answer(app.request(Method::POST, &cancel).bearer_auth(ADMIN).header("Idempotency-Key", "cancel"));
        journal.next_commit(fate);
        let cancelled = cancel().await;
        assert_eq!((cancelled.status, &cancelled.body["status"]), (StatusCode::OK, &json!("cancelled")));
        assert_eq!(cancel().await.body, cancelled.body);
        assert_eq!(sold(app, &room_type).await, 0);
    });
}

#[rstest]
#[case::before(Commit::HangsLostBefore)]
#[case::after(Commit::HangsLostAfter)]
fn a_repeat_after_a_time_out_gets_the_first_answer(#[case] fate: Commit) {
    with_short_time_outs(3, async |app, journal, room_type| {
        journal.next_commit(fate);
        book_until_it_hangs(app, journal, "k", room_type).await;
        journal.release();
        let first = book_until_answered(app, "k", room_type).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
        assert_eq!(book_until_answered(app, "k", room_type).await.body, first.body);
        assert_eq!(sold(app, room_type).await, 1);
    });
}

/// The last room, and two nodes: the new owner must not answer a client's repeat with sold out because of that
/// client's own booking.
#[test]
fn a_repeat_at_another_node_gets_the_first_owners_answer() {
    with_unreliable_journal(&[], async |late, journal| {
        let room_type = late.room_type(1).await;
        late.running.engine.hand_over().await;
        let store = late.running.store.clone();
        let settings = config(&late.database, &[]);
        let listeners = Listeners::with(listener(), &settings).unwrap();
        let early = app::start_on(&settings, listeners, late.clock.clone(), store.clone(), store).await.unwrap();
        let early = App::of(early, late.clock.clone(), &settings);

        // It has looked up the key, and waits for the room type.
        journal.next_claim(Claiming::Hangs);
        let order = order(&room_type, 1, 2);
        let repeated = late.book("k", &order);
        let first = async {
            journal.hangs().await;
            let first = early.book("k", &order).await;
            journal.release();
            first
        };
        let (first, repeated) = tokio::join!(first, repeated);
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
        assert_eq!(repeated.body, first.body);
        assert_eq!(repeated.headers["idempotent-replayed"], "true");
        assert_eq!(late.book("another", &order).await.body["code"], "sold_out");
        early.running.abort().await;
    });
}

/// The last room, a slow disk and a short time-out: a repeat must not get sold out because of its own booking.
#[test]
fn a_repeat_joins_an_attempt_whose_caller_timed_out() {
    with_short_time_outs(1, async |app, journal, room_type| {
        journal.next_commit(Commit::HangsLostAfter);
        book_until_it_hangs(app, journal, "k", room_type).await;
        // Still hanging: the repeat waits for the same attempt, and times out too.
        assert_503(&app.book("k", &order(room_type, 1, 2)).await, &["interrupted"]);
        journal.release();
        let answer = book_until_answered(app, "k", room_type).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        assert_eq!(sold(app, room_type).await, 1);
    });
}

#[test]
fn a_bulk_change_that_fails_half_way_reports_its_items_and_can_be_repeated() {
    with_unreliable_journal(&[], async |app, journal| {
        let room_type = app.room_type(3).await;
        let path = format!("/v1/room-types/{room_type}/nights");
        let item = |day: u8| json!({"from": format!("2026-06-{day:02}"), "to": format!("2026-06-{:02}", day + 1), "physical": 7});
        // An impossible item is refused, and delays nothing.
        let wrong = json!({"from": "2029-06-01", "to": "2029-06-02", "physical": 7});
        let body = json!({"items": [item(1), wrong, item(2), item(3), item(4)]});
        let set = async || app.admin(Method::PUT, &path, &body).await;
        let statuses = |set: &Answer| {
            let items = set.body["items"].as_array().unwrap().iter();
            items.map(|item| item["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let physical = async || {
            let view = app.get(&format!("/v1/room-types/{room_type}/availability?from=2026-06-01&to=2026-06-05")).await;
            let nights = view.body["nights"].as_array().unwrap().iter();
            nights.map(|night| night["physical"].as_u64().unwrap()).collect::<Vec<_>>()
        };

        journal.next_commit(Commit::RolledBack);
        assert_503(&set().await, &["interrupted"]);
        assert_eq!(physical().await, [3, 3, 3, 3], "nothing is done");

        [Commit::Works, Commit::RolledBack].into_iter().for_each(|fate| journal.next_commit(fate));
        let half = set().await;
        assert_eq!(statuses(&half), ["applied", "refused", "retry", "retry", "retry"], "{}", half.body);
        assert_eq!(half.body["items"][2]["problem"]["code"], "interrupted");
        assert_eq!(physical().await, [7, 3, 3, 3], "what comes later is not tried");

        let whole = set().await;
        assert_eq!(statuses(&whole), ["applied", "refused", "applied", "applied", "applied"], "{}", whole.body);
        assert_eq!(physical().await, [7, 7, 7, 7]);
    });
}

/// The caller has further hotels to reload.
#[test]
fn a_changed_hotel_does_not_wait_for_a_hanging_commit() {
    with_unreliable_journal(&[], async |app, journal| {
        let room_type = app.room_type(3).await;
        let hotel = hotel_of(app, &room_type).await;
        journal.next_commit(Commit::HangsLostAfter);
        let told = async {
            journal.hangs().await;
            let told = app.running.engine.hotel_changed_elsewhere(hotel);
            let told = tokio::time::timeout(PATIENCE / 2, told).await;
            journal.release();
            told.expect("it waits for an actor");
        };
        let (booked, ()) = tokio::join!(book_until_answered(app, "k", &room_type), told);
        assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
        assert_eq!(sold(app, &room_type).await, 1);
    });
}

/// A read of a booking is repeated for the next ownership, and waiting callers do not notice.
#[test]
fn a_changed_hotel_loses_no_answer() {
    with_unreliable_journal(&[], async |app, journal| {
        let room_type = app.room_type(3).await;
        let hotel = hotel_of(app, &room_type).await;
        let booked = app.book("k", &order(&room_type, 1, 2)).await;
        let (id, booking) = (room_type.parse().unwrap(), booked.body["id"].as_str().unwrap().parse().unwrap());
        let engine = &app.running.engine;
        // The next owner has not loaded the booking.
        engine.hand_over().await;
        journal.next_booking_hangs();
        let changed = async {
            journal.hangs().await;
            engine.hotel_changed(hotel).await;
        };
        let (cancelled, ()) = tokio::join!(engine.act_in(id, booking, Move::Cancel, MoveOptions::default()), changed);
        assert_eq!(cancelled.unwrap().booking.status.name(), "cancelled");
        assert_eq!(sold(app, &room_type).await, 0);
    });
}

/// The same for a booking with an unknown outcome: the next ownership reads it again.
#[test]
fn a_changed_hotel_loses_no_answer_with_an_unknown_outcome() {
    with_unreliable_journal(&[], async |app, journal| {
        let room_type = app.room_type(3).await;
        let hotel = hotel_of(app, &room_type).await;
        journal.next_commit(Commit::LostAfter);
        journal.next_unknown_outcome_hangs();
        let changed = async {
            journal.hangs().await;
            app.running.engine.hotel_changed(hotel).await;
            // The next ownership answers.
            assert_eq!(sold(app, &room_type).await, 1);
        };
        let order = order(&room_type, 1, 2);
        let (booked, ()) = tokio::join!(app.book("k", &order), changed);
        assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
    });
}

/// A whole batch: the store is not asked for each booking.
#[test]
fn many_unknown_outcomes_need_few_reads() {
    with_unreliable_journal(&[], async |app, journal| {
        let room_type = app.room_type(10).await;
        let order = order(&room_type, 1, 2);
        journal.next_commit(Commit::Late);
        journal.next_commit(Commit::LostAfter);
        journal.next_unknown_outcome_hangs();
        let first = async { vec![app.book("first", &order).await] };
        let others = async {
            journal.hangs().await;
            let batch = (0..8).map(async |key| app.book(&format!("{key}"), &order).await);
            let released = async {
                eventually("they wait for the commit", async || app.running.engine.lanes().iter().sum::<usize>() == 8)
                    .await;
                journal.release();
                journal.hangs().await;
                journal.release();
            };
            tokio::join!(join_all(batch), released).0
        };
        let (first, others) = tokio::join!(first, others);
        for booked in first.iter().chain(&others) {
            assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
        }
        assert_eq!(sold(app, &room_type).await, 9);
        // Unknown outcomes of the next ownership, and requests that arrive during its read.
        assert!(journal.unknown_outcome_reads() <= 2, "{}", journal.unknown_outcome_reads());
    });
}

#[test]
fn a_room_type_with_a_full_mailbox_is_busy() {
    with_unreliable_journal(&[("mailbox", "1")], async |app, journal| {
        let room_type = app.room_type(3).await;
        // A rollback restarts the actor, and its claim hangs, so it takes no request.
        journal.next_commit(Commit::RolledBack);
        journal.next_claim(Claiming::Hangs);
        assert_503(&app.book("first", &order(&room_type, 1, 2)).await, &["interrupted"]);
        journal.hangs().await;
        // The faster request waits; the other one is refused.
        let order = order(&room_type, 1, 2);
        let (one, other) = (pin!(app.book("one", &order)), pin!(app.book("other", &order)));
        let (refused, waits) = match select(one, other).await {
            Either::Left(first) => first,
            Either::Right(first) => first,
        };
        assert_503(&refused, &["busy"]);
        journal.release();
        assert_eq!(waits.await.status, StatusCode::CREATED);
        assert_eq!(app.book("again", &order).await.status, StatusCode::CREATED);
        assert_eq!(sold(app, &room_type).await, 2);
    });
}

#[test]
fn a_room_type_that_cannot_be_claimed_is_unavailable_until_it_can() {
    with_unreliable_journal(&[], async |app, journal| {
        let room_type = app.room_type(3).await;
        let view = format!("/v1/room-types/{room_type}/availability?from=2026-06-01&to=2026-06-02");
        journal.next_commit(Commit::LostAfter);
        journal.next_claim(Claiming::Unreachable);
        // Its outcome is unknown while the store does not answer.
        assert_503(&app.book("k", &order(&room_type, 1, 2)).await, &["interrupted", "unavailable"]);
        journal.next_claim(Claiming::Unreachable);
        assert_503(&app.get(&view).await, &["unavailable"]);
        assert_eq!(persist(async || app.get(&view).await).await.status, StatusCode::OK);
        let again = app.book("k", &order(&room_type, 1, 2)).await;
        assert_eq!(
            (again.status, &again.headers["idempotent-replayed"]),
            (StatusCode::CREATED, &"true".parse().unwrap())
        );
        assert_eq!(sold(app, &room_type).await, 1);
    });
}
