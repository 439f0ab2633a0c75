//! What a batch stores.

use std::cmp::Ordering;
use std::slice::from_ref;
use std::sync::Arc;

use innkeeper::domain::order::{OrderDraft, ServiceOrder};
use innkeeper::domain::service::ServiceBasis;
use innkeeper::domain::{Amendment, Amount, Change, Fact, Guest, Move, Service, ServiceId};
use innkeeper::lease::Token;
use innkeeper::store::{Answer, CommitEntry, KeyDigest, Verdict};
use jiff::SignedDuration;

use super::contract;
use super::fixture::{StoreFixture, booking, day, keyed, order, stay};

async fn an_empty_batch_is_no_trouble(house: StoreFixture) {
    assert_eq!(house.commit(&[]).await, []);
}

async fn a_gap_in_the_sequence_is_fenced_with_everything_after_it(house: StoreFixture) {
    let mut desk = house.desk(5).await;
    let lost = desk.book(order(stay(1, 1), 1));
    let batch = [desk.book(order(stay(2, 1), 1)), desk.book(order(stay(3, 1), 1))];
    assert_eq!(house.commit(&batch).await, [Verdict::Fenced; 2]);
    assert_eq!(house.commit(from_ref(&lost)).await, [Verdict::Committed]);
    assert_eq!(house.commit(from_ref(&lost)).await, [Verdict::Fenced], "a sequence number is used once");
    house.assert_sound(desk.id()).await;
}

async fn a_used_key_is_left_out_with_what_was_decided_on_top_of_it(house: StoreFixture) {
    let (mut first, mut second) = (house.desk(5).await, house.desk(5).await);
    house.commit(&[keyed(first.book(order(stay(1, 1), 1)), 1)]).await;
    let batch = [
        first.book(order(stay(2, 1), 1)),
        keyed(second.book(order(stay(2, 1), 1)), 1),
        second.book(order(stay(3, 1), 1)),
        first.book(order(stay(3, 1), 1)),
    ];
    let verdicts = [Verdict::Committed, Verdict::Duplicate, Verdict::Fenced, Verdict::Committed];
    assert_eq!(house.commit(&batch).await, verdicts);
    house.assert_sound(first.id()).await;
    house.assert_sound(second.id()).await;
}

async fn nothing_takes_the_place_of_what_was_left_out(house: StoreFixture) {
    let mut desk = house.desk(5).await;
    house.commit(&[keyed(desk.book(order(stay(1, 1), 1)), 1)]).await;
    let another = desk.clone().book(order(stay(2, 1), 1));
    let batch = [keyed(desk.book(order(stay(1, 1), 1)), 1), another];
    assert_eq!(house.commit(&batch).await, [Verdict::Duplicate, Verdict::Fenced]);
}

async fn a_key_used_twice_in_one_batch_has_one_effect(house: StoreFixture) {
    let mut desk = house.desk(5).await;
    let batch = [keyed(desk.book(order(stay(1, 1), 1)), 1), keyed(desk.book(order(stay(1, 1), 1)), 1)];
    assert_eq!(house.commit(&batch).await, [Verdict::Committed, Verdict::Duplicate]);
    house.assert_sound(desk.id()).await;
}

async fn a_key_of_an_entry_that_was_left_out_is_still_unused(house: StoreFixture) {
    let (mut first, mut second) = (house.desk(5).await, house.desk(5).await);
    first.book(order(stay(1, 1), 1));
    let batch = [keyed(first.book(order(stay(1, 1), 1)), 1), keyed(second.book(order(stay(1, 1), 1)), 1)];
    assert_eq!(house.commit(&batch).await, [Verdict::Fenced, Verdict::Committed]);
}

async fn a_key_is_recalled_with_its_first_answer_until_it_expires(house: StoreFixture) {
    let mut desk = house.desk(5).await;
    let entry = keyed(desk.book(order(stay(1, 1), 1)), 1);
    house.commit(from_ref(&entry)).await;
    let cancelled = desk.act(&booking(&entry), Move::Cancel);
    house.commit(&[cancelled]).await;

    let (key, attempt) = entry.record.clone().unwrap();
    let keys = [key, KeyDigest([2; 32])];
    let known = house.store.recall(&keys, house.now).await.unwrap();
    assert_eq!((known.len(), &known[&key]), (1, &attempt));
    assert!(house.store.recall(&keys, attempt.expires_at).await.unwrap().is_empty());
}

async fn an_expired_key_can_be_used_again(house: StoreFixture) {
    let mut desk = house.desk(5).await;
    house.commit(&[keyed(desk.book(order(stay(2, 1), 1)), 1)]).await;
    desk.now += SignedDuration::from_hours(24);
    let again = keyed(desk.book(order(stay(2, 1), 1)), 1);
    assert_eq!(house.commit(from_ref(&again)).await, [Verdict::Committed]);
    let (key, attempt) = again.record.unwrap();
    assert_eq!(house.store.recall(&[key], desk.now).await.unwrap()[&key], attempt);
}

