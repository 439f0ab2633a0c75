//! Leases in a real Redis: granted once, renewed, lost and set again, and a Redis that goes away and returns.

mod cut_off;
mod successor;

use std::sync::Arc;
use std::time::Duration;

use innkeeper::clock::System;
use innkeeper::domain::RoomTypeId;
use innkeeper::events::Wake;
use innkeeper::lease::redis::{Options, RedisWake};
use innkeeper::lease::{Acquired, Asked, Lease, Membership, Peer, RedisLease, Revoked, Token, Why, preferred};
use innkeeper::secret::Secret;
use innkeeper::tasks::Tasks;
use uuid::Uuid;

use crate::support::app::in_system;
use crate::support::cluster::SECRET;
use crate::support::counted::counted;
use crate::support::eventually::eventually;
use crate::support::members::{MemoryMembers, database};
use crate::support::redis::Redis;

/// Longer than a test, unless the test waits for the end.
const LONG: Duration = Duration::from_secs(60);
/// Short enough to wait for its end, and for three renewals. The time-out of Redis is as with longer leases.
const SHORT: Duration = Duration::from_secs(3);

fn id(n: u128) -> RoomTypeId {
    RoomTypeId(Uuid::from_u128(n))
}

fn peer(name: &str) -> Peer {
    Peer { node: name.parse().unwrap(), url: format!("http://{name}").into() }
}

/// A node that has read the registry once, and renews nothing by itself.
async fn node(redis: &Redis, name: &str, ttl: Duration) -> Arc<RedisLease> {
    node_on(MemoryMembers::default(), redis, name, ttl).await
}

/// The same with a way of its own to the store.
async fn node_on(store: MemoryMembers, redis: &Redis, name: &str, ttl: Duration) -> Arc<RedisLease> {
    let lease = unacquainted(store, &options(redis, ttl), peer(name));
    lease.watch_store(&Tasks::default());
    eventually("it has looked around", async || lease.nodes().await.is_ok()).await;
    lease
}

/// A node that has not looked around yet.
fn unacquainted(store: MemoryMembers, options: &Options, me: Peer) -> Arc<RedisLease> {
    RedisLease::new(options, me, Arc::new(store), database(), Arc::new(System)).unwrap()
}

fn options(redis: &Redis, ttl: Duration) -> Options {
    Options { addresses: redis.url().parse().unwrap(), secret: Secret::new(SECRET), ttl }
}

/// The grant of Redis to a forwarding target, repeated because a second may be too short on a busy machine.
async fn ask(lease: &RedisLease, room_type: RoomTypeId) -> Acquired {
    let mut told = None;
    eventually("redis answers", async || {
        told = lease.acquire(room_type, Asked::Forwarded).await.ok();
        told.is_some()
    })
    .await;
    told.unwrap()
}

/// The grant to a node that is the target of a request.
async fn take(lease: &RedisLease, room_type: RoomTypeId) -> Token {
    match ask(lease, room_type).await {
        Acquired::Granted(token) => token,
        Acquired::Elsewhere(peer) => panic!("{} has it", peer.node),
    }
}

/// The owner of the room type, as this node knows it.
async fn owner(lease: &RedisLease, room_type: RoomTypeId) -> Option<String> {
    match ask(lease, room_type).await {
        Acquired::Granted(_) => None,
        Acquired::Elsewhere(peer) => Some(peer.node.to_string()),
    }
}

/// The ownerships that a node must end.
async fn revoked(lease: &RedisLease) -> Vec<Revoked> {
    tokio::time::timeout(LONG, lease.revoked()).await.expect("nothing is revoked")
}

fn key(room_type: RoomTypeId, what: &str) -> String {
    format!("innkeeper:{{{room_type}}}:{}:{what}", database())
}

#[test]
fn a_lease_is_granted_to_one_node_and_every_token_is_higher() {
    in_system(async {
        let redis = Redis::start();
        let (one, two) = (node(&redis, "one", LONG).await, node(&redis, "two", LONG).await);
        let first = take(&one, id(1)).await;
        assert_eq!(owner(&two, id(1)).await.as_deref(), Some("one"));
        let again = take(&one, id(1)).await;
        assert!(again > first, "an owner that starts again has a new token");

        one.release(id(1), first);
        one.leave().await;
        assert_eq!(owner(&two, id(1)).await.as_deref(), Some("one"), "an older token gives nothing back");
    });
}

