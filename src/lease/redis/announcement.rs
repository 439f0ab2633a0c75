//! Announcements: what each node publishes of itself in Redis, above all its address and the proof of its database.
//!
//! Peers forward requests to that address, with the client's `Authorization`. So an announcement is signed with the
//! cluster secret, and an announcement without a valid signature of the named node is ignored. An attacker who can write to
//! Redis, but does not know the secret, can stop the service. Such an attacker cannot redirect a request.
//!
//! An attacker can put back an older announcement, whose signature is valid. A node that has a newer one ignores it. A node
//! that has just started accepts it until it expires: a TTL and [`CLOCKS_APART`] after it was signed, by this node's clock.
//! So an address must not be given to another program within that time. While Redis is away, the last addresses are used
//! ([`super::registry`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::database_check::{Comparison, DatabaseProof};
use super::peer_status::{PeerStatus, Rank};
use crate::domain::Timestamp;
use crate::lease::node_tokens::{CLOCKS_APART, NodeTokens};
use crate::lease::{NodeId, Peer, Unavailable};

/// The audience of announcements. No node can have that name.
const TO_ALL: &str = "every node";
/// Foreign nodes that are remembered as logged, and characters of each name that are logged.
const LOGGED: usize = 64;
const NAME: usize = 64;

/// What a node announces of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Announcement {
    pub url: Arc<str>,
    /// When the node started.
    pub started_at: Timestamp,
    /// When this announcement was signed.
    pub signed_at: Timestamp,
    pub draining: bool,
    /// The node cannot reach the store.
    pub cut_off: bool,
    pub database: DatabaseProof,
    /// Room types that the node owns.
    pub owned: usize,
    /// How long the node counts as alive after this announcement.
    pub ttl_ms: u64,
}

impl Announcement {
    pub fn rank(&self) -> Rank {
        Rank { started_at: self.started_at, instance: self.database.instance }
    }

    pub fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl_ms)
    }

    /// How long the announcement is valid.
    fn valid_for(&self) -> SignedDuration {
        SignedDuration::try_from(self.ttl()).unwrap_or(SignedDuration::MAX).saturating_add(CLOCKS_APART)
    }

    /// How much of that is left at `now`.
    fn left(&self, now: Timestamp) -> Duration {
        let left = self.valid_for().saturating_sub(now.duration_since(self.signed_at)).min(self.valid_for());
        Duration::try_from(left).unwrap_or_default()
    }

    /// What the signer's clock shows now. Redis says for how much longer it lists the node.
    fn clock(&self, listed_for: Duration) -> Timestamp {
        let age = SignedDuration::try_from(self.ttl().saturating_sub(listed_for)).unwrap_or(SignedDuration::MAX);
        self.signed_at.saturating_add(age).unwrap_or(Timestamp::MAX)
    }

    /// Whether that clock is near enough to this node's. If not, each of the two nodes refuses the other's signed texts as
    /// too old or too new.
    fn is_of_our_time(&self, listed_for: Duration, now: Timestamp) -> bool {
        now.duration_since(self.clock(listed_for)) < CLOCKS_APART && self.signed_at.duration_since(now) <= CLOCKS_APART
    }
}

/// The peers, as their announcements show them.
#[derive(Debug, Default)]
pub struct Survey {
    /// The newest valid announcement of each member, by name.
    pub announcements: BTreeMap<NodeId, Arc<Announcement>>,
    /// The status of each member, in the order of Redis's answer.
    pub statuses: Vec<PeerStatus>,
}

/// A node in Redis: its name, for how many milliseconds it is still listed, and its signed announcement.
pub type Listed = (String, i64, String);

/// The newest announcement of each node, and the keys that sign and verify them.
pub struct Announcements {
    node_tokens: NodeTokens,
    latest: Mutex<BTreeMap<NodeId, LatestAnnouncement>>,
    logged: Mutex<BTreeSet<(String, &'static str)>>,
}

/// The newest announcement of a node.
struct LatestAnnouncement {
    announcement: Arc<Announcement>,
    until: Instant,
}

impl Announcements {
    pub fn new(node_tokens: NodeTokens) -> Self {
        Self { node_tokens, latest: Mutex::default(), logged: Mutex::default() }
    }

