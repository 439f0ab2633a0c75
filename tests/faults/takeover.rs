//! Measures how long a room type waits for its next owner after its node is killed or cut off from the database. The
//! times are printed and not asserted, because they depend on the machine.
//!
//! `INNKEEPER_FAULT_TIMES=10 INNKEEPER_FAULT_TTL_SECS=10 cargo test --test faults takeover -- --nocapture`

use std::time::Duration;

use fastrand::Rng;
use innkeeper::clock::{Clock, System};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use rstest::rstest;
use tokio::time::Instant;
use uuid::Uuid;

use super::cluster::{Cluster, eventually};
use super::fault::Fault;
use super::history::{Answer, Operation, Stay};
use super::link::Mode;
use super::node::Way;
use super::request::{Nodes, PATIENT};
use super::scenario::{alone, variable};

/// The defaults.
const TIMES: u64 = 2;
const TTL_SECS: u64 = 1;

#[rstest]
#[case::a_node_is_killed(Fault::NodeKilled)]
#[case::a_node_is_cut_off_from_postgres(|node| Fault::DatabaseAway(node, Mode::Cut))]
#[case::postgres_is_silent_for_a_node(|node| Fault::DatabaseAway(node, Mode::Hung))]
fn another_node_takes_over_every_time(#[case] fault: fn(usize) -> Fault) {
    alone(async |mut dice| {
        let ttl_secs = variable("INNKEEPER_FAULT_TTL_SECS").unwrap_or(TTL_SECS);
        let times = variable("INNKEEPER_FAULT_TIMES").unwrap_or(TIMES);
        let mut scene = Scene::begin(ttl_secs, dice.fork()).await;
        let mut waits = Vec::new();
        for time in 0..times {
            waits.push(scene.lose_the_owner(time, fault).await);
        }
        waits.sort_unstable();
        let [shortest, median, longest] = [0, waits.len() / 2, waits.len() - 1].map(|index| waits[index]);
        println!(
            "TTL {ttl_secs} s, {times} times {:?}: bookings are accepted again after {shortest:?} at best, {median:?} at \
             the median, {longest:?} at worst",
            fault(0)
        );
    });
}

/// A cluster with one room type.
struct Scene {
    cluster: Cluster,
    nodes: Nodes,
    room_type: Uuid,
    dice: Rng,
}

impl Scene {
    async fn begin(ttl_secs: u64, dice: Rng) -> Self {
        let cluster = Cluster::start(ttl_secs, Way::Straight).await;
        let room_type = cluster.catalogue(1).await[0];
        let nodes = Nodes::at(cluster.nodes.iter().map(|node| node.url()).collect(), PATIENT);
        Self { cluster, nodes, room_type, dice }
    }

    /// The time from the loss of the owner to the first booking that another node accepts.
    async fn lose_the_owner(&mut self, time: u64, fault: fn(usize) -> Fault) -> Duration {
        // At a varying moment between two renewals.
        tokio::time::sleep(Duration::from_millis(self.dice.u64(0..4_000))).await;
        let owner = self.owner().await;
        let fault = fault(owner);
        fault.strike(&mut self.cluster);
        let struck = Instant::now();
        let (nodes, room_type) = (&self.nodes, self.room_type);
        let mut asked = 0;
        let accepted = async || {
            asked += 1;
            let node = (owner + 1 + asked % 2) % 3;
            let answer = nodes
                .ask(
                    node,
                    &format!("lost-{time}-{asked}"),
                    room_type,
                    &Operation::Book { stay: night(time), rooms: 1, hold: false },
                )
                .await;
            matches!(answer, Answer::Ack(_))
        };
        eventually("bookings are accepted again", accepted, || self.cluster.last_words()).await;
        let waited = struck.elapsed();
        fault.heal(&mut self.cluster);
        self.nodes.guide.is_at(owner, self.cluster.nodes[owner].url());
        self.cluster.ready(owner).await;
        waited
    }

    /// The owner of the room type. A read makes some node the owner.
    async fn owner(&self) -> usize {
        let mut found = None;
        let is_owned = async || {
            self.nodes.look(0, self.room_type, night(0)).await;
            for node in 0..self.cluster.nodes.len() {
                if self.nodes.owns(node, self.room_type).await {
                    found = Some(node);
                }
            }
            found.is_some()
        };
        eventually("a node owns it", is_owned, || self.cluster.last_words()).await;
        found.unwrap()
    }
}

/// A different night each time.
fn night(time: u64) -> Stay {
    let first = System.now().to_zoned(TimeZone::UTC).date().saturating_add(2.days());
    let arrival = first.saturating_add(i64::try_from(time % 365).unwrap().days());
    Stay { arrival, departure: arrival.saturating_add(1.day()) }
}
