//! The judge judged: a story that is true, and every way we could think of to tell it wrong.

use jiff::civil::date;
use rstest::rstest;
use serde_json::json;
use uuid::Uuid;

use super::complaints;
use crate::story::{Answer, Attempt, Call, Look, Nights, Sighting, Stay, Story, Told, Wish, Yes};
use crate::truth::{Booking, Delta, Event, Recount, RoomType, Truth};

const ROOM_TYPE: Uuid = Uuid::from_u128(7);
const ANA: Uuid = Uuid::from_u128(1);
const RUI: Uuid = Uuid::from_u128(2);

/// Two rooms. 1: a price was set. 2: Ana books 1 to 3 June. 3: Rui books 2 to 4 June, and Eva, who wants both rooms on
/// 2 June, is refused. 4: Rui moves on by a day; he is told at the second try. 5: Ana cancels, and asks once more.
fn true_story() -> (Story, Truth) {
    let ana = Wish::Book { stay: june(1, 3), rooms: 1 };
    let rui = Wish::Book { stay: june(2, 4), rooms: 1 };
    let eva = Wish::Book { stay: june(2, 3), rooms: 2 };
    let moves = Wish::Amend { booking: RUI, rooms: 1, from: june(2, 4), to: june(3, 5) };
    let cancels = Wish::Cancel { booking: ANA, rooms: 1, stay: Some(june(1, 3)) };
    let calls = vec![
        call("ana", ana, vec![yes(10, 20, ANA, 2)]),
        call("rui", rui, vec![yes(30, 40, RUI, 3)]),
        call("eva", eva, vec![attempt(30, 50, Answer::No("sold_out".into()))]),
        call("rui moves", moves, vec![attempt(60, 70, Answer::Open("lost".into())), yes(80, 90, RUI, 4)]),
        call("ana cancels", cancels, vec![yes(100, 110, ANA, 5), yes(120, 130, ANA, 5)]),
    ];
    let looks = vec![Look { node: 0, room_type: ROOM_TYPE, sequence: 3, nights: nights(&[(1, 1), (2, 2), (3, 1)]) }];
    let sightings = vec![
        sighting(2, true, &[(1, 1), (2, 1), (3, 0), (4, 0)]),
        sighting(3, false, &[(2, 2), (3, 1)]),
        sighting(4, false, &[(2, 1), (3, 1), (4, 1)]),
        sighting(5, false, &[(1, 0), (2, 0)]),
    ];
    let feed = (1..=5).map(|sequence| Told { position: sequence * 10, room_type_id: ROOM_TYPE, sequence }).collect();
    (Story { calls, looks, sightings, feed }, truth())
}

fn truth() -> Truth {
    let events = vec![
        event(1, "rate_plan_set", None, &[]),
        event(2, "booked", Some(ANA), &[(1, 1), (2, 1)]),
        event(3, "booked", Some(RUI), &[(2, 1), (3, 1)]),
        event(4, "amended", Some(RUI), &[(2, -1), (4, 1)]),
        event(5, "cancelled", Some(ANA), &[(1, -1), (2, -1)]),
    ];
    let booking = |id, key: &str, status: &str, stay: Stay| Booking {
        id,
        room_type_id: ROOM_TYPE,
        status: status.into(),
        arrival: stay.arrival,
        departure: stay.departure,
        rooms: 1,
        external_reference: Some(key.into()),
    };
    let bookings = vec![booking(ANA, "ana", "cancelled", june(1, 3)), booking(RUI, "rui", "confirmed", june(3, 5))];
    let recount = |(day, sold)| Recount {
        room_type_id: ROOM_TYPE,
        date: date(2026, 6, day),
        capacity: Some(2),
        sold,
        held: 0,
        booked: sold,
        on_hold: 0,
    };
    let recounts = [(1, 0), (2, 0), (3, 1), (4, 1)].map(recount).into();
    Truth { room_types: vec![RoomType { id: ROOM_TYPE, rooms: 2, sequence: 5 }], bookings, events, recounts }
}

fn june(arrival: i8, departure: i8) -> Stay {
    Stay { arrival: date(2026, 6, arrival), departure: date(2026, 6, departure) }
}

fn nights(sold: &[(i8, i64)]) -> Nights {
    sold.iter().map(|(day, sold)| (date(2026, 6, *day), (*sold, 0))).collect()
}

fn call(key: &str, wish: Wish, attempts: Vec<Attempt>) -> Call {
    Call { key: key.into(), room_type: ROOM_TYPE, wish, attempts }
}

fn attempt(sent: u64, heard: u64, answer: Answer) -> Attempt {
    Attempt { node: 0, sent, heard, answer }
}

