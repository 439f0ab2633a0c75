//! Admission: whether this node may be one of the members that Redis lists.
//!
//! The members share one secret, one time and one database. The node that started first decides which. A node that differs
//! is an outsider: it owns nothing, and waits until the others have left. A node that was admitted once keeps its rank by
//! start time, also where Redis has lost its entry. An objection to such a node must last for a TTL, because clocks may be
//! set on one node after the other. A database that differs is proved before it is an objection ([`super::database_check`]).

use std::time::{Duration, Instant};

use super::peer_status::{PeerStatus, Rank};
use crate::domain::Timestamp;
use crate::lease::Outsider;

/// What the peers are compared with.
#[derive(Debug, Clone, Copy)]
pub struct ThisNode {
    pub rank: Rank,
    pub now: Timestamp,
    /// The time by Redis's clock.
    pub redis_now: Timestamp,
    /// Whether this node was a member before.
    pub is_established: bool,
    /// Whether its database is certainly that of the cluster.
    pub is_settled: bool,
}

/// Why this node must not be a member beside these peers.
pub fn objection(me: ThisNode, peers: &[PeerStatus]) -> Option<Outsider> {
    clock_differs(me, peers)
        .or_else(|| database_differs(me, peers))
        .or_else(|| database_is_unproven(me, peers))
        .or_else(|| secret_differs(me, peers))
}

/// The majority of clocks decides. Between two clocks, the one that is nearer to Redis's is right.
fn clock_differs(me: ThisNode, peers: &[PeerStatus]) -> Option<Outsider> {
    let is_near = |peer: &&PeerStatus| !matches!(peer, PeerStatus::OtherClock { .. } | PeerStatus::Unreadable);
    let near = 1 + peers.iter().filter(is_near).count();
    let far = peers.iter().filter_map(|peer| match peer {
        PeerStatus::OtherClock { now } => Some(*now),
        _ => None,
    });
    let far: Vec<_> = far.collect();
    let distance = |time: Timestamp| time.duration_since(me.redis_now).abs();
    let nearest = far.iter().copied().min_by_key(|clock| distance(*clock))?;
    let is_wrong = far.len() > near || (far.len() == near && distance(nearest) < distance(me.now));
    is_wrong.then(|| Outsider::clock(me.now, nearest))
}

/// The node that started first works on another database.
fn database_differs(me: ThisNode, peers: &[PeerStatus]) -> Option<Outsider> {
    let rank = |peer: &PeerStatus| match peer {
        PeerStatus::Member(rank) => Some((true, *rank)),
        PeerStatus::OtherDatabase(rank) => Some((false, *rank)),
        _ => None,
    };
    let mine = me.is_established.then_some((true, me.rank));
    let (is_mine, _) = peers.iter().filter_map(rank).chain(mine).min_by_key(|(_, rank)| *rank)?;
    (!is_mine).then_some(Outsider::Database)
}

/// No peer has proved that it works on this node's database, because none reaches its own.
fn database_is_unproven(me: ThisNode, peers: &[PeerStatus]) -> Option<Outsider> {
    let is_member = |peer: &PeerStatus| matches!(peer, PeerStatus::Member(_));
    let is_unproven = peers.contains(&PeerStatus::Unproven) && !peers.iter().any(is_member);
    (is_unproven && !me.is_settled).then_some(Outsider::Database)
}

/// A newcomer can verify none of the announcements.
fn secret_differs(me: ThisNode, peers: &[PeerStatus]) -> Option<Outsider> {
    let is_alone = !peers.is_empty() && peers.iter().all(|peer| *peer == PeerStatus::Unreadable);
    (is_alone && !me.is_established).then_some(Outsider::Secret)
}

/// What Redis has answered, as far as admission depends on it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Finding {
    /// Whether Redis lists this node among the members.
    pub is_member: bool,
    pub objection: Option<Outsider>,
    /// Whether a member agrees with this node.
    pub is_agreed: bool,
    /// Whether there are members whose database is not compared yet.
    pub is_pending: bool,
    /// Whether there is no other member, or one has proved that it works on this node's database.
    pub is_settled: bool,
    /// How much longer the members are listed.
    pub listed_for: Duration,
}

/// The state of this node's membership.
#[derive(Debug, Default)]
pub struct Admission {
    /// Redis listed this node among the members in its last answer.
    is_member: bool,
    /// This node was a member once.
    is_established: bool,
    is_settled: bool,
    is_pending: bool,
    outsider: Option<Outsider>,
    /// Since when there is an objection.
    objected_since: Option<Instant>,
    /// An outsider that sees no member waits until then: a Redis that lost its data has the members announced again first.
    not_before: Option<Instant>,
    /// When the last question was sent that Redis has answered.
    answered: Option<Instant>,
}

