//! Nodes go and come back in order, one after the other, with guests at all of them: nobody is refused for that, and no
//! request is cut.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use rstest::rstest;

use super::guide::GONE;
use super::nemesis::Nemesis;
use super::node::Way;
use super::scenario::nemesis;

/// As nodes are run by default.
const LEASE_TTL_SECS: u64 = 10;

#[rstest]
#[case::drained_and_then_stopped(true)]
#[case::stopped(false)]
fn nobody_is_refused_while_every_node_in_turn_is(#[case] drained_before: bool) {
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

/// Guests go on asking a node that has nothing any more.
async fn drain(nemesis: &mut Nemesis, node: usize) {
    let (status, drained) = nemesis.nodes.drain(node).await.unwrap();
    assert_eq!((status, drained["draining"].as_bool()), (StatusCode::OK, Some(true)), "{drained}");
    nemesis.calm().await;
    assert!(nemesis.nodes.guide.is_unwilling(node), "nobody is told to ask elsewhere");
}

/// Guests ask elsewhere as soon as they are told, as a balancer would.
async fn stop(nemesis: &mut Nemesis, node: usize) {
    nemesis.nodes.guide.be_stubborn(false);
    assert!(nemesis.cluster.nodes[node].replaced(), "{}", nemesis.cluster.last_words());
    nemesis.calm().await;
}

/// Guests find it again.
async fn start(nemesis: &mut Nemesis, node: usize) {
    nemesis.cluster.nodes[node].start();
    let url = nemesis.cluster.nodes[node].url();
    nemesis.nodes.guide.is_at(node, url);
    nemesis.nodes.guide.be_stubborn(true);
}

/// What guests heard instead of answers, by node; but for connections that were refused by nodes
/// that had sent guests away, or were gone.
fn unanswered(nemesis: &Nemesis) -> BTreeMap<(usize, String), usize> {
    let mut doubts = nemesis.nodes.guide.doubts();
    doubts.retain(|(_, why), _| why != GONE);
    doubts
}
