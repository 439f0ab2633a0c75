//! The invariants of every reachable state, and the states that must be reachable.

use stateright::Property;

use crate::protocol::Protocol;
use crate::requests::sold;
use crate::world::{Actor, Node, Transaction, World};

pub const NEVER_OVERSOLD: &str = "no night is sold twice";
pub const ACKNOWLEDGED_IS_STORED: &str = "an acknowledged request is stored";
pub const REFUSED_IS_RIGHT: &str = "a refused request could not be accepted";
pub const SAID_IS_STORED: &str = "what is said from memory is what is stored";
pub const COUNTED: &str = "every night is counted as it is sold";
pub const ONE_EFFECT: &str = "one key, one effect";
pub const TOKENS_GROW: &str = "tokens of commits never go back";
pub const CLAIM_IS_THE_END: &str = "after a claim nothing older is stored";
pub const OWNER_KNOWS: &str = "the owner knows everything that is stored";

pub fn all() -> Vec<Property<Protocol>> {
    vec![
        always(NEVER_OVERSOLD, |it, world| sold(it.requests, &world.database.history).iter().all(|times| *times <= 1)),
        always(ACKNOWLEDGED_IS_STORED, |_, world| !world.broken.empty_yes),
        always(REFUSED_IS_RIGHT, |_, world| !world.broken.unfounded_no),
        always(SAID_IS_STORED, |_, world| !world.broken.outdated),
        always(ONE_EFFECT, |_, world| {
            let history = &world.database.history;
            (1..history.len()).all(|time| !history[..time].contains(&history[time]))
        }),
        always(COUNTED, |_, world| world.database.counted == world.database.history),
        always(TOKENS_GROW, |_, world| !world.broken.token_went_back),
        always(CLAIM_IS_THE_END, |_, world| !world.broken.stored_after_claim),
        always(OWNER_KNOWS, the_owner_has_every_stored_fact),
        sometimes("every night is sold", |it, world| sold(it.requests, &world.database.history) == [1, 1]),
        sometimes("an owner goes on from what another one has stored", |_, world| {
            let mut tokens = world.nodes.iter().filter_map(|node| Some(node.transaction.as_ref()?.batch[0].token));
            world.database.committed > 0 && tokens.any(|token| token > world.database.committed)
        }),
        sometimes("both nodes take themselves for the owner", |_, world| {
            world.nodes.iter().all(|node| matches!(node.actor, Actor::Serving(_)))
        }),
        sometimes("an owner that was replaced asks whether it was", |_, world| {
            let is_stale = |node: &Node| match &node.actor {
                Actor::Serving(ownership) => !node.certain && ownership.token < world.database.token,
                _ => false,
            };
            !world.forgotten && world.nodes.iter().any(is_stale)
        }),
        sometimes("a stale owner is fenced", |_, world| {
            let transactions = world.nodes.iter().filter_map(|node| node.transaction.as_ref());
            let mut judged = transactions.filter(|transaction| transaction.accepted.is_some());
            judged.any(|transaction| transaction.judged().1.iter().any(|fact| fact.token < world.database.token))
        }),
        sometimes("a commit has an unknown outcome", |_, world| {
            world.database.orphans.iter().any(|transaction| !transaction.judged().0.is_empty())
        }),
        sometimes("a commit waits for one with an unknown outcome", |it, world| {
            let waits = |node: &Node| node.transaction.as_ref().is_some_and(|it| it.open && it.accepted.is_none());
            let unknown_outcome = world.database.orphans.iter().any(|transaction| !transaction.judged().0.is_empty());
            !it.late || unknown_outcome && world.nodes.iter().any(waits)
        }),
        sometimes("a commit comes when its node is gone and another one has claimed", |it, world| {
            let comes_late = |it: &Transaction| it.accepted.is_some() && it.batch[0].token < world.database.token;
            !it.late || world.database.orphans.iter().any(comes_late)
        }),
        sometimes("Redis has forgotten what the database knows", |_, world| {
            world.redis.lease.is_some() && world.redis.fence < world.database.token
        }),
        sometimes("two nodes hold the same token", |_, world| {
            world.nodes[0].held.is_some() && world.nodes[0].held == world.nodes[1].held
        }),
    ]
}

type Holds = fn(&Protocol, &World) -> bool;

fn always(name: &'static str, holds: Holds) -> Property<Protocol> {
    Property::always(name, holds)
}

fn sometimes(name: &'static str, holds: Holds) -> Property<Protocol> {
    Property::sometimes(name, holds)
}

/// All stored facts are in the memory of the owner whose token the database has, in the same order.
fn the_owner_has_every_stored_fact(_: &Protocol, world: &World) -> bool {
    world.nodes.iter().all(|node| match &node.actor {
        Actor::Serving(ownership) if ownership.token == world.database.token => {
            ownership.memory.starts_with(&world.database.history)
        }
        _ => true,
    })
}