async fn expired_keys_are_forgotten_a_few_at_a_time(house: StoreFixture) {
    let mut desk = house.desk(5).await;
    for key in 1..=3 {
        house.commit(&[keyed(desk.book(order(stay(1, 1), 1)), key)]).await;
    }
    assert_eq!(house.store.forget_idempotency_records(house.now, 10).await.unwrap(), 0);
    let tomorrow = house.now + SignedDuration::from_hours(25);
    assert_eq!(house.store.forget_idempotency_records(tomorrow, 2).await.unwrap(), 2);
    assert_eq!(house.store.forget_idempotency_records(tomorrow, 2).await.unwrap(), 1);
}

async fn a_booking_is_read_as_it_was_written_with_guests_services_and_prices(house: StoreFixture) {
    let hotel = house.hotel("Casa Azul", "Lisbon").await;
    let service = |name: &str, basis| Service {
        id: ServiceId(house.id()),
        hotel_id: hotel.id,
        name: name.into(),
        basis,
        price: Amount(12_50),
    };
    let services = [service("Breakfast", ServiceBasis::PerPersonNight), service("Pick-up", ServiceBasis::PerStay)];
    for service in &services {
        house.store.insert_service(service).await.unwrap();
    }
    let mut desk = house.desk_in(&hotel, 5).await;
    let mut order = order(stay(1, 3), 2);
    order.services = services.iter().rev().map(|s| ServiceOrder { service_id: s.id, quantity: 2 }).collect();
    let entry = desk.book(order);
    house.commit(from_ref(&entry)).await;
    assert_eq!(house.store.booking(booking(&entry).id).await.unwrap().as_ref(), Some(&*booking(&entry)));

    let guests = vec![Guest { name: "Eva".into(), age: 40 }, Guest { name: "\"Zoë\" O'Hara".into(), age: 41 }];
    let amendment = Amendment { check_out: Some(day(5)), guests: Some(guests), ..Amendment::default() };
    let amended = desk.act(&booking(&entry), Move::Amend(amendment));
    house.commit(from_ref(&amended)).await;
    assert_eq!(house.store.booking(booking(&entry).id).await.unwrap().as_ref(), Some(&*booking(&amended)));
    house.assert_sound(desk.id()).await;
}

async fn a_whole_life_may_pass_in_one_batch(house: StoreFixture) {
    let mut desk = house.desk(1).await;
    let held = desk.book(innkeeper::domain::Order { hold: true, ..order(stay(0, 3), 1) });
    let confirmed = desk.act(&booking(&held), Move::Confirm);
    let cancelled = desk.act(&booking(&confirmed), Move::Cancel);
    let next = desk.book(order(stay(1, 1), 1));
    let here = desk.book(order(stay(0, 1), 1));
    let arrived = desk.act(&booking(&here), Move::CheckIn);
    let batch = [held, confirmed, cancelled.clone(), next.clone(), here, arrived.clone()];
    assert_eq!(house.commit(&batch).await, [Verdict::Committed; 6]);
    for entry in [&cancelled, &next, &arrived] {
        assert_eq!(house.store.booking(booking(entry).id).await.unwrap().as_ref(), Some(&*booking(entry)));
    }
    house.assert_sound(desk.id()).await;
}

async fn what_would_oversell_is_left_out_and_everybody_else_is_committed(house: StoreFixture) {
    let (mut honest, mut desk) = (house.desk(1).await, house.desk(1).await);
    let fine = [honest.book(order(stay(1, 1), 1)), honest.book(order(stay(2, 1), 1))];
    let first = desk.clone().book(order(stay(1, 1), 1));
    house.commit(from_ref(&first)).await;
    // This desk lacks a fact but has its sequence number, so only the CHECK is left.
    let mut blind = desk.book(order(stay(1, 1), 1));
    blind.fact = Arc::new(Fact { sequence: first.fact.sequence + 1, ..Fact::clone(&blind.fact) });
    let batch = [fine[0].clone(), blind.clone(), fine[1].clone()];
    assert_eq!(house.commit(&batch).await, [Verdict::Committed, Verdict::Refused, Verdict::Committed]);
    let known = house.store.committed(&batch.each_ref().map(|entry| entry.fact.id)).await.unwrap();
    assert_eq!(known, fine.iter().map(|entry| entry.fact.id).collect());
    assert_eq!(house.commit(from_ref(&blind)).await, [Verdict::Refused]);
    house.assert_sound(desk.id()).await;
    house.assert_sound(honest.id()).await;
}

