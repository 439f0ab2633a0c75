//! The speed of the domain: decide and apply for one room type of 730 nights in memory.
//!
//! `decide_and_apply` is a complete booking of three nights by two guests. Its target is under one microsecond. The
//! refusal, the change and the search show the parts of this time. Run with `cargo bench --bench calendar`.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use innkeeper::domain::quote::Enquiry;
use innkeeper::domain::testing::{book, day, fact_id, inventory, noon, order, run, stay};
use innkeeper::domain::{Amendment, Booking, Command, Inventory, Move, Party};

/// More rooms than any benchmark sells.
const ROOMS: u16 = 10_000;

fn decide(inventory: &Inventory, command: Command) -> innkeeper::domain::Fact {
    inventory.decide(command, fact_id(1), noon(0)).expect("a room is free")
}

fn booked(inventory: &mut Inventory) -> Arc<Booking> {
    let fact = run(inventory, book(1, order(stay(10, 3), 1), noon(0)), noon(0)).expect("a room is free");
    fact.change.booking().expect("a fact about a booking").clone()
}

fn booking(c: &mut Criterion) {
    let mut group = c.benchmark_group("three_nights");
    let command = || book(1, order(stay(10, 3), 1), noon(0));
    let empty = inventory(ROOMS);
    group.bench_function("decide", |b| {
        b.iter_batched(command, |command| decide(&empty, command), BatchSize::SmallInput)
    });
    group.bench_function("decide_and_apply", |b| {
        let mut inventory = inventory(ROOMS);
        let mut left = ROOMS;
        b.iter_batched(
            command,
            |command| {
                if left == 0 {
                    // Full after 10,000 bookings: begin with an empty calendar, which costs under a nanosecond per booking.
                    inventory = empty.clone();
                    left = ROOMS;
                }
                left -= 1;
                let fact = decide(&inventory, command);
                inventory.apply(&fact);
                fact
            },
            BatchSize::SmallInput,
        );
    });
    group.bench_function("refuse", |b| {
        let full = inventory(0);
        b.iter_batched(command, |command| full.decide(command, fact_id(1), noon(0)), BatchSize::SmallInput);
    });
    group.bench_function("quote", |b| {
        let party = Party { adults: 2, children: 0 };
        let enquiry = Enquiry { stay: stay(10, 3), rooms: 1, party, rate_plan: None, forced: false, keeping: None };
        b.iter(|| empty.quote(black_box(&enquiry), noon(0)));
    });
    group.finish();
}

fn changes(c: &mut Criterion) {
    let mut group = c.benchmark_group("change");
    let mut setup = inventory(ROOMS);
    let booking = booked(&mut setup);
    let act = |act: Move| Command::Move { booking: booking.clone(), act, expected: None };
    let later = Amendment { check_in: Some(day(11)), check_out: Some(day(14)), ..Amendment::default() };
    let amend = || act(Move::Amend(later.clone()));
    group.bench_function("amend", |b| b.iter_batched(amend, |command| decide(&setup, command), BatchSize::SmallInput));
    let cancel = || act(Move::Cancel);
    group
        .bench_function("cancel", |b| b.iter_batched(cancel, |command| decide(&setup, command), BatchSize::SmallInput));
    group.finish();
}

fn calendar(c: &mut Criterion) {
    let setup = inventory(ROOMS);
    println!("memory of an idle calendar of 730 nights: {} bytes", setup.calendar.memory());
    let mut group = c.benchmark_group("calendar");
    group.bench_function("roll_a_day", |b| {
        b.iter_batched_ref(|| setup.clone(), |setup| setup.roll(noon(1)), BatchSize::SmallInput);
    });
    group.bench_function("roll_nothing", |b| {
        let mut setup = setup.clone();
        b.iter(|| setup.roll(black_box(noon(0))));
    });
    group.finish();
}

criterion_group!(benches, booking, changes, calendar);
criterion_main!(benches);
