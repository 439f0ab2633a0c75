//! The protocol, as one function per step: `None` if the step cannot be taken now.

use crate::requests::{Key, Requests, allows};
use crate::world::{Actor, Fact, Node, Ownership, Redis, Token, Transaction, World};

/// Facts of one node that may be with the writer at once.
const PLACES: usize = 2;

/// What keeps the promises. Each can be left out, to see which promise it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A commit needs the token of the last claim.
    CommitChecksToken,
    /// A fact is stored only right after the one it was decided on.
    CommitChecksSequence,
    /// A key that has had its effect has no second one.
    CommitChecksKey,
    /// A commit that had to wait for another one begins again: what it sees is as old as its beginning.
    CommitSeesTheLast,
    /// A new owner claims first and loads then.
    ClaimBeforeLoad,
    /// A claim waits for a transaction under way.
    ClaimWaits,
    /// A refusal waits until everything it rests on is stored.
    RefusalWaits,
    /// Before a refusal the key is looked up again, if the owner has loaded since it was looked up first.
    LookAgain,
    /// An owner that is not certain of its lease asks the database, before it answers from memory, whether its claim
    /// still stands.
    Confirm,
    /// An owner is not certain any longer than its lease is good for.
    CertaintyEnds,
}

/// The protocol, what is asked of it, and how far it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    pub requests: Requests,
    /// Ownerships, one after the other, before nobody looks further.
    pub tokens: Token,
    /// Whether a transaction may come to the database later than it is sent, and wait there for others.
    pub late: bool,
    pub without: Option<Rule>,
}

/// When a key was looked up, and not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    BeforeTenure,
    InTenure,
}

/// A transaction: that of a node, or one whose connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Node(usize),
    Orphan(usize),
}

/// A node takes the room type over, and gives it back.
impl Protocol {
    /// One script in Redis: the lease is granted and the fence counter raised. That the lease of another node has ended
    /// shows when somebody takes it; that node knows nothing of it, but it is not certain any more.
    pub fn acquire(&self, world: &World, node: usize) -> Option<World> {
        let is_good =
            |(owner, _): (usize, Token)| owner != node && world.nodes[owner].certain && self.keeps(Rule::CertaintyEnds);
        (world.nodes[node].actor == Actor::Away && !world.redis.lease.is_some_and(is_good)).then_some(())?;
        let mut next = granted(world, node, world.redis.fence + 1);
        next.nodes[node].actor = Actor::Leased;
        Some(next)
    }

    /// Redis cannot be asked, but the lease was never given back: the node goes on, under a token of its own making.
    pub fn go_on(&self, world: &World, node: usize) -> Option<World> {
        let token = world.nodes[node].held? + 1;
        (world.nodes[node].actor == Actor::Away).then_some(())?;
        let mut next = world.clone();
        next.nodes[node].held = Some(token);
        next.nodes[node].certain = false;
        next.nodes[node].actor = Actor::Leased;
        Some(next)
    }

    /// The database takes the token, if it is higher, once no transaction is under way. From then on no older owner can
    /// commit. If it is not higher, Redis has less than the database: it is taught, and the claim is tried again.
    pub fn claim(&self, world: &World, node: usize) -> Option<World> {
        let actor = match &world.nodes[node].actor {
            Actor::Leased if self.keeps(Rule::ClaimBeforeLoad) => Actor::Claimed,
            Actor::Loaded(memory) => {
                Actor::Serving(Ownership { token: world.nodes[node].held?, memory: memory.clone() })
            }
            _ => return None,
        };
        (!world.is_locked() || !self.keeps(Rule::ClaimWaits)).then_some(())?;
        let token = world.nodes[node].held?;
        if world.database.token < token {
            let mut next = world.clone();
            next.database.token = token;
            next.nodes[node].actor = actor;
            return Some(next);
        }
        if world.redis.lease.is_none_or(|(owner, _)| owner == node) {
            return Some(granted(world, node, world.redis.fence.max(world.database.token) + 1));
        }
        let mut next = world.clone();
        next.nodes[node].give_up();
        Some(next)
    }

    /// What is stored is the last word: about the nights, and about every commit in doubt.
    pub fn load(&self, world: &World, node: usize) -> Option<World> {
        let memory = world.database.history.clone();
        let actor = match &world.nodes[node].actor {
            Actor::Claimed => Actor::Serving(Ownership { token: world.nodes[node].held?, memory }),
            Actor::Leased if !self.keeps(Rule::ClaimBeforeLoad) => Actor::Loaded(memory),
            _ => return None,
        };
        let mut next = world.clone();
        next.nodes[node].actor = actor;
        Some(next)
    }

