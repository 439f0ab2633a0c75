//! Admission: whether this node may be one of the nodes that live in Redis.
//!
//! The nodes of one Redis share one secret, one time and one database. Who came first decides which: a node that differs
//! waits until the others have gone, and owns nothing meanwhile. A node that was admitted counts by its start from then
//! on, also where Redis has forgotten it; what speaks against it must last for a TTL, as clocks may be set, and servers
//! restarted, under all nodes one after the other.

use std::time::{Duration, Instant};

use super::announcement::Kin;
use crate::domain::Timestamp;
use crate::lease::Outsider;

/// What this node is compared by.
#[derive(Debug, Clone, Copy)]
pub struct Me {
    /// When it started.
    pub since: Timestamp,
    pub now: Timestamp,
    /// By Redis's clock.
    pub redis_now: Timestamp,
    /// Whether it was a member before.
    pub established: bool,
}

/// What speaks against this node, beside these others.
pub fn objection(me: Me, others: &[Kin]) -> Option<Outsider> {
    another_time(me, others).or_else(|| another_database(me, others)).or_else(|| another_secret(me, others))
}

/// Most have another time. Of one against one, the clock that is further from Redis's is wrong.
fn another_time(me: Me, others: &[Kin]) -> Option<Outsider> {
    let agree = 1 + others.iter().filter(|kin| !matches!(kin, Kin::OtherClock { .. } | Kin::Unreadable)).count();
    let clocks = others.iter().filter_map(|kin| match kin {
        Kin::OtherClock { now } => Some(*now),
        _ => None,
    });
    let clocks: Vec<_> = clocks.collect();
    let distance = |time: Timestamp| time.duration_since(me.redis_now).abs();
    let nearest = clocks.iter().copied().min_by_key(|clock| distance(*clock))?;
    let is_wrong = clocks.len() > agree || (clocks.len() == agree && distance(nearest) < distance(me.now));
    is_wrong.then(|| Outsider::clock(me.now, nearest))
}

/// The node that started first works on another one.
fn another_database(me: Me, others: &[Kin]) -> Option<Outsider> {
    let since = |kin: &Kin| match kin {
        Kin::Member { since } => Some((true, *since)),
        Kin::OtherDatabase { since } => Some((false, *since)),
        Kin::OtherClock { .. } | Kin::Unreadable => None,
    };
    let mine = me.established.then_some((true, me.since));
    let (is_mine, _) = others.iter().filter_map(since).chain(mine).min_by_key(|(_, since)| *since)?;
    (!is_mine).then_some(Outsider::Database)
}

/// Nobody can be understood.
fn another_secret(me: Me, others: &[Kin]) -> Option<Outsider> {
    let is_alone = !others.is_empty() && others.iter().all(|kin| *kin == Kin::Unreadable);
    (is_alone && !me.established).then_some(Outsider::Secret)
}

/// How far this node has come.
#[derive(Debug, Default)]
pub struct Admission {
    /// Redis has it among the nodes, by its last answer.
    member: bool,
    /// It was a member once.
    established: bool,
    outsider: Option<Outsider>,
    /// Since when something speaks against a member.
    contested: Option<Instant>,
    /// An outsider that sees nobody any more waits so long: a Redis that forgot is told of its nodes first.
    not_before: Option<Instant>,
    /// When Redis was asked what it answered last.
    heard: Option<Instant>,
}

impl Admission {
    pub fn is_member(&self) -> bool {
        self.member
    }

    pub fn is_established(&self) -> bool {
        self.established
    }

    pub fn outsider(&self) -> Option<Outsider> {
        self.outsider
    }

    pub fn heard(&self) -> Option<Instant> {
        self.heard
    }

    /// Redis has answered: whether this node is a member, what speaks against it, whether a member agrees with it, and
    /// for how much longer those are known that do not.
    pub fn weigh(
        &mut self,
        member: bool,
        objection: Option<Outsider>,
        agreed: bool,
        objected_for: Duration,
        at: Instant,
        ttl: Duration,
    ) {
        self.heard = Some(at);
        let is_new = !(self.member && self.established);
        self.member = member;
        self.established |= member;
        if self.outsider == Some(Outsider::Replaced) {
            return;
        }
        let Some(objection) = objection else {
            self.contested = None;
            if agreed || self.not_before.is_none_or(|not_before| at >= not_before) {
                self.outsider = None;
            }
            return;
        };
        let since = *self.contested.get_or_insert(at);
        if is_new || self.outsider.is_some() || at.duration_since(since) >= ttl {
            self.outsider = Some(objection);
            self.not_before = at.checked_add(objected_for.min(ttl));
        }
    }

    /// Redis has not answered. When it does, it may have forgotten everybody.
    pub fn unanswered(&mut self, now: Instant, ttl: Duration) {
        self.not_before = now.checked_add(ttl);
    }