impl Admission {
    pub fn is_member(&self) -> bool {
        self.is_member
    }

    pub fn is_established(&self) -> bool {
        self.is_established
    }

    /// Whether this node was a member alone, or beside a peer that has proved to work on its database.
    pub fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Whether there are members whose database is not compared yet.
    pub fn is_pending(&self) -> bool {
        self.is_pending
    }

    /// Whether this node may ask to be a member, as far as the comparison of databases goes. A node that was a member
    /// before need not wait for it: a database that cannot be reached proves nothing.
    pub fn is_compared(&self) -> bool {
        self.is_established || !self.is_pending
    }

    pub fn outsider(&self) -> Option<Outsider> {
        self.outsider
    }

    pub fn answered(&self) -> Option<Instant> {
        self.answered
    }

    /// Redis has answered a question that was sent at `at`.
    pub fn update(&mut self, finding: Finding, at: Instant, ttl: Duration) {
        self.answered = Some(at);
        let is_new = !(self.is_member && self.is_established);
        self.is_member = finding.is_member;
        self.is_established |= finding.is_member;
        self.is_settled |= finding.is_member && finding.is_settled;
        self.is_pending = finding.is_pending;
        if self.outsider == Some(Outsider::Replaced) {
            return;
        }
        let Some(objection) = finding.objection else {
            self.objected_since = None;
            if finding.is_agreed || self.not_before.is_none_or(|not_before| at >= not_before) {
                self.outsider = None;
            }
            return;
        };
        let since = *self.objected_since.get_or_insert(at);
        let is_proved = objection == Outsider::Database;
        if is_new || is_proved || self.outsider.is_some() || at.duration_since(since) >= ttl {
            self.outsider = Some(objection);
            self.not_before = at.checked_add(finding.listed_for.min(ttl));
        }
    }

    /// Redis has not answered. When it does, it may have lost every entry.
    pub fn unanswered(&mut self, now: Instant, ttl: Duration) {
        self.not_before = now.checked_add(ttl);
    }