/// The culprit may be anywhere in the batch: the search for it halves the batch.
async fn what_is_refused_takes_nothing_with_it_but_what_was_decided_on_top_of_it(house: StoreFixture) {
    for culprit in 0..7 {
        let (mut honest, mut desk) = (house.desk(100).await, house.desk(100).await);
        let (mut batch, mut expected) = (Vec::new(), Vec::new());
        for place in 0..7 {
            let mut entry = desk.book(order(stay(1, 1), 1));
            if place == culprit {
                entry.fact = Arc::new(oversold(&entry.fact));
            }
            let verdict = match place.cmp(&culprit) {
                Ordering::Less => Verdict::Committed,
                Ordering::Equal => Verdict::Refused,
                Ordering::Greater => Verdict::Fenced,
            };
            batch.extend([entry, honest.book(order(stay(1, 1), 1))]);
            expected.extend([verdict, Verdict::Committed]);
        }
        assert_eq!(house.commit(&batch).await, expected, "{culprit}");
        house.assert_sound(desk.id()).await;
        house.assert_sound(honest.id()).await;
    }
}

async fn several_culprits_in_a_batch_are_each_left_out(house: StoreFixture) {
    let mut desks = Vec::new();
    for _ in 0..9 {
        desks.push(house.desk(3).await);
    }
    let mut batch: Vec<CommitEntry> = desks.iter_mut().map(|desk| desk.book(order(stay(1, 1), 1))).collect();
    for culprit in [0, 3, 4, 8] {
        batch[culprit].fact = Arc::new(oversold(&batch[culprit].fact));
    }
    let (yes, no) = (Verdict::Committed, Verdict::Refused);
    assert_eq!(house.commit(&batch).await, [no, yes, yes, no, no, yes, yes, yes, no]);
}

/// The longest and the oddest texts for the fields of a booking.
fn texts() -> Vec<String> {
    let odd = [
        "\0",
        "a\0b",
        "\\u0000",
        "\u{1}",
        "\u{7f}",
        "\u{85}",
        "\u{202e}abc",
        "\u{feff}",
        "\u{fffd}",
        "\u{ffff}",
        "\u{10ffff}",
    ];
    let mut texts: Vec<String> = odd.into_iter().map(Into::into).collect();
    texts.extend(["'", "\"", "{\"a\":1}", "%s", "NULL", "ß", "İ", "😀", "ﷺ"].map(Into::into));
    texts.extend([100, 200, 254].map(|length| "😀".repeat(length)));
    texts
}

/// What a check accepts, the database must store and return unchanged.
async fn what_passes_every_check_can_be_stored(house: StoreFixture) {
    let mut desk = house.desk(1_000).await;
    for text in texts() {
        let draft = OrderDraft {
            checkin_date: day(1),
            checkout_date: day(2),
            rooms: 1,
            num_guests: 1,
            guests: vec![("Ana".into(), 34)],
            mobile: "+351912345678".into(),
            ..OrderDraft::default()
        };
        let named = OrderDraft { guests: vec![(text.clone(), 34)], ..draft.clone() };
        let referred = OrderDraft { external_reference: Some(text.clone()), ..draft.clone() };
        let emails = [format!("{text}@b.pt"), format!("\"{text}\"@b.pt"), format!("{text} <a@b.pt>")];
        let emailed = emails.map(|email| OrderDraft { email: Some(email), ..draft.clone() });
        for order in [named, referred].into_iter().chain(emailed).filter_map(|draft| draft.check().ok()) {
            let entry = desk.book(order);
            assert_eq!(house.commit(from_ref(&entry)).await, [Verdict::Committed], "{text:?}");
            assert_eq!(house.store.booking(booking(&entry).id).await.unwrap().as_ref(), Some(&*booking(&entry)));
        }
    }
}

/// A fact that takes more rooms than there are. No desk would decide it.
fn oversold(fact: &Fact) -> Fact {
    let mut fact = Fact::clone(fact);
    if let Change::Booking { deltas, .. } = &mut fact.change {
        deltas.iter_mut().for_each(|delta| delta.sold = 1_000);
    }
    fact
}

async fn a_counter_never_falls_below_zero(house: StoreFixture) {
    let mut desk = house.desk(3).await;
    let entry = desk.book(order(stay(1, 1), 1));
    house.commit(from_ref(&entry)).await;
    let mut twice = desk.act(&booking(&entry), Move::Cancel);
    let mut fact = Fact::clone(&twice.fact);
    if let Change::Booking { deltas, .. } = &mut fact.change {
        deltas.iter_mut().for_each(|delta| delta.sold *= 2);
    }
    twice.fact = Arc::new(fact);
    assert_eq!(house.commit(&[twice]).await, [Verdict::Refused]);
    house.assert_sound(desk.id()).await;
}

