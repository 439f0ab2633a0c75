//! A path of the checker as text.

use std::fmt::Write as _;

use crate::check::Step;
use crate::protocol::{Looked, Of, Protocol};
use crate::requests::{Key, Request};
use crate::world::{Actor, Fact, World};

/// One line per step.
pub fn tell(protocol: &Protocol, path: Vec<(World, Option<Step>)>) -> String {
    let mut lines = String::new();
    for (number, pair) in path.windows(2).enumerate() {
        let [(before, Some(step)), (after, _)] = pair else { continue };
        let _ = writeln!(lines, "{:>4}. {}", number + 1, protocol.sentence(*step, before, after));
    }
    lines
}

impl Protocol {
    fn sentence(&self, step: Step, before: &World, after: &World) -> String {
        match step {
            Step::Acquire(node) => format!("Redis grants {} the lease, {}.", name(node), token(node, after)),
            Step::GoOn(node) => format!("{} continues without Redis, with {}.", name(node), token(node, after)),
            Step::Claim(node) => claim(node, after),
            Step::Load(node) => format!("{} loads: {}.", name(node), self.list(&before.database.history)),
            Step::Doubt(node) => format!("{} has had no confirmation of its lease for a TTL.", name(node)),
            Step::Renew(node) if after.nodes[node].actor == Actor::Away => {
                format!("{} finds another owner of its lease, and stops.", name(node))
            }
            Step::Renew(node) if before.redis == after.redis => format!("{} renews its lease.", name(node)),
            Step::Renew(node) => format!("{} finds its lease missing, and sets it again.", name(node)),
            Step::Release(node) => format!("{} releases the room type.", name(node)),
            Step::Decide(node, key, looked) => self.decision(node, key, looked, before, after),
            Step::Look(node) if after.broken.outdated => {
                format!("{} shows what it has in memory: {}.", name(node), self.list(memory(node, before)))
            }
            Step::Look(node) => format!("{} checks its claim before it answers, and stops.", name(node)),
            Step::Follow(node) => format!("{} reads the commits of another node, and stops.", name(node)),
            Step::Begin(node) => format!("{}'s writer sends a transaction{}.", name(node), self.judged(node, after)),
            Step::Lock(Of::Node(node)) => {
                format!("{}'s transaction gets the lock{}.", name(node), self.judged(node, after))
            }
            Step::Lock(of) => format!("{} arrives, and gets the lock.", whose(of)),
            Step::Commit(of) => format!("The database commits {}.", whose(of)),
            Step::RollBack(of) => format!("The database rolls {} back.", whose(of)),
            Step::Hear(node) => format!("{}'s writer gets the result, and answers its callers.", name(node)),
            Step::LoseConnection(node) => {
                format!("{} loses its connection: the outcome of the commit is unknown.", name(node))
            }
            Step::Crash(node) => format!("{} crashes, and starts again.", name(node)),
            Step::RedisForgets => "Redis loses its memory.".to_owned(),
        }
    }

    fn decision(&self, node: usize, key: Key, looked: Looked, before: &World, after: &World) -> String {
        let granted = after.nodes[node].queue.len() > before.nodes[node].queue.len();
        let decides = if granted { "accepts in memory" } else { "refuses" };
        let since = match looked {
            Looked::BeforeOwnership => ", whose key was looked up before it loaded",
            Looked::InOwnership => "",
        };
        format!("{} {decides}: {}{since}.", name(node), self.list(&[key]))
    }

    fn judged(&self, node: usize, after: &World) -> String {
        let keys = |facts: &[Fact]| self.list(&facts.iter().map(|fact| fact.key).collect::<Vec<_>>());
        match &after.nodes[node].transaction {
            Some(it) if it.accepted.is_some() => {
                let (stored, left_out) = it.judged();
                format!("; accepted: {}; left out: {}", keys(stored), keys(left_out))
            }
            _ => String::new(),
        }
    }

    fn list(&self, keys: &[Key]) -> String {
        let words: Vec<String> = keys.iter().map(|key| self.request(*key)).collect();
        if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
    }

    fn request(&self, key: Key) -> String {
        match self.requests[usize::from(key)] {
            Request::Book([night]) => format!("“night {}”", night + 1),
            Request::Book(_) => "“both nights”".to_owned(),
            Request::Cancel(booking) => format!("“cancel {}”", self.request(booking).trim_matches(['“', '”'])),
        }
    }
}

fn claim(node: usize, after: &World) -> String {
    match &after.nodes[node].actor {
        Actor::Claimed | Actor::Serving(_) => format!("The database takes {}'s {}.", name(node), token(node, after)),
        Actor::Away => format!("{}'s claim comes too late: it lets go.", name(node)),
        _ => format!("{}'s claim is too low: Redis is taught, and grants {}.", name(node), token(node, after)),
    }
}

fn memory(node: usize, world: &World) -> &[Key] {
    match &world.nodes[node].actor {
        Actor::Serving(ownership) => &ownership.memory,
        _ => &[],
    }
}

fn token(node: usize, world: &World) -> String {
    world.nodes[node].held.map_or_else(|| "no token".to_owned(), |token| format!("token {token}"))
}

fn whose(of: Of) -> String {
    match of {
        Of::Node(node) => format!("{}'s transaction", name(node)),
        Of::Orphan(_) => "a transaction whose connection is gone".to_owned(),
    }
}

fn name(node: usize) -> &'static str {
    ["Node A", "Node B"][node]
}
