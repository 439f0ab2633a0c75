//! What guests know of the nodes: where each is, which would rather not be asked, and what was heard instead of answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fastrand::Rng;

use super::request::REFUSED;

/// What it is called when nobody listens where a node has been, or where it has said that it would rather not be asked.
pub const GONE: &str = "connection refused, as was to be expected";

/// One for all guests.
pub struct Guide {
    nodes: Mutex<Vec<KnownNode>>,
    /// Whether guests go on asking a node that would rather not be asked.
    stubborn: AtomicBool,
    doubts: Mutex<BTreeMap<(usize, String), usize>>,
}

struct KnownNode {
    url: String,
    /// It closed a connection behind its answer.
    unwilling: bool,
}

impl Guide {
    pub fn to(urls: Vec<String>) -> Self {
        let nodes = urls.into_iter().map(|url| KnownNode { url, unwilling: false }).collect();
        Self { nodes: Mutex::new(nodes), stubborn: AtomicBool::new(true), doubts: Mutex::default() }
    }

    /// From now on guests ask whom they like, or only those who are willing.
    pub fn be_stubborn(&self, stubborn: bool) {
        self.stubborn.store(stubborn, Ordering::SeqCst);
    }

    pub fn count(&self) -> usize {
        self.nodes().len()
    }

    pub fn url(&self, node: usize) -> String {
        self.nodes()[node].url.clone()
    }

    /// Some node that may be asked.
    pub fn any(&self, dice: &mut Rng) -> usize {
        let count = self.count();
        self.from(dice.usize(..count))
    }

    /// The next one after a node.
    pub fn after(&self, node: usize) -> usize {
        self.from(node + 1)
    }

    /// The first that may be asked, from a number on.
    fn from(&self, first: usize) -> usize {
        let (nodes, stubborn) = (self.nodes(), self.stubborn.load(Ordering::SeqCst));
        let willing = |number: &usize| stubborn || !nodes[*number].unwilling;
        let mut in_turn = (first..first + nodes.len()).map(|number| number % nodes.len());
        in_turn.find(willing).unwrap_or(first % nodes.len())
    }

    /// A node said that it would rather not be asked again.
    pub fn closes(&self, node: usize) {
        self.nodes()[node].unwilling = true;
    }

    /// A node was started anew.
    pub fn is_at(&self, node: usize, url: String) {
        self.nodes()[node] = KnownNode { url, unwilling: false };
    }

    /// Whether a node has said that it would rather not be asked.
    pub fn is_unwilling(&self, node: usize) -> bool {
        self.nodes()[node].unwilling
    }

    /// A node gave no answer, but this, when it was asked at an address.
    pub fn doubt(&self, node: usize, url: &str, why: &str) {
        let gone = {
            let known = &self.nodes()[node];
            known.unwilling || known.url != url
        };
        let why = if why == REFUSED && gone { GONE } else { why };
        *self.locked_doubts().entry((node, why.to_owned())).or_default() += 1;
    }

    /// How often each of them gave which, so far.
    pub fn doubts(&self) -> BTreeMap<(usize, String), usize> {
        self.locked_doubts().clone()
    }

    fn nodes(&self) -> MutexGuard<'_, Vec<KnownNode>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn locked_doubts(&self) -> MutexGuard<'_, BTreeMap<(usize, String), usize>> {
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
