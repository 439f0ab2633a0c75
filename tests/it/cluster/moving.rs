//! Room types move between nodes when one drains, joins or dies.

use std::pin::pin;

use futures_util::poll;
use innkeeper::domain::RoomTypeId;
use innkeeper::lease::{Acquired, Asked, Lease};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::failures::outsider;
use crate::support::app::{ADMIN, App, NOW, answer, order, with_lone_app};
use crate::support::cluster::{Cluster, with_mortal_nodes, with_nodes, with_nodes_that_passivate_soon};
use crate::support::counted::counted;
use crate::support::eventually::eventually;
use crate::support::unreliable_journal::{Commit, Unreliable};

/// Books one room for one night after the other until it is stopped. Returns every answer that is not a booking.
async fn book_all_the_time(
    node: &App,
    name: &str,
    room_type: &str,
    stop: &std::sync::atomic::AtomicBool,
) -> Vec<String> {
    let mut refused = Vec::new();
    let mut booked = 0;
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        let answer = node.book(&format!("{name}-{booked}"), &order(room_type, 1, 2)).await;
        booked += 1;
        if answer.status != StatusCode::CREATED {
            refused.push(answer.body.to_string());
        }
    }
    assert!(booked > 0);
    refused
}

/// Refusals of all nodes during an action.
async fn refused_while(cluster: &Cluster, room_type: &str, something: impl Future<Output = ()>) -> Vec<String> {
    let stop = std::sync::atomic::AtomicBool::new(false);
    let storm = async {
        let clients = cluster.nodes.iter().enumerate().flat_map(|(index, node)| {
            let stop = &stop;
            (0..4).map(move |client| async move {
                book_all_the_time(node, &format!("{index}-{client}"), room_type, stop).await
            })
        });
        futures_util::future::join_all(clients).await.concat()
    };
    let something = async {
        something.await;
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    futures_util::future::join(storm, something).await.0
}

#[test]
fn a_drain_refuses_nothing() {
    with_nodes(3, async |cluster| {
        let (room_type, owner) = cluster.room_type(5_000).await;
        let leaving = &cluster.nodes[owner];
        let drain = async {
            let drained = answer(leaving.request(Method::POST, "/v1/cluster/drain").bearer_auth(ADMIN)).await;
            assert_eq!((drained.status, &drained.body["draining"]), (StatusCode::OK, &json!(true)));
            eventually("another node has it", async || cluster.owner(&room_type).await.is_some_and(|now| now != owner))
                .await;
        };
        let refused = refused_while(cluster, &room_type, drain).await;
        assert!(refused.is_empty(), "{refused:#?}");
        assert!(leaving.owned().await.is_empty());
        assert_eq!(leaving.get("/readyz").await.body["code"], "shutting_down");
        let nodes = leaving.nodes().await;
        let draining = nodes.iter().filter(|node| node["draining"] == true).count();
        assert_eq!(draining, 1, "{nodes:?}");
    });
}

#[test]
fn a_bulk_change_during_a_move_reports_its_progress() {
    const BEFORE: usize = 100;
    with_nodes(1, async |cluster| {
        let journal = cluster.join_with_unreliable_journal().await;
        let room_type = loop {
            let (room_type, owner) = cluster.room_type(3).await;
            if owner == 1 && belongs(cluster, 1, &room_type) {
                break room_type;
            }
        };
        let (staying, leaving) = (&cluster.nodes[0], &cluster.nodes[1]);
        let first = jiff::civil::date(2026, 6, 1);
        let night = |n: i64| first.saturating_add(jiff::Span::new().days(n));
        let items: Vec<_> = (0..300).map(|n| json!({"from": night(n), "to": night(n + 1), "physical": 7})).collect();
        let (path, body) = (format!("/v1/room-types/{room_type}/nights"), json!({"items": items}));
        let physical = async || {
            let (from, to) = (night(0), night(300));
            let view = staying.get(&format!("/v1/room-types/{room_type}/availability?from={from}&to={to}")).await;
            let nights = view.body["nights"].as_array().cloned().unwrap_or_default();
            nights.iter().map(|night| night["physical"] == 7).collect::<Vec<_>>()
        };
        let drain = answer(leaving.request(Method::POST, "/v1/cluster/drain").bearer_auth(ADMIN));
        let half_way = async {
            journal.hangs().await;
            let drain = tokio::spawn(drain);
            eventually("the others know", async || staying.nodes().await[1]["draining"] == true).await;
            // The next item finds that the room type was handed over. The drain does the same; here it is certain.
            let mut handed_over = pin!(leaving.running.engine.hand_over());
            assert!(poll!(handed_over.as_mut()).is_pending(), "it waits for what was begun");
            journal.release();
            handed_over.await;
            assert_eq!(drain.await.unwrap().status, StatusCode::OK);
        };
        (0..BEFORE).for_each(|_| journal.next_commit(Commit::Works));
        journal.next_commit(Commit::Late);
        let (set, ()) = futures_util::future::join(leaving.admin(Method::PUT, &path, &body), half_way).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.body);
        let statuses: Vec<_> = set.body["items"].as_array().unwrap().iter().map(|item| &item["status"]).collect();
        let done = statuses.iter().take_while(|status| **status == "applied").count();
        assert_eq!((statuses.len(), done), (300, BEFORE + 1), "{}", set.body);
        assert!(statuses[done..].iter().all(|status| *status == "retry"), "{}", set.body);
        let seen = physical().await;
        assert!(seen[..done].iter().all(|set| *set), "{done} are said to be done: {seen:?}");
        assert!(!seen[done..].iter().any(|set| *set), "{done} are said to be done: {seen:?}");

        let again = staying.admin(Method::PUT, &path, &body).await;
        assert!(again.body["items"].as_array().unwrap().iter().all(|item| item["status"] == "applied"));
        assert_eq!(physical().await, vec![true; 300]);
    });
}

