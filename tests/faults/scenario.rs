//! The scenarios: which faults, for how long, and that every answer fits the database.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use rstest::rstest;

use super::cluster::eventually;
use super::fault::Fault::{self, *};
use super::history::{Answer, Operation};
use super::link::Mode::{Cut, Hung};
use super::nemesis::Nemesis;
use super::node::Way;
use super::request::UNAVAILABLE;

/// Each scenario starts five servers, so only one runs at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The TTL after which a silent node loses its room types.
pub const LEASE_TTL_SECS: u64 = 1;
/// Longer than that.
const PAST_THE_LEASE: Duration = Duration::from_millis(2_500);
/// Longer than PostgreSQL keeps an idle transaction: 4 s.
const PAST_ITS_TRANSACTIONS: Duration = Duration::from_secs(6);
/// Redis is away for half a minute, and in the last part so is a node.
const WITHOUT_REDIS: [Duration; 2] = [Duration::from_secs(24), Duration::from_secs(6)];
/// The default duration of the random scenario.
const RANDOM_SECS: u64 = 20;

pub fn nemesis(ttl_secs: u64, way: Way, test: impl AsyncFnOnce(&mut Nemesis)) {
    alone(async |dice| {
        let mut nemesis = Nemesis::begin(dice, ttl_secs, way).await;
        test(&mut nemesis).await;
        nemesis.end().await;
    });
}

/// Runs while no other scenario does, with a random seed that can be set.
pub fn alone(test: impl AsyncFnOnce(Rng)) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = variable("INNKEEPER_FAULT_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("INNKEEPER_FAULT_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // Not on a worker thread: a child process is killed when the thread that started it ends.
    runtime.block_on(test(Rng::with_seed(seed)));
}

pub fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[rstest]
#[case::nothing(PAST_THE_LEASE, vec![])]
#[case::a_node_is_killed(PAST_THE_LEASE, vec![vec![NodeKilled(1)]])]
#[case::a_node_is_replaced(PAST_THE_LEASE, vec![vec![NodeReplaced(2)]])]
#[case::a_node_sleeps_past_its_lease_and_wakes(PAST_THE_LEASE, vec![vec![NodeAsleep(0)], vec![NodeAsleep(1), RedisForgets]])]
#[case::a_node_sleeps_past_its_transactions_and_wakes(PAST_ITS_TRANSACTIONS, vec![vec![NodeAsleep(2)]])]
#[case::postgres_is_killed(PAST_THE_LEASE, vec![vec![DatabaseKilled]])]
#[case::redis_loses_its_memory(PAST_THE_LEASE, vec![vec![RedisForgets], vec![NodeKilled(0), RedisForgets]])]
#[case::redis_is_killed(PAST_THE_LEASE, vec![vec![RedisKilled]])]
#[case::redis_hangs(PAST_THE_LEASE, vec![vec![RedisAsleep]])]
#[case::redis_cannot_be_reached(PAST_THE_LEASE, vec![vec![RedisAway(0, Cut)], vec![RedisAway(1, Hung)]])]
#[case::postgres_cannot_be_reached(PAST_THE_LEASE, vec![vec![DatabaseAway(2, Cut)], vec![DatabaseAway(0, Hung)]])]
#[case::a_node_cannot_be_reached(PAST_THE_LEASE, vec![vec![Unreachable(1, Cut)], vec![Unreachable(2, Hung)]])]
fn every_answer_fits_the_database_when(#[case] lasts: Duration, #[case] faults: Vec<Vec<Fault>>) {
    nemesis(LEASE_TTL_SECS, Way::Door, async |nemesis| {
        nemesis.calm().await;
        nemesis.recount();
        for together in &faults {
            nemesis.strike(together, lasts).await;
            nemesis.calm().await;
            nemesis.recount();
        }
    });
}

/// Owned room types are sold all the time. A room type without an owner, or of a dead node, is refused with
/// Retry-After, and is served as soon as Redis is back.
#[test]
fn half_a_minute_without_redis_stops_only_room_types_without_an_owner() {
    let [all_alive, one_dead] = WITHOUT_REDIS;
    nemesis(LEASE_TTL_SECS, Way::Door, async |nemesis| {
        let (unowned, nodes, stay) = (nemesis.cluster.unowned().await, nemesis.nodes.clone(), nemesis.watched);
        nemesis.all_are_served().await;
        nemesis.begins(RedisKilled);
        tokio::time::sleep(all_alive).await;
        nemesis.all_are_served().await;
        for node in 0..nodes.guide.count() {
            let operation = Operation::Book { stay, rooms: 1, hold: false };
            let sent_away = async || {
                let answer = nodes.ask(node, "unowned", unowned, &operation).await;
                matches!(answer, Answer::Open(why) if why == UNAVAILABLE)
            };
            eventually("guests are sent away", sent_away, || nemesis.cluster.last_words()).await;
        }
        nemesis.begins(NodeKilled(1));
        tokio::time::sleep(one_dead).await;
        nemesis.ends(RedisKilled);
        nemesis.all_are_served().await;
        let is_shown = async || nodes.look(0, unowned, stay).await.is_some();
        eventually("the room type has an owner", is_shown, || nemesis.cluster.last_words()).await;
        nemesis.ends(NodeKilled(1));
        nemesis.all_are_served().await;
    });
}

#[test]
fn every_answer_fits_the_database_with_faults_at_random() {
    let lasts = Duration::from_secs(variable("INNKEEPER_FAULT_SECS").unwrap_or(RANDOM_SECS));
    nemesis(LEASE_TTL_SECS, Way::Door, async |nemesis| nemesis.storm(lasts).await);
}
