//! A node that cannot reach the store gives its room types to the nodes that can.

use innkeeper::lease::{Outsider, Unavailable};

use super::*;

/// The limit of one turn for room types that belong elsewhere.
const HANDED_OVER_AT_ONCE: usize = 64;

/// Waits until all nodes know whether a node reaches the store.
async fn known(leases: &[&Arc<RedisLease>], of: &RedisLease, is_cut_off: bool) {
    eventually("all nodes know", async || {
        let mut all = true;
        for lease in leases {
            let nodes = lease.nodes().await.unwrap_or_default();
            all &= nodes.iter().any(|node| node.peer == *of.me() && node.cut_off == is_cut_off);
        }
        all
    })
    .await;
}

/// Waits until the nodes have seen each other's heartbeats in the table, and know that they share a database.
async fn settled(stores: &[&MemoryMembers]) {
    let before: Vec<_> = stores.iter().map(|store| store.fewest_beats()).collect();
    eventually("every node has sent some heartbeats", async || {
        stores.iter().zip(&before).all(|(store, before)| store.fewest_beats() >= before + 5)
    })
    .await;
}

/// A request to a node makes it the owner of the room type.
async fn goes_on_at(lease: &RedisLease, room_type: RoomTypeId) {
    let granted = async || matches!(lease.acquire(room_type, Asked::Here).await, Ok(Acquired::Granted(_)));
    eventually("it is granted", granted).await;
}

#[test]
fn a_node_without_the_store_hands_over_everything() {
    in_system(async {
        let redis = Redis::start();
        let store = MemoryMembers::default();
        let first = node_on(store.clone(), &redis, "first", SHORT).await;
        let other = MemoryMembers::default();
        let second = node_on(other.clone(), &redis, "second", SHORT).await;
        first.keep(&Tasks::default());
        second.keep(&Tasks::default());
        known(&[&first, &second], &second, false).await;
        settled(&[&store, &other]).await;
        let is_mine = |room_type: &RoomTypeId| goes_to(first.me(), *room_type, second.me());
        let mine: Vec<_> = (0..).map(id).filter(is_mine).take(100).collect();
        for room_type in &mine {
            take(&first, *room_type).await;
        }
        store.set(false);
        let told = revoked(&first).await;
        assert!(told.iter().all(|revoked| revoked.why == Why::CutOff));
        assert!(told.len() == mine.len() && told.len() > HANDED_OVER_AT_ONCE, "all of them at once: {}", told.len());
        known(&[&first, &second], &first, true).await;
        for room_type in &mine {
            let told = ask(&first, *room_type).await;
            assert_eq!(told, Acquired::Elsewhere(second.me().clone()), "also what it had, and what it is sent");
            goes_on_at(&second, *room_type).await;
        }
        store.set(true);
        known(&[&first, &second], &first, false).await;
        assert!(mine.iter().all(|room_type| first.belongs_here(*room_type)), "it takes its share again");
    });
}

#[test]
fn without_any_node_at_the_store_the_owners_stay() {
    in_system(async {
        let redis = Redis::start();
        let store = MemoryMembers::default();
        let both = ["first", "second"].map(|name| node_on(store.clone(), &redis, name, SHORT));
        let nodes = futures_util::future::join_all(both).await;
        let leases: Vec<_> = nodes.iter().collect();
        nodes.iter().for_each(|lease| lease.keep(&Tasks::default()));
        settled(&[&store]).await;
        store.set(false);
        known(&leases, &nodes[0], true).await;
        known(&leases, &nodes[1], true).await;
        for n in 0..20 {
            let preferred = nodes.iter().filter(|lease| lease.belongs_here(id(n))).count();
            assert_eq!(preferred, 1, "they agree as if all was well");
            goes_on_at(nodes.iter().find(|lease| lease.belongs_here(id(n))).unwrap(), id(n)).await;
        }
    });
}

#[test]
fn a_store_that_takes_no_writes_makes_no_member_an_outsider_and_lets_a_newcomer_wait() {
    in_system(async {
        let redis = Redis::start();
        let store = MemoryMembers::default();
        let both = ["first", "second"].map(|name| node_on(store.clone(), &redis, name, SHORT));
        let nodes = futures_util::future::join_all(both).await;
        nodes.iter().for_each(|lease| lease.keep(&Tasks::default()));
        let can_own = async || nodes.iter().all(|lease| lease.may_own().is_ok());
        eventually("both are members", can_own).await;
        settled(&[&store]).await;
        store.set_read_only(true);
        // Longer than an objection to a member must last.
        for _ in 0..2 * SHORT.as_secs() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(nodes.iter().all(|lease| !matches!(lease.may_own(), Err(Unavailable::Outsider(_)))));
        }
        known(&[&nodes[0], &nodes[1]], &nodes[0], false).await;
        let newcomer = node(&redis, "newcomer", SHORT).await;
        newcomer.keep(&Tasks::default());
        let waits = async || matches!(newcomer.may_own(), Err(Unavailable::Outsider(Outsider::Database)));
        eventually("it waits", waits).await;
        store.set_read_only(false);
        eventually("it is a member", async || newcomer.may_own().is_ok()).await;
    });
}
