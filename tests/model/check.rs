//! The protocol for the model checker: every possible step may be the next one.
//!
//! So a paused node needs no step: its turn does not come. The same holds for a Redis that is away. Clocks are not
//! modelled:
//! a lease may end at any time after its owner has stopped being certain, and that may happen at any time.

use stateright::{Model, Property};

use crate::promises;
use crate::protocol::{Looked, Of, Protocol};
use crate::requests::Key;
use crate::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Acquire(usize),
    GoOn(usize),
    Claim(usize),
    Load(usize),
    Doubt(usize),
    Renew(usize),
    Release(usize),
    Decide(usize, Key, Looked),
    Look(usize),
    Follow(usize),
    Begin(usize),
    Lock(Of),
    Commit(Of),
    Hear(usize),
    RollBack(Of),
    LoseConnection(usize),
    Crash(usize),
    RedisForgets,
}

impl Model for Protocol {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::default()]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        for node in 0..world.nodes.len() {
            steps.extend([Step::Acquire(node), Step::GoOn(node), Step::Claim(node), Step::Load(node)]);
            steps.extend([Step::Doubt(node), Step::Renew(node), Step::Release(node)]);
            for key in 0..self.requests.len() as Key {
                steps.extend(
                    [Looked::InOwnership, Looked::BeforeOwnership].map(|looked| Step::Decide(node, key, looked)),
                );
            }
            steps.extend([Step::Look(node), Step::Follow(node)]);
            steps.extend([Step::Begin(node), Step::Lock(Of::Node(node)), Step::Commit(Of::Node(node))]);
            steps.push(Step::Hear(node));
            steps.extend([Step::RollBack(Of::Node(node)), Step::LoseConnection(node), Step::Crash(node)]);
        }
        for orphan in (0..world.database.orphans.len()).map(Of::Orphan) {
            steps.extend([Step::Lock(orphan), Step::Commit(orphan), Step::RollBack(orphan)]);
        }
        steps.push(Step::RedisForgets);
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        match step {
            Step::Acquire(node) => self.acquire(world, node),
            Step::GoOn(node) => self.go_on(world, node),
            Step::Claim(node) => self.claim(world, node),
            Step::Load(node) => self.load(world, node),
            Step::Doubt(node) => self.doubt(world, node),
            Step::Renew(node) => self.renew(world, node),
            Step::Release(node) => self.release(world, node),
            Step::Decide(node, key, looked) => self.decide(world, node, key, looked),
            Step::Look(node) => self.look(world, node),
            Step::Follow(node) => self.follow(world, node),
            Step::Begin(node) => self.begin(world, node),
            Step::Lock(of) => self.lock(world, of),
            Step::Commit(of) => self.commit(world, of),
            Step::Hear(node) => self.hear(world, node),
            Step::RollBack(of) => self.roll_back(world, of),
            Step::LoseConnection(node) => self.lose_connection(world, node),
            Step::Crash(node) => self.crash(world, node),
            Step::RedisForgets => self.forget(world),
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promises::all()
    }

    fn within_boundary(&self, world: &World) -> bool {
        let held = world.nodes.iter().filter_map(|node| node.held);
        held.chain([world.redis.fence, world.database.token]).all(|token| token <= self.tokens)
    }
}
