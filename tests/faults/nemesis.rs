//! One run: a cluster, its clients and observers, the faults, and the check at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use innkeeper::clock::{Clock, System};
use innkeeper::domain::Date;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use tokio::time::Instant;
use uuid::Uuid;

use super::checker;
use super::clients::{Clients, NIGHTS};
use super::cluster::{Cluster, PATIENCE, eventually};
use super::fault::Fault;
use super::history::{Answer, Call, History, Moment, Stay};
use super::node::{HOLD_TTL_SECS, Node, Way};
use super::onlookers::Onlookers;
use super::request::{IMPATIENT, Nodes, PATIENT};
use super::truth::Truth;

/// Room types of each node.
const ROOM_TYPES: usize = 2;
/// The pause between two faults.
const CALM: Duration = Duration::from_millis(1_500);
/// The duration of a fault in a short and in a long run, and the limit of faults at the same time.
const SHORT: Duration = Duration::from_secs(4);
const LONG: Duration = Duration::from_secs(30);
const AT_ONCE: usize = 2;

pub struct Nemesis {
    pub cluster: Cluster,
    pub nodes: Nodes,
    clients: Clients,
    onlookers: Onlookers,
    room_types: Vec<Uuid>,
    pub watched: Stay,
    /// The faults so far, with their times.
    struck: Vec<(Fault, Moment, Moment)>,
    dice: Rng,
}

impl Nemesis {
    /// Starts the cluster and the clients. Clients either leave a slow node soon, through links that can be cut, or
    /// wait, with direct connections.
    pub async fn begin(mut dice: Rng, ttl_secs: u64, way: Way) -> Self {
        let cluster = Cluster::start(ttl_secs, way).await;
        let room_types = cluster.catalogue(ROOM_TYPES).await;
        let first = System.now().to_zoned(TimeZone::UTC).date().saturating_add(3.days());
        let urls: Vec<_> = cluster.nodes.iter().map(|node| node.url()).collect();
        let socket = |node: &Node| format!("{}/v1/ws", node.door().replacen("http", "ws", 1));
        let sockets = cluster.nodes.iter().map(socket).collect();
        let nodes = Nodes::at(urls, if way == Way::Door { IMPATIENT } else { PATIENT });
        let watched = Stay { arrival: first, departure: first.saturating_add((NIGHTS + 4).days()) };
        let onlookers = Onlookers::gather(sockets, nodes.clone(), &room_types, watched, &mut dice);
        let clients = Clients::gather(nodes.clone(), room_types.clone(), first, &mut dice);
        let struck = Vec::new();
        Self { cluster, clients, onlookers, nodes, room_types, watched, struck, dice }
    }

    /// Lets time pass. This is no synchronisation: what happens meanwhile is arbitrary on purpose.
    pub async fn calm(&mut self) {
        tokio::time::sleep(CALM).await;
    }

    /// Causes faults for a while, and ends them. They last until the room types that must be served were served.
    pub async fn strike(&mut self, faults: &[Fault], lasts: Duration) {
        faults.iter().for_each(|fault| self.begins(*fault));
        let struck = self.clients.now();
        tokio::time::sleep(lasts).await;
        let room_types = self.room_types.len();
        let wanted = faults.iter().map(|fault| fault.leaves(room_types)).min().unwrap_or(room_types);
        let served = async || self.clients.served(struck).len() >= wanted;
        eventually(&format!("{wanted} room types are served"), served, || self.cluster.last_words()).await;
        println!("  {} of {room_types} room types were served meanwhile", self.clients.served(struck).len());
        faults.iter().for_each(|fault| self.ends(*fault));
    }