#[test]
fn a_shutdown_refuses_nothing_at_the_other_nodes() {
    with_nodes(3, async |cluster| {
        let (room_type, owner) = cluster.room_type(5_000).await;
        let leaving = cluster.nodes.remove(owner);
        let name = leaving.running.membership.me().node.clone();
        let refused = refused_while(cluster, &room_type, leaving.running.shutdown()).await;
        assert!(refused.is_empty(), "{refused:#?}");
        let left = cluster.nodes[0].nodes().await;
        let gone = left.iter().all(|node| node["id"] != name.as_str());
        assert!(gone, "a node that leaves in order is removed at once: {left:?}");
        assert!(cluster.owner(&room_type).await.is_some());
    });
}

#[test]
fn a_joining_node_gets_its_share_and_nothing_is_refused() {
    with_nodes(1, async |cluster| {
        let mut room_types = Vec::new();
        for _ in 0..6 {
            room_types.push(cluster.room_type(5_000).await.0);
        }
        cluster.join().await;
        let hot = room_types[0].clone();
        let shared = async {
            eventually("the newcomer has a part", async || {
                let (old, new) = (cluster.nodes[0].owned().await, cluster.nodes[1].owned().await);
                let misplaced = old.iter().filter(|id| !belongs(cluster, 0, id)).count();
                misplaced == 0 && (!belongs(cluster, 1, &hot) || new.contains(&hot))
            })
            .await;
        };
        let refused = refused_while(cluster, &hot, shared).await;
        assert!(refused.is_empty(), "{refused:#?}");
        for room_type in &room_types {
            let booked = cluster.nodes[0].book(room_type, &order(room_type, 1, 3)).await;
            assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
        }
    });
}

#[test]
fn a_node_is_announced_only_while_it_serves() {
    with_nodes(1, async |cluster| {
        let known = async || cluster.nodes[0].nodes().await.len();
        let (url, journal, start) = cluster.start_over(Unreliable::holds_cannot_be_found).await;
        let others = async {
            journal.hangs().await;
            eventually("it is known", async || known().await == 2).await;
            assert_eq!(reqwest::get(format!("{url}/healthz")).await.unwrap().status(), StatusCode::OK);
            journal.release();
        };
        let (started, ()) = futures_util::future::join(start, others).await;
        assert!(started.is_err());
        assert_eq!(known().await, 1);
    });
}

fn belongs(cluster: &Cluster, node: usize, room_type: &str) -> bool {
    use innkeeper::lease::{NodeId, Peer};
    let peer = |n: usize| {
        let node: NodeId = format!("node-{n}").parse().unwrap();
        Peer { node, url: cluster.nodes[n].running.url().into() }
    };
    let nodes: Vec<Peer> = (0..cluster.nodes.len()).map(peer).collect();
    let id = RoomTypeId(room_type.parse().unwrap());
    innkeeper::lease::preferred(id, &nodes) == Some(&nodes[node])
}

#[test]
fn another_node_takes_over_after_the_ttl_of_a_dead_node() {
    with_mortal_nodes(3, async |cluster| {
        let (room_type, owner) = cluster.room_type(2).await;
        let first = cluster.nodes[(owner + 1) % 3].book("before", &order(&room_type, 1, 3)).await;
        assert_eq!(first.status, StatusCode::CREATED);
        let counters = ["innkeeper_takeovers_total", "innkeeper_leases_acquired_total"];
        let before = counters.map(counted);
        cluster.nodes.remove(owner).running.abort().await;

        let next = async || cluster.nodes[0].book("after", &order(&room_type, 1, 3)).await;
        let mut answers = Vec::new();
        eventually("it can be booked again", async || {
            let answer = next().await;
            answers.push(answer.body.to_string());
            assert!(
                answer.status == StatusCode::CREATED || answer.headers.contains_key("retry-after"),
                "{}",
                answer.body
            );
            answer.status == StatusCode::CREATED
        })
        .await;
        let refused = cluster.nodes[1].book("too-late", &order(&room_type, 2, 4)).await;
        assert_eq!(refused.body["code"], "sold_out", "both bookings count");
        let replayed = cluster.nodes[1].book("before", &order(&room_type, 1, 3)).await;
        assert_eq!(replayed.body, first.body);
        let owned: Vec<_> = [cluster.nodes[0].owned().await, cluster.nodes[1].owned().await].concat();
        assert!(owned.contains(&room_type));
        for (counter, before) in counters.into_iter().zip(before) {
            assert!(counted(counter) >= before + 1.0, "{counter}");
        }
    });
}

