//! One run: a cluster, its guests and onlookers, the faults they live through, and the judgement at the end.

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
use super::cluster::{Cluster, PATIENCE, eventually};
use super::crowd::{Crowd, NIGHTS};
use super::fault::Fault;
use super::history::{Answer, Call, History, Moment, Stay};
use super::node::{HOLD_TTL_SECS, Node, Way};
use super::onlookers::Onlookers;
use super::request::{IMPATIENT, Nodes, PATIENT};
use super::truth::Truth;

/// Room types that each node is to have.
const ROOM_TYPES: usize = 2;
/// How long nothing happens between two faults.
const CALM: Duration = Duration::from_millis(1_500);
/// How long a fault may last, in a short storm and in a long one, and how many there are at the same time.
const SHORT: Duration = Duration::from_secs(4);
const LONG: Duration = Duration::from_secs(30);
const AT_ONCE: usize = 2;

pub struct Nemesis {
    pub cluster: Cluster,
    pub nodes: Nodes,
    crowd: Crowd,
    onlookers: Onlookers,
    room_types: Vec<Uuid>,
    pub watched: Stay,
    /// Everything that went wrong, and when.
    struck: Vec<(Fault, Moment, Moment)>,
    dice: Rng,
}

impl Nemesis {
    /// Starts everything, and lets everybody in: guests who run away from a node that does not answer soon, through doors
    /// that can be shut, or patient ones who come straight.
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
        let crowd = Crowd::gather(nodes.clone(), room_types.clone(), first, &mut dice);
        let struck = Vec::new();
        Self { cluster, crowd, onlookers, nodes, room_types, watched, struck, dice }
    }

    /// Lets some time pass. No synchronisation: what happens meanwhile is arbitrary, and should be.
    pub async fn calm(&mut self) {
        tokio::time::sleep(CALM).await;
    }

    /// Some things go wrong for a while, and are mended. They last until those have been served who must be served
    /// meanwhile.
    pub async fn strike(&mut self, faults: &[Fault], lasts: Duration) {
        faults.iter().for_each(|fault| self.begins(*fault));
        let struck = self.crowd.now();
        tokio::time::sleep(lasts).await;
        let room_types = self.room_types.len();
        let wanted = faults.iter().map(|fault| fault.leaves(room_types)).min().unwrap_or(room_types);
        let served = async || self.crowd.served(struck).len() >= wanted;
        eventually(&format!("{wanted} room types are served"), served, || self.cluster.last_words()).await;
        println!("  {} of {room_types} room types were served meanwhile", self.crowd.served(struck).len());
        faults.iter().for_each(|fault| self.ends(*fault));
    }

    /// Faults of any kind and any length, up to [`AT_ONCE`] at the same time.
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

    /// Ends what has lasted long enough. Nodes are started when everything else is well.
    fn mend(&mut self, active: &mut Vec<(Instant, Fault)>) {
        let is_over = |(until, fault): &mut (Instant, Fault)| *until <= Instant::now() && !fault.ends_with_a_start();
        let over: Vec<_> = active.extract_if(.., is_over).collect();
        over.into_iter().for_each(|(_, fault)| self.ends(fault));
        if active.iter().all(|(until, fault)| *until <= Instant::now() && fault.ends_with_a_start()) {
            active.drain(..).for_each(|(_, fault)| self.ends(fault));
        }
    }

    /// Waits until guests have been served in every room type from now on.
    pub async fn all_are_served(&self) {
        let (now, all) = (self.crowd.now(), self.room_types.len());
        let served = async || self.crowd.served(now).len() == all;
        eventually("all room types are served", served, || self.cluster.last_words()).await;
    }

    /// Everything adds up, while guests and nodes are at work.
    pub fn recount(&self) {
        let complaint = verified(&self.cluster);
        assert!(complaint.is_none(), "{complaint:?}");
    }

    pub fn begins(&mut self, fault: Fault) {
        println!("{} µs: {fault:?}", self.crowd.now());
        self.struck.push((fault, self.crowd.now(), Moment::MAX));
        fault.strike(&mut self.cluster);
    }

    pub fn ends(&mut self, fault: Fault) {
        println!("{} µs: the end of {fault:?}", self.crowd.now());
        fault.heal(&mut self.cluster);
        let healed = self.crowd.now();
        let open = self.struck.iter_mut().filter(|(struck, _, ended)| *struck == fault && *ended == Moment::MAX);
        open.for_each(|(_, _, ended)| *ended = healed);
    }

    /// Waits until everything is well again and everybody knows everything; then it is judged.
    pub async fn end(mut self) {
        for number in 0..self.cluster.nodes.len() {
            self.cluster.ready(number).await;
        }
        let (calls, looks) = self.crowd.leave(PATIENCE).await;
        let mut complaints: Vec<_> = calls.iter().filter(|call| !call.is_settled()).map(unanswered).collect();
        let ends = ends(&self.nodes, &self.room_types, self.watched.arrival).await;
        let (nodes, onlookers) = (self.cluster.nodes.len(), &self.onlookers);
        let all_seen = async || onlookers.have_seen(&ends, nodes);
        eventually("everybody has seen everything", all_seen, || format!("{ends:#?}\n{}", onlookers.state())).await;
        complaints.extend(close(&mut self.cluster));
        let (sightings, feed) = self.onlookers.leave();
        let (watched, hold_lasts) = (self.watched, i64::from(HOLD_TTL_SECS) * 1_000_000);
        judge(&History { watched, hold_lasts, calls, looks, sightings, feed }, &self.struck, &self.cluster, complaints);
    }
}

