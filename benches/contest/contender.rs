//! Who takes part, and the stage that each gets for itself.

use std::sync::Arc;

use innkeeper::app::Running;
use innkeeper::engine::Engine;

use super::Desk;
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
    /// The one that the others are measured by comes first.
    pub const ALL: [Self; 5] =
        [Self::Handle, Self::HandleWithoutKeys, Self::GuardedUpdate, Self::Serialised, Self::PollingLock];

    /// Those that are also reached over HTTP, where nobody does without keys.
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

/// How guests reach a contender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    InProcess,
    Http,
}

/// A contender in a fresh house.
pub struct Stage {
    pub house: Arc<BenchSetup>,
    pub desk: Arc<dyn Desk>,
    open: Option<Open>,
}

/// What has to be shut down.
enum Open {
    Engine(Engine),
    Application(Box<Running>),
    /// What somebody's lock is on.
    LockServer(Redis),
}

impl Stage {
    /// A house with a catalogue of room types, of which guests want `wanted`.
    pub async fn open(contender: Contender, door: Door, catalogue: usize, wanted: usize) -> Self {
        let house = Arc::new(BenchSetup::open(catalogue, wanted).await);
        let (desk, open) = match (contender, door) {
            (Contender::Handle, Door::Http) => {
                let running = web::serve_innkeeper(&house).await;
                let desk = Arc::new(Web::at(&running.url()));
                return Self { house, desk, open: Some(Open::Application(Box::new(running))) };
            }
            (Contender::Handle | Contender::HandleWithoutKeys, _) => {
                let handle = Handle::open(&house, contender == Contender::Handle).await;
                let open = Some(Open::Engine(handle.engine.clone()));
                return Self { house, desk: Arc::new(handle), open };
            }
            (Contender::GuardedUpdate, _) => (baselines::guarded_update(&house.ground).await, None),
            (Contender::Serialised, _) => (baselines::serialised(&house.ground).await, None),
            (Contender::PollingLock, _) => baselines::polling_lock(&house.ground).await,
        };
        let desk = match door {
            Door::InProcess => desk,
            Door::Http => Arc::new(Web::at(&web::serve(desk))),
        };
        Self { house, desk, open: open.map(Open::LockServer) }
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
