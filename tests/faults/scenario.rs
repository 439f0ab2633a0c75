//! The scenarios: what goes wrong, for how long, and that nobody was told a lie.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use rstest::rstest;

use super::fault::Fault::{self, *};
use super::link::Mode::{Cut, Hung};
use super::node::Way;
use super::weather::Weather;

/// A machine has few processors, and each scenario starts five servers: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// After how long a silent node loses what it owns.
pub const LEASE_TTL_SECS: u64 = 1;
/// Longer than that.
const PAST_THE_LEASE: Duration = Duration::from_millis(2_500);
/// The random part, unless the environment says otherwise.
const RANDOM_SECS: u64 = 20;

pub fn weather(ttl_secs: u64, way: Way, test: impl AsyncFnOnce(&mut Weather)) {
    alone(async |dice| {
        let mut weather = Weather::begin(dice, ttl_secs, way).await;
        test(&mut weather).await;
        weather.end().await;
    });
}

/// Runs while no other scenario does, with dice that can be thrown again.
pub fn alone(test: impl AsyncFnOnce(Rng)) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = variable("INNKEEPER_FAULT_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("INNKEEPER_FAULT_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // Not on a worker: processes are killed when the thread that started them ends.
    runtime.block_on(test(Rng::with_seed(seed)));
}

pub fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[rstest]
#[case::nothing(Vec::new())]
#[case::a_node_is_killed(vec![vec![NodeKilled(1)]])]
#[case::a_node_is_replaced(vec![vec![NodeReplaced(2)]])]
#[case::a_node_sleeps_past_its_lease_and_wakes(vec![vec![NodeAsleep(0)], vec![NodeAsleep(1), RedisForgets]])]
#[case::postgres_is_killed(vec![vec![DatabaseKilled]])]
#[case::redis_loses_its_memory(vec![vec![RedisForgets], vec![NodeKilled(0), RedisForgets]])]
#[case::redis_is_killed(vec![vec![RedisKilled]])]
#[case::redis_hangs(vec![vec![RedisAsleep]])]
#[case::redis_cannot_be_reached(vec![vec![RedisAway(0, Cut)], vec![RedisAway(1, Hung)]])]
#[case::postgres_cannot_be_reached(vec![vec![DatabaseAway(2, Cut)], vec![DatabaseAway(0, Hung)]])]
#[case::a_node_cannot_be_reached(vec![vec![Unreachable(1, Cut)], vec![Unreachable(2, Hung)]])]
fn nobody_is_told_a_lie_when(#[case] faults: Vec<Vec<Fault>>) {
    weather(LEASE_TTL_SECS, Way::Door, async |weather| {
        weather.calm().await;
        for together in &faults {
            weather.strike(together, PAST_THE_LEASE).await;
            weather.calm().await;
        }
    });
}

#[test]
fn nobody_is_told_a_lie_when_everything_goes_wrong_at_random() {
    let lasts = Duration::from_secs(variable("INNKEEPER_FAULT_SECS").unwrap_or(RANDOM_SECS));
    weather(LEASE_TTL_SECS, Way::Door, async |weather| weather.storm(lasts).await);
}