    /// A TTL has passed since Redis last said yes.
    pub fn doubt(&self, world: &World, node: usize) -> Option<World> {
        world.nodes[node].certain.then_some(())?;
        let mut next = world.clone();
        next.nodes[node].certain = false;
        Some(next)
    }

    /// The keeper looks after the lease. Redis may have forgotten it, or granted another one.
    pub fn renew(&self, world: &World, node: usize) -> Option<World> {
        let token = world.nodes[node].held?;
        let mut next = world.clone();
        match world.redis.lease {
            Some(lease) if lease == (node, token) && (world.nodes[node].certain || world.forgotten) => return None,
            Some(lease) if lease == (node, token) => next.nodes[node].certain = true,
            Some((owner, _)) if owner != node => next.nodes[node].give_up(),
            _ if world.redis.fence > token => next.nodes[node].give_up(),
            _ => next = granted(world, node, token),
        }
        Some(next)
    }

    /// Nobody asks for the room type any more, or the node is drained.
    pub fn release(&self, world: &World, node: usize) -> Option<World> {
        let Actor::Serving(ownership) = &world.nodes[node].actor else { return None };
        world.nodes[node].pending().next().is_none().then_some(())?;
        let mut next = world.clone();
        next.nodes[node].give_up();
        next.redis.lease = world.redis.lease.filter(|lease| *lease != (node, ownership.token));
        Some(next)
    }
}

/// An owner at work.
impl Protocol {
    /// A request is granted in memory and its fact handed to the writer, or it is refused. (A key that is found when it
    /// is looked up has its answer: no step. One that somebody here waits for is joined: no step.)
    pub fn decide(&self, world: &World, node: usize, key: Key, looked: Looked) -> Option<World> {
        let here = &world.nodes[node];
        let Actor::Serving(ownership) = &here.actor else { return None };
        let found = here.answered[usize::from(key)] || looked == Looked::InTenure && ownership.memory.contains(&key);
        let joined = here.pending().any(|fact| fact.key == key);
        (!found && !joined).then_some(())?;
        if allows(self.requests, &ownership.memory, key) {
            self.grant(world, node, key)
        } else {
            self.refuse(world, node, key, looked)
        }
    }

    fn grant(&self, world: &World, node: usize, key: Key) -> Option<World> {
        (world.nodes[node].pending().count() < PLACES).then_some(())?;
        let mut next = world.clone();
        let Actor::Serving(ownership) = &mut next.nodes[node].actor else { return None };
        ownership.memory.push(key);
        let fact = Fact { key, token: ownership.token, sequence: ownership.memory.len() as u8 };
        next.nodes[node].queue.push(fact);
        Some(next)
    }

    /// The writer takes everything that waits into one transaction. It is sent with its commit: from now on it may come to
    /// the database, whatever becomes of the node. (Where no transaction is late, it locks the room type's row at once.)
    pub fn begin(&self, world: &World, node: usize) -> Option<World> {
        let Node { queue, transaction, .. } = &world.nodes[node];
        (!queue.is_empty() && transaction.is_none() && (self.late || !world.is_locked())).then_some(())?;
        let mut next = world.clone();
        let batch = std::mem::take(&mut next.nodes[node].queue);
        let accepted = (!self.late).then(|| self.judge(world, &batch));
        let seen = world.database.history.len();
        next.nodes[node].transaction = Some(Transaction { batch, seen, accepted, open: true });
        Some(next)
    }

    /// A transaction gets the lock, and judges. If somebody has committed since it began, it begins again, to see that.
    /// One whose node has gone has one try: all of its batch, or nothing. (One that has seen too little stores nothing;
    /// then it might as well never have come.)
    pub fn lock(&self, world: &World, of: Of) -> Option<World> {
        let mut next = world.clone();
        let transaction = match of {
            Of::Node(node) => next.nodes[node].transaction.as_mut()?,
            Of::Orphan(orphan) => next.database.orphans.get_mut(orphan)?,
        };
        (transaction.open && transaction.accepted.is_none() && !world.is_locked()).then_some(())?;
        if self.keeps(Rule::CommitSeesTheLast) {
            transaction.seen = world.database.history.len();
        }
        let accepted = self.judge(world, &transaction.batch);
        let is_enough = matches!(of, Of::Node(_)) || accepted == transaction.batch.len();
        transaction.accepted = Some(if is_enough { accepted } else { 0 });
        next.database.orphans.sort();
        Some(next)
    }

