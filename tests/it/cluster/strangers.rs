//! Nodes that are no members of the cluster: on another database, with another secret or another time, or without
//! Redis. They are not ready, name the reason, and do no harm.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use innkeeper::clock::{Clock, ManualClock};
use jiff::Timestamp;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::Value;

use crate::support::app::{App, NOW, order};
use crate::support::cluster::{Cluster, with_mortal_nodes, with_mortal_nodes_on, with_nodes};
use crate::support::counted::counted;
use crate::support::eventually::eventually;
use crate::support::postgres::{Database, Server};

const REFUSED: &str = "innkeeper_announcements_refused_total";

fn clock(ahead_secs: i64) -> Arc<ManualClock> {
    let now = NOW.parse::<Timestamp>().unwrap();
    Arc::new(ManualClock::at(now + jiff::SignedDuration::from_secs(ahead_secs)))
}

/// The detail of a node that must answer with that code.
async fn refused(node: &App, code: &str, room_type: &str) -> String {
    let answer = node.book("at-a-stranger", &order(room_type, 1, 2)).await;
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &Value::from(code)));
    assert!(answer.headers.contains_key("retry-after"));
    answer.body["detail"].as_str().unwrap().to_owned()
}

/// Books one room, as a member can.
async fn sells(node: &App, key: &str, room_type: &str) -> String {
    let mut booked = Value::Null;
    eventually("it sells", async || {
        let answer = node.book(key, &order(room_type, 1, 2)).await;
        booked = answer.body;
        answer.status == StatusCode::CREATED
    })
    .await;
    booked["id"].as_str().unwrap().to_owned()
}

/// A node on another database than the members is not ready, does not answer from it, and is named in their logs. When
/// they have stopped, it becomes the first member.
async fn is_no_member_until_the_others_have_stopped(cluster: &mut Cluster, url: &str, room_type: &str, booking: &str) {
    let before = counted(REFUSED);
    let stranger = cluster.stranger(url, &[], cluster.clock.clone()).await;
    let why = stranger.is_not_ready("not_a_member").await;
    assert!(why.contains("work on another database"), "{why}");
    assert_eq!(refused(&stranger, "not_a_member", room_type).await, why);
    let paths = ["/v1/hotels", "/%761/hotels", "/v1/search?city=Lisbon"].map(str::to_owned);
    for path in paths.into_iter().chain([format!("/v1/bookings/{booking}")]) {
        let answer = stranger.admin_get(&path).await;
        assert_eq!((answer.status, &answer.body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &"not_a_member".into()));
    }
    eventually("the members have seen it", async || counted(REFUSED) > before).await;
    for (n, node) in cluster.nodes.iter().enumerate() {
        // On a busy machine a member's heartbeat may be late.
        eventually("the members are among themselves", async || node.nodes().await.len() == cluster.nodes.len()).await;
        node.is_ready().await;
        sells(node, &format!("meanwhile-{n}"), room_type).await;
    }
    for node in cluster.nodes.drain(..) {
        node.running.abort().await;
    }
    stranger.is_ready().await;
    stranger.running.shutdown().await;
}

#[test]
fn a_node_on_a_restored_dump_waits_until_the_others_have_stopped() {
    with_mortal_nodes(2, async |cluster| {
        let room_type = cluster.nodes[0].room_type(9).await;
        let booking = sells(&cluster.nodes[0], "before", &room_type).await;
        let copy = Database::restored_from(&cluster.database());
        is_no_member_until_the_others_have_stopped(cluster, &copy.url(), &room_type, &booking).await;
        let moved = cluster.stranger(&copy.url(), &[], cluster.clock.clone()).await;
        moved.is_ready().await;
        assert_eq!(moved.admin_get(&format!("/v1/bookings/{booking}")).await.status, StatusCode::OK);
        sells(&moved, "after", &room_type).await;
        moved.running.shutdown().await;
    });
}

#[test]
fn a_node_on_an_empty_database_is_no_member() {
    with_mortal_nodes(1, async |cluster| {
        let room_type = cluster.nodes[0].room_type(9).await;
        let booking = sells(&cluster.nodes[0], "before", &room_type).await;
        is_no_member_until_the_others_have_stopped(cluster, &Database::empty().url(), &room_type, &booking).await;
    });
}

/// A server that runs on a copy of the files of one that is stopped.
fn copied(original: &Server) -> Server {
    Server::start_in(&std::env::temp_dir(), "", |data| {
        let settings = fs::read(data.join("postgresql.conf")).unwrap();
        fs::remove_dir_all(data).unwrap();
        assert!(Command::new("cp").arg("-a").arg(original.data()).arg(data).status().unwrap().success());
        fs::remove_file(data.join("postmaster.pid")).unwrap();
        fs::write(data.join("postgresql.conf"), settings).unwrap();
    })
}

#[test]
fn a_node_on_a_copy_of_the_files_is_a_stranger_and_nodes_stay_together_when_their_server_restarts() {
    let original = Server::start("");
    let url = original.url("postgres");
    with_mortal_nodes_on(&url, 2, async |cluster| {
        let room_type = cluster.nodes[0].room_type(9).await;
        let booking = sells(&cluster.nodes[0], "before", &room_type).await;
        original.kill();
        let copy = copied(&original);
        original.come_back();
        for node in &cluster.nodes {
            node.is_ready().await;
        }
        sells(&cluster.nodes[1], "restarted", &room_type).await;
        is_no_member_until_the_others_have_stopped(cluster, &copy.url("postgres"), &room_type, &booking).await;
    });
}

