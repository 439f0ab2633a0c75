//! What a node tells the others of itself: where it is, above all, and which database it works on.
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
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::domain::Timestamp;
use crate::lease::node_tokens::{CLOCKS_APART, NodeTokens};
use crate::lease::{NodeId, Peer, Unavailable};
use crate::store::Identity;

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
    /// The database it works on.
    pub database: Identity,
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

    /// What the clock shows by now that it was told by, where Redis says for how much longer it knows the node.
    fn clock(&self, known_for: Duration) -> Timestamp {
        let silent_for = SignedDuration::try_from(self.ttl().saturating_sub(known_for)).unwrap_or(SignedDuration::MAX);
        self.told.saturating_add(silent_for).unwrap_or(Timestamp::MAX)
    }

    /// Whether that clock is near enough to ours: else each of the two nodes takes what the other states for too old, or
    /// for too new.
    fn is_of_our_time(&self, known_for: Duration, now: Timestamp) -> bool {
        now.duration_since(self.clock(known_for)) < CLOCKS_APART && self.told.duration_since(now) <= CLOCKS_APART
    }
}

/// How a node stands to this one, by what it tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kin {
    /// It is of this cluster, and started then.
    Member { since: Timestamp },
    /// It works on another database, or on a copy of this one, and started then.
    OtherDatabase { since: Timestamp },
    /// Its clock shows this.
    OtherClock { now: Timestamp },
    /// What is told under its name is not sealed by it with the secret of this cluster.
    Unreadable,
}

/// What was heard of the nodes.
#[derive(Debug, Default)]
pub struct Heard {
    /// What is to be believed of the members, by name.
    pub believed: BTreeMap<NodeId, Arc<About>>,
    /// How each stands to this node, in the order in which Redis tells of them.
    pub kin: Vec<Kin>,
}

/// What Redis tells of a node: its name, for how much longer it is known, what it told of itself.
pub type Told = (String, i64, String);

/// What is known of the nodes, and how it is sealed.
pub struct Announcements {
    node_tokens: NodeTokens,
    known: Mutex<BTreeMap<NodeId, LatestAnnouncement>>,
    doubted: Mutex<BTreeSet<(String, &'static str)>>,
}

/// The newest that a node has told.
struct LatestAnnouncement {
    about: Arc<About>,
    until: Instant,
}

impl Announcements {
    pub fn new(node_tokens: NodeTokens) -> Self {
        Self { node_tokens, known: Mutex::default(), doubted: Mutex::default() }
    }

    /// What the node `by` is to leave in Redis.
    pub fn seal(&self, by: &NodeId, about: &About) -> Result<String, Unavailable> {
        let sealed = self.node_tokens.sign(by, TO_ALL, about, about.told, about.good_for());
        sealed.ok_or_else(|| Unavailable::Unanswered(anyhow!("what this node tells of itself cannot be sealed")))
    }

    /// What a text says of a node, if it was sealed by that node, whenever that was.
    pub fn open(&self, node: &NodeId, text: &str) -> Option<About> {
        let (by, about) = self.node_tokens.open::<About>(text, TO_ALL)?;
        (by == *node).then_some(about)
    }

    /// What is to be believed of the members that Redis tells of, when it was asked at `asked`, on a node that works on
    /// the database `mine`. Those who wait to be members are strangers, whatever they tell.
    pub fn hear(&self, members: &[Told], waiting: &[Told], mine: &Identity, now: Timestamp, asked: Instant) -> Heard {
        let mut heard = Heard::default();
        let mut strangers = Vec::new();
        self.known().retain(|_, known| known.until > asked);
        for (name, known_for, text) in members {
            let (mut kin, about) = self.kin(name, *known_for, text, mine, now);
            if !matches!(kin, Kin::Member { .. }) {
                strangers.push((name.as_str(), kin));
            }
            if let Ok(node) = name.parse::<NodeId>()
                && let Some(about) = self.newest(&node, kin, about, mine, now, asked)
            {
                kin = Kin::Member { since: about.since };
                heard.believed.insert(node, about);
            }
            heard.kin.push(kin);
        }
        let waiting =
            waiting.iter().map(|(name, left, text)| (name.as_str(), self.kin(name, *left, text, mine, now).0));
        strangers.extend(waiting.filter(|(_, kin)| !matches!(kin, Kin::Member { .. })));
        self.complain(&strangers);
        heard
    }