    /// The store is another database now: what this node has in memory is of the old one.
    pub fn replaced(&mut self) {
        self.outsider = Some(Outsider::Replaced);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const TTL: Duration = Duration::from_secs(10);
    const LEFT: Duration = Duration::from_secs(7);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn rank(second: i64) -> Rank {
        Rank { started_at: at(second), instance: Uuid::nil() }
    }

    fn me(is_established: bool) -> ThisNode {
        ThisNode { rank: rank(0), now: at(100), redis_now: at(100), is_established, is_settled: is_established }
    }

    fn apart(secs: i64) -> PeerStatus {
        PeerStatus::OtherClock { now: at(100 + secs) }
    }

    const EARLIER: i64 = -50;
    const LATER: i64 = 50;

    fn other_database(started: i64) -> PeerStatus {
        PeerStatus::OtherDatabase(rank(started))
    }

    fn member(started: i64) -> PeerStatus {
        PeerStatus::Member(rank(started))
    }

    #[test]
    fn nothing_speaks_against_a_node_that_is_alone_or_among_its_own() {
        for established in [false, true] {
            assert_eq!(objection(me(established), &[]), None);
            let peers = [member(EARLIER), PeerStatus::Unreadable, PeerStatus::Unreadable, PeerStatus::Unproven];
            assert_eq!(objection(me(established), &peers), None);
        }
    }

    #[test]
    fn the_node_that_started_first_decides_which_database_it_is() {
        assert_eq!(objection(me(false), &[other_database(LATER)]), Some(Outsider::Database), "a newcomer yields");
        assert_eq!(objection(me(true), &[other_database(LATER)]), None, "a member does not");
        assert_eq!(objection(me(true), &[other_database(EARLIER)]), Some(Outsider::Database));
        assert_eq!(objection(me(false), &[other_database(LATER), member(EARLIER)]), None);
        assert_eq!(objection(me(true), &[other_database(EARLIER), member(LATER)]), Some(Outsider::Database));
        let instance = Uuid::from_u128(1);
        let after_a_peer = ThisNode { rank: Rank { instance, ..rank(0) }, ..me(true) };
        assert_eq!(objection(after_a_peer, &[other_database(0)]), Some(Outsider::Database), "one of two yields");
        let later_peer = PeerStatus::OtherDatabase(Rank { instance, ..rank(0) });
        assert_eq!(objection(me(true), &[later_peer]), None, "the other one does not");
    }

    #[test]
    fn a_newcomer_waits_for_members_that_do_not_reach_their_database_and_a_member_does_not() {
        let unproven = [PeerStatus::Unproven; 2];
        assert_eq!(objection(me(false), &unproven), Some(Outsider::Database));
        assert_eq!(objection(me(true), &unproven), None, "a read-only or full database makes nobody an outsider");
        let just_admitted = ThisNode { is_settled: false, ..me(true) };
        assert_eq!(objection(just_admitted, &unproven), Some(Outsider::Database), "it may have started on a copy");
    }

    #[test]
    fn a_newcomer_that_can_verify_no_announcement_has_another_secret() {
        assert_eq!(objection(me(false), &[PeerStatus::Unreadable]), Some(Outsider::Secret));
        assert_eq!(objection(me(true), &[PeerStatus::Unreadable; 200]), None, "somebody has written into Redis");
    }

    #[test]
    fn most_clocks_are_right_and_of_two_the_one_that_is_nearer_to_that_of_redis() {
        assert_eq!(objection(me(true), &[apart(600), apart(601)]), Some(Outsider::Clock { ahead_secs: -600 }));
        assert_eq!(objection(me(true), &[apart(600), member(EARLIER)]), None);
        assert_eq!(objection(me(true), &[apart(600)]), None, "the other one is wrong");
        let wrong = ThisNode { now: at(700), ..me(true) };
        let right = PeerStatus::OtherClock { now: at(100) };
        assert_eq!(objection(wrong, &[right]), Some(Outsider::Clock { ahead_secs: 600 }));
    }

    /// The outsider state after an answer of Redis.
    fn after(admission: &mut Admission, is_member: bool, objection: Option<Outsider>, at: Instant) -> Option<Outsider> {
        admission.update(Finding { is_member, objection, listed_for: LEFT, ..Finding::default() }, at, TTL);
        admission.outsider()
    }

    #[test]
    fn a_newcomer_is_an_outsider_at_once_and_until_the_others_must_have_left() {
        let (mut admission, start) = (Admission::default(), Instant::now());
        let database = Some(Outsider::Database);
        assert_eq!(after(&mut admission, false, database, start), database);
        assert_eq!(after(&mut admission, false, None, start + LEFT / 2), database, "Redis may have lost their entries");
        assert_eq!(after(&mut admission, false, None, start + LEFT), None);
    }

    #[test]
    fn an_outsider_waits_anew_when_redis_was_away() {
        let (mut admission, start) = (Admission::default(), Instant::now());
        let database = Some(Outsider::Database);
        after(&mut admission, false, database, start);
        admission.unanswered(start + 10 * TTL, TTL);
        assert_eq!(after(&mut admission, false, None, start + 11 * TTL - LEFT), database);
        assert_eq!(after(&mut admission, false, None, start + 11 * TTL), None);
    }

    #[test]
    fn an_outsider_that_finds_a_member_of_its_own_is_none_any_more() {
        let (mut admission, start) = (Admission::default(), Instant::now());
        after(&mut admission, false, Some(Outsider::Database), start);
        admission.update(Finding { is_agreed: true, ..Finding::default() }, start, TTL);
        assert_eq!(admission.outsider(), None);
    }

    #[test]
    fn an_objection_to_a_member_must_last_unless_it_is_proved() {
        let (mut admission, start) = (Admission::default(), Instant::now());
        let clock = Some(Outsider::Clock { ahead_secs: 600 });
        assert_eq!(after(&mut admission, true, None, start), None);
        assert_eq!(after(&mut admission, true, clock, start), None);
        assert_eq!(after(&mut admission, true, None, start + TTL / 2), None);
        assert_eq!(after(&mut admission, true, clock, start + TTL), None, "it begins anew");
        assert_eq!(after(&mut admission, true, clock, start + 2 * TTL), clock);
        let (mut admission, database) = (Admission::default(), Some(Outsider::Database));
        after(&mut admission, true, None, start);
        assert_eq!(after(&mut admission, true, database, start), database);
    }

    #[test]
    fn a_newcomer_does_not_ask_to_be_a_member_before_the_databases_are_compared() {
        let (mut admission, start) = (Admission::default(), Instant::now());
        admission.update(Finding { is_pending: true, ..Finding::default() }, start, TTL);
        assert!(!admission.is_compared());
        admission.update(Finding { is_member: true, is_pending: true, ..Finding::default() }, start, TTL);
        assert!(admission.is_compared(), "a member's database may be out of reach");
    }

    #[test]
    fn a_node_whose_database_was_replaced_is_an_outsider_for_good() {
        let (mut admission, start) = (Admission::default(), Instant::now());
        after(&mut admission, true, None, start);
        admission.replaced();
        assert_eq!(after(&mut admission, false, None, start + 10 * TTL), Some(Outsider::Replaced));
    }
}
