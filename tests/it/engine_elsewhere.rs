//! The engine of a node that owns no room type.

use std::sync::Arc;

use async_trait::async_trait;
use innkeeper::clock::System;
use innkeeper::domain::{RoomTypeId, testing};
use innkeeper::engine::{Engine, Error, Key, Options};
use innkeeper::lease::{Acquired, Asked, Lease, Peer, Revoked, Token, Unavailable};
use innkeeper::store::{Fingerprint, KeyDigest};

use crate::support::app::in_system;
use crate::support::fixtures::{house, order_for};
use crate::support::test_database::TestDatabase;

/// Another node owns every room type, and this node learned that a moment ago.
struct Elsewhere(Peer);

#[async_trait]
impl Lease for Elsewhere {
    async fn acquire(&self, _: RoomTypeId, _: Asked) -> Result<Acquired, Unavailable> {
        Ok(Acquired::Elsewhere(self.0.clone()))
    }

    async fn raise(&self, _: RoomTypeId, _: Token) -> Result<Token, Unavailable> {
        unreachable!("nothing was granted")
    }

    fn is_certain(&self, _: RoomTypeId, _: Token) -> bool {
        unreachable!("nothing was granted")
    }

    fn release(&self, _: RoomTypeId, _: Token) {}

    fn forget(&self, _: RoomTypeId, _: Token) {}

    fn belongs_here(&self, _: RoomTypeId) -> bool {
        false
    }

    fn last_found(&self, _: RoomTypeId) -> Option<Peer> {
        Some(self.0.clone())
    }

    async fn revoked(&self) -> Vec<Revoked> {
        std::future::pending().await
    }
}

#[test]
fn a_key_is_looked_up_by_the_owner_alone() {
    in_system(async {
        let (place, (_, room_type, _)) = (TestDatabase::new(), house(1));
        let store = place.store().await;
        let other = Peer { node: "other".parse().unwrap(), url: "http://other".into() };
        let (lease, clock) = (Arc::new(Elsewhere(other.clone())), Arc::new(System));
        let engine = Engine::start(Options::default(), store.clone(), lease, clock.clone(), clock);
        // The owner is asked and cannot answer.
        store.close().await.unwrap();
        let key = Key { digest: KeyDigest([1; 32]), fingerprint: Fingerprint([1; 32]) };
        let answer = engine.book(room_type.id, order_for(testing::stay(1, 1)), Some(key)).await;
        assert!(matches!(&answer, Err(Error::Elsewhere(owner)) if *owner == other), "{answer:?}");
        engine.shutdown().await;
    });
}