async fn a_caller_that_stops_waiting_leaves_nothing_half_done(house: StoreFixture) {
    let mut desk = house.desk(100).await;
    // Whenever the caller gives up, the next owner finds the whole batch or nothing of it.
    for patience in 0..25 {
        let batch = [desk.book(order(stay(1, 2), 1)), desk.book(order(stay(2, 2), 1))];
        tokio::select! {
            biased;
            _ = house.store.commit(&batch) => {}
            () = yields(patience) => {}
        }
        desk = house.open_desk(desk.id(), Token(desk.token.0 + 1)).await;
        let known = house.store.committed(&batch.each_ref().map(|entry| entry.fact.id)).await.unwrap();
        assert!(known.is_empty() || known.len() == batch.len());
        house.assert_sound(desk.id()).await;
    }
}

async fn yields(times: u32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

async fn what_was_committed_is_there_after_a_restart(house: StoreFixture) {
    let mut desk = house.desk(2).await;
    house.commit(&[desk.book(order(stay(1, 2), 1))]).await;
    house.store.close().await.unwrap();
    let StoreFixture { place, .. } = house;
    let house = StoreFixture::at(place).await;
    let inventory = house.store.load(desk.id(), house.now).await.unwrap().unwrap();
    assert_eq!(inventory.sequence(), desk.inventory.sequence());
    house.assert_sound(desk.id()).await;
}

async fn what_was_committed_is_known_by_its_fact(house: StoreFixture) {
    let mut desk = house.desk(3).await;
    let (one, two): (CommitEntry, CommitEntry) = (desk.book(order(stay(1, 1), 1)), desk.book(order(stay(2, 1), 1)));
    house.commit(from_ref(&one)).await;
    let known = house.store.committed(&[one.fact.id, two.fact.id]).await.unwrap();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), [one.fact.id]);
}

async fn an_answer_that_changes_nothing_leaves_its_key_and_no_event(house: StoreFixture) {
    let mut desk = house.desk(5).await;
    let booked = desk.book(order(stay(1, 1), 1));
    let answer = |key| CommitEntry { answer_only: true, ..keyed(booked.clone(), key) };
    let batch = [booked.clone(), answer(1), desk.book(order(stay(2, 1), 1)), answer(2)];
    let verdicts = [Verdict::Committed, Verdict::Committed, Verdict::Committed, Verdict::Fenced];
    assert_eq!(house.commit(&batch).await, verdicts, "the last was decided before the booking that it follows");
    let keys = [KeyDigest([1; 32]), KeyDigest([2; 32])];
    let known = house.store.recall(&keys, house.now).await.unwrap();
    assert_eq!((known.len(), &known[&keys[0]].answer), (1, &Answer::Booking(booking(&booked))));
    let again = keyed(desk.book(order(stay(3, 1), 1)), 1);
    assert_eq!(house.commit(&[again]).await, [Verdict::Duplicate]);

    // Alone in its batch, under a token that is not the owner's any more.
    let desk = house.open_desk(desk.id(), Token(2)).await;
    let fact = Arc::new(Fact { sequence: desk.inventory.sequence(), ..Fact::clone(&booked.fact) });
    let alone = |token| CommitEntry { token, fact: fact.clone(), ..answer(3) };
    assert_eq!(house.commit(&[alone(Token(1))]).await, [Verdict::Fenced]);
    assert_eq!(house.commit(&[alone(Token(2))]).await, [Verdict::Committed]);
    let evidence = house.store.evidence(desk.id()).await.unwrap();
    assert_eq!((evidence.sequence, evidence.events), (3, Some((1, 3, 3))));
    assert!(house.store.stray_idempotency_records(10).await.unwrap().is_empty());
    house.assert_sound(desk.id()).await;
}

contract!(
    an_answer_that_changes_nothing_leaves_its_key_and_no_event,
    an_empty_batch_is_no_trouble,
    a_gap_in_the_sequence_is_fenced_with_everything_after_it,
    a_used_key_is_left_out_with_what_was_decided_on_top_of_it,
    nothing_takes_the_place_of_what_was_left_out,
    a_key_used_twice_in_one_batch_has_one_effect,
    a_key_of_an_entry_that_was_left_out_is_still_unused,
    a_key_is_recalled_with_its_first_answer_until_it_expires,
    an_expired_key_can_be_used_again,
    expired_keys_are_forgotten_a_few_at_a_time,
    a_booking_is_read_as_it_was_written_with_guests_services_and_prices,
    a_whole_life_may_pass_in_one_batch,
    what_would_oversell_is_left_out_and_everybody_else_is_committed,
    what_is_refused_takes_nothing_with_it_but_what_was_decided_on_top_of_it,
    several_culprits_in_a_batch_are_each_left_out,
    what_passes_every_check_can_be_stored,
    a_counter_never_falls_below_zero,
    a_caller_that_stops_waiting_leaves_nothing_half_done,
    what_was_committed_is_there_after_a_restart,
    what_was_committed_is_known_by_its_fact,
);
