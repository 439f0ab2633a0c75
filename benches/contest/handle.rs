//! innkeeper in process, through the handle that HTTP handlers use.

use std::sync::Arc;

use async_trait::async_trait;
use innkeeper::app::{open_store, start_engine};
use innkeeper::clock::System;
use innkeeper::engine::{Engine, Error, Options};

use super::setup::BenchSetup;
use super::web::config;
use super::{Seller, StayRequest};

pub struct Handle {
    pub engine: Engine,
    keys: bool,
}

impl Handle {
    /// With or without idempotency keys.
    pub async fn open(setup: &BenchSetup, keys: bool) -> Self {
        let store = open_store(&config(setup), false).await.unwrap();
        Self { engine: start_engine(&Options::default(), store, Arc::new(System)), keys }
    }
}

#[async_trait]
impl Seller for Handle {
    async fn book(&self, stay_request: StayRequest) -> bool {
        match self.engine.book(stay_request.room_type, stay_request.order, stay_request.key.filter(|_| self.keys)).await
        {
            Ok(_) => true,
            Err(Error::Refused(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }
}