/// Recounts while everything runs, and ends all nodes in order; what went wrong with that.
fn close(cluster: &mut Cluster) -> Vec<String> {
    let mut complaints: Vec<_> = verified(cluster).into_iter().collect();
    for node in &cluster.nodes {
        node.signal("TERM");
    }
    for node in &mut cluster.nodes {
        complaints.extend((!node.ended()).then(|| format!("{} did not end in order", node.name)));
    }
    complaints
}

/// What `verify` finds.
fn verified(cluster: &Cluster) -> Option<String> {
    let verified = cluster.nodes[0].program().arg("verify").output().unwrap();
    let said = String::from_utf8_lossy(&verified.stdout);
    let is_clean = verified.status.success() && said.ends_with("differences: 0\n");
    (!is_clean).then(|| format!("verify: {said}{}", String::from_utf8_lossy(&verified.stderr)))
}

fn judge(history: &History, struck: &[(Fault, Moment, Moment)], cluster: &Cluster, mut complaints: Vec<String>) {
    println!("{}", summary(history));
    println!("{}", silence(history, struck));
    let truth = Truth::of(cluster.postgres.folder(), "innkeeper");
    println!("{:?}", causes(&truth));
    complaints.extend(checker::complaints(history, &truth));
    assert!(complaints.is_empty(), "{}\n\n{}", complaints.join("\n"), cluster.last_words());
    assert!(history.calls.iter().any(|call| call.yes().is_some()), "nobody got anything");
}

fn unanswered(call: &Call) -> String {
    format!("nobody ever answered {call:?}")
}

/// Where the history of each room type ends.
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

/// How much there was to judge.
fn summary(history: &History) -> String {
    let calls = &history.calls;
    let granted = calls.iter().filter(|call| call.yes().is_some()).count();
    let attempts = || calls.iter().flat_map(|call| &call.attempts);
    let mut doubts: BTreeMap<&str, usize> = BTreeMap::new();
    for attempt in attempts() {
        if let Answer::Open(why) = &attempt.answer {
            *doubts.entry(why).or_default() += 1;
        }
    }
    format!(
        "{} wishes, {} attempts, {granted} granted; {} looks, {} frames, {} events; doubts: {doubts:?}",
        calls.len(),
        attempts().count(),
        history.looks.len(),
        history.sightings.len(),
        history.feed.len(),
    )
}

/// What happened, and how often.
fn causes(truth: &Truth) -> BTreeMap<&str, usize> {
    truth.events.iter().fold(BTreeMap::new(), |mut causes, event| {
        *causes.entry(event.cause.as_str()).or_default() += 1;
        causes
    })
}

/// The longest time in which nobody was granted anything, in all and while there was a database, and what else was wrong
/// then.
fn silence(history: &History, struck: &[(Fault, Moment, Moment)]) -> String {
    let mut heard: Vec<_> = history.calls.iter().filter_map(|call| call.yes().map(|(_, heard)| heard)).collect();
    heard.sort_unstable();
    let gaps = || heard.windows(2).map(|pair| (pair[1] - pair[0], pair[0], pair[1]));
    let wrong = |from, to| struck.iter().filter(move |(_, began, ended)| *began < to && *ended > from);
    let without_database = |from, to| wrong(from, to).any(|(fault, ..)| *fault == Fault::DatabaseKilled);
    let told = |(lasted, from, to)| {
        format!("{} ms, from {from} to {to} µs, meanwhile {:?}", lasted / 1_000, wrong(from, to).collect::<Vec<_>>())
    };
    let longest = gaps().max().map(told);
    let with_database = gaps().filter(|(_, from, to)| !without_database(*from, *to)).max().map(told);
    format!("longest time without a yes: {longest:?}\n  while there was a database: {with_database:?}")
}