fn yes(sent: u64, heard: u64, booking: Uuid, sequence: u64) -> Attempt {
    attempt(sent, heard, Answer::Yes(Yes { booking, sequence, body: json!({"sequence": sequence}) }))
}

fn sighting(sequence: u64, whole: bool, sold: &[(i8, i64)]) -> Sighting {
    Sighting { node: 0, room_type: ROOM_TYPE, sequence, whole, nights: nights(sold) }
}

fn event(sequence: u64, cause: &str, booking_id: Option<Uuid>, sold: &[(i8, i64)]) -> Event {
    let delta = |(day, sold): &(i8, i64)| Delta { date: date(2026, 6, *day), sold: *sold, held: 0 };
    let deltas = sold.iter().map(delta).collect();
    Event { position: sequence * 10, room_type_id: ROOM_TYPE, sequence, cause: cause.into(), booking_id, deltas }
}

fn lost(sent: u64) -> Attempt {
    attempt(sent, sent + 5, Answer::Open("lost".into()))
}

fn no(sent: u64, code: &str) -> Attempt {
    attempt(sent, sent + 5, Answer::No(code.into()))
}

#[test]
fn a_true_story_is_believed() {
    let (story, truth) = true_story();
    assert_eq!(complaints(&story, &truth), Vec::<String>::new());
}

#[rstest]
#[case::done(|story: &mut Story, _: &mut Truth| story.calls[0].attempts = vec![lost(10)])]
#[case::not_done(|story: &mut Story, _: &mut Truth| story.calls.push(call("ida", Wish::Book { stay: june(1, 2), rooms: 1 }, vec![lost(10)])))]
#[case::change_done(|story: &mut Story, _: &mut Truth| story.calls[4].attempts = vec![lost(100)])]
#[case::refused_before_it_was_done(|story: &mut Story, _: &mut Truth| {
    story.calls[1].attempts = vec![lost(30), attempt(35, 140, Answer::No("sold_out".into()))];
    story.calls[1].wish = Wish::Book { stay: june(2, 4), rooms: 1 };
    story.calls[0].attempts[0].sent = 1;
    // Somebody else must have had the other room then; Ana had, and nobody knows when she came.
    story.calls.truncate(2);
    story.calls.push(call("rui moves", Wish::Amend { booking: RUI, rooms: 1, from: june(2, 4), to: june(3, 5) }, vec![lost(60)]));
    story.calls.push(call("ana cancels", Wish::Cancel { booking: ANA, rooms: 1, stay: Some(june(1, 3)) }, vec![lost(60)]));
})]
fn what_nobody_was_told_of_may_have_been_done_or_not(#[case] tell: fn(&mut Story, &mut Truth)) {
    let (mut story, mut truth) = true_story();
    tell(&mut story, &mut truth);
    assert_eq!(complaints(&story, &truth), Vec::<String>::new());
}

