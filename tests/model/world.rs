//! The world of the model: two nodes, a Redis that forgets, a database that does not, and one room type.

use crate::requests::Key;

/// A fencing token. Raised by every ownership.
pub type Token = u8;

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct World {
    pub redis: Redis,
    pub database: Database,
    pub nodes: [Node; 2],
    /// Redis has lost its memory. From then on whoever takes itself for the owner may be certain of it, and wrong.
    pub forgotten: bool,
    pub broken: Broken,
}

/// Says who should own the room type. Nothing here is trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Redis {
    pub lease: Option<(usize, Token)>,
    /// The last token that was granted.
    pub fence: Token,
}

/// What is written here stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Database {
    /// The token of the last claim.
    pub token: Token,
    /// The token of the last commit.
    pub committed: Token,
    /// Everything that was committed, in order.
    pub history: Vec<Key>,
    /// What the counters of the nights count.
    pub counted: Vec<Key>,
    /// Open transactions whose connection is gone.
    pub orphans: Vec<Transaction>,
}

/// A request that was granted: the `sequence`th fact of the room type, decided under `token`.
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
    /// How much of the history it sees: what was there when it began.
    pub seen: usize,
    /// How many facts of the batch it stores; the others are left out. `None`: it is on its way, or waits for
    /// the lock on the room type's row.
    pub accepted: Option<usize>,
    pub open: bool,
}

impl Transaction {
    /// Facts that it stores, and facts that it leaves out.
    pub fn judged(&self) -> (&[Fact], &[Fact]) {
        self.batch.split_at(self.accepted.unwrap_or(0))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The token under which it was granted the lease and has not given it back.
    pub held: Option<Token>,
    /// Redis said so less than a TTL ago: the lease cannot have ended.
    pub certain: bool,
    pub actor: Actor,
    /// What was decided and waits for the writer, also when the actor that decided it is no more.
    pub queue: Vec<Fact>,
    /// What the writer does.
    pub transaction: Option<Transaction>,
    /// Keys that were answered here with a yes since the node started.
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
    /// Loaded, but not claimed: only where the order of the two is turned round.
    Loaded(Vec<Key>),
    Serving(Ownership),
}

/// A room type in memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ownership {
    pub token: Token,
    /// Everything that was loaded, and was decided since.
    pub memory: Vec<Key>,
}

/// What must not have happened. (What is stored stays, so that an answer can be judged when it is given.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Broken {
    /// Somebody was told yes, and it was not stored.
    pub empty_yes: bool,
    /// Somebody was told no, though at no time before the request had its effect that was the answer.
    pub unfounded_no: bool,
    /// Something was said from memory, and it was not what is stored.
    pub outdated: bool,
    /// Something was stored under an older token than something before it.
    pub token_went_back: bool,
    /// Something was stored under an older token than the last claim's: who has loaded since does not know of it.
    pub stored_after_claim: bool,
}

impl Node {
    /// Facts that are with the writer.
    pub fn pending(&self) -> impl Iterator<Item = &Fact> {
        self.queue.iter().chain(self.transaction.iter().flat_map(|transaction| &transaction.batch))
    }

    /// Throws the memory away, if it was made under this token.
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

    /// Of this world and the one with the names of the nodes exchanged, always the same one.
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