#[test]
fn an_idle_room_type_is_released() {
    with_nodes_that_passivate_soon(2, async |cluster| {
        let room_type = cluster.nodes[0].room_type(1).await;
        let lease = cluster.lease(&room_type).await;
        eventually("its lease is given back", async || cluster.redis.run::<i64>(&["EXISTS", &lease]) == 0).await;
        assert_eq!(cluster.owner(&room_type).await, None);
        let id = RoomTypeId(room_type.parse().unwrap());
        let outsider = outsider(cluster, "http://127.0.0.1:9".to_owned()).await;
        let mut told = None;
        // On a busy machine Redis may be too slow to answer.
        eventually("redis answers", async || {
            told = outsider.acquire(id, Asked::Forwarded).await.ok();
            told.is_some()
        })
        .await;
        assert!(matches!(told, Some(Acquired::Granted(_))), "{told:?}");
    });
}

#[test]
fn holds_of_a_dead_node_expire_at_another() {
    with_mortal_nodes(2, async |cluster| {
        let (room_type, owner) = cluster.room_type(1).await;
        let mut hold = order(&room_type, 1, 3);
        hold["hold"] = json!(true);
        assert_eq!(cluster.nodes[owner].book("hold", &hold).await.status, StatusCode::CREATED);
        cluster.nodes.remove(owner).running.abort().await;
        cluster.nodes[0].clock.advance(jiff::SignedDuration::from_mins(16));
        eventually("its room can be booked", async || {
            cluster.nodes[0].book("after", &order(&room_type, 1, 3)).await.status == StatusCode::CREATED
        })
        .await;
    });
}

#[test]
fn the_cluster_is_listed_page_by_page() {
    with_nodes(2, async |cluster| {
        for _ in 0..8 {
            cluster.room_type(1).await;
        }
        let node = &cluster.nodes[0];
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = node.admin_get(&format!("/v1/cluster?limit=1{cursor}")).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.body);
            for owned in page.body["owned"].as_array().unwrap() {
                assert!(owned["token"].as_i64().is_some_and(|token| token > 0));
                found.push(owned["room_type_id"].as_str().unwrap().to_owned());
            }
            match page.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, node.owned().await);
        let view = node.cluster().await;
        assert_eq!((&view["node"], &view["draining"]), (&json!("node-0"), &json!(false)));
        let nodes = node.nodes().await;
        assert_eq!(nodes[1]["id"], "node-1");
        assert_eq!(nodes[1]["url"], cluster.nodes[1].running.url());
        assert!(view["lanes"][0]["waiting"].is_u64());
        assert_eq!(node.get("/v1/cluster").await.status, StatusCode::UNAUTHORIZED);
    });
}

#[test]
fn the_cluster_shows_the_age_of_leases() {
    with_nodes(2, async |cluster| {
        let (room_type, owner) = cluster.room_type(1).await;
        let node = &cluster.nodes[owner];
        // Redis was read before the answer was cached: only a renewal makes one age less than the other.
        eventually("its lease was renewed", async || {
            let owned = &node.cluster().await["owned"][0];
            let [owned_for, renewed_ago] = ["owned_for_secs", "renewed_secs_ago"].map(|age| owned[age].as_u64());
            owned["room_type_id"] == room_type.as_str() && renewed_ago.is_some() && renewed_ago < owned_for
        })
        .await;

        let last_heartbeat = async |seen: usize| -> Timestamp {
            let nodes = node.nodes().await;
            nodes[seen]["last_heartbeat"].as_str().unwrap().parse().unwrap()
        };
        let now: Timestamp = NOW.parse().unwrap();
        for seen in 0..2 {
            let heard = last_heartbeat(seen).await;
            assert!(
                heard <= now && heard > now - SignedDuration::from_secs(10),
                "longer ago it would be dead: {heard}"
            );
        }
        cluster.clock.advance(SignedDuration::from_secs(10));
        for seen in 0..2 {
            eventually("it was heard of again", async || last_heartbeat(seen).await > now).await;
        }
    });
}

#[test]
fn a_single_node_is_a_cluster_of_one() {
    with_lone_app(async |app| {
        let room_type = app.room_type(1).await;
        let view = app.cluster().await;
        assert_eq!(view["nodes"].as_array().map(Vec::len), Some(1));
        assert_eq!(app.owned().await, std::slice::from_ref(&room_type));
        assert_eq!(view["owned"][0]["renewed_secs_ago"], json!(null), "a single node has no lease");
        let drained = answer(app.request(Method::POST, "/v1/cluster/drain").bearer_auth(ADMIN)).await;
        assert_eq!(drained.body["owned"], json!([]), "everything begun is finished");
        assert_eq!(app.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(app.book("key", &order(&room_type, 1, 2)).await.status, StatusCode::CREATED, "it goes on");
    });
}
