//! The simulation: many small hotels, each with its own seed, under all kinds of faults.
//!
//! A seed decides everything: the requests and their times, delays of the store, lost and rolled back commits, panics
//! of actors, and jumps of the clock. It also decides whether a second node uses the same store, and whether the two
//! agree on ownership: with leases that end and are lost, or without leases. The real engine runs on one thread with
//! simulated time. So a seed that fails, fails again: `SEED=17 cargo test --test simulation`.
//!
//! Afterwards the faults end, the engine must serve again, and the [`oracle`] compares every answer with the store.

mod clients;
mod dice;
mod faulty_journal;
mod history;
mod leases;
#[path = "../support/memory_journal.rs"]
mod memory_journal;
mod oracle;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use innkeeper::clock::Clock;
use innkeeper::domain::testing::{PRICE, breakfast, hotel, id, order, plan, room_type, stay};
use innkeeper::domain::{Hotel, Inventory, Order, RatePlan, RatePlanId, RoomType, RoomTypeId};
use innkeeper::engine::failpoint::{Failpoint, Failpoints};
use innkeeper::engine::{Engine, Error, Options};
use innkeeper::lease::{Lease, SingleNode};
use innkeeper::store::Journal;
use rstest::rstest;

use clients::{Answer, Desk, Wish};
use dice::{CountedIds, Dice, SimulatedClock};
use faulty_journal::{FaultyJournal, Lie};
use leases::{SimulatedLease, Table};
use memory_journal::MemoryJournal;
use oracle::{Oracle, answered_keys};

/// Seeds per case; there are four cases.
const SEEDS: u64 = 300;
/// The lifetime of a hold.
pub const HOLD_MINUTES: i64 = 15;
/// A simulation that takes longer in simulated time is stuck.
const STUCK: Duration = Duration::from_secs(60 * 86_400);

#[rstest]
fn under_every_fault_nothing_is_oversold_lost_or_done_twice(#[values(0, 1, 2, 3)] part: u64) {
    quiet_simulated_panics();
    if let Some(seed) = seed_to_repeat() {
        return if seed % 4 == part {
            run(seed)
        };
    }
    for seed in (0..SEEDS).map(|n| n * 4 + part) {
        run(seed);
    }
}

#[test]
fn a_seed_always_gives_the_same_history() {
    quiet_simulated_panics();
    for seed in 9_000..9_010 {
        assert_eq!(simulate(seed, None).story, simulate(seed, None).story, "seed {seed}");
    }
}

#[test]
fn every_kind_of_fault_occurs() {
    quiet_simulated_panics();
    let panics = [Failpoint::Received, Failpoint::Decided, Failpoint::Applied, Failpoint::Submitted, Failpoint::Loaded];
    let expected = panics.map(|point| format!("{point:?}")).into_iter().chain(TROUBLE.iter().map(|it| it.to_string()));
    let mut missed: BTreeSet<String> = expected.collect();
    for seed in 0..1_200 {
        let seen = simulate(seed, None).seen;
        missed.retain(|trouble| !seen.contains(trouble));
        if missed.is_empty() {
            return;
        }
    }
    panic!("{missed:?} never happened");
}

const TROUBLE: &[&str] = &[
    "a commit rolled back",
    "lost before a commit",
    "lost after",
    "lost during",
    "a lost transaction that commits later",
    "a panic after",
    "Committed",
    "Fenced",
    "Duplicate",
    "replayed",
    "Interrupted",
    "Unavailable",
    "Busy",
    "KeyReused",
    "sold_out",
    "closed",
    "stale",
    "illegal_move",
    "change_not_free",
    "hold_expired",
    "capacity_below_sold",
    "held",
    "confirmed",
    "in_house",
    "checked_out",
    "no_show",
    "cancelled",
    "released",
    "all leases are forgotten",
    "a lease runs out",
    "a lease is lost",
    "a token is raised",
    "sent to its owner",
    "an ownership goes on by itself",
];

/// The oracle must detect every kind of violation.
#[rstest]
fn every_broken_promise_is_detected(
    #[values(Lie::LosesCommits, Lie::LosesKeys, Lie::LosesCounters, Lie::ClearsDoubts, Lie::AlwaysCertain)] lie: Lie,
) {
    quiet_simulated_panics();
    let found_out = (0..300).any(|seed| !simulate(seed, Some(lie)).violations.is_empty());
    assert!(found_out, "{lie:?} went unnoticed");
}

