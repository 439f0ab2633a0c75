//! A node that cannot reach the store lets those have everything who can.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// Short enough to wait for, long enough for a busy machine to say twice in it that a node lives.
const TTL: Duration = Duration::from_secs(3);
/// What one turn hands over at most of what merely belongs elsewhere.
const HANDED_OVER_AT_ONCE: u128 = 64;

/// A store, and whether it answers.
#[derive(Clone, Default)]
struct Switch(Arc<AtomicBool>);

impl Switch {
    fn set(&self, answers: bool) {
        self.0.store(answers, Ordering::SeqCst);
    }

    /// Lets a node ask it.
    fn watched_by(&self, lease: &Arc<RedisLease>) {
        let answers = self.0.clone();
        lease.keep();
        lease.watch_store(move || std::future::ready(answers.load(Ordering::SeqCst)));
    }
}

/// Waits until everybody knows of one of the nodes that it reaches the store, or that it does not.
async fn known(everybody: &[&Arc<RedisLease>], of: &RedisLease, is_cut_off: bool) {
    eventually("everybody knows", async || {
        let mut all = true;
        for lease in everybody {
            let nodes = lease.nodes().await.unwrap();
            all &= nodes.iter().any(|node| node.peer == *of.me() && node.cut_off == is_cut_off);
        }
        all
    })
    .await;
}

#[test]
fn a_node_that_cannot_reach_the_store_gives_everything_to_one_that_can() {
    in_system(async {
        let redis = Redis::start();
        let (first, second) = (node(&redis, "first", TTL).await, node(&redis, "second", TTL).await);
        let store = Switch::default();
        store.set(true);
        store.watched_by(&first);
        second.keep();
        known(&[&first, &second], &second, false).await;
        let is_mine = |room_type: &RoomTypeId| goes_to(first.me(), *room_type, second.me());
        let mine: Vec<_> = (0..).map(id).filter(is_mine).take(100).collect();
        for room_type in &mine {
            take(&first, *room_type).await;
        }
        store.set(false);
        let mut told = Vec::new();
        while told.len() < mine.len() {
            told.extend(revoked(&first).await);
        }
        assert!(mine.len() as u128 > HANDED_OVER_AT_ONCE && told.iter().all(|revoked| revoked.why == Why::CutOff));
        known(&[&first, &second], &first, true).await;
        for room_type in &mine {
            let told = first.acquire(*room_type, Asked::Forwarded).await.unwrap();
            assert_eq!(told, Acquired::Elsewhere(second.me().clone()), "also what it had, and what it is sent");
            assert!(matches!(second.acquire(*room_type, Asked::Here).await, Ok(Acquired::Granted(_))));
        }
        store.set(true);
        known(&[&first, &second], &first, false).await;
        assert!(mine.iter().all(|room_type| first.belongs_here(*room_type)), "it takes its share again");
    });
}

#[test]
fn where_nobody_reaches_the_store_everybody_keeps_what_he_has() {
    in_system(async {
        let redis = Redis::start();
        let nodes = [node(&redis, "first", TTL).await, node(&redis, "second", TTL).await];
        let everybody = nodes.each_ref();
        let store = Switch::default();
        nodes.iter().for_each(|lease| store.watched_by(lease));
        known(&everybody, &nodes[0], true).await;
        known(&everybody, &nodes[1], true).await;
        for n in 0..20 {
            let preferred = nodes.iter().filter(|lease| lease.belongs_here(id(n))).count();
            assert_eq!(preferred, 1, "they agree as if all was well");
            let owner = nodes.iter().find(|lease| lease.belongs_here(id(n))).unwrap();
            assert!(matches!(owner.acquire(id(n), Asked::Here).await, Ok(Acquired::Granted(_))));
        }
    });
}