    /// Causes random faults of random length, up to [`AT_ONCE`] at the same time.
    pub async fn storm(&mut self, lasts: Duration) {
        let end = Instant::now() + lasts;
        let longest = (lasts / 20).clamp(SHORT, LONG);
        let mut active: Vec<(Instant, Fault)> = Vec::new();
        while Instant::now() < end || !active.is_empty() {
            let fault = Fault::any(&mut self.dice, self.cluster.nodes.len());
            let is_alone = active.iter().all(|(_, one)| !one.is_about_the_same_as(fault));
            if Instant::now() < end && active.len() < AT_ONCE && is_alone {
                let lasts = Duration::from_millis(self.dice.u64(50..longest.as_millis() as u64));
                self.begins(fault);
                active.push((Instant::now() + lasts, fault));
            }
            tokio::time::sleep(Duration::from_millis(self.dice.u64(0..1_500))).await;
            self.mend(&mut active);
        }
    }

    /// Ends faults that have lasted long enough. Nodes are started when no other fault remains.
    fn mend(&mut self, active: &mut Vec<(Instant, Fault)>) {
        let is_over = |(until, fault): &mut (Instant, Fault)| *until <= Instant::now() && !fault.ends_with_a_start();
        let over: Vec<_> = active.extract_if(.., is_over).collect();
        over.into_iter().for_each(|(_, fault)| self.ends(fault));
        if active.iter().all(|(until, fault)| *until <= Instant::now() && fault.ends_with_a_start()) {
            active.drain(..).for_each(|(_, fault)| self.ends(fault));
        }
    }

    /// Waits until a request was accepted in every room type from now on.
    pub async fn all_are_served(&self) {
        let (now, all) = (self.clients.now(), self.room_types.len());
        let served = async || self.clients.served(now).len() == all;
        eventually("all room types are served", served, || self.cluster.last_words()).await;
    }

    /// Checks with `verify`, while clients and nodes are running.
    pub fn recount(&self) {
        let violation = verified(&self.cluster);
        assert!(violation.is_none(), "{violation:?}");
    }

    pub fn begins(&mut self, fault: Fault) {
        println!("{} µs: {fault:?}", self.clients.now());
        self.struck.push((fault, self.clients.now(), Moment::MAX));
        fault.strike(&mut self.cluster);
    }

    pub fn ends(&mut self, fault: Fault) {
        println!("{} µs: the end of {fault:?}", self.clients.now());
        fault.heal(&mut self.cluster);
        let healed = self.clients.now();
        let open = self.struck.iter_mut().filter(|(struck, _, ended)| *struck == fault && *ended == Moment::MAX);
        open.for_each(|(_, _, ended)| *ended = healed);
    }

    /// Waits until all faults are over and all outcomes are known, and runs the checker.
    pub async fn end(mut self) {
        for number in 0..self.cluster.nodes.len() {
            self.cluster.ready(number).await;
        }
        let (calls, looks) = self.clients.leave(PATIENCE).await;
        let mut violations: Vec<_> = calls.iter().filter(|call| !call.is_settled()).map(unanswered).collect();
        let ends = ends(&self.nodes, &self.room_types, self.watched.arrival).await;
        let (nodes, onlookers) = (self.cluster.nodes.len(), &self.onlookers);
        let all_seen = async || onlookers.have_seen(&ends, nodes);
        eventually("every observer has received everything", all_seen, || format!("{ends:#?}\n{}", onlookers.state()))
            .await;
        violations.extend(close(&mut self.cluster));
        let (sightings, feed) = self.onlookers.leave();
        let (watched, hold_lasts) = (self.watched, i64::from(HOLD_TTL_SECS) * 1_000_000);
        check(&History { watched, hold_lasts, calls, looks, sightings, feed }, &self.struck, &self.cluster, violations);
    }
}

/// Runs `verify` and stops all nodes in order. Returns what failed.
fn close(cluster: &mut Cluster) -> Vec<String> {
    let mut violations: Vec<_> = verified(cluster).into_iter().collect();
    for node in &cluster.nodes {
        node.signal("TERM");
    }
    for node in &mut cluster.nodes {
        violations.extend((!node.ended()).then(|| format!("{} did not end in order", node.name)));
    }
    violations
}