    /// Signs an announcement of the node `by`.
    pub fn sign(&self, by: &NodeId, announcement: &Announcement) -> Result<String, Unavailable> {
        let (at, valid_for) = (announcement.signed_at, announcement.valid_for());
        let signed = self.node_tokens.sign(by, TO_ALL, announcement, at, valid_for);
        signed.ok_or_else(|| Unavailable::Unanswered(anyhow!("this node's announcement cannot be signed")))
    }

    /// The announcement in a text that `node` has signed, whenever that was.
    pub fn verify(&self, node: &NodeId, text: &str) -> Option<Announcement> {
        let (by, announcement) = self.node_tokens.open::<Announcement>(text, TO_ALL)?;
        (by == *node).then_some(announcement)
    }

    /// Reads the answer of Redis to a question that was sent at `asked`. Announcements of nodes that wait to be members
    /// are checked, but not used.
    pub fn read(
        &self,
        members: &[Listed],
        waiting: &[Listed],
        compare: &dyn Fn(&DatabaseProof) -> Comparison,
        now: Timestamp,
        asked: Instant,
    ) -> Survey {
        let mut survey = Survey::default();
        let mut foreign = Vec::new();
        self.latest().retain(|_, latest| latest.until > asked);
        for listed @ (name, ..) in members {
            let (mut status, announcement) = self.status(listed, compare, now);
            foreign.extend(status.foreign().map(|why| (name.as_str(), why)));
            if let Ok(node) = name.parse::<NodeId>()
                && let Some(announcement) = self.newest(&node, status, announcement, now, asked)
            {
                if status.foreign().is_some() {
                    status = PeerStatus::Member(announcement.rank());
                }
                survey.announcements.insert(node, announcement);
            }
            survey.statuses.push(status);
        }
        for listed @ (name, ..) in waiting {
            let (status, _) = self.status(listed, compare, now);
            foreign.extend(status.foreign().map(|why| (name.as_str(), why)));
        }
        self.log_foreign(&foreign);
        survey
    }

    /// The status of a listed node, and its announcement if the signature is valid.
    fn status(
        &self,
        (name, left_ms, text): &Listed,
        compare: &dyn Fn(&DatabaseProof) -> Comparison,
        now: Timestamp,
    ) -> (PeerStatus, Option<Announcement>) {
        let verified = name.parse::<NodeId>().ok().and_then(|node| self.verify(&node, text));
        let Some(announcement) = verified else { return (PeerStatus::Unreadable, None) };
        let (listed_for, rank) = (positive(*left_ms), announcement.rank());
        let compared = compare(&announcement.database);
        let status = match compared {
            _ if !announcement.is_of_our_time(listed_for, now) => {
                PeerStatus::OtherClock { now: announcement.clock(listed_for) }
            }
            Comparison::Same => PeerStatus::Member(rank),
            Comparison::Unproven => PeerStatus::Unproven,
            Comparison::Pending => PeerStatus::Pending,
            Comparison::Different => PeerStatus::OtherDatabase(rank),
        };
        (status, Some(announcement))
    }

    /// The address of a node, as far as it is known.
    pub fn peer(&self, node: &NodeId) -> Option<Peer> {
        let latest = self.latest();
        let latest = latest.get(node).filter(|latest| latest.until > Instant::now())?;
        Some(Peer { node: node.clone(), url: latest.announcement.url.clone() })
    }

