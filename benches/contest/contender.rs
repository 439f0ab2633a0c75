//! The contenders, and a fresh setup for each of them.

use std::sync::Arc;

use innkeeper::app::Running;
use innkeeper::engine::Engine;

use super::Seller;
use super::handle::Handle;
use super::setup::BenchSetup;
use super::web::{self, Web};
use crate::baselines;
use crate::baselines::redis_server::Redis;

/// A way to sell rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    Handle,
    HandleWithoutKeys,
    GuardedUpdate,
    Serialised,
    PollingLock,
}

impl Contender {
    /// All contenders. The first one is the reference of the ratios.
    pub const ALL: [Self; 5] =
        [Self::Handle, Self::HandleWithoutKeys, Self::GuardedUpdate, Self::Serialised, Self::PollingLock];

    /// Contenders that are also measured over HTTP, always with keys.
    pub const OVER_HTTP: [Self; 4] = [Self::Handle, Self::GuardedUpdate, Self::Serialised, Self::PollingLock];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Handle => "innkeeper",
            Self::HandleWithoutKeys => "innkeeper_without_keys",
            Self::GuardedUpdate => "c_guarded_update",
            Self::Serialised => "b_serialised",
            Self::PollingLock => "a_polling_lock",
        }
    }
}

/// The interface between guests and a contender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    InProcess,
    Http,
}

/// A running contender in a fresh setup.
pub struct Stage {
    pub setup: Arc<BenchSetup>,
    pub seller: Arc<dyn Seller>,
    open: Option<Open>,
}

/// The parts to shut down at the end.
enum Open {
    Engine(Engine),
    Application(Box<Running>),
    /// The Redis of the polling lock.
    LockServer(Redis),
}

impl Stage {
    /// Starts a contender on a catalogue of room types, of which guests book `wanted`.
    pub async fn open(contender: Contender, interface: Interface, catalogue: usize, wanted: usize) -> Self {
        let setup = Arc::new(BenchSetup::open(catalogue, wanted).await);
        let (seller, open) = match (contender, interface) {
            (Contender::Handle, Interface::Http) => {
                let running = web::serve_innkeeper(&setup).await;
                let seller = Arc::new(Web::at(&running.url()));
                return Self { setup, seller, open: Some(Open::Application(Box::new(running))) };
            }
            (Contender::Handle | Contender::HandleWithoutKeys, _) => {
                let handle = Handle::open(&setup, contender == Contender::Handle).await;
                let open = Some(Open::Engine(handle.engine.clone()));
                return Self { setup, seller: Arc::new(handle), open };
            }
            (Contender::GuardedUpdate, _) => (baselines::guarded_update(&setup.database).await, None),
            (Contender::Serialised, _) => (baselines::serialised(&setup.database).await, None),
            (Contender::PollingLock, _) => baselines::polling_lock(&setup.database).await,
        };
        let seller = match interface {
            Interface::InProcess => seller,
            Interface::Http => Arc::new(Web::at(&web::serve(seller))),
        };
        Self { setup, seller, open: open.map(Open::LockServer) }
    }

    pub async fn close(self) {
        match self.open {
            Some(Open::Engine(engine)) => engine.shutdown().await,
            Some(Open::Application(running)) => running.shutdown().await,
            Some(Open::LockServer(redis)) => drop(redis),
            None => {}
        }
    }
}
