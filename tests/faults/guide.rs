//! What clients know about the nodes: addresses, nodes that ask clients to leave, and failures in place of answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fastrand::Rng;

use super::request::REFUSED;

/// The failure of a refused connection at an address where a node ended, or asked clients to leave.
pub const GONE: &str = "connection refused, as was to be expected";

/// Shared by all clients.
pub struct Guide {
    nodes: Mutex<Vec<KnownNode>>,
    /// Whether clients keep using a node that asks them to leave.
    stubborn: AtomicBool,
    doubts: Mutex<BTreeMap<(usize, String), usize>>,
}

struct KnownNode {
    url: String,
    /// The node closed a connection after its answer.
    unwilling: bool,
}

impl Guide {
    pub fn to(urls: Vec<String>) -> Self {
        let nodes = urls.into_iter().map(|url| KnownNode { url, unwilling: false }).collect();
        Self { nodes: Mutex::new(nodes), stubborn: AtomicBool::new(true), doubts: Mutex::default() }
    }

    /// From now on clients use all nodes, or only willing ones.
    pub fn be_stubborn(&self, stubborn: bool) {
        self.stubborn.store(stubborn, Ordering::SeqCst);
    }

    pub fn count(&self) -> usize {
        self.nodes().len()
    }

    pub fn url(&self, node: usize) -> String {
        self.nodes()[node].url.clone()
    }

    /// A random node that may be used.
    pub fn any(&self, dice: &mut Rng) -> usize {
        let count = self.count();
        self.from(dice.usize(..count))
    }

    /// The next node that may be used.
    pub fn after(&self, node: usize) -> usize {
        self.from(node + 1)
    }

    /// The first node that may be used, from a number on.
    fn from(&self, first: usize) -> usize {
        let (nodes, stubborn) = (self.nodes(), self.stubborn.load(Ordering::SeqCst));
        let willing = |number: &usize| stubborn || !nodes[*number].unwilling;
        let mut in_turn = (first..first + nodes.len()).map(|number| number % nodes.len());
        in_turn.find(willing).unwrap_or(first % nodes.len())
    }

    /// A node asks clients to leave.
    pub fn closes(&self, node: usize) {
        self.nodes()[node].unwilling = true;
    }

    /// A node was started again.
    pub fn is_at(&self, node: usize, url: String) {
        self.nodes()[node] = KnownNode { url, unwilling: false };
    }

    /// Whether a node asks clients to leave.
    pub fn is_unwilling(&self, node: usize) -> bool {
        self.nodes()[node].unwilling
    }

    /// A request to a node at an address failed.
    pub fn doubt(&self, node: usize, url: &str, why: &str) {
        let gone = {
            let known = &self.nodes()[node];
            known.unwilling || known.url != url
        };
        let why = if why == REFUSED && gone { GONE } else { why };
        *self.locked_doubts().entry((node, why.to_owned())).or_default() += 1;
    }

    /// The number of failures of each kind, by node.
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
