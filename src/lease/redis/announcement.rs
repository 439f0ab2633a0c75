//! What a node tells the others of itself: where it is, above all.
//!
//! Requests are sent to that address with everything a client sent along, its `Authorization` too. Redis only carries
//! it: an announcement is sealed with the secret of the cluster, and one that is not, or not by the node under whose
//! name it stands, is passed over. Whoever can write to Redis but does not know the secret can stop the service, but
//! cannot have a request sent to an address of his own.
//!
//! An old announcement of the same node, put back by somebody, is sealed all the same. Who knows a newer one keeps to
//! that. Who does not, such as a node that has just started, believes it until the time that is sealed in it, a TTL and
//! [`CLOCKS_APART`] after it was made: so long must an address that a node has left not be given to a stranger. While
//! Redis is away, the addresses of those that lived when it last answered are used on ([`super::registry`]).

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
    /// Room types that it owned.
    pub owned: usize,
    /// How long it counts as living after that.
    pub ttl_ms: u64,
}

impl About {
    pub fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl_ms)
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
        let ttl = SignedDuration::try_from(about.ttl()).unwrap_or(SignedDuration::MAX);
        let until = about.told.saturating_add(ttl.saturating_add(CLOCKS_APART)).unwrap_or(Timestamp::MAX);
        let sealed = self.signet.sign(by, TO_ALL, about, until);
        sealed.ok_or_else(|| Unavailable(anyhow!("what this node tells of itself cannot be sealed")))
    }

    /// What a text says of a node, if it was sealed by that node and is not too old.
    pub fn open(&self, node: &NodeId, text: &str, now: Timestamp) -> Option<About> {
        let (by, about) = self.signet.check::<About>(text, TO_ALL, now)?;
        (by == *node).then_some(about)
    }

    /// What is to be believed of the nodes that Redis tells of, by name, when it was asked at `asked`.
    pub fn hear<'a>(
        &self,
        told: impl Iterator<Item = (&'a str, &'a str)>,
        now: Timestamp,
        asked: Instant,
    ) -> BTreeMap<NodeId, Arc<About>> {
        let mut believed = BTreeMap::new();
        let mut worthless = BTreeSet::new();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, known| known.until > asked);
        for (name, text) in told {
            let node = name.parse::<NodeId>().ok();
            let opened = node.as_ref().and_then(|node| self.open(node, text, now));
            if opened.is_none() {
                worthless.insert(name);
            }
            if let Some(node) = node
                && let Some(about) = self.newest(&node, opened, asked)
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
    fn newest(&self, node: &NodeId, heard: Option<About>, asked: Instant) -> Option<Arc<About>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(about) = heard
            && known.get(node).is_none_or(|known| known.about.told <= about.told)
        {
            let clocks_apart = Duration::try_from(CLOCKS_APART).unwrap_or_default();
            let until = asked.checked_add(about.ttl()).and_then(|until| until.checked_add(clocks_apart))?;
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
        let about = About { url: url.into(), since, told, draining: false, owned: 0, ttl_ms };
        with_secret(secret).seal(&node(by), &about).unwrap()
    }

    /// Where a node is, after this was heard under its name.
    fn heard(announcements: &Announcements, name: &str, text: &str, now: i64) -> Option<String> {
        let believed = announcements.hear([(name, text)].into_iter(), at(now), Instant::now());
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
    fn what_is_forged_foreign_or_under_another_name_is_not_believed() {
        let text = sealed("secret", "one", "http://one", NOW);
        assert_eq!(heard(&with_secret("another"), "one", &text, NOW), None, "of another cluster");
        assert_eq!(heard(&with_secret("secret"), "two", &text, NOW), None, "of another node");
        let plain = r#"{"url":"http://evil","since":"2026-05-01T12:00:00Z","draining":false,"owned":0,"ttl_ms":10000}"#;
        let to_one_node = Signet::new(&Secret::new("secret")).sign(&node("one"), "two", (), at(NOW + 10)).unwrap();
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
