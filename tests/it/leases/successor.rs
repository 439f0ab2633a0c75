//! Another Redis replaces the current one, and the connection to the old one does not break.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;

use innkeeper::lease::redis::Options;
use innkeeper::lease::{Membership, RedisLease};
use innkeeper::secret::Secret;
use tempfile::TempDir;

use super::{LONG, id, key, peer, take, unacquainted};
use crate::support::app::in_system;
use crate::support::cluster::SECRET;
use crate::support::eventually::eventually;
use crate::support::members::MemoryMembers;
use crate::support::redis::Redis;

/// A Redis at an address that can lead to another one.
struct Moving {
    folder: TempDir,
    old: Redis,
    new: Redis,
}

impl Moving {
    fn start() -> Self {
        let moving = Self { folder: tempfile::tempdir().unwrap(), old: Redis::start(), new: Redis::start() };
        symlink(moving.old.socket(), moving.way()).unwrap();
        moving
    }

    fn way(&self) -> PathBuf {
        self.folder.path().join("way")
    }

    /// A node that is connected to the old one.
    async fn node(&self) -> Arc<RedisLease> {
        let addresses = format!("redis+unix://{}", self.way().display()).parse().unwrap();
        let options = Options { addresses, secret: Secret::new(SECRET), ttl: LONG };
        let lease = unacquainted(MemoryMembers::default(), &options, peer("one"));
        eventually("it has looked around", async || lease.nodes().await.is_ok()).await;
        lease
    }

    fn lead_to_the_new_one(&self) {
        std::fs::remove_file(self.way()).unwrap();
        symlink(self.new.socket(), self.way()).unwrap();
    }

    async fn is_followed_by(&self, lease: &RedisLease) {
        eventually("the new one is asked", async || lease.nodes().await.is_ok()).await;
        take(lease, id(1)).await;
        assert_eq!(self.new.run::<i64>(&["EXISTS", &key(id(1), "lease")]), 1);
    }
}

#[test]
fn a_replica_is_left_for_the_new_primary() {
    in_system(async {
        let moving = Moving::start();
        let lease = moving.node().await;
        moving.old.run::<()>(&["REPLICAOF", "127.0.0.1", "1"]);
        moving.lead_to_the_new_one();
        assert!(lease.nodes().await.is_err(), "a replica cannot be told that a node lives");
        moving.is_followed_by(&lease).await;
    });
}

#[test]
fn a_silent_redis_is_left_for_its_successor() {
    in_system(async {
        let moving = Moving::start();
        let lease = moving.node().await;
        // The server's end of the connection stays open, as when a machine disappears.
        moving.old.pause();
        moving.lead_to_the_new_one();
        moving.is_followed_by(&lease).await;
    });
}

#[test]
fn one_address_of_a_redis_cluster_is_refused() {
    in_system(async {
        let (all, none) = (Redis::start_cluster(), Redis::start_cluster());
        none.run::<()>(&["CLUSTER", "DELSLOTSRANGE", "0", "16383"]);
        let [port, bus] = ["port", "cluster-port"].map(|name| all.run::<(String, String)>(&["CONFIG", "GET", name]).1);
        none.run::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        eventually("the holder of the keys is known", async || {
            none.run::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
        })
        .await;
        let one = none.url().split(',').next().unwrap().parse().unwrap();
        let options = Options { addresses: one, secret: Secret::new(SECRET), ttl: LONG };
        let lease = unacquainted(MemoryMembers::default(), &options, peer("one"));
        eventually("it is told what to do", async || {
            let error = anyhow::Error::new(lease.nodes().await.unwrap_err());
            format!("{error:#}").contains("name several")
        })
        .await;
    });
}
