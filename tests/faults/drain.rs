//! Nodes are drained or stopped and started again, one after the other, with clients at all of them. No request is
//! refused for that, and none is cut.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use rstest::rstest;

use super::guide::GONE;
use super::nemesis::Nemesis;
use super::node::Way;
use super::scenario::nemesis;

/// The default settings of a node.
const LEASE_TTL_SECS: u64 = 10;

#[rstest]
#[case::drained_and_then_stopped(true)]
#[case::stopped(false)]
fn no_request_is_refused_while_each_node_in_turn_is(#[case] drained_before: bool) {
    nemesis(LEASE_TTL_SECS, Way::Straight, async |nemesis| {
        for node in 0..nemesis.cluster.nodes.len() {
            nemesis.calm().await;
            if drained_before {
                drain(nemesis, node).await;
            }
            stop(nemesis, node).await;
            start(nemesis, node).await;
        }
        assert_eq!(unanswered(nemesis), BTreeMap::new(), "{}", nemesis.cluster.last_words());
    });
}

/// Clients keep sending requests to a node that owns nothing.
async fn drain(nemesis: &mut Nemesis, node: usize) {
    let (status, drained) = nemesis.nodes.drain(node).await.unwrap();
    assert_eq!((status, drained["draining"].as_bool()), (StatusCode::OK, Some(true)), "{drained}");
    nemesis.calm().await;
    assert!(nemesis.nodes.guide.is_unwilling(node), "the node does not ask clients to leave");
}

/// Clients avoid a node that asks them to, as a balancer does.
async fn stop(nemesis: &mut Nemesis, node: usize) {
    nemesis.nodes.guide.be_stubborn(false);
    assert!(nemesis.cluster.nodes[node].replaced(), "{}", nemesis.cluster.last_words());
    nemesis.calm().await;
}

/// Clients use the node again.
async fn start(nemesis: &mut Nemesis, node: usize) {
    nemesis.cluster.nodes[node].start();
    let url = nemesis.cluster.nodes[node].url();
    nemesis.nodes.guide.is_at(node, url);
    nemesis.nodes.guide.be_stubborn(true);
}

/// What clients got in place of answers, by node. Refused connections of nodes that sent clients away, or ended, do
/// not count.
fn unanswered(nemesis: &Nemesis) -> BTreeMap<(usize, String), usize> {
    let mut doubts = nemesis.nodes.guide.doubts();
    doubts.retain(|(_, why), _| why != GONE);
    doubts
}
