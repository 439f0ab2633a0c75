//! Background tasks: each of them panics once, and the service recovers.

use reqwest::{Method, StatusCode};
use rstest::rstest;

use crate::support::app::{App, order, with_lone_app};
use crate::support::cluster::with_nodes;
use crate::support::eventually::eventually;
use crate::support::live::Dashboard;

/// Makes a task panic, and waits until readiness has named it and it runs again. A machine that stalls during the
/// restart delay misses the failure; then the task panics again.
async fn panics_once(app: &App, task: &'static str) {
    let tasks = app.running.engine.tasks();
    eventually(&format!("{task} fails"), async || {
        if tasks.failing().is_none() {
            tasks.inject_panic(task);
        }
        let ready = app.get("/readyz").await;
        ready.status == StatusCode::SERVICE_UNAVAILABLE
            && ready.body["detail"].as_str().is_some_and(|detail| detail.contains(task))
    })
    .await;
    eventually(&format!("{task} runs again"), async || app.get("/readyz").await.status == StatusCode::OK).await;
}

async fn eventually_sells(app: &App, found: bool) {
    eventually("search follows", async || {
        let offers = app.get("/v1/search?city=Lisbon&checkin_date=2026-06-01&checkout_date=2026-06-02").await;
        offers.body["items"].as_array().is_some_and(|items| items.is_empty() != found)
    })
    .await;
}

#[test]
fn dashboards_continue_after_their_task_panicked() {
    with_lone_app(async |app| {
        let room_type = app.room_type(3).await;
        let (mut dashboard, mut projection) = Dashboard::watching(app, &room_type).await;
        panics_once(app, "live").await;
        app.book("after", &order(&room_type, 10, 11)).await;
        while projection.sequence < 2 {
            projection.follow(&dashboard.next().await);
        }
        app.book("later", &order(&room_type, 10, 11)).await;
        while projection.sequence < 3 {
            projection.follow(&dashboard.next().await);
        }
    });
}

#[test]
fn search_follows_again_after_its_task_panicked() {
    with_lone_app(async |app| {
        let room_type = app.room_type(1).await;
        eventually_sells(app, true).await;
        panics_once(app, "search").await;
        eventually_sells(app, true).await;
        app.book("last", &order(&room_type, 1, 2)).await;
        eventually_sells(app, false).await;
    });
}

#[rstest]
#[case("metrics")]
#[case("connections")]
#[case("callers")]
#[case("measuring")]
#[case("expired_idempotency_records")]
#[case("old_events")]
#[case("holds")]
#[case("revocation")]
fn a_task_that_panicked_starts_again(#[case] task: &'static str) {
    with_lone_app(async |app| {
        let room_type = app.room_type(3).await;
        panics_once(app, task).await;
        assert_eq!(app.book("after", &order(&room_type, 10, 11)).await.status, StatusCode::CREATED);
        let metrics = app.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
        let restarts = format!("innkeeper_task_restarts_total{{task=\"{task}\"}}");
        let count = metrics.lines().find_map(|line| line.strip_prefix(&restarts)).unwrap();
        assert!(count.trim().parse::<u64>().unwrap() >= 1, "{count}");
    });
}

#[rstest]
#[case("lease_renewal")]
#[case("heartbeat")]
#[case("store_watch")]
#[case("tail")]
#[case("wake_up_sender")]
#[case("wake_up_receiver")]
fn a_node_whose_task_panicked_still_follows_the_others(#[case] task: &'static str) {
    with_nodes(2, async |cluster| {
        let (room_type, owner) = cluster.room_type(6).await;
        let other = 1 - owner;
        let (mut dashboard, mut projection) = Dashboard::watching(&cluster.nodes[other], &room_type).await;
        for node in &cluster.nodes {
            panics_once(node, task).await;
        }
        let booked = cluster.nodes[owner].book("after", &order(&room_type, 10, 11)).await;
        assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
        while projection.sequence < booked.body["sequence"].as_u64().unwrap() {
            projection.follow(&dashboard.next().await);
        }
        assert_eq!(cluster.owner(&room_type).await, Some(owner), "its lease was kept");
    });
}