#[test]
fn a_released_lease_is_free_and_its_tokens_continue() {
    in_system(async {
        let redis = Redis::start();
        let (one, two) = (node(&redis, "one", LONG).await, node(&redis, "two", LONG).await);
        let first = take(&one, id(1)).await;
        one.release(id(1), first);
        one.leave().await;
        assert!(take(&two, id(1)).await > first);
    });
}

#[test]
fn a_silent_node_loses_its_leases_after_the_ttl() {
    in_system(async {
        let redis = Redis::start();
        let (silent, other) = (node(&redis, "silent", SHORT).await, node(&redis, "other", LONG).await);
        let token = take(&silent, id(1)).await;
        eventually("the lease runs out", async || owner(&other, id(1)).await.is_none()).await;
        assert!(redis.run::<i64>(&["HGET", &key(id(1), "fence"), "token"]) > token.0);
        let names =
            async || other.nodes().await.unwrap().iter().map(|node| node.peer.node.to_string()).collect::<Vec<_>>();
        assert_eq!(names().await, ["other"]);
    });
}

#[test]
fn a_kept_lease_is_renewed() {
    in_system(async {
        let redis = Redis::start();
        let lease = node(&redis, "one", LONG).await;
        take(&lease, id(1)).await;
        redis.run::<()>(&["PERSIST", &key(id(1), "lease")]);
        lease.keep(&Tasks::default());
        // Only a renewal sets its TTL again.
        eventually("it is renewed", async || redis.run::<i64>(&["PTTL", &key(id(1), "lease")]) > 0).await;
    });
}

#[test]
fn an_owner_is_certain_for_a_ttl_after_each_renewal() {
    in_system(async {
        let mut redis = Redis::start();
        let (lease, patient) = (node(&redis, "one", SHORT).await, node(&redis, "two", LONG).await);
        let (token, certain) = (take(&lease, id(1)).await, take(&patient, id(2)).await);
        assert!(patient.is_certain(id(2), certain));
        eventually("its certainty has ended", async || !lease.is_certain(id(1), token)).await;
        assert_eq!(lease.holdings(None, 10)[0].token, token, "it goes on");
        let kept = Tasks::default();
        lease.keep(&kept);
        eventually("it was renewed", async || lease.is_certain(id(1), token)).await;
        redis.stop();
        eventually("it cannot be renewed", async || !lease.is_certain(id(1), token)).await;
        kept.abandon();
        assert!(patient.is_certain(id(2), certain), "no other node can have the lease");
        patient.release(id(2), certain);
        assert!(!patient.is_certain(id(2), certain), "it was given back");
    });
}

#[test]
fn of_several_tokens_only_the_last_that_redis_granted_is_certain() {
    in_system(async {
        let mut redis = Redis::start();
        let lease = node(&redis, "one", LONG).await;
        let first = take(&lease, id(1)).await;
        let raised = lease.raise(id(1), first).await.unwrap();
        assert_eq!([first, raised].map(|token| lease.is_certain(id(1), token)), [false, true]);
        redis.stop();
        let made_up = take(&lease, id(1)).await;
        assert!(made_up > raised);
        assert_eq!([first, raised, made_up].map(|token| lease.is_certain(id(1), token)), [false; 3]);
    });
}

/// The target of a node's request while Redis is away.
async fn sent_to(lease: &RedisLease, room_type: RoomTypeId) -> Option<String> {
    match lease.acquire(room_type, Asked::Here).await {
        Ok(Acquired::Elsewhere(peer)) => Some(peer.url.to_string()),
        Ok(Acquired::Granted(_)) | Err(_) => None,
    }
}

#[test]
fn without_redis_the_last_known_owner_is_used() {
    in_system(async {
        let mut redis = Redis::start();
        let (asking, moves) = (node(&redis, "asking", LONG).await, node(&redis, "moves", LONG).await);
        let leaves = node(&redis, "leaves", LONG).await;
        take(&moves, id(1)).await;
        take(&leaves, id(2)).await;
        assert_eq!(owner(&asking, id(1)).await.as_deref(), Some("moves"));
        assert_eq!(owner(&asking, id(2)).await.as_deref(), Some("leaves"));

        leaves.leave().await;
        let there = Peer { url: "http://there".into(), ..peer("moves") };
        let moved = unacquainted(MemoryMembers::default(), &options(&redis, LONG), there);
        moved.nodes().await.unwrap();
        asking.nodes().await.unwrap();
        redis.stop();
        assert_eq!(sent_to(&asking, id(1)).await.as_deref(), Some("http://there"));
        assert_ne!(sent_to(&asking, id(2)).await.as_deref(), Some("http://leaves"), "it is gone");
    });
}