    /// How the node of that name stands to this one, and what it tells, if that can be read.
    fn kin(&self, name: &str, left_ms: i64, text: &str, mine: &Identity, now: Timestamp) -> (Kin, Option<About>) {
        let opened = name.parse::<NodeId>().ok().and_then(|node| self.open(&node, text));
        let Some(about) = opened else { return (Kin::Unreadable, None) };
        let (known_for, since) = (positive(left_ms), about.since);
        let kin = match about.is_of_our_time(known_for, now) {
            false => Kin::OtherClock { now: about.clock(known_for) },
            true if !mine.is_same_database(&about.database) || mine.is_on_another_server(&about.database) => {
                Kin::OtherDatabase { since }
            }
            true => Kin::Member { since },
        };
        (kin, Some(about))
    }

    /// Where a node is, as far as it is known.
    pub fn peer(&self, node: &NodeId) -> Option<Peer> {
        let known = self.known();
        let known = known.get(node).filter(|known| known.until > Instant::now())?;
        Some(Peer { node: node.clone(), url: known.about.url.clone() })
    }

    /// The newest that is to be believed of a node: what was heard now, or what is known. Nothing of one that has told
    /// since that it works on another database. One whose server restarts is known for a little longer.
    fn newest(
        &self,
        node: &NodeId,
        kin: Kin,
        heard: Option<About>,
        mine: &Identity,
        now: Timestamp,
        asked: Instant,
    ) -> Option<Arc<About>> {
        let mut known = self.known();
        if let Some(about) = heard
            && known.get(node).is_none_or(|known| known.about.told <= about.told)
        {
            match kin {
                Kin::Member { .. } => {
                    let until = asked.checked_add(about.left(now))?;
                    known.insert(node.clone(), LatestAnnouncement { about: Arc::new(about), until });
                }
                Kin::OtherDatabase { .. } if !mine.is_same_database(&about.database) => drop(known.remove(node)),
                Kin::OtherDatabase { .. } | Kin::OtherClock { .. } | Kin::Unreadable => {}
            }
        }
        known.get(node).map(|known| known.about.clone())
    }

    /// Counts strangers, and names each of them once.
    fn complain(&self, strangers: &[(&str, Kin)]) {
        metrics::counter!("innkeeper_announcements_refused_total").increment(strangers.len() as u64);
        // Whoever wrote them may have written anything.
        let shown = |(name, kin): &(&str, Kin)| (name.chars().take(NAME).collect::<String>(), why(*kin));
        let strangers: BTreeSet<_> = strangers.iter().take(DOUBTED).map(shown).collect();
        let mut doubted = self.doubted.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, why) in strangers.difference(&doubted) {
            warn!(name = ?name, why, "redis tells of a node that is none of this cluster; nothing is sent to it");
        }
        *doubted = strangers;
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<NodeId, LatestAnnouncement>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What makes a node a stranger.
fn why(kin: Kin) -> &'static str {
    match kin {
        Kin::Member { .. } => "it waits to be a member",
        Kin::OtherDatabase { .. } => "it works on another database, or on a copy of this one",
        Kin::OtherClock { .. } => "its clock is more than 30 s apart from this node's",
        Kin::Unreadable => "it has another cluster_secret, or its announcement is forged",
    }
}

/// So many milliseconds, as Redis counts them.
pub fn positive(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
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
        Announcements::new(NodeTokens::new(&Secret::new(secret)))
    }

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    fn mine() -> Identity {
        Identity::of(&[1; 32], 1, 1, 1)
    }

    /// What Redis tells, as late as it may.
    fn told(name: &str, text: &str) -> [Told; 1] {
        [(name.to_owned(), 0, text.to_owned())]
    }