#[rstest]
#[case::a_lost_booking("is not there", |_: &mut Story, truth: &mut Truth| _ = truth.bookings.remove(1))]
#[case::a_doubled_booking("2 bookings were made", |_: &mut Story, truth: &mut Truth| {
    let twin = Booking { id: Uuid::from_u128(9), ..truth.bookings[1].clone() };
    truth.bookings.push(twin);
})]
#[case::an_acknowledgement_without_an_event("not in the history", |_: &mut Story, truth: &mut Truth| _ = truth.events.pop())]
#[case::a_gap("stands at place", |_: &mut Story, truth: &mut Truth| _ = truth.events.remove(0))]
#[case::a_history_that_ends_early("its own row says 6", |_: &mut Story, truth: &mut Truth| truth.room_types[0].sequence = 6)]
#[case::another_event_than_acknowledged("which is", |_: &mut Story, truth: &mut Truth| truth.events[4].booking_id = Some(RUI))]
#[case::one_event_for_two("so was another", |story: &mut Story, _: &mut Truth| {
    let twin = story.calls[4].clone();
    story.calls.push(Call { key: "ana cancels again".into(), ..twin });
})]
#[case::two_answers_to_one_key("and then", |story: &mut Story, _: &mut Truth| story.calls[4].attempts[1] = yes(120, 130, ANA, 4))]
#[case::a_refusal_after_an_answer("refused, and acknowledged", |story: &mut Story, _: &mut Truth| story.calls[4].attempts.push(no(140, "sold_out")))]
#[case::a_refusal_that_was_done("was made all the same", |story: &mut Story, _: &mut Truth| story.calls[1].attempts = vec![no(30, "sold_out")])]
#[case::a_refusal_long_after_it_was_done("although it had been done", |story: &mut Story, _: &mut Truth| {
    story.calls[1].attempts = vec![lost(30), no(95, "sold_out")];
    story.calls[1].wish = Wish::Book { stay: june(2, 4), rooms: 2 };
})]
#[case::a_refusal_without_a_reason("were free", |story: &mut Story, _: &mut Truth| {
    story.calls[2].wish = Wish::Book { stay: june(4, 5), rooms: 1 };
})]
#[case::a_refusal_before_there_was_a_reason("were free", |story: &mut Story, _: &mut Truth| story.calls[2].attempts = vec![no(1, "sold_out")])]
#[case::a_refusal_that_makes_no_sense("refused as closed", |story: &mut Story, _: &mut Truth| story.calls[2].attempts = vec![no(30, "closed")])]
#[case::a_cancellation_refused("cannot be cancelled", |story: &mut Story, _: &mut Truth| story.calls[4].attempts = vec![no(100, "illegal_move")])]
#[case::a_strange_answer("said 404", |story: &mut Story, _: &mut Truth| story.calls[2].attempts.push(attempt(60, 70, Answer::Wrong("404".into()))))]
#[case::time_turned_round("had happened before", |story: &mut Story, _: &mut Truth| story.calls[0].attempts = vec![yes(45, 55, ANA, 2)])]
#[case::an_event_that_nobody_wished_for("nobody wished", |story: &mut Story, _: &mut Truth| _ = story.calls.remove(3))]
#[case::a_booking_that_nobody_wished_for("nobody wished", |_: &mut Story, truth: &mut Truth| {
    truth.bookings.push(Booking { id: Uuid::from_u128(9), external_reference: None, ..truth.bookings[0].clone() });
})]
#[case::a_wish_that_came_true_twice("nobody wished", |story: &mut Story, truth: &mut Truth| {
    story.calls[4].attempts = vec![lost(100)];
    truth.events.push(event(6, "cancelled", Some(ANA), &[]));
    truth.room_types[0].sequence = 6;
})]
#[case::other_nights_than_wished("not what was wished", |_: &mut Story, truth: &mut Truth| truth.bookings[1].arrival = date(2026, 6, 2))]
#[case::another_state_than_wished("not what was wished", |_: &mut Story, truth: &mut Truth| truth.bookings[0].status = "confirmed".into())]
#[case::oversold_for_a_moment("3 sold", |_: &mut Story, truth: &mut Truth| truth.events[2].deltas[0].sold = 2)]
#[case::oversold_in_the_end("3 of 2 rooms", |_: &mut Story, truth: &mut Truth| (truth.recounts[2].booked, truth.recounts[2].sold) = (3, 3))]
#[case::a_miscounted_night("are stored", |_: &mut Story, truth: &mut Truth| truth.recounts[2].sold = 2)]
#[case::a_night_that_is_not_stored("not stored", |_: &mut Story, truth: &mut Truth| _ = truth.recounts.remove(3))]
#[case::nights_unlike_the_events("the events tell", |_: &mut Story, truth: &mut Truth| truth.recounts[2] = Recount { sold: 0, booked: 0, ..truth.recounts[2].clone() })]
#[case::a_look_at_what_never_was("showed", |story: &mut Story, _: &mut Truth| story.looks[0].sequence = 2)]
#[case::a_look_at_the_future("never was", |story: &mut Story, _: &mut Truth| story.looks[0].sequence = 6)]
#[case::a_dashboard_that_missed_a_change("not of 3", |story: &mut Story, _: &mut Truth| _ = story.sightings.remove(1))]
#[case::a_dashboard_that_was_told_nonsense("had 2026-06-04", |story: &mut Story, _: &mut Truth| _ = story.sightings[2].nights.insert(date(2026, 6, 4), (2, 0)))]
#[case::a_dashboard_that_went_back("went back", |story: &mut Story, _: &mut Truth| story.sightings.swap(1, 2))]
#[case::a_change_told_twice("went back", |story: &mut Story, _: &mut Truth| story.sightings.insert(2, story.sightings[1].clone()))]
#[case::a_feed_with_a_hole("the feed told", |story: &mut Story, _: &mut Truth| _ = story.feed.remove(2))]
#[case::a_feed_out_of_order("the feed told", |story: &mut Story, _: &mut Truth| story.feed.swap(2, 3))]
#[case::a_feed_that_repeats_itself("the feed told", |story: &mut Story, _: &mut Truth| story.feed.push(story.feed[4].clone()))]
fn a_story_that_is_wrong_is_found_out(#[case] why: &str, #[case] tell: fn(&mut Story, &mut Truth)) {
    let (mut story, mut truth) = true_story();
    tell(&mut story, &mut truth);
    let complaints = complaints(&story, &truth);
    assert!(complaints.iter().any(|complaint| complaint.contains(why)), "{complaints:#?}");
}
