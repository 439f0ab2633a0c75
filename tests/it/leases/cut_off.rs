//! A node that cannot reach the store gives its room types to the nodes that can.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// The limit of one turn for room types that belong elsewhere.
const HANDED_OVER_AT_ONCE: usize = 64;

/// A store that answers or does not.
#[derive(Clone, Default)]
struct Switch(Arc<AtomicBool>);

impl Switch {
    fn set(&self, answers: bool) {
        self.0.store(answers, Ordering::SeqCst);
    }

    /// Lets a node check the store.
    fn watched_by(&self, lease: &Arc<RedisLease>) {
        let answers = self.0.clone();
        let tasks = Tasks::default();
        lease.keep(&tasks);
        lease.watch_store(move || std::future::ready(answers.load(Ordering::SeqCst).then(database)), &tasks);
    }
}

/// Waits until all nodes know whether a node reaches the store.
async fn known(everybody: &[&Arc<RedisLease>], of: &RedisLease, is_cut_off: bool) {
    eventually("everybody knows", async || {
        let mut all = true;
        for lease in everybody {
            let nodes = lease.nodes().await.unwrap_or_default();
            all &= nodes.iter().any(|node| node.peer == *of.me() && node.cut_off == is_cut_off);
        }
        all
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
        let (first, second) = (node(&redis, "first", SHORT).await, node(&redis, "second", SHORT).await);
        let store = Switch::default();
        store.set(true);
        store.watched_by(&first);
        second.keep(&Tasks::default());
        known(&[&first, &second], &second, false).await;
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
        let nodes = [node(&redis, "first", SHORT).await, node(&redis, "second", SHORT).await];
        let everybody = nodes.each_ref();
        let store = Switch::default();
        nodes.iter().for_each(|lease| store.watched_by(lease));
        known(&everybody, &nodes[0], true).await;
        known(&everybody, &nodes[1], true).await;
        for n in 0..20 {
            let preferred = nodes.iter().filter(|lease| lease.belongs_here(id(n))).count();
            assert_eq!(preferred, 1, "they agree as if all was well");
            goes_on_at(nodes.iter().find(|lease| lease.belongs_here(id(n))).unwrap(), id(n)).await;
        }
    });
}
