//! Failures of Redis or of another node.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::time::Duration;

use futures_util::future::join_all;
use innkeeper::domain::RoomTypeId;
use innkeeper::lease::redis::Options;
use innkeeper::lease::{Acquired, Asked, Lease, Membership, Peer, RedisLease};
use innkeeper::secret::Secret;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{App, answer, order};
use crate::support::cluster::{Cluster, SECRET, with_nodes};
use crate::support::counted::counted;
use crate::support::eventually::eventually;
use crate::support::port::Port;

const UNREACHABLE: &str = "innkeeper_forwards_total{outcome=\"unreachable\"}";
const LOST: &str = "innkeeper_forwards_total{outcome=\"lost\"}";
const UNREAD: &str = "innkeeper_forwards_total{outcome=\"unread\"}";
const MOVED: &str = "innkeeper_forwards_total{outcome=\"moved\"}";

#[test]
fn without_redis_owned_room_types_are_served_and_others_later() {
    with_nodes(2, async |cluster| {
        let (owned, owner) = cluster.room_type(5).await;
        let (free, other) = cluster.room_type(5).await;
        // No node owns it now.
        cluster.nodes[other].running.engine.hand_over().await;
        eventually("it is free", async || cluster.owner(&free).await.is_none()).await;
        assert_eq!(cluster.nodes[owner].book("warm", &order(&owned, 1, 2)).await.status, StatusCode::CREATED);

        cluster.redis.stop();
        let booked = cluster.nodes[owner].book("without-redis", &order(&owned, 1, 2)).await;
        assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
        let asked_elsewhere = cluster.nodes[1 - owner].book("without-redis-2", &order(&owned, 1, 2)).await;
        assert_eq!(asked_elsewhere.status, StatusCode::CREATED, "{}", asked_elsewhere.body);
        // A restart of an actor does not lose its room type.
        let hotel = &cluster.nodes[owner].get(&format!("/v1/room-types/{owned}")).await.body["hotel_id"];
        let hotel = format!("/v1/hotels/{}", hotel.as_str().unwrap());
        let renamed = cluster.nodes[owner].admin(Method::PATCH, &hotel, &json!({"name": "Casa Nova"})).await;
        assert_eq!(renamed.status, StatusCode::OK, "{}", renamed.body);
        let booked = cluster.nodes[owner].book("without-redis-3", &order(&owned, 2, 3)).await;
        assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
        for node in &cluster.nodes {
            let refused = node.book("free", &order(&free, 1, 2)).await;
            assert_eq!(
                (refused.status, &refused.body["code"]),
                (StatusCode::SERVICE_UNAVAILABLE, &json!("unavailable"))
            );
            assert!(refused.headers.contains_key("retry-after"));
            assert_eq!(node.cluster().await["nodes"], json!(null), "Redis does not answer");
        }
        assert_eq!(cluster.nodes[owner].get("/readyz").await.status, StatusCode::OK);

        cluster.redis.start_again();
        eventually("it can be booked again", async || {
            cluster.nodes[0].book("free", &order(&free, 1, 2)).await.status == StatusCode::CREATED
        })
        .await;
        eventually("the others know the owner again", async || {
            cluster.nodes[1 - owner].book("with-redis", &order(&owned, 1, 2)).await.status == StatusCode::CREATED
        })
        .await;
    });
}

/// Books, and repeats the request with the same key until it is answered. Returns whether a room was free.
async fn until_answered(node: &App, key: &str, room_type: &str) -> bool {
    let mut booked = false;
    eventually("it is answered", async || {
        let answer = node.book(key, &order(room_type, 1, 2)).await;
        booked = answer.status == StatusCode::CREATED;
        let waits = answer.status == StatusCode::SERVICE_UNAVAILABLE;
        assert!(booked || waits || answer.body["code"] == "sold_out", "{}", answer.body);
        !waits
    })
    .await;
    booked
}

#[test]
fn a_redis_without_memory_sells_nothing_twice() {
    with_nodes(3, async |cluster| {
        let (room_type, _) = cluster.room_type(3).await;
        let mut accepted = 0;
        for n in 0..30 {
            if n % 5 == 1 {
                cluster.redis.run::<()>(&["FLUSHALL"]);
            }
            let key = format!("key-{n}");
            accepted += u16::from(until_answered(&cluster.nodes[n % 3], &key, &room_type).await);
        }
        assert_eq!(accepted, 3);
    });
}