#[test]
fn an_invalid_announcement_is_not_read_again_for_every_request() {
    in_system(async {
        let redis = Redis::start();
        let asking = node(&redis, "asking", LONG).await;
        redis.run::<()>(&["HSET", &key(id(1), "lease"), "node", "stranger", "token", "1"]);
        let ask = async || assert!(asking.acquire(id(1), Asked::Here).await.is_err());
        eventually("it was looked for just now, and is not looked for again", async || {
            ask().await;
            redis.run::<()>(&["HDEL", "innkeeper:{nodes}:about", "asking"]);
            ask().await;
            // Reading the registry would have found this node.
            redis.run::<i64>(&["HEXISTS", "innkeeper:{nodes}:about", "asking"]) == 0
        })
        .await;

        let newcomer = node(&redis, "newcomer", LONG).await;
        take(&newcomer, id(2)).await;
        assert_eq!(owner(&asking, id(2)).await.as_deref(), Some("newcomer"), "a new owner is found at once");
    });
}

#[test]
fn a_lease_that_redis_forgot_is_set_again_with_its_token() {
    in_system(async {
        let redis = Redis::start();
        let lease = node(&redis, "one", LONG).await;
        let token = take(&lease, id(1)).await;
        redis.run::<()>(&["FLUSHALL"]);
        lease.keep(&Tasks::default());
        eventually("it is set again", async || {
            redis.run::<Option<i64>>(&["HGET", &key(id(1), "lease"), "token"]) == Some(token.0)
        })
        .await;
        assert_eq!(redis.run::<i64>(&["HGET", &key(id(1), "fence"), "token"]), token.0);
    });
}

#[test]
fn an_owner_learns_that_redis_granted_its_lease_to_another_node() {
    in_system(async {
        let redis = Redis::start();
        let (old, new) = (node(&redis, "old", LONG).await, node(&redis, "new", LONG).await);
        for _ in 0..5 {
            take(&old, id(1)).await;
        }
        let lost = take(&old, id(1)).await;
        redis.run::<()>(&["FLUSHALL"]);
        let low = take(&new, id(1)).await;
        assert!(low < lost, "the counter began anew");
        let raised = new.raise(id(1), lost).await.unwrap();
        assert!(raised > lost, "the store has seen {lost:?}");
        assert_eq!(redis.run::<i64>(&["HGET", &key(id(1), "lease"), "token"]), raised.0);

        old.keep(&Tasks::default());
        let told = revoked(&old).await;
        assert_eq!(told, [Revoked { room_type: id(1), token: lost, why: Why::Lost }]);
        assert!(old.holdings(None, 10).is_empty());
        assert!(old.raise(id(1), raised).await.is_err(), "a node without the lease raises nothing");
    });
}

#[test]
fn a_lease_that_another_node_had_meanwhile_is_lost() {
    in_system(async {
        let redis = Redis::start();
        let (old, new) = (node(&redis, "old", LONG).await, node(&redis, "new", LONG).await);
        let lost = take(&old, id(1)).await;
        redis.run::<()>(&["DEL", &key(id(1), "lease")]);
        let newer = take(&new, id(1)).await;
        new.release(id(1), newer);
        new.leave().await;
        let before = counted("innkeeper_leases_lost_total");
        old.keep(&Tasks::default());
        assert_eq!(revoked(&old).await, [Revoked { room_type: id(1), token: lost, why: Why::Lost }]);
        assert!(counted("innkeeper_leases_lost_total") >= before + 1.0);
    });
}

#[test]
fn a_released_lease_is_not_renewed() {
    in_system(async {
        let redis = Redis::start();
        // The second call is a renewal that was under way during the release.
        let (prompt, late) = (node(&redis, "one", LONG).await, node(&redis, "one", LONG).await);
        let token = take(&late, id(1)).await;
        prompt.release(id(1), token);
        prompt.leave().await;
        late.keep(&Tasks::default());
        assert_eq!(revoked(&late).await, [Revoked { room_type: id(1), token, why: Why::Lost }]);
        assert!(!redis.run::<bool>(&["EXISTS", &key(id(1), "lease")]));
    });
}

