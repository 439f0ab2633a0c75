//! What a node tells the others of itself: where it is, above all.
//!
//! Requests are sent to that address with everything a client sent along, its `Authorization` too. Redis only carries
//! it: an announcement is sealed with the secret of the cluster, and one that is not, or not by the node under whose
//! name it stands, is passed over. Whoever can write to Redis but does not know the secret can stop the service, but
//! cannot have a request sent to an address of his own.
//!
//! An old announcement of the same node, put back by somebody, is sealed all the same. Who knows a newer one keeps to
//! that. Who does not, such as a node that has just started, believes it until the time that is sealed in it, by its own
//! clock a TTL and [`CLOCKS_APART`] after it was made: so long must an address that a node has left not be given to a
//! stranger. While Redis is away, the addresses of those that lived when it last answered are used on
//! ([`super::registry`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::domain::Timestamp;
use crate::lease::statement::{CLOCKS_APART, Signet};
use crate::lease::{NodeId, Peer, Unavailable};

/// Whom announcements are made to: no node can have that name.
const TO_ALL: &str = "every node";
/// Names that are remembered because nothing told under them could be believed, and how much of each.
const DOUBTED: usize = 64;
const NAME: usize = 64;

/// What a node tells of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct About {
    pub url: Arc<str>,
    /// When it started.
    pub since: Timestamp,
    /// When it told this.
    pub told: Timestamp,
    pub draining: bool,
    /// It could not reach the store. Versions before this was told could.
    #[serde(default)]
    pub cut_off: bool,
    /// Room types that it owned.
    pub owned: usize,
    /// How long it counts as living after that.
    pub ttl_ms: u64,
}

impl About {
    pub fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl_ms)
    }

    /// How long it is believed.
    fn good_for(&self) -> SignedDuration {
        SignedDuration::try_from(self.ttl()).unwrap_or(SignedDuration::MAX).saturating_add(CLOCKS_APART)
    }

    /// How much of that is left at `now`.
    fn left(&self, now: Timestamp) -> Duration {
        let left = self.good_for().saturating_sub(now.duration_since(self.told)).min(self.good_for());
        Duration::try_from(left).unwrap_or_default()
    }

    /// Whether it was told by a clock that is not too far behind, where Redis says for how much longer it knows the node:
    /// such a node takes what it is asked for a statement of a wrong clock.
    fn is_of_our_time(&self, known_for: Duration, now: Timestamp) -> bool {
        let silent_for = SignedDuration::try_from(self.ttl().saturating_sub(known_for)).unwrap_or(SignedDuration::MAX);
        now.duration_since(self.told) < silent_for.saturating_add(CLOCKS_APART)
    }
}

/// What is known of the nodes, and how it is sealed.
pub struct Announcements {
    signet: Signet,
    known: Mutex<BTreeMap<NodeId, Known>>,
    doubted: Mutex<BTreeSet<String>>,
}

/// The newest that a node has told.
struct Known {
    about: Arc<About>,
    until: Instant,
}

impl Announcements {
    pub fn new(signet: Signet) -> Self {
        Self { signet, known: Mutex::default(), doubted: Mutex::default() }
    }

    /// What the node `by` is to leave in Redis.
    pub fn seal(&self, by: &NodeId, about: &About) -> Result<String, Unavailable> {
        let sealed = self.signet.sign(by, TO_ALL, about, about.told, about.good_for());
        sealed.ok_or_else(|| Unavailable(anyhow!("what this node tells of itself cannot be sealed")))
    }

    /// What a text says of a node, if it was sealed by that node and is not too old.
    pub fn open(&self, node: &NodeId, text: &str, now: Timestamp) -> Option<About> {
        let (by, about) = self.signet.check::<About>(text, TO_ALL, now)?;
        (by == *node).then_some(about)
    }