#[test]
fn two_nodes_with_one_name_sell_no_night_twice() {
    const ROOMS: u16 = 12;
    with_nodes(2, async |cluster| {
        // With one node removed from the list, the next one gets the name of the other.
        let elsewhere = cluster.nodes.remove(0);
        cluster.join().await;
        let names: Vec<_> = cluster.nodes.iter().map(|node| node.running.membership.me().node.clone()).collect();
        assert_eq!(names[0], names[1]);

        let room_type = elsewhere.room_type_without_price(ROOMS).await;
        eventually("it has a price", async || elsewhere.price(&room_type).await.status == StatusCode::CREATED).await;
        let doors = [&elsewhere, &cluster.nodes[0], &cluster.nodes[1]];
        let sold = join_all(doors.iter().enumerate().map(async |(door, node)| {
            let mut sold = 0;
            while until_answered(node, &format!("{door}-{sold}"), &room_type).await {
                sold += 1;
            }
            sold
        }));
        assert_eq!(sold.await.iter().sum::<u16>(), ROOMS);
    });
}

#[test]
fn an_owner_without_its_lease_forwards_to_the_new_owner() {
    with_nodes(2, async |cluster| {
        let (room_type, owner) = cluster.room_type(3).await;
        assert_eq!(cluster.nodes[owner].book("one", &order(&room_type, 1, 2)).await.status, StatusCode::CREATED);
        let usurper = outsider(cluster, "http://127.0.0.1:9".to_owned()).await;
        let id = RoomTypeId(room_type.parse().unwrap());
        eventually("another node is faster than its next renewal", async || {
            // As after a freeze that is longer than the lease.
            cluster.redis.run::<()>(&["DEL", &cluster.lease(&room_type).await]);
            matches!(usurper.acquire(id, Asked::Forwarded).await, Ok(Acquired::Granted(_)))
        })
        .await;
        eventually("it no longer thinks that it owns it", async || cluster.owner(&room_type).await.is_none()).await;
        let sent = cluster.nodes[owner].book("two", &order(&room_type, 1, 2)).await;
        assert_eq!(sent.body["code"], "owner_unreachable", "no server answers there");
    });
}

#[test]
fn an_unreachable_owner_has_done_nothing() {
    with_nodes(1, async |cluster| {
        // No server listens at its announced address.
        let port = Port::keep();
        let room_type = lost_to(cluster, format!("http://{}", port.address())).await;
        let before = counted(UNREACHABLE);
        let answer = cluster.nodes[0].book("key", &order(&room_type, 1, 2)).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (StatusCode::SERVICE_UNAVAILABLE, &json!("owner_unreachable"))
        );
        assert_eq!(answer.headers["retry-after"], "1");
        assert!(counted(UNREACHABLE) >= before + 1.0);
    });
}

#[test]
fn an_address_of_another_node_is_no_owner() {
    with_nodes(2, async |cluster| {
        // A node with another name was started at the address of an owner.
        let room_type = lost_to(cluster, cluster.nodes[1].running.url()).await;
        let answer = cluster.nodes[0].book("key", &order(&room_type, 1, 2)).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (StatusCode::SERVICE_UNAVAILABLE, &json!("owner_unreachable"))
        );
        assert_eq!(answer.headers["retry-after"], "1");
    });
}

#[test]
fn an_owner_that_stops_answering_leaves_an_unknown_outcome() {
    with_nodes(1, async |cluster| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let hangs_up = |connection: Result<std::net::TcpStream, _>| {
                let mut request = [0; 1_024];
                let _ = connection.unwrap().read(&mut request);
            };
            listener.incoming().for_each(hangs_up);
        });
        let (room_type, before) = (lost_to(cluster, url).await, counted(LOST));
        let answer = cluster.nodes[0].book("key", &order(&room_type, 1, 2)).await;
        assert_eq!((answer.status, &answer.body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("interrupted")));
        assert_eq!(answer.headers["retry-after"], "1");
        assert!(counted(LOST) >= before + 1.0);
    });
}