#[test]
fn a_failed_renewal_does_not_stop_the_others() {
    in_system(async {
        let redis = Redis::start();
        let lease = node(&redis, "one", LONG).await;
        // More than are renewed at once: the last one waits for others, and most of them fail.
        for n in 1..=600 {
            take(&lease, id(n)).await;
        }
        redis.run::<()>(&["PERSIST", &key(id(600), "lease")]);
        for n in 1..=500 {
            // A value without a token that a script could read.
            redis.run::<()>(&["SET", &key(id(n), "lease"), "spoilt"]);
        }
        lease.keep(&Tasks::default());
        eventually("the last is renewed", async || redis.run::<i64>(&["PTTL", &key(id(600), "lease")]) > 0).await;
        assert_eq!(lease.holdings(None, 1_000).len(), 600, "what cannot be renewed goes on");
    });
}

#[test]
fn tokens_are_remembered_for_a_week_after_their_last_use() {
    in_system(async {
        let redis = Redis::start();
        let lease = node(&redis, "one", LONG).await;
        let fence = key(id(1), "fence");
        let forgotten_in = || Duration::from_millis(redis.run::<i64>(&["PTTL", &fence]).try_into().unwrap());
        let six_days = Duration::from_secs(6 * 24 * 60 * 60);
        let token = take(&lease, id(1)).await;
        assert!(forgotten_in() > six_days, "granted");
        redis.run::<()>(&["EXPIRE", &fence, "3600"]);
        let token = lease.raise(id(1), token).await.unwrap();
        assert!(forgotten_in() > six_days, "raised");
        redis.run::<()>(&["EXPIRE", &fence, "3600"]);
        let kept = Tasks::default();
        lease.keep(&kept);
        eventually("it is renewed", async || forgotten_in() > six_days).await;
        kept.abandon();
        redis.run::<()>(&["EXPIRE", &fence, "3600"]);
        lease.release(id(1), token);
        lease.leave().await;
        assert!(forgotten_in() > six_days, "given back");
    });
}