    /// What a node seals at a time.
    fn sealed(secret: &str, by: &str, url: &str, told: i64) -> String {
        let (since, told, ttl_ms) = (at(NOW), at(told), TTL as u64 * 1_000);
        let (draining, cut_off, owned, database) = (false, false, 0, mine());
        let about = About { url: url.into(), since, told, draining, cut_off, database, owned, ttl_ms };
        with_secret(secret).seal(&node(by), &about).unwrap()
    }

    /// Where a node is, after this was heard under its name, as late as Redis may tell it.
    fn heard(announcements: &Announcements, name: &str, text: &str, now: i64) -> Option<String> {
        let heard = announcements.hear(&told(name, text), &[], &mine(), at(now), Instant::now());
        let url = heard.believed.get(&node(name)).map(|about| about.url.to_string());
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
        let fresh = [("one".to_owned(), TTL * 1_000, text)];
        let believed = |now| {
            let heard = with_secret("secret").hear(&fresh, &[], &mine(), at(now), Instant::now());
            matches!(heard.kin[..], [Kin::OtherClock { .. }]) == heard.believed.is_empty() && !heard.believed.is_empty()
        };
        assert_eq!([NOW - 30, NOW, NOW + 29].map(believed), [true; 3]);
        assert_eq!([NOW - 31, NOW + 30].map(believed), [false; 2]);
    }

    #[test]
    fn an_old_announcement_is_known_no_longer_than_it_is_good() {
        let (announcements, text) = (with_secret("secret"), sealed("secret", "one", "http://one", NOW));
        let asked = Instant::now().checked_sub(Duration::from_secs(2)).unwrap();
        announcements.hear(&told("one", &text), &[], &mine(), at(NOW + TTL + 28), asked);
        assert_eq!(announcements.peer(&node("one")), None, "its last two seconds are over");
        announcements.hear(&told("one", &text), &[], &mine(), at(NOW), asked);
        assert!(announcements.peer(&node("one")).is_some());
    }

    #[test]
    fn what_is_forged_foreign_or_under_another_name_is_not_believed() {
        let text = sealed("secret", "one", "http://one", NOW);
        assert_eq!(heard(&with_secret("another"), "one", &text, NOW), None, "of another cluster");
        assert_eq!(heard(&with_secret("secret"), "two", &text, NOW), None, "of another node");
        let plain = r#"{"url":"http://evil","since":"2026-05-01T12:00:00Z","draining":false,"owned":0,"ttl_ms":10000}"#;
        let to_one_node = NodeTokens::new(&Secret::new("secret"));
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
    /// How the node stands to one on that database, and whether it is believed.
    fn stands(announcements: &Announcements, text: &str, mine: &Identity) -> (Kin, bool) {
        let heard = announcements.hear(&told("one", text), &[], mine, at(NOW + 1), Instant::now());
        (heard.kin[0], !heard.believed.is_empty())
    }

    #[test]
    fn a_node_on_another_database_is_a_stranger_and_one_that_moves_there_becomes_one() {
        let (announcements, text) = (with_secret("secret"), sealed("secret", "one", "http://one", NOW));
        let (other, elsewhere) = (Identity::of(&[2; 32], 1, 1, 1), Kin::OtherDatabase { since: at(NOW) });
        assert_eq!(stands(&announcements, &text, &other), (elsewhere, false));
        assert_eq!(stands(&announcements, &text, &mine()), (Kin::Member { since: at(NOW) }, true));
        assert_eq!(stands(&announcements, &text, &other), (elsewhere, false), "what was known of it is over");
        assert_eq!(announcements.peer(&node("one")), None);
    }

    #[test]
    fn a_node_whose_server_restarts_is_known_for_a_little_longer_and_a_copy_of_its_files_never_is() {
        let (announcements, text) = (with_secret("secret"), sealed("secret", "one", "http://one", NOW));
        let restarted = Identity { server: Some(2), ..mine() };
        assert_eq!(stands(&announcements, &text, &restarted), (Kin::OtherDatabase { since: at(NOW) }, false));
        stands(&announcements, &text, &mine());
        assert_eq!(stands(&announcements, &text, &restarted), (Kin::Member { since: at(NOW) }, true));
    }
}