/// The output of `verify`.
fn verified(cluster: &Cluster) -> Option<String> {
    let verified = cluster.nodes[0].program().arg("verify").output().unwrap();
    let said = String::from_utf8_lossy(&verified.stdout);
    let is_clean = verified.status.success() && said.ends_with("differences: 0\n");
    (!is_clean).then(|| format!("verify: {said}{}", String::from_utf8_lossy(&verified.stderr)))
}

fn check(history: &History, struck: &[(Fault, Moment, Moment)], cluster: &Cluster, mut violations: Vec<String>) {
    println!("{}", summary(history));
    println!("{}", silence(history, struck));
    let truth = Truth::of(cluster.postgres.folder(), "innkeeper");
    println!("{:?}", causes(&truth));
    violations.extend(checker::violations(history, &truth));
    assert!(violations.is_empty(), "{}\n\n{}", violations.join("\n"), cluster.last_words());
    assert!(history.calls.iter().any(|call| call.ack().is_some()), "no request was accepted");
}

fn unanswered(call: &Call) -> String {
    format!("no answer to {call:?}")
}

/// The last sequence number of each room type.
async fn ends(nodes: &Nodes, room_types: &[Uuid], first: Date) -> BTreeMap<Uuid, u64> {
    let stay = Stay { arrival: first, departure: first.saturating_add(1.day()) };
    let mut ends = BTreeMap::new();
    for room_type in room_types {
        let shown = async || nodes.look(0, *room_type, stay).await.is_some();
        eventually("a room type is shown", shown, String::new).await;
        ends.extend(nodes.look(0, *room_type, stay).await.map(|look| (*room_type, look.sequence)));
    }
    ends
}

/// The size of the history.
fn summary(history: &History) -> String {
    let calls = &history.calls;
    let granted = calls.iter().filter(|call| call.ack().is_some()).count();
    let attempts = || calls.iter().flat_map(|call| &call.attempts);
    let mut doubts: BTreeMap<&str, usize> = BTreeMap::new();
    for attempt in attempts() {
        if let Answer::Open(why) = &attempt.answer {
            *doubts.entry(why).or_default() += 1;
        }
    }
    format!(
        "{} operations, {} attempts, {granted} granted; {} looks, {} frames, {} events; doubts: {doubts:?}",
        calls.len(),
        attempts().count(),
        history.looks.len(),
        history.sightings.len(),
        history.feed.len(),
    )
}

/// The faults and their numbers.
fn causes(truth: &Truth) -> BTreeMap<&str, usize> {
    truth.events.iter().fold(BTreeMap::new(), |mut causes, event| {
        *causes.entry(event.cause.as_str()).or_default() += 1;
        causes
    })
}

/// The longest time without an accepted request, in total and while the database ran, with the faults at that time.
fn silence(history: &History, struck: &[(Fault, Moment, Moment)]) -> String {
    let mut heard: Vec<_> = history.calls.iter().filter_map(|call| call.ack().map(|(_, heard)| heard)).collect();
    heard.sort_unstable();
    let gaps = || heard.windows(2).map(|pair| (pair[1] - pair[0], pair[0], pair[1]));
    let wrong = |from, to| struck.iter().filter(move |(_, began, ended)| *began < to && *ended > from);
    let without_database = |from, to| wrong(from, to).any(|(fault, ..)| *fault == Fault::DatabaseKilled);
    let told = |(lasted, from, to)| {
        format!("{} ms, from {from} to {to} µs, meanwhile {:?}", lasted / 1_000, wrong(from, to).collect::<Vec<_>>())
    };
    let longest = gaps().max().map(told);
    let with_database = gaps().filter(|(_, from, to)| !without_database(*from, *to)).max().map(told);
    format!("longest time without an acknowledgement: {longest:?}\n  while there was a database: {with_database:?}")
}