    /// What is to be believed of the nodes that Redis tells of, by name, when it was asked at `asked`. Of each it says for
    /// how much longer it knows it.
    pub fn hear<'a>(
        &self,
        told: impl Iterator<Item = (&'a str, Duration, &'a str)>,
        now: Timestamp,
        asked: Instant,
    ) -> BTreeMap<NodeId, Arc<About>> {
        let mut believed = BTreeMap::new();
        let mut worthless = BTreeSet::new();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, known| known.until > asked);
        for (name, known_for, text) in told {
            let node = name.parse::<NodeId>().ok();
            let opened = node.as_ref().and_then(|node| self.open(node, text, now));
            let opened = opened.filter(|about| about.is_of_our_time(known_for, now));
            if opened.is_none() {
                worthless.insert(name);
            }
            if let Some(node) = node
                && let Some(about) = self.newest(&node, opened, now, asked)
            {
                believed.insert(node, about);
            }
        }
        self.complain(&worthless);
        believed
    }

    /// Where a node is, as far as it is known.
    pub fn peer(&self, node: &NodeId) -> Option<Peer> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(node).filter(|known| known.until > Instant::now())?;
        Some(Peer { node: node.clone(), url: known.about.url.clone() })
    }

    /// The newest that a node has told: what was heard now, unless it is older than what is known.
    fn newest(&self, node: &NodeId, heard: Option<About>, now: Timestamp, asked: Instant) -> Option<Arc<About>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(about) = heard
            && known.get(node).is_none_or(|known| known.about.told <= about.told)
        {
            let until = asked.checked_add(about.left(now))?;
            known.insert(node.clone(), Known { about: Arc::new(about), until });
        }
        known.get(node).map(|known| known.about.clone())
    }

    /// Counts what cannot be believed, and says it once for each name.
    fn complain(&self, worthless: &BTreeSet<&str>) {
        metrics::counter!("innkeeper_announcements_refused_total").increment(worthless.len() as u64);
        // Whoever wrote them may have written anything.
        let shown = |name: &&str| name.chars().take(NAME).collect::<String>();
        let worthless: BTreeSet<String> = worthless.iter().take(DOUBTED).map(shown).collect();
        let mut doubted = self.doubted.lock().unwrap_or_else(PoisonError::into_inner);
        for name in worthless.difference(&doubted) {
            warn!(name = ?name, "redis tells of a node that is none of this cluster: another secret, a wrong clock, or forged");
        }
        *doubted = worthless;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    const NOW: i64 = 1_800_000_000;
    const TTL: i64 = 10;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn with_secret(secret: &str) -> Announcements {
        Announcements::new(Signet::new(&Secret::new(secret)))
    }

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    /// What a node seals at a time.
    fn sealed(secret: &str, by: &str, url: &str, told: i64) -> String {
        let (since, told, ttl_ms) = (at(NOW), at(told), TTL as u64 * 1_000);
        let about = About { url: url.into(), since, told, draining: false, cut_off: false, owned: 0, ttl_ms };
        with_secret(secret).seal(&node(by), &about).unwrap()
    }

    /// Where a node is, after this was heard under its name, as late as Redis may tell it.
    fn heard(announcements: &Announcements, name: &str, text: &str, now: i64) -> Option<String> {
        let believed = announcements.hear([(name, Duration::ZERO, text)].into_iter(), at(now), Instant::now());
        let url = believed.get(&node(name)).map(|about| about.url.to_string());
        assert_eq!(announcements.peer(&node(name)).map(|peer| peer.url.to_string()), url);
        url
    }

    #[test]
    fn what_a_node_of_the_cluster_tells_is_believed_as_long_as_it_is_good() {
        let text = sealed("secret", "one", "http://one", NOW);
        assert_eq!(heard(&with_secret("secret"), "one", &text, NOW + TTL + 29).as_deref(), Some("http://one"));
        assert_eq!(heard(&with_secret("secret"), "one", &text, NOW + TTL + 30), None, "too old");
    }

    #[test]
    fn a_node_whose_clock_is_too_far_from_ours_is_a_stranger_either_way() {
        let text = sealed("secret", "one", "http://one", NOW);
        let fresh = Duration::from_secs(TTL as u64);
        let believed = |now| {
            let told = [("one", fresh, text.as_str())].into_iter();
            !with_secret("secret").hear(told, at(now), Instant::now()).is_empty()
        };
        assert_eq!([NOW - 30, NOW, NOW + 29].map(believed), [true; 3]);
        assert_eq!([NOW - 31, NOW + 30].map(believed), [false; 2]);
    }

    #[test]
    fn an_old_announcement_is_known_no_longer_than_it_is_good() {
        let (announcements, text) = (with_secret("secret"), sealed("secret", "one", "http://one", NOW));
        let asked = Instant::now().checked_sub(Duration::from_secs(2)).unwrap();
        announcements.hear([("one", Duration::ZERO, text.as_str())].into_iter(), at(NOW + TTL + 28), asked);
        assert_eq!(announcements.peer(&node("one")), None, "its last two seconds are over");
        announcements.hear([("one", Duration::ZERO, text.as_str())].into_iter(), at(NOW), asked);
        assert!(announcements.peer(&node("one")).is_some());
    }

    #[test]
    fn what_is_forged_foreign_or_under_another_name_is_not_believed() {
        let text = sealed("secret", "one", "http://one", NOW);
        assert_eq!(heard(&with_secret("another"), "one", &text, NOW), None, "of another cluster");
        assert_eq!(heard(&with_secret("secret"), "two", &text, NOW), None, "of another node");
        let plain = r#"{"url":"http://evil","since":"2026-05-01T12:00:00Z","draining":false,"owned":0,"ttl_ms":10000}"#;
        let to_one_node = Signet::new(&Secret::new("secret"));
        let to_one_node = to_one_node.sign(&node("one"), "two", (), at(NOW), CLOCKS_APART).unwrap();
        for forged in ["", "x", "a.b.c", plain, &to_one_node] {
            assert_eq!(heard(&with_secret("secret"), "one", forged, NOW), None, "{forged}");
        }
    }

    #[test]
    fn what_is_worthless_takes_nothing_away_from_what_is_known() {
        let announcements = with_secret("secret");
        heard(&announcements, "one", &sealed("secret", "one", "http://one", NOW), NOW);
        let forged = sealed("guessed", "one", "http://evil", NOW + 1);
        assert_eq!(heard(&announcements, "one", &forged, NOW + 1).as_deref(), Some("http://one"));
    }

    #[test]
    fn an_older_announcement_does_not_replace_a_newer_one() {
        let announcements = with_secret("secret");
        let (old, new) = (sealed("secret", "one", "http://old", NOW), sealed("secret", "one", "http://new", NOW + 1));
        assert_eq!(heard(&announcements, "one", &old, NOW + 1).as_deref(), Some("http://old"));
        assert_eq!(heard(&announcements, "one", &new, NOW + 1).as_deref(), Some("http://new"));
        assert_eq!(heard(&announcements, "one", &old, NOW + 1).as_deref(), Some("http://new"));
    }
}