fn seed_to_repeat() -> Option<u64> {
    std::env::var("SEED").ok()?.parse().ok()
}

fn run(seed: u64) {
    let outcome = std::panic::catch_unwind(|| simulate(seed, None));
    let rerun = format!("to see it again: SEED={seed} cargo test --test simulation");
    match outcome {
        Ok(Outcome { violations, .. }) if violations.is_empty() => {}
        Ok(Outcome { violations, .. }) => panic!("seed {seed} broke a promise; {rerun}\n{}", violations.join("\n")),
        Err(_) => panic!("seed {seed} ended in a panic; {rerun}"),
    }
}

/// The result of a simulation.
struct Outcome {
    violations: Vec<String>,
    /// Every answer in order.
    story: String,
    /// All events.
    seen: BTreeSet<String>,
}

fn simulate(seed: u64, lie: Option<Lie>) -> Outcome {
    let system = actix::System::with_tokio_rt(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.expect("a runtime can be made")
    });
    system.block_on(async {
        let simulation = tokio::time::timeout(STUCK, story_of(seed, lie));
        simulation.await.unwrap_or_else(|_| Outcome {
            violations: vec!["a request still has no answer".to_owned()],
            story: String::new(),
            seen: BTreeSet::new(),
        })
    })
}

async fn story_of(seed: u64, lie: Option<Lie>) -> Outcome {
    let dice = Arc::new(Dice::new(seed));
    let clock = Arc::new(SimulatedClock::new());
    let journal = Arc::new(small_hotel());
    let mut genesis = BTreeMap::new();
    for id in journal.room_types() {
        let loaded = journal.load(id, clock.now()).await.ok().flatten();
        genesis.extend(loaded.map(|inventory: Inventory| (id, inventory)));
    }
    let nodes = if dice.chance(35) { 2 } else { 1 };
    // Without leases, both nodes act as owners of everything.
    let leases = (nodes == 2 && dice.chance(60)).then(|| Table::of(nodes, &dice));
    let start = |number| {
        let lease: Arc<dyn Lease> = match &leases {
            Some(table) => Arc::new(SimulatedLease::of_node(number as usize, table, lie == Some(Lie::AlwaysCertain))),
            None => Arc::new(SingleNode::new(clock.clone())),
        };
        node(number, lease, lie, &journal, &clock, &dice)
    };
    let engines: Vec<Engine> = (0..nodes).map(start).collect();
    let room_types = genesis.values().map(|inventory| inventory.room_type.clone()).collect();
    // An owner answers from memory only while it is certain, or after it has checked its claim.
    let present = nodes == 1 || leases.as_ref().is_some_and(|table| !table.forgets);
    let desk = Desk::new(engines, leases, journal.clone(), clock.clone(), dice.clone(), room_types, plan_of);

    let clients: Vec<_> = (0..dice.between(1, 6)).map(|_| actix_rt::spawn(desk.clone().client(20))).collect();
    for client in clients {
        client.await.expect("a client does not panic");
    }
    dice.end_faults();
    let mut violations = serves_again(&desk).await;
    for engine in &desk.engines {
        engine.shutdown().await;
    }
    violations.extend(a_new_node_repeats_answers(&desk).await);

    let records = desk.records.take();
    let story = format!("{records:?}");
    violations.extend(Oracle::new(&desk, &records, &genesis, present).verdict().await);
    Outcome { violations, story, seen: dice.seen() }
}

/// Two room types with two and three rooms, for forty nights.
fn small_hotel() -> MemoryJournal {
    let hotel = Hotel { horizon_nights: 40, ..hotel() };
    let of = |number: u64, rooms: u16| {
        let room_type_id = RoomTypeId(id(number));
        let plan = RatePlan { id: plan_of(room_type_id), room_type_id, ..plan(1, PRICE) };
        (RoomType { id: room_type_id, ..room_type(rooms) }, vec![plan])
    };
    MemoryJournal::new(hotel, vec![breakfast()], vec![of(10, 2), of(11, 3)])
}

