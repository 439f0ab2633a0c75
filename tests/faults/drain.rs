//! Nodes go and come back in order, one after the other, with guests at all of them: nobody is refused for that, and no
//! request is cut.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use rstest::rstest;

use super::guide::GONE;
use super::node::Way;
use super::scenario::weather;
use super::weather::Weather;

/// As nodes are run by default.
const LEASE_TTL_SECS: u64 = 10;

#[rstest]
#[case::drained_and_then_stopped(true)]
#[case::stopped(false)]
fn nobody_is_refused_while_every_node_in_turn_is(#[case] drained_before: bool) {
    weather(LEASE_TTL_SECS, Way::Straight, async |weather| {
        for node in 0..weather.cluster.nodes.len() {
            weather.calm().await;
            if drained_before {
                drain(weather, node).await;
            }
            stop(weather, node).await;
            start(weather, node).await;
        }
        assert_eq!(unanswered(weather), BTreeMap::new(), "{}", weather.cluster.last_words());
    });
}

/// Guests go on asking a node that has nothing any more.
async fn drain(weather: &mut Weather, node: usize) {
    let (status, drained) = weather.nodes.drain(node).await.unwrap();
    assert_eq!((status, drained["draining"].as_bool()), (StatusCode::OK, Some(true)), "{drained}");
    weather.calm().await;
    assert!(weather.nodes.guide.is_unwilling(node), "nobody is told to ask elsewhere");
}

/// Guests ask elsewhere as soon as they are told, as a balancer would.
async fn stop(weather: &mut Weather, node: usize) {
    weather.nodes.guide.be_stubborn(false);
    assert!(weather.cluster.nodes[node].replaced(), "{}", weather.cluster.last_words());
    weather.calm().await;
}

/// Guests find it again.
async fn start(weather: &mut Weather, node: usize) {
    weather.cluster.nodes[node].start();
    let url = weather.cluster.nodes[node].url();
    weather.nodes.guide.is_at(node, url);
    weather.nodes.guide.be_stubborn(true);
}

/// What guests heard instead of answers, by node; but for connections that were refused by nodes
/// that had sent guests away, or were gone.
fn unanswered(weather: &Weather) -> BTreeMap<(usize, String), usize> {
    let mut doubts = weather.nodes.guide.doubts();
    doubts.retain(|(_, why), _| why != GONE);
    doubts
}