    /// How many facts of a batch are stored. One that is left out takes all that follow with it: they were decided on
    /// top of it.
    fn judge(&self, world: &World, batch: &[Fact]) -> usize {
        let history = &world.database.history;
        let is_stored = |(index, fact): (usize, &Fact)| {
            let owned = fact.token == world.database.token;
            let follows = usize::from(fact.sequence) == history.len() + index + 1;
            let fresh = !history.contains(&fact.key) && batch[..index].iter().all(|other| other.key != fact.key);
            (owned || !self.keeps(Rule::CommitChecksToken))
                && (follows || !self.keeps(Rule::CommitChecksSequence))
                && (fresh || !self.keeps(Rule::CommitChecksKey))
        };
        batch.iter().enumerate().take_while(|entry| is_stored(*entry)).count()
    }

    /// The transaction ends: everything it has accepted is stored, and counted on top of what it has seen.
    pub fn commit(&self, world: &World, of: Of) -> Option<World> {
        let (mut next, transaction) = ended(world, of)?;
        transaction.accepted?;
        let (stored, _) = transaction.judged();
        if !stored.is_empty() {
            let keys = stored.iter().map(|fact| fact.key);
            next.database.counted = world.database.history[..transaction.seen].iter().copied().chain(keys).collect();
        }
        for fact in stored {
            next.broken.token_went_back |= fact.token < next.database.committed;
            next.broken.stored_after_claim |= fact.token < next.database.token;
            next.database.committed = fact.token;
            next.database.history.push(fact.key);
        }
        told(next, of, transaction)
    }

    /// The transaction ends: nothing is stored. The database was killed, for instance.
    pub fn roll_back(&self, world: &World, of: Of) -> Option<World> {
        let (next, transaction) = ended(world, of)?;
        told(next, of, Transaction { accepted: Some(0), ..transaction })
    }

    /// The writer hears what was stored, and the callers hear it from him. An actor whose fact was left out throws its
    /// memory away.
    pub fn hear(&self, world: &World, node: usize) -> Option<World> {
        let transaction = world.nodes[node].transaction.as_ref().filter(|transaction| !transaction.open)?;
        let (stored, left_out) = transaction.judged();
        let mut next = world.clone();
        next.nodes[node].transaction = None;
        stored.iter().for_each(|fact| next.nodes[node].answered[usize::from(fact.key)] = true);
        next.broken.empty_yes |= stored.iter().any(|fact| !world.database.history.contains(&fact.key));
        left_out.iter().for_each(|fact| next.nodes[node].restart(fact.token));
        Some(next)
    }
}

/// Trouble.
impl Protocol {
    /// The node dies, and starts again with an empty memory.
    pub fn crash(&self, world: &World, node: usize) -> Option<World> {
        (world.nodes[node] != Node::default()).then_some(())?;
        let mut next = world.clone();
        let lost = std::mem::take(&mut next.nodes[node]);
        Some(orphaned(next, lost.transaction))
    }

    /// No answer comes from the transaction: it may be stored, now or later, or never. The actor throws its memory away.
    pub fn lose_connection(&self, world: &World, node: usize) -> Option<World> {
        let mut next = world.clone();
        let transaction = next.nodes[node].transaction.take()?;
        transaction.batch.iter().for_each(|fact| next.nodes[node].restart(fact.token));
        Some(orphaned(next, Some(transaction)))
    }

    /// Redis loses its memory.
    pub fn forget(&self, world: &World) -> Option<World> {
        (world.redis != Redis::default()).then_some(())?;
        let mut next = World { redis: Redis::default(), forgotten: true, ..world.clone() };
        next.nodes.iter_mut().for_each(|node| node.certain = false);
        Some(next)
    }

    pub fn keeps(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}

fn granted(world: &World, node: usize, token: Token) -> World {
    let mut next = world.clone();
    next.redis = Redis { lease: Some((node, token)), fence: token };
    next.nodes[node].held = Some(token);
    next.nodes[node].certain = !world.forgotten;
    next
}

/// Takes an open transaction out of the world.
fn ended(world: &World, of: Of) -> Option<(World, Transaction)> {
    let transaction = match of {
        Of::Node(node) => world.nodes[node].transaction.as_ref(),
        Of::Orphan(orphan) => world.database.orphans.get(orphan),
    };
    transaction.filter(|transaction| transaction.open)?;
    let mut next = world.clone();
    let transaction = match of {
        Of::Node(node) => next.nodes[node].transaction.take()?,
        Of::Orphan(orphan) => next.database.orphans.remove(orphan),
    };
    Some((next, Transaction { open: false, ..transaction }))
}

/// The answer is on its way to the writer, if there is one.
fn told(mut world: World, of: Of, transaction: Transaction) -> Option<World> {
    if let Of::Node(node) = of {
        world.nodes[node].transaction = Some(transaction);
    }
    Some(world)
}

fn orphaned(mut world: World, transaction: Option<Transaction>) -> World {
    world.database.orphans.extend(transaction.filter(|transaction| transaction.open));
    world.database.orphans.sort();
    world
}
