//! The database check: whether the other nodes in Redis work on this node's database.
//!
//! Every start of a node has a row in the table `members`, and increments its beat there as often as it sends heartbeats.
//! Its announcement in Redis carries the newest beat that it has committed. A node compares each announcement with the
//! peer's row in its own database. A row that is missing or older proves that the peer commits elsewhere: a peer
//! commits a beat before it announces it, and this node reads the row after the announcement.
//!
//! A row that grows here proves that the peer works on this database. Until then, an equal row may also be that of a byte
//! copy, made after the peer's last commit. So an announcement whose beat is old proves nothing to a newcomer
//! ([`Comparison::Unproven`]).
//!
//! Limits: a node that starts on a byte copy before the peer's next beat, about a second after its last commit, joins. It
//! is an outsider as soon as that beat is announced or has failed. A database that cannot be reached proves nothing. A
//! database that takes no writes proves nothing against a peer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tracing::{debug, warn};
use uuid::Uuid;

use super::leases::heartbeat_interval;
use crate::store::{DatabaseId, Instance, Members, Roster};

/// A beat that was committed within so many heartbeats before its announcement is fresh, unless a later one failed.
const FRESH_BEATS: u32 = 3;
/// How long a peer that is no longer announced is remembered.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// What an announcement says of the database that its node works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseProof {
    /// The key of the node's row.
    pub instance: Uuid,
    pub database: DatabaseId,
    /// The newest beat that the node has committed there. `None` before its first.
    pub beat: Option<i64>,
    /// Whether that commit was a moment ago. If not, the database takes no writes of the node now.
    pub is_fresh: bool,
}

/// How a peer's database compares with this node's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// It is the same one.
    Same,
    /// Nothing contradicts, but the peer's beat is old: its database may be another one that cannot be reached now.
    Unproven,
    /// The peer's row was not read yet.
    Pending,
    Different,
}

/// Compares this node's database with those of its peers.
pub struct DatabaseCheck {
    store: Arc<dyn Members>,
    me: Instance,
    database: DatabaseId,
    ttl: Duration,
    /// Held while the store is asked.
    asking: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

impl DatabaseCheck {
    pub fn new(store: Arc<dyn Members>, me: Instance, database: DatabaseId, ttl: Duration) -> Self {
        let (asking, state) = Default::default();
        Self { store, me, database, ttl, asking, state }
    }

    /// Commits this node's next beat, and reads the rows of the peers that were compared before. Returns whether the store
    /// has answered within `limit`.
    pub async fn run(&self, limit: Duration) -> bool {
        let has_answered = tokio::time::timeout(limit, self.ask()).await.unwrap_or(false);
        self.state().is_failing |= !has_answered;
        has_answered
    }

    async fn ask(&self) -> bool {
        let _turn = self.asking.lock().await;
        let announced = self.state().announced();
        let peers: Vec<Uuid> = announced.iter().map(|(instance, _)| *instance).collect();
        match self.store.heartbeat(&self.me, &peers).await {
            Ok(roster) => {
                let mut state = self.state();
                state.is_replaced |= roster.database != self.database;
                state.take(&announced, &roster, Instant::now());
                true
            }
            Err(error) => {
                debug!(error = &error as &dyn std::error::Error, "the store does not answer a heartbeat");
                false
            }
        }
    }

    /// What this node announces of its database.
    pub fn proof(&self) -> DatabaseProof {
        let fresh_for = heartbeat_interval(self.ttl) * FRESH_BEATS;
        let State { committed, is_failing, .. } = *self.state();
        DatabaseProof {
            instance: self.me.id,
            database: self.database.clone(),
            beat: committed.map(|(beat, _)| beat),
            is_fresh: !is_failing && committed.is_some_and(|(_, at)| at.elapsed() <= fresh_for),
        }
    }

    /// The key of this node's row.
    pub fn instance(&self) -> Uuid {
        self.me.id
    }

    /// Whether this node has committed a beat.
    pub fn has_committed(&self) -> bool {
        self.state().committed.is_some()
    }

    /// Whether a peer has proved that it works on this database: its row has grown here.
    pub fn has_proven_peer(&self) -> bool {
        self.state().peers.values().any(|peer| peer.is_proven)
    }

    /// Whether the store has become another database since this node started.
    pub fn is_replaced(&self) -> bool {
        self.state().is_replaced
    }