    /// For good: what this node remembers is of another database.
    pub fn replaced(&mut self) {
        self.outsider = Some(Outsider::Replaced);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(10);
    const LEFT: Duration = Duration::from_secs(7);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn me(established: bool) -> Me {
        Me { since: at(0), now: at(100), redis_now: at(100), established }
    }

    fn apart(secs: i64) -> Kin {
        Kin::OtherClock { now: at(100 + secs) }
    }

    const EARLIER: i64 = -50;
    const LATER: i64 = 50;

    fn other_database(since: i64) -> Kin {
        Kin::OtherDatabase { since: at(since) }
    }

    fn member(since: i64) -> Kin {
        Kin::Member { since: at(since) }
    }

    #[test]
    fn nothing_speaks_against_a_node_that_is_alone_or_among_its_own() {
        for established in [false, true] {
            assert_eq!(objection(me(established), &[]), None);
            assert_eq!(objection(me(established), &[member(EARLIER), Kin::Unreadable, Kin::Unreadable]), None);
        }
    }

    #[test]
    fn who_comes_first_decides_which_database_it_is() {
        assert_eq!(objection(me(false), &[other_database(LATER)]), Some(Outsider::Database), "a newcomer yields");
        assert_eq!(objection(me(true), &[other_database(LATER)]), None, "a member does not");
        assert_eq!(objection(me(true), &[other_database(EARLIER)]), Some(Outsider::Database));
        assert_eq!(objection(me(false), &[other_database(LATER), member(EARLIER)]), None);
        assert_eq!(objection(me(true), &[other_database(EARLIER), member(LATER)]), Some(Outsider::Database));
    }

    #[test]
    fn a_newcomer_whom_nobody_understands_has_another_secret() {
        assert_eq!(objection(me(false), &[Kin::Unreadable]), Some(Outsider::Secret));
        assert_eq!(objection(me(true), &[Kin::Unreadable; 200]), None, "somebody has written into Redis");
    }

    #[test]
    fn most_clocks_are_right_and_of_two_the_one_that_is_nearer_to_that_of_redis() {
        assert_eq!(objection(me(true), &[apart(600), apart(601)]), Some(Outsider::Clock { ahead_secs: -600 }));
        assert_eq!(objection(me(true), &[apart(600), member(EARLIER)]), None);
        assert_eq!(objection(me(true), &[apart(600)]), None, "the other one is wrong");
        let wrong = Me { now: at(700), ..me(true) };
        let right = Kin::OtherClock { now: at(100) };
        assert_eq!(objection(wrong, &[right]), Some(Outsider::Clock { ahead_secs: 600 }));
    }

    /// An admission after an answer.
    fn weighed(admission: &mut Admission, member: bool, objection: Option<Outsider>, at: Instant) -> Option<Outsider> {
        admission.weigh(member, objection, false, LEFT, at, TTL);
        admission.outsider()
    }

    #[test]
    fn a_newcomer_is_an_outsider_at_once_and_until_the_others_must_have_gone() {
        let (mut admission, start) = (Admission::default(), Instant::now());
        let database = Some(Outsider::Database);
        assert_eq!(weighed(&mut admission, false, database, start), database);
        assert_eq!(weighed(&mut admission, false, None, start + LEFT / 2), database, "Redis may have forgotten them");
        assert_eq!(weighed(&mut admission, false, None, start + LEFT), None);
    }

    #[test]
    fn an_outsider_waits_anew_when_redis_was_away() {
        let (mut admission, start) = (Admission::default(), Instant::now());
        let database = Some(Outsider::Database);
        weighed(&mut admission, false, database, start);
        admission.unanswered(start + 10 * TTL, TTL);
        assert_eq!(weighed(&mut admission, false, None, start + 11 * TTL - LEFT), database);
        assert_eq!(weighed(&mut admission, false, None, start + 11 * TTL), None);
    }

    #[test]
    fn an_outsider_that_finds_a_member_of_its_own_is_none_any_more() {
        let (mut admission, start) = (Admission::default(), Instant::now());
        weighed(&mut admission, false, Some(Outsider::Database), start);
        admission.weigh(false, None, true, Duration::ZERO, start, TTL);
        assert_eq!(admission.outsider(), None);
    }

    #[test]
    fn what_speaks_against_a_member_must_last() {
        let (mut admission, start) = (Admission::default(), Instant::now());
        let clock = Some(Outsider::Clock { ahead_secs: 600 });
        assert_eq!(weighed(&mut admission, true, None, start), None);
        assert_eq!(weighed(&mut admission, true, clock, start), None);
        assert_eq!(weighed(&mut admission, true, None, start + TTL / 2), None);
        assert_eq!(weighed(&mut admission, true, clock, start + TTL), None, "it begins anew");
        assert_eq!(weighed(&mut admission, true, clock, start + 2 * TTL), clock);
    }

    #[test]
    fn a_node_whose_database_was_replaced_is_an_outsider_for_good() {
        let (mut admission, start) = (Admission::default(), Instant::now());
        weighed(&mut admission, true, None, start);
        admission.replaced();
        assert_eq!(weighed(&mut admission, false, None, start + 10 * TTL), Some(Outsider::Replaced));
    }
}
