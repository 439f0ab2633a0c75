//! The protocol, one function per step: `None` if the step is not possible now.

use crate::requests::{Key, Requests, allows};
use crate::world::{Actor, Fact, Node, Ownership, Redis, Token, Transaction, World};

/// The limit of facts of one node at the writer.
const PLACES: usize = 2;

/// The rules that keep the promises. Each can be switched off, to see which promise it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A commit needs the token of the last claim.
    CommitChecksToken,
    /// A fact is stored only directly after the fact that it was decided on.
    CommitChecksSequence,
    /// A key that has had its effect has no second one.
    CommitChecksKey,
    /// A commit that had to wait for another one restarts, because its snapshot is as old as its beginning.
    CommitSeesTheLast,
    /// A new owner claims first and loads then.
    ClaimBeforeLoad,
    /// A claim waits for a transaction under way.
    ClaimWaits,
    /// A refusal waits until every fact that it depends on is stored.
    RefusalWaits,
    /// Before a refusal, the owner looks the key up again if it has loaded since the first look-up.
    LookAgain,
    /// An owner that is not certain of its lease asks the database whether its claim is still the last one, before it
    /// answers from memory.
    Confirm,
    /// An owner is certain for at most the TTL of its lease.
    CertaintyEnds,
}

/// The protocol, its requests, and the bounds of the search.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    pub requests: Requests,
    /// The limit of ownerships in a row.
    pub tokens: Token,
    /// Whether a transaction may reach the database later than it is sent, and wait there for others.
    pub late: bool,
    pub without: Option<Rule>,
}

/// A key that was looked up and not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    BeforeOwnership,
    InOwnership,
}

/// A transaction: of a node, or without a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Node(usize),
    Orphan(usize),
}

/// A node takes over the room type, and releases it.
impl Protocol {
    /// One script in Redis grants the lease and raises the fence counter. The end of another node's lease shows only
    /// when a node takes it. The other node does not know it, but it is no longer certain.
    pub fn acquire(&self, world: &World, node: usize) -> Option<World> {
        let is_good =
            |(owner, _): (usize, Token)| owner != node && world.nodes[owner].certain && self.keeps(Rule::CertaintyEnds);
        (world.nodes[node].actor == Actor::Away && !world.redis.lease.is_some_and(is_good)).then_some(())?;
        let mut next = granted(world, node, world.redis.fence + 1);
        next.nodes[node].actor = Actor::Leased;
        Some(next)
    }

    /// Redis does not answer, and the lease was never released: the node continues with a token that it makes by
    /// itself.
    pub fn go_on(&self, world: &World, node: usize) -> Option<World> {
        let token = world.nodes[node].held? + 1;
        (world.nodes[node].actor == Actor::Away).then_some(())?;
        let mut next = world.clone();
        next.nodes[node].held = Some(token);
        next.nodes[node].certain = false;
        next.nodes[node].actor = Actor::Leased;
        Some(next)
    }

    /// The database accepts the token if it is higher, after the running transaction. From then on no older owner can
    /// commit. If it is not higher, Redis has less than the database: it gets the database's token, and the claim is
    /// repeated.
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

    /// The store has the final state of the nights, and of every unknown outcome.
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

    /// A TTL has passed since Redis last confirmed the lease.
    pub fn doubt(&self, world: &World, node: usize) -> Option<World> {
        world.nodes[node].certain.then_some(())?;
        let mut next = world.clone();
        next.nodes[node].certain = false;
        Some(next)
    }

    /// The keeper renews the lease. Redis may have lost it, or granted another one.
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

    /// The room type is idle, or the node is drained.
    pub fn release(&self, world: &World, node: usize) -> Option<World> {
        let Actor::Serving(ownership) = &world.nodes[node].actor else { return None };
        world.nodes[node].pending().next().is_none().then_some(())?;
        let mut next = world.clone();
        next.nodes[node].give_up();
        next.redis.lease = world.redis.lease.filter(|lease| *lease != (node, ownership.token));
        Some(next)
    }
}

/// The steps of an owner.
impl Protocol {
    /// A request is accepted in memory and its fact goes to the writer, or it is refused. (A key with a stored answer
    /// needs no step, and a request that joins another one needs no step.)
    pub fn decide(&self, world: &World, node: usize, key: Key, looked: Looked) -> Option<World> {
        let here = &world.nodes[node];
        let Actor::Serving(ownership) = &here.actor else { return None };
        let found = here.answered[usize::from(key)] || looked == Looked::InOwnership && ownership.memory.contains(&key);
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

    /// The writer takes all waiting facts into one transaction, sent with its commit. It may reach the database at any
    /// later time, also after the end of the node. (Where no transaction is late, it locks the room type's row at
    /// once.)
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

    /// A transaction gets the lock and checks its facts. If another one has committed since it began, it restarts, to
    /// see that. A transaction whose node has ended has one attempt: all of its batch, or nothing. (One with an old
    /// snapshot stores nothing, as if it had never arrived.)
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

    /// The number of facts of a batch that are stored. A fact that is left out excludes all later ones, because they
    /// were decided on top of it.
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

    /// The transaction ends: all accepted facts are stored, and counted on top of its snapshot.
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

    /// The transaction ends and stores nothing, for example because the database was killed.
    pub fn roll_back(&self, world: &World, of: Of) -> Option<World> {
        let (next, transaction) = ended(world, of)?;
        told(next, of, Transaction { accepted: Some(0), ..transaction })
    }

    /// The writer learns what was stored, and answers the callers. An actor whose fact was left out drops its memory.
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

/// The failures.
impl Protocol {
    /// The node dies, and starts again with an empty memory.
    pub fn crash(&self, world: &World, node: usize) -> Option<World> {
        (world.nodes[node] != Node::default()).then_some(())?;
        let mut next = world.clone();
        let lost = std::mem::take(&mut next.nodes[node]);
        Some(orphaned(next, lost.transaction))
    }

    /// The transaction has no answer: it may be stored, now or later, or never. The actor drops its memory.
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

/// Removes an open transaction from the state.
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

/// Delivers the answer to the writer, if there is one.
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