    /// Compares what a peer announces with its row, and remembers it for the next [`DatabaseCheck::run`].
    pub fn compare(&self, proof: &DatabaseProof) -> Comparison {
        match proof.beat {
            _ if proof.database != self.database => Comparison::Different,
            _ if proof.instance == self.me.id => Comparison::Same,
            Some(beat) => self.state().compare(proof, beat, Instant::now(), self.ttl),
            None => Comparison::Unproven,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct State {
    /// This node's newest beat, and when the store confirmed it.
    committed: Option<(i64, Instant)>,
    /// The last beat was not committed.
    is_failing: bool,
    is_replaced: bool,
    peers: HashMap<Uuid, Peer>,
}

/// A peer, by its announcements and its row.
#[derive(Debug)]
struct Peer {
    announced: i64,
    announced_at: Instant,
    /// The beat in its row when that was first read.
    first: Option<i64>,
    /// Its row has grown since: it works on this database.
    is_proven: bool,
    row: Row,
}

/// What the row showed when it was last read.
#[derive(Debug, Clone, Copy)]
enum Row {
    Unread,
    Agrees,
    /// It is missing, or older than what was announced.
    Contradicts {
        since: Instant,
    },
}

impl State {
    /// Every peer and its newest announced beat.
    fn announced(&self) -> Vec<(Uuid, i64)> {
        self.peers.iter().map(|(instance, peer)| (*instance, peer.announced)).collect()
    }

    /// A peer that has proved to work on this database is believed against its row for a TTL: a database that fails over to
    /// an asynchronous standby may have lost the newest beats.
    fn compare(&mut self, proof: &DatabaseProof, beat: i64, now: Instant, ttl: Duration) -> Comparison {
        let unknown = || Peer { announced: beat, announced_at: now, first: None, is_proven: false, row: Row::Unread };
        let peer = self.peers.entry(proof.instance).or_insert_with(unknown);
        (peer.announced, peer.announced_at) = (beat, now);
        match peer.row {
            Row::Unread => Comparison::Pending,
            Row::Agrees if peer.is_proven || proof.is_fresh => Comparison::Same,
            Row::Agrees => Comparison::Unproven,
            Row::Contradicts { since } if peer.is_proven && now.duration_since(since) < ttl => Comparison::Same,
            Row::Contradicts { .. } => Comparison::Different,
        }
    }

    /// Takes over what the store has answered to a question about these announced beats.
    fn take(&mut self, announced: &[(Uuid, i64)], roster: &Roster, now: Instant) {
        if let (Some(beat), Some((before, _))) = (roster.committed, self.committed)
            && beat <= before
        {
            warn!(beat, before, "the database has lost this node's last heartbeats, and may have lost commits");
        }
        self.is_failing = roster.committed.is_none();
        self.committed = roster.committed.map(|beat| (beat, now)).or(self.committed);
        for (instance, announced) in announced {
            if let Some(peer) = self.peers.get_mut(instance) {
                peer.take(*announced, roster.beats.get(instance).copied(), now);
            }
        }
        self.peers.retain(|_, peer| now.duration_since(peer.announced_at) < REMEMBERED);
    }
}

impl Peer {
    fn take(&mut self, announced: i64, found: Option<i64>, now: Instant) {
        match (found.filter(|found| *found >= announced), self.row) {
            (Some(found), _) => {
                self.is_proven |= self.first.is_some_and(|first| found > first);
                self.first.get_or_insert(found);
                self.row = Row::Agrees;
            }
            (None, Row::Contradicts { .. }) => {}
            (None, _) => self.row = Row::Contradicts { since: now },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(10);

    fn database(number: i64) -> DatabaseId {
        DatabaseId::of(&[1; 32], 1, number)
    }

    fn proof(beat: i64, is_fresh: bool) -> DatabaseProof {
        DatabaseProof { instance: Uuid::from_u128(1), database: database(1), beat: Some(beat), is_fresh }
    }

    /// A node's view of one peer.
    struct View {
        state: State,
        now: Instant,
    }

    impl View {
        fn new() -> Self {
            Self { state: State::default(), now: Instant::now() }
        }

        fn compared(&mut self, beat: i64, is_fresh: bool) -> Comparison {
            self.state.compare(&proof(beat, is_fresh), beat, self.now, TTL)
        }

        /// Reads the peer's row after it has announced a beat.
        fn reads(&mut self, announced: i64, row: Option<i64>) -> Comparison {
            self.compared(announced, true);
            let beats = row.map(|beat| (Uuid::from_u128(1), beat)).into_iter().collect();
            let roster = Roster { database: database(1), committed: Some(1), beats };
            let announced = self.state.announced();
            self.state.take(&announced, &roster, self.now);
            self.compared(announced[0].1, true)
        }
    }

    #[test]
    fn a_peer_is_compared_when_its_row_was_read() {
        let mut view = View::new();
        assert_eq!(view.compared(5, true), Comparison::Pending);
        assert_eq!(view.reads(5, Some(5)), Comparison::Same);
        assert_eq!(view.compared(6, true), Comparison::Same, "its next row was not read yet");
    }

    #[test]
    fn a_row_that_is_missing_or_older_than_announced_proves_another_database() {
        assert_eq!(View::new().reads(5, None), Comparison::Different, "an empty database, a template, an older copy");
        assert_eq!(View::new().reads(5, Some(4)), Comparison::Different, "a byte copy, or a restored dump");
        let mut view = View::new();
        assert_eq!(view.reads(5, Some(5)), Comparison::Same, "a copy that was made just now");
        assert_eq!(view.reads(6, Some(5)), Comparison::Different, "one heartbeat later");
    }

    #[test]
    fn an_old_beat_proves_nothing_to_a_newcomer() {
        let mut view = View::new();
        view.reads(5, Some(5));
        assert_eq!(view.compared(5, false), Comparison::Unproven, "the original restarts, this may be a copy");
        assert_eq!(view.reads(6, Some(6)), Comparison::Same);
        assert_eq!(view.compared(6, false), Comparison::Same, "its row has grown here");
    }

    #[test]
    fn a_peer_that_shares_the_database_is_believed_against_its_row_for_a_ttl() {
        let mut view = View::new();
        view.reads(5, Some(5));
        view.reads(6, Some(6));
        assert_eq!(view.reads(7, Some(4)), Comparison::Same, "a failover that lost commits");
        view.now += TTL / 2;
        assert_eq!(view.reads(5, Some(5)), Comparison::Same, "the peer goes on from there");
        assert_eq!(view.reads(9, Some(5)), Comparison::Same);
        view.now += TTL;
        assert_eq!(view.reads(10, Some(5)), Comparison::Different, "it goes on elsewhere");
    }

    #[test]
    fn databases_with_different_ids_are_different_at_once() {
        let me = Instance { id: Uuid::from_u128(2), node: "me".to_owned() };
        let check = |number| DatabaseCheck::new(Arc::new(Nobody), me.clone(), database(number), TTL);
        assert_eq!(check(1).compare(&proof(5, true)), Comparison::Pending);
        assert_eq!(check(2).compare(&proof(5, true)), Comparison::Different);
        assert_eq!(check(1).compare(&DatabaseProof { beat: None, ..proof(5, true) }), Comparison::Unproven);
        assert_eq!(check(1).compare(&check(1).proof()), Comparison::Same, "its own announcement");
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_hangs_is_waited_for_no_longer_than_the_limit_and_proves_nothing() {
        let me = Instance { id: Uuid::from_u128(2), node: "me".to_owned() };
        let check = DatabaseCheck::new(Arc::new(Nobody), me, database(1), TTL);
        let before = tokio::time::Instant::now();
        check.compare(&proof(5, true));
        assert!(!check.run(Duration::from_secs(1)).await);
        assert_eq!(before.elapsed(), Duration::from_secs(1));
        assert_eq!(check.compare(&proof(5, true)), Comparison::Pending);
        assert!(!check.has_committed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_beat_is_old_as_soon_as_the_next_one_fails() {
        let me = Instance { id: Uuid::from_u128(2), node: "me".to_owned() };
        let check = DatabaseCheck::new(Arc::new(Once::default()), me, DatabaseId::unshared(), TTL);
        assert!(check.run(Duration::from_secs(1)).await);
        assert_eq!((check.proof().beat, check.proof().is_fresh), (Some(1), true));
        assert!(!check.run(Duration::from_secs(1)).await);
        assert_eq!((check.proof().beat, check.proof().is_fresh), (Some(1), false));
    }

    /// A store that answers once.
    #[derive(Default)]
    struct Once(std::sync::atomic::AtomicBool);

    #[async_trait::async_trait]
    impl Members for Once {
        async fn heartbeat(&self, _: &Instance, _: &[Uuid]) -> Result<Roster, crate::store::Error> {
            if self.0.swap(true, std::sync::atomic::Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            Ok(Roster { database: DatabaseId::unshared(), committed: Some(1), beats: HashMap::new() })
        }
    }

    /// A store that never answers.
    struct Nobody;

    #[async_trait::async_trait]
    impl Members for Nobody {
        async fn heartbeat(&self, _: &Instance, _: &[Uuid]) -> Result<Roster, crate::store::Error> {
            std::future::pending().await
        }
    }
}