#[test]
fn a_heartbeat_that_cannot_be_read_hides_only_its_own_node() {
    in_system(async {
        let redis = Redis::start();
        let (one, _two) = (node(&redis, "one", LONG).await, node(&redis, "two", LONG).await);
        let about = redis.run::<String>(&["HGET", "innkeeper:{nodes}:about", "two"]);
        for (name, until, about) in
            [("garbled", "9e12", "?"), ("endless", "inf", &about), ("two words", "9e12", &about)]
        {
            redis.run::<()>(&["ZADD", "innkeeper:{nodes}:until", until, name]);
            redis.run::<()>(&["HSET", "innkeeper:{nodes}:about", name, about]);
        }
        let seen = one.nodes().await.unwrap();
        assert_eq!(seen.iter().map(|node| node.peer.node.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    });
}

#[test]
fn tokens_of_a_clock_in_microseconds_are_raised_exactly() {
    in_system(async {
        let redis = Redis::start();
        let lease = node(&redis, "one", LONG).await;
        take(&lease, id(1)).await;
        let seen = Token(1_795_000_000_123_457);
        assert_eq!(lease.raise(id(1), seen).await.unwrap(), Token(seen.0 + 1));
        assert_eq!(take(&lease, id(1)).await, Token(seen.0 + 2));
        assert_eq!(redis.run::<i64>(&["HGET", &key(id(1), "lease"), "token"]), seen.0 + 2);
    });
}

#[test]
fn without_redis_nothing_is_granted_and_nothing_is_lost_until_it_is_back() {
    in_system(async {
        let mut redis = Redis::start();
        let lease = node(&redis, "one", SHORT).await;
        let token = take(&lease, id(1)).await;
        lease.keep(&Tasks::default());
        redis.stop();
        assert!(lease.acquire(id(2), Asked::Here).await.is_err());
        redis.start_again();
        eventually("redis is found again", async || lease.acquire(id(2), Asked::Here).await.is_ok()).await;
        // It returned empty: the lease that was held all the time is set again.
        eventually("the lease is set again", async || {
            redis.run::<Option<i64>>(&["HGET", &key(id(1), "lease"), "token"]) == Some(token.0)
        })
        .await;
        assert_eq!(lease.holdings(None, 10).len(), 2);
    });
}

#[test]
fn an_ownership_continues_without_redis_and_is_set_again() {
    in_system(async {
        let redis = Redis::start();
        let (lease, other) = (node(&redis, "one", LONG).await, node(&redis, "other", LONG).await);
        let token = take(&lease, id(1)).await;
        assert_eq!(owner(&other, id(1)).await.as_deref(), Some("one"));
        redis.pause();
        let went_on = lease.acquire(id(1), Asked::Here).await;
        let guessed = other.acquire(id(1), Asked::Here).await;
        let insisted = other.acquire(id(1), Asked::Forwarded).await;
        redis.resume();
        let higher = Token(token.0 + 1);
        assert_eq!(went_on.unwrap(), Acquired::Granted(higher), "the store will judge");
        assert_eq!(guessed.unwrap(), Acquired::Elsewhere(lease.me().clone()), "as far as is known");
        assert!(insisted.is_err(), "a guess is good for one step");
        lease.keep(&Tasks::default());
        eventually("redis knows the token", async || {
            redis.run::<Option<i64>>(&["HGET", &key(id(1), "lease"), "token"]) == Some(higher.0)
        })
        .await;
        assert_eq!(redis.run::<i64>(&["HGET", &key(id(1), "fence"), "token"]), higher.0);
    });
}

#[test]
fn a_hanging_redis_blocks_nothing() {
    in_system(async {
        let redis = Redis::start();
        let lease = node(&redis, "one", LONG).await;
        redis.pause();
        let asked = lease.acquire(id(1), Asked::Here).await;
        redis.resume();
        assert!(asked.is_err());
        eventually("redis is found again", async || lease.acquire(id(1), Asked::Here).await.is_ok()).await;
    });
}

#[test]
fn a_node_can_start_before_redis() {
    in_system(async {
        let mut redis = Redis::start();
        redis.stop();
        let lease = unacquainted(MemoryMembers::default(), &options(&redis, LONG), peer("early"));
        assert!(lease.acquire(id(1), Asked::Here).await.is_err());
        assert!(!lease.belongs_here(id(1)), "a node without a registry prefers nothing");
        redis.start_again();
        eventually("redis is found", async || lease.acquire(id(1), Asked::Here).await.is_ok()).await;
    });
}

#[test]
fn redis_cluster_is_asked_for_nothing_across_slots() {
    in_system(async {
        let redis = Redis::start_cluster();
        let (one, two) = (node(&redis, "one", LONG).await, node(&redis, "two", LONG).await);
        let token = take(&one, id(1)).await;
        assert_eq!(owner(&two, id(1)).await.as_deref(), Some("one"));
        let raised = one.raise(id(1), Token(token.0 + 10)).await.unwrap();
        redis.run::<()>(&["PERSIST", &key(id(1), "lease")]);
        one.keep(&Tasks::default());
        eventually("it is renewed", async || redis.run::<i64>(&["PTTL", &key(id(1), "lease")]) > 0).await;
        assert_eq!(two.nodes().await.unwrap().len(), 2);
        one.release(id(1), raised);
        one.leave().await;
        assert!(take(&two, id(1)).await > raised);
    });
}

#[test]
fn a_free_room_type_goes_to_the_preferred_node() {
    in_system(async {
        let redis = Redis::start();
        let nodes =
            [node(&redis, "one", LONG).await, node(&redis, "two", LONG).await, node(&redis, "three", LONG).await];
        for lease in &nodes {
            lease.nodes().await.unwrap();
        }
        for n in 0..50 {
            let chosen: Vec<_> =
                nodes.iter().filter(|lease| lease.belongs_here(id(n))).map(|lease| lease.me()).collect();
            let [chosen] = chosen.as_slice() else { panic!("{chosen:?} all want it") };
            for lease in nodes.iter().filter(|lease| lease.me() != *chosen) {
                let told = lease.acquire(id(n), Asked::Here).await.unwrap();
                assert_eq!(told, Acquired::Elsewhere((*chosen).clone()));
            }
        }
        assert!(redis.run::<Vec<String>>(&["KEYS", "*:lease"]).is_empty(), "asking takes nothing");
    });
}

#[test]
fn a_draining_node_hands_over_everything_and_gets_nothing() {
    in_system(async {
        let redis = Redis::start();
        let (leaving, staying) = (node(&redis, "leaving", LONG).await, node(&redis, "staying", LONG).await);
        for n in 0..20 {
            take(&leaving, id(n)).await;
        }
        leaving.drain().await;
        for n in 0..20 {
            let told = leaving.acquire(id(n), Asked::Forwarded).await.unwrap();
            assert_eq!(told, Acquired::Elsewhere(staying.me().clone()), "also what it had, and what it is sent");
        }
        assert!(leaving.holdings(None, 100).is_empty());
        staying.nodes().await.unwrap();
        for n in 0..20 {
            assert!(matches!(staying.acquire(id(n), Asked::Here).await, Ok(Acquired::Granted(_))));
        }
    });
}

#[test]
fn the_last_node_keeps_its_room_types_when_it_drains() {
    in_system(async {
        let redis = Redis::start();
        let last = node(&redis, "last", LONG).await;
        last.drain().await;
        assert!(matches!(last.acquire(id(1), Asked::Here).await, Ok(Acquired::Granted(_))));
    });
}

/// Whether placement prefers a node to another one while both live.
fn goes_to(node: &Peer, room_type: RoomTypeId, other: &Peer) -> bool {
    preferred(room_type, [other, node]) == Some(node)
}

#[test]
fn a_joining_node_gets_its_share() {
    in_system(async {
        let redis = Redis::start();
        let first = node(&redis, "first", SHORT).await;
        for n in 0..20 {
            take(&first, id(n)).await;
        }
        first.keep(&Tasks::default());
        let second = node(&redis, "second", LONG).await;
        let told = revoked(&first).await;
        let share: Vec<_> = (0..20).map(id).filter(|room_type| goes_to(second.me(), *room_type, first.me())).collect();
        assert!((1..20).contains(&share.len()), "{share:?}");
        assert!(told.iter().all(|revoked| revoked.why == Why::Misplaced && share.contains(&revoked.room_type)));
        assert_eq!(told.len(), share.len());

        // A late request to this node does not bring it back.
        let told = first.acquire(share[0], Asked::Forwarded).await.unwrap();
        assert_eq!(told, Acquired::Elsewhere(second.me().clone()));
    });
}

#[test]
fn a_delayed_hand_over_does_not_delay_others() {
    in_system(async {
        let redis = Redis::start();
        let (first, second) = (node(&redis, "first", SHORT).await, node(&redis, "second", LONG).await);
        // More than one turn hands over, and none of them is released.
        let goes = |room_type: &RoomTypeId| goes_to(second.me(), *room_type, first.me());
        let share: Vec<_> = (0..).map(id).filter(goes).take(150).collect();
        for room_type in &share {
            take(&first, *room_type).await;
        }
        first.keep(&Tasks::default());
        let mut told = Vec::new();
        while told.len() < share.len() {
            told.extend(revoked(&first).await.into_iter().map(|revoked| revoked.room_type));
        }
        told.sort();
        assert_eq!(told, share);
    });
}

#[test]
fn an_unknown_room_type_leaves_no_lease() {
    in_system(async {
        let redis = Redis::start();
        let lease = node(&redis, "one", LONG).await;
        let token = take(&lease, id(1)).await;
        lease.forget(id(1), token);
        eventually("it is forgotten", async || redis.run::<Vec<String>>(&["KEYS", "*:lease"]).is_empty()).await;
        assert!(redis.run::<Vec<String>>(&["KEYS", "*:fence"]).is_empty());
        assert!(lease.holdings(None, 1).is_empty());
    });
}

/// The wake-up receiver of a node. The start counts as one wake-up.
async fn bell(redis: &Redis, name: &str) -> Arc<RedisWake> {
    let wake = node(redis, name, LONG).await.wake();
    wake.listen(&Tasks::default());
    rung(&wake).await;
    wake
}

async fn rung(wake: &RedisWake) {
    tokio::time::timeout(LONG, wake.rung()).await.expect("no wake-up arrives");
}

#[test]
fn a_wake_up_reaches_the_other_nodes() {
    in_system(async {
        let redis = Redis::start();
        let (one, two, three) = (bell(&redis, "one").await, bell(&redis, "two").await, bell(&redis, "three").await);
        one.ring().await;
        rung(&two).await;
        rung(&three).await;
        three.ring().await;
        rung(&one).await;
        rung(&two).await;
    });
}

#[test]
fn wake_ups_continue_after_redis_returns() {
    in_system(async {
        let mut redis = Redis::start();
        let (one, two) = (bell(&redis, "one").await, bell(&redis, "two").await);
        redis.stop();
        one.ring().await;
        redis.start_again();
        // A new subscription counts as a wake-up.
        rung(&one).await;
        rung(&two).await;
        one.ring().await;
        rung(&two).await;
    });
}

#[test]
fn the_nodes_of_a_redis_cluster_wake_each_other() {
    in_system(async {
        let redis = Redis::start_cluster();
        let (one, two) = (bell(&redis, "one").await, bell(&redis, "two").await);
        one.ring().await;
        rung(&two).await;
    });
}
