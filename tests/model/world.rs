//! The state of the model: two nodes, a Redis that may lose its memory, a database, and one room type.

use crate::requests::Key;

/// A fencing token. Every ownership raises it.
pub type Token = u8;

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct World {
    pub redis: Redis,
    pub database: Database,
    pub nodes: [Node; 2],
    /// Redis has lost its memory. From then on an owner may be certain and wrong.
    pub forgotten: bool,
    pub broken: Broken,
}

/// Redis: names the owner of the room type. Its contents are not trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Redis {
    pub lease: Option<(usize, Token)>,
    /// The last granted token.
    pub fence: Token,
}

/// The database. Its contents are durable.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Database {
    /// The token of the last claim.
    pub token: Token,
    /// The token of the last commit.
    pub committed: Token,
    /// All committed facts in order.
    pub history: Vec<Key>,
    /// The night counters.
    pub counted: Vec<Key>,
    /// Open transactions without a connection.
    pub orphans: Vec<Transaction>,
}

/// An accepted request: the fact number `sequence` of the room type, decided with `token`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fact {
    pub key: Key,
    pub token: Token,
    pub sequence: u8,
}

/// A transaction with a batch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transaction {
    pub batch: Vec<Fact>,
    /// The part of the history in its snapshot.
    pub seen: usize,
    /// The number of facts of the batch that it stores; the others are left out. `None`: it is under way, or waits for
    /// the lock on the room type's row.
    pub accepted: Option<usize>,
    pub open: bool,
}

impl Transaction {
    /// The facts that it stores, and the facts that it leaves out.
    pub fn judged(&self) -> (&[Fact], &[Fact]) {
        self.batch.split_at(self.accepted.unwrap_or(0))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The token of its lease, until it releases the lease.
    pub held: Option<Token>,
    /// Redis confirmed the lease less than a TTL ago, so the lease cannot have ended.
    pub certain: bool,
    pub actor: Actor,
    /// Decided facts that wait for the writer, also those of a dropped actor.
    pub queue: Vec<Fact>,
    /// The state of the writer.
    pub transaction: Option<Transaction>,
    /// Keys that were acknowledged here since the node started.
    pub answered: [bool; 3],
}

/// The actor of the room type on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    #[default]
    Away,
    /// The lease is held.
    Leased,
    /// The database has accepted its token.
    Claimed,
    /// Loaded, but not claimed: only where the two steps are exchanged.
    Loaded(Vec<Key>),
    Serving(Ownership),
}

/// A room type in memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ownership {
    pub token: Token,
    /// All facts that were loaded, and those decided since.
    pub memory: Vec<Key>,
}

/// Violations. (Stored facts stay, so an answer can be checked when it is given.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Broken {
    /// A request was acknowledged and not stored.
    pub empty_yes: bool,
    /// A request was refused, although at no time before its effect that was right.
    pub unfounded_no: bool,
    /// An answer from memory differed from the store.
    pub outdated: bool,
    /// A fact was stored with an older token than an earlier fact.
    pub token_went_back: bool,
    /// A fact was stored with an older token than the last claim's, and the new owner does not know it.
    pub stored_after_claim: bool,
}

impl Node {
    /// Facts at the writer.
    pub fn pending(&self) -> impl Iterator<Item = &Fact> {
        self.queue.iter().chain(self.transaction.iter().flat_map(|transaction| &transaction.batch))
    }

    /// Drops the memory if it was made with this token.
    pub fn restart(&mut self, token: Token) {
        if matches!(&self.actor, Actor::Serving(ownership) if ownership.token == token) {
            self.actor = Actor::Away;
            self.certain = false;
        }
    }

    /// Is not, or no longer, the owner.
    pub fn give_up(&mut self) {
        self.held = None;
        self.certain = false;
        self.actor = Actor::Away;
    }
}

impl World {
    /// Whether a transaction holds the lock on the room type's row.
    pub fn is_locked(&self) -> bool {
        let theirs = self.nodes.iter().filter_map(|node| node.transaction.as_ref());
        theirs.chain(&self.database.orphans).any(|transaction| transaction.open && transaction.accepted.is_some())
    }

    /// Of this state and the one with exchanged nodes, always the same one.
    pub fn representative(&self) -> Self {
        let mut world = self.clone();
        let [one, other] = &self.nodes;
        let lease = |node: usize| self.redis.lease.filter(|(owner, _)| *owner == node).map(|(_, token)| token);
        if (one, lease(0)) > (other, lease(1)) {
            world.nodes.swap(0, 1);
            world.redis.lease = self.redis.lease.map(|(node, token)| (1 - node, token));
        }
        world
    }
}