    /// The newest valid announcement of a node: the one just read, or an earlier one. `None` for a node that works on
    /// another database.
    fn newest(
        &self,
        node: &NodeId,
        status: PeerStatus,
        read: Option<Announcement>,
        now: Timestamp,
        asked: Instant,
    ) -> Option<Arc<Announcement>> {
        let mut latest = self.latest();
        if let Some(announcement) = read
            && latest.get(node).is_none_or(|latest| latest.announcement.signed_at <= announcement.signed_at)
        {
            match status {
                PeerStatus::Member(_) | PeerStatus::Unproven | PeerStatus::Pending => {
                    let until = asked.checked_add(announcement.left(now))?;
                    let announcement = Arc::new(announcement);
                    latest.insert(node.clone(), LatestAnnouncement { announcement, until });
                }
                PeerStatus::OtherDatabase(_) => drop(latest.remove(node)),
                PeerStatus::OtherClock { .. } | PeerStatus::Unreadable => {}
            }
        }
        latest.get(node).map(|latest| latest.announcement.clone())
    }

    /// Counts foreign nodes, and logs each of them once.
    fn log_foreign(&self, foreign: &[(&str, &'static str)]) {
        metrics::counter!("innkeeper_announcements_refused_total").increment(foreign.len() as u64);
        // The names come from Redis and can contain anything.
        let shown = |(name, why): &(&str, &'static str)| (name.chars().take(NAME).collect::<String>(), *why);
        let foreign: BTreeSet<_> = foreign.iter().take(LOGGED).map(shown).collect();
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, why) in foreign.difference(&logged) {
            warn!(name = ?name, why, "Redis lists a node that is not of this cluster; nothing is sent to it");
        }
        *logged = foreign;
    }

    fn latest(&self) -> MutexGuard<'_, BTreeMap<NodeId, LatestAnnouncement>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Milliseconds as Redis counts them; a negative number is zero.
pub fn positive(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::secret::Secret;
    use crate::store::DatabaseId;

    const NOW: i64 = 1_800_000_000;
    const TTL: i64 = 10;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn with_secret(secret: &str) -> Announcements {
        Announcements::new(NodeTokens::new(&Secret::new(secret)))
    }

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    /// Announcements of a node as Redis lists them, in the last moment before they expire.
    fn listed(name: &str, text: &str) -> [Listed; 1] {
        [(name.to_owned(), 0, text.to_owned())]
    }

    /// What a node signs at a time.
    fn signed(secret: &str, by: &str, url: &str, signed_at: i64) -> String {
        let (started_at, signed_at, ttl_ms) = (at(NOW), at(signed_at), TTL as u64 * 1_000);
        let (instance, beat, is_fresh) = (Uuid::from_u128(1), Some(1), true);
        let database = DatabaseProof { instance, database: DatabaseId::unshared(), beat, is_fresh };
        let (draining, cut_off, owned) = (false, false, 0);
        let announcement =
            Announcement { url: url.into(), started_at, signed_at, draining, cut_off, database, owned, ttl_ms };
        with_secret(secret).sign(&node(by), &announcement).unwrap()
    }

    fn read(announcements: &Announcements, members: &[Listed], compared: Comparison, now: i64, at_: Instant) -> Survey {
        announcements.read(members, &[], &|_| compared, at(now), at_)
    }

    /// The address of a node, after this was read under its name.
    fn address(announcements: &Announcements, name: &str, text: &str, now: i64) -> Option<String> {
        let survey = read(announcements, &listed(name, text), Comparison::Same, now, Instant::now());
        let url = survey.announcements.get(&node(name)).map(|announcement| announcement.url.to_string());
        assert_eq!(announcements.peer(&node(name)).map(|peer| peer.url.to_string()), url);
        url
    }

    #[test]
    fn an_announcement_of_the_cluster_is_valid_until_it_expires() {
        let text = signed("secret", "one", "http://one", NOW);
        assert_eq!(address(&with_secret("secret"), "one", &text, NOW + TTL + 29).as_deref(), Some("http://one"));
        assert_eq!(address(&with_secret("secret"), "one", &text, NOW + TTL + 30), None, "too old");
    }

    #[test]
    fn a_node_whose_clock_is_too_far_from_ours_is_foreign_either_way() {
        let text = signed("secret", "one", "http://one", NOW);
        let fresh = [("one".to_owned(), TTL * 1_000, text)];
        let is_valid = |now| {
            let survey = read(&with_secret("secret"), &fresh, Comparison::Same, now, Instant::now());
            let is_foreign = matches!(survey.statuses[..], [PeerStatus::OtherClock { .. }]);
            assert_eq!(is_foreign, survey.announcements.is_empty());
            !is_foreign
        };
        assert_eq!([NOW - 30, NOW, NOW + 29].map(is_valid), [true; 3]);
        assert_eq!([NOW - 31, NOW + 30].map(is_valid), [false; 2]);
    }

    #[test]
    fn an_old_announcement_is_used_no_longer_than_it_is_valid() {
        let (announcements, text) = (with_secret("secret"), signed("secret", "one", "http://one", NOW));
        let asked = Instant::now().checked_sub(Duration::from_secs(2)).unwrap();
        read(&announcements, &listed("one", &text), Comparison::Same, NOW + TTL + 28, asked);
        assert_eq!(announcements.peer(&node("one")), None, "its last two seconds are over");
        read(&announcements, &listed("one", &text), Comparison::Same, NOW, asked);
        assert!(announcements.peer(&node("one")).is_some());
    }

    #[test]
    fn forged_foreign_and_misattributed_announcements_are_ignored() {
        let text = signed("secret", "one", "http://one", NOW);
        assert_eq!(address(&with_secret("another"), "one", &text, NOW), None, "of another cluster");
        assert_eq!(address(&with_secret("secret"), "two", &text, NOW), None, "of another node");
        let plain = r#"{"url":"http://evil","started_at":"2026-05-01T12:00:00Z","draining":false,"owned":0}"#;
        let to_one_node = NodeTokens::new(&Secret::new("secret"));
        let to_one_node = to_one_node.sign(&node("one"), "two", (), at(NOW), CLOCKS_APART).unwrap();
        for forged in ["", "x", "a.b.c", plain, &to_one_node] {
            assert_eq!(address(&with_secret("secret"), "one", forged, NOW), None, "{forged}");
        }
    }

    #[test]
    fn a_forged_announcement_does_not_replace_a_valid_one() {
        let announcements = with_secret("secret");
        address(&announcements, "one", &signed("secret", "one", "http://one", NOW), NOW);
        let forged = signed("guessed", "one", "http://evil", NOW + 1);
        assert_eq!(address(&announcements, "one", &forged, NOW + 1).as_deref(), Some("http://one"));
    }

    #[test]
    fn an_older_announcement_does_not_replace_a_newer_one() {
        let announcements = with_secret("secret");
        let (old, new) = (signed("secret", "one", "http://old", NOW), signed("secret", "one", "http://new", NOW + 1));
        assert_eq!(address(&announcements, "one", &old, NOW + 1).as_deref(), Some("http://old"));
        assert_eq!(address(&announcements, "one", &new, NOW + 1).as_deref(), Some("http://new"));
        assert_eq!(address(&announcements, "one", &old, NOW + 1).as_deref(), Some("http://new"));
    }

    #[test]
    fn a_node_on_another_database_is_foreign_and_forgotten_and_one_that_is_not_compared_is_used() {
        let (announcements, text) = (with_secret("secret"), signed("secret", "one", "http://one", NOW));
        let after = |compared| {
            let survey = read(&announcements, &listed("one", &text), compared, NOW + 1, Instant::now());
            (survey.statuses[0], !survey.announcements.is_empty())
        };
        let rank = Rank { started_at: at(NOW), instance: Uuid::from_u128(1) };
        assert_eq!(after(Comparison::Different), (PeerStatus::OtherDatabase(rank), false));
        assert_eq!(after(Comparison::Pending), (PeerStatus::Pending, true));
        assert_eq!(after(Comparison::Unproven), (PeerStatus::Unproven, true));
        assert_eq!(after(Comparison::Same), (PeerStatus::Member(rank), true));
        assert_eq!(after(Comparison::Different), (PeerStatus::OtherDatabase(rank), false));
        assert_eq!(announcements.peer(&node("one")), None);
    }
}