#[test]
fn a_node_on_a_copy_that_starts_while_the_original_is_down_waits_until_the_members_prove_theirs() {
    let original = Server::start("");
    with_mortal_nodes_on(&original.url("postgres"), 2, async |cluster| {
        original.kill();
        let copy = copied(&original);
        let stranger = cluster.stranger(&copy.url("postgres"), &[], cluster.clock.clone()).await;
        let why = stranger.is_not_ready("not_a_member").await;
        assert!(why.contains("cannot reach theirs now"), "{why}");
        let before = counted(REFUSED);
        original.come_back();
        eventually("the members have seen it", async || counted(REFUSED) > before).await;
        for node in &cluster.nodes {
            node.is_ready().await;
        }
        stranger.is_not_ready("not_a_member").await;
        stranger.running.abort().await;
    });
}

#[test]
fn a_node_with_another_secret_waits_until_the_others_have_stopped() {
    with_mortal_nodes(2, async |cluster| {
        let room_type = cluster.nodes[0].room_type(9).await;
        let other = [("cluster_secret", "the-secret-of-another-cluster")];
        let stranger = cluster.stranger(&cluster.database(), &other, cluster.clock.clone()).await;
        let why = stranger.is_not_ready("not_a_member").await;
        assert!(why.contains("cluster_secret"), "{why}");
        assert_eq!(refused(&stranger, "not_a_member", &room_type).await, why);
        sells(&cluster.nodes[0], "meanwhile", &room_type).await;
        for node in cluster.nodes.drain(..) {
            node.is_ready().await;
            node.running.shutdown().await;
        }
        stranger.is_ready().await;
        sells(&stranger, "alone", &room_type).await;
        stranger.running.shutdown().await;
    });
}

/// Redis uses the time of the machine, which is later than the time of the tests.
#[rstest]
#[case::most_disagree(2, 600, " s ahead of the other nodes")]
#[case::redis_disagrees(1, -600, " s behind the other nodes")]
fn a_node_whose_clock_is_wrong_is_ready_when_it_is_right(
    #[case] members: usize,
    #[case] ahead_secs: i64,
    #[case] said: &str,
) {
    with_mortal_nodes(members, async |cluster| {
        let room_type = cluster.nodes[0].room_type(9).await;
        let stranger = cluster.stranger(&cluster.database(), &[], clock(ahead_secs)).await;
        let why = stranger.is_not_ready("not_a_member").await;
        assert!(why.contains(said), "{why}");
        assert_eq!(refused(&stranger, "not_a_member", &room_type).await, why);
        sells(&cluster.nodes[0], "meanwhile", &room_type).await;
        cluster.nodes[0].is_ready().await;
        stranger.clock.set(cluster.clock.now());
        stranger.is_ready().await;
        sells(&stranger, "after", &room_type).await;
        stranger.running.shutdown().await;
    });
}

#[test]
fn a_member_with_a_wrong_clock_gives_up_its_room_types() {
    with_mortal_nodes(2, async |cluster| {
        let third = cluster.stranger(&cluster.database(), &[], clock(0)).await;
        third.is_ready().await;
        let mut room_types = Vec::new();
        while third.owned().await.len() < 2 {
            room_types.push(third.room_type(9).await);
        }
        third.clock.set(cluster.clock.now() + jiff::SignedDuration::from_secs(600));
        let why = third.is_not_ready("not_a_member").await;
        assert!(why.contains(" s ahead of the other nodes"), "{why}");
        for (n, room_type) in room_types.iter().enumerate() {
            sells(&cluster.nodes[n % 2], &format!("key-{n}"), room_type).await;
        }
        eventually("it owns nothing", async || third.owned().await.is_empty()).await;
        third.clock.set(cluster.clock.now());
        third.is_ready().await;
        third.running.shutdown().await;
    });
}

#[test]
fn clocks_that_are_set_together_change_nothing() {
    with_nodes(3, async |cluster| {
        let (room_type, _) = cluster.room_type(9).await;
        cluster.clock.set(cluster.clock.now() + jiff::SignedDuration::from_secs(7_200));
        for n in 0..20 {
            let node = &cluster.nodes[n % 3];
            assert_eq!(node.get("/readyz").await.status, StatusCode::OK);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        sells(&cluster.nodes[0], "after", &room_type).await;
    });
}

#[test]
fn a_node_without_an_answer_from_redis_is_not_ready() {
    with_mortal_nodes(1, async |cluster| {
        let room_type = cluster.nodes[0].room_type(9).await;
        cluster.nodes.pop().unwrap().running.shutdown().await;
        cluster.redis.stop();
        let node = cluster.stranger(&cluster.database(), &[], cluster.clock.clone()).await;
        let why = node.is_not_ready("unavailable").await;
        assert_eq!(why, "Redis has not answered since this node started.");
        let why = refused(&node, "unavailable", &room_type).await;
        assert!(why.contains("Redis") && !why.contains("store"), "{why}");
        cluster.redis.start_again();
        node.is_ready().await;
        sells(&node, "after", &room_type).await;
        node.running.shutdown().await;
    });
}

#[test]
fn a_node_without_redis_sells_and_is_not_ready_after_the_ttl() {
    with_mortal_nodes(1, async |cluster| {
        let (room_type, _) = cluster.room_type(9).await;
        let node = &cluster.nodes[0];
        cluster.redis.stop();
        let why = node.is_not_ready("unavailable").await;
        assert_eq!(why, "Redis has not answered for as long as a lease lasts.");
        sells(node, "without", &room_type).await;
        cluster.redis.start_again();
        node.is_ready().await;
    });
}