/// The answer of a node that is not the owner and still names itself.
fn moved(url: &str) -> String {
    let owner = format!("innkeeper-owner: outsider {url}");
    format!("HTTP/1.1 503 Service Unavailable\r\n{owner}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/// The address of a server that names itself so often, and then answers.
fn wavering(times: usize) -> String {
    listening(times, moved)
}

/// The address of a server that gives an answer, with its address, so often, and then another one.
fn listening(times: usize, first: impl FnOnce(&str) -> String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let moved = first(&url);
    std::thread::spawn(move || {
        for (asked, connection) in listener.incoming().enumerate() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 64 * 1024]);
            let arrived =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            let answer = if asked < times { &moved } else { arrived };
            let _ = connection.write_all(answer.as_bytes());
            // Closing with unread data would reset the connection.
            let _ = connection.shutdown(Shutdown::Write);
            let _ = connection.read_to_end(&mut Vec::new());
        }
    });
    url
}

/// The answer of actix to a slow client. A node that was frozen treats all its clients as slow.
fn too_slow(_: &str) -> String {
    "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
}

#[test]
fn a_request_to_a_node_that_froze_is_sent_again() {
    with_nodes(1, async |cluster| {
        let before = counted(UNREAD);
        let room_type = lost_to(cluster, listening(2, too_slow)).await;
        let unkeyed = cluster.nodes[0].request(Method::POST, "/v1/bookings").json(&order(&room_type, 1, 2));
        assert_eq!(answer(unkeyed).await.status, StatusCode::OK, "nothing was done, so nothing is done twice");
        assert!(counted(UNREAD) >= before + 2.0);
    });
}

#[test]
fn a_fast_client_never_gets_408() {
    with_nodes(1, async |cluster| {
        let room_type = lost_to(cluster, listening(usize::MAX, too_slow)).await;
        let path = format!("/v1/room-types/{room_type}/availability?from=2026-06-01&to=2026-06-02");
        let seen = cluster.nodes[0].get(&path).await;
        assert_eq!((seen.status, &seen.body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("owner_moving")));
    });
}

#[test]
fn a_request_waits_for_a_moving_room_type() {
    with_nodes(1, async |cluster| {
        let (room_type, before) = (lost_to(cluster, wavering(6)).await, counted(MOVED));
        let answer = cluster.nodes[0].book("key", &order(&room_type, 1, 2)).await;
        assert_eq!((answer.status, &answer.body), (StatusCode::OK, &json!({})), "whatever it answers");
        assert!(counted(MOVED) >= before + 6.0);
    });
}

#[test]
fn a_request_does_not_wait_forever_for_a_moving_room_type() {
    with_nodes(1, async |cluster| {
        let room_type = lost_to(cluster, wavering(usize::MAX)).await;
        let answer = cluster.nodes[0].book("key", &order(&room_type, 1, 2)).await;
        assert_eq!((answer.status, &answer.body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("owner_moving")));
        assert_eq!(answer.headers["retry-after"], "1");
    });
}

/// A node that is only known to Redis.
pub async fn outsider(cluster: &Cluster, url: String) -> std::sync::Arc<RedisLease> {
    let (addresses, secret) = (cluster.redis.url().parse().unwrap(), Secret::new(SECRET));
    let options = Options { addresses, secret, ttl: Duration::from_secs(60) };
    let me = Peer { node: "outsider".parse().unwrap(), url: url.into() };
    let (store, database) = (cluster.nodes[0].running.store.clone(), cluster.database_id().await);
    let lease = RedisLease::new(&options, me, store, database, cluster.clock.clone()).unwrap();
    lease.watch_store(cluster.nodes[0].running.engine.tasks());
    eventually("it has looked around", async || lease.nodes().await.is_ok()).await;
    lease
}

/// A room type owned by a node at `url` that does not exist otherwise.
pub async fn lost_to(cluster: &Cluster, url: String) -> String {
    let (room_type, owner) = cluster.room_type(1).await;
    cluster.nodes[owner].running.engine.hand_over().await;
    let lease = cluster.lease(&room_type).await;
    let free = async || cluster.redis.run::<i64>(&["EXISTS", &lease]) == 0;
    eventually("it is free", free).await;
    let id = RoomTypeId(room_type.parse().unwrap());
    let outsider = outsider(cluster, url).await;
    let granted = async || matches!(outsider.acquire(id, Asked::Forwarded).await, Ok(Acquired::Granted(_)));
    eventually("it is the outsider's", granted).await;
    room_type
}
