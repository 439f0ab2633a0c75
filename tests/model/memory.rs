//! Answers of an owner from memory, and how it learns that it is not the owner: steps that store nothing.

use crate::protocol::{Looked, Protocol, Rule};
use crate::requests::{Key, allows};
use crate::world::{Actor, Ownership, World};

impl Protocol {
    /// A request is refused because of the state in memory.
    pub fn refuse(&self, world: &World, node: usize, key: Key, looked: Looked) -> Option<World> {
        if !self.may_speak(world, node)? {
            return None; // As when it is looked at.
        }
        let history = &world.database.history;
        if looked == Looked::BeforeOwnership && self.keeps(Rule::LookAgain) && history.contains(&key) {
            return None; // It has its answer.
        }
        let before = history.iter().position(|known| *known == key).unwrap_or(history.len());
        let founded = (0..=before).any(|time| !allows(self.requests, &history[..time], key));
        (!founded).then_some(())?;
        let mut next = world.clone();
        next.broken.unfounded_no = true;
        Some(next)
    }

    /// A client reads the nights from memory; or the owner learns that it is not the owner.
    pub fn look(&self, world: &World, node: usize) -> Option<World> {
        let mut next = world.clone();
        if self.may_speak(world, node)? {
            let Actor::Serving(ownership) = &world.nodes[node].actor else { return None };
            next.broken.outdated = !world.forgotten && ownership.memory != world.database.history;
            return next.broken.outdated.then_some(next);
        }
        next.nodes[node].give_up();
        Some(next)
    }

    /// Whether an owner may answer from memory: `None` until everything in memory is stored, `false` if its claim is
    /// no longer the last one.
    fn may_speak(&self, world: &World, node: usize) -> Option<bool> {
        let Actor::Serving(Ownership { token, .. }) = &world.nodes[node].actor else { return None };
        let durable = world.nodes[node].pending().all(|fact| fact.token != *token);
        (durable || !self.keeps(Rule::RefusalWaits)).then_some(())?;
        let is_trusted = world.nodes[node].certain || world.forgotten || !self.keeps(Rule::Confirm);
        Some(is_trusted || world.database.token == *token)
    }

    /// The node reads the commits of another node from the history.
    pub fn follow(&self, world: &World, node: usize) -> Option<World> {
        let Actor::Serving(ownership) = &world.nodes[node].actor else { return None };
        (world.database.history.len() > ownership.memory.len()).then_some(())?;
        let mut next = world.clone();
        next.nodes[node].give_up();
        Some(next)
    }
}
