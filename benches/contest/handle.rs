//! innkeeper itself, in process: through the handle that HTTP handlers use.

use std::sync::Arc;

use async_trait::async_trait;
use innkeeper::clock::System;
use innkeeper::engine::{Engine, Error, Options};
use innkeeper::store::sqlite::Sqlite;

use super::house::House;
use super::{Desk, Wish};

pub struct Handle {
    pub engine: Engine,
    keys: bool,
}

impl Handle {
    /// With or without idempotency keys.
    pub async fn open(house: &House, keys: bool) -> Self {
        let store = Arc::new(Sqlite::open(&house.url(), false).await.unwrap());
        Self { engine: innkeeper::app::start_engine(&Options::default(), store, Arc::new(System)), keys }
    }
}

#[async_trait]
impl Desk for Handle {
    async fn book(&self, wish: Wish) -> bool {
        match self.engine.book(wish.room_type, wish.order, wish.key.filter(|_| self.keys)).await {
            Ok(_) => true,
            Err(Error::Refused(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }
}