fn plan_of(room_type: RoomTypeId) -> RatePlanId {
    RatePlanId(room_type.0)
}

/// A node with its own ids, on a store with random faults.
fn node(
    number: u64,
    lease: Arc<dyn Lease>,
    lie: Option<Lie>,
    journal: &Arc<MemoryJournal>,
    clock: &Arc<SimulatedClock>,
    dice: &Arc<Dice>,
) -> Engine {
    let options = Options {
        threads: 0,
        mailbox: if dice.chance(20) { 2 } else { 64 },
        hold_ttl: Duration::from_secs(60 * HOLD_MINUTES.unsigned_abs()),
        idle_after: if dice.is_restless() { Duration::ZERO } else { Duration::from_secs(86_400) },
        idempotency_ttl: Duration::from_secs(400 * 86_400),
        batch: if dice.chance(50) { 1 + dice.below(4) } else { 64 },
        ..Options::default()
    };
    let faulty = Arc::new(FaultyJournal::new(journal.clone(), dice.clone(), lie));
    let ids = Arc::new(CountedIds::of_node(number));
    Engine::start_with_failpoints(options, faulty, lease, clock.clone(), ids, Arc::new(Stumble(dice.clone())))
}

/// Makes actors panic at random.
struct Stumble(Arc<Dice>);

impl Failpoints for Stumble {
    fn passed(&self, point: Failpoint, _: RoomTypeId) {
        if self.0.fault(1) && self.0.chance(40) {
            self.0.saw(format!("{point:?}"));
            panic!("simulated: an actor panics at {point:?}");
        }
    }
}

/// Without faults, every room type answers at once, after any past.
async fn serves_again(desk: &Rc<Desk>) -> Vec<String> {
    let mut violations = Vec::new();
    let nights = stay(0, 9);
    for engine in &desk.engines {
        for room_type in desk.room_types.iter().map(|room_type| room_type.id) {
            // With two owners, the first request may find that the other one took over; the next one is served.
            for last in [false, false, true] {
                let wish = Wish::View(nights.check_in(), nights.check_out());
                match desk.fulfil(engine, room_type, wish, None).await {
                    Ok(_) => break,
                    Err(error) if last => violations.push(format!("does not serve again: {error:?}")),
                    // The time that a client is asked to wait.
                    Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
                }
            }
        }
    }
    violations
}

/// A new node on the same store gives every key its first answer, and books again.
async fn a_new_node_repeats_answers(desk: &Rc<Desk>) -> Vec<String> {
    let lease = Arc::new(SingleNode::new(desk.clock.clone()));
    let engine = node(9, lease, None, &desk.journal, &desk.clock, &desk.dice);
    let mut violations = Vec::new();
    if let Err(error) = engine.recover().await {
        violations.push(format!("does not recover: {error:?}"));
    }
    let repeated: Vec<_> = answered_keys(&desk.records.borrow())
        .into_iter()
        .map(|record| (record.room_type, record.wish.clone(), record.key))
        .collect();
    let first_new = desk.records.borrow().len();
    for (room_type, wish, key) in repeated {
        desk.ask(&engine, room_type, wish, key).await;
    }
    for record in &desk.records.borrow()[first_new..] {
        let remembered = matches!(&record.answer, Ok(Answer::Booking(outcome)) if outcome.replayed);
        if !remembered {
            violations.push(format!("a key was not remembered: {record:?}"));
        }
    }
    let fresh = Order { external_reference: Some("the last order".to_owned()), ..order(stay(20, 1), 1) };
    let room_type = desk.room_types[0].id;
    desk.ask(&engine, room_type, Wish::Book(fresh), None).await;
    if let Some(Err(error)) = desk.records.borrow().last().map(|record| &record.answer)
        && !matches!(error, Error::Refused(_))
    {
        violations.push(format!("does not book again: {error:?}"));
    }
    engine.shutdown().await;
    violations
}

/// Simulated panics are expected and need no backtrace. All others are shown.
fn quiet_simulated_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let show = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let simulated = panic.payload_as_str().is_some_and(|text| text.starts_with("simulated"));
            if !simulated {
                show(panic);
            }
        }));
    });
}
