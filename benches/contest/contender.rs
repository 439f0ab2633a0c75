//! Who takes part, and the stage that each gets for itself.

use std::sync::Arc;

use super::Desk;
use super::handle::Handle;
use super::house::House;
use crate::baselines::{GuardedUpdate, PollingLock, Serialised};

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

/// A contender in a fresh house.
pub struct Stage {
    pub house: Arc<House>,
    pub desk: Arc<dyn Desk>,
    handle: Option<Arc<Handle>>,
}

impl Stage {
    pub async fn open(contender: Contender, room_types: usize) -> Self {
        let house = Arc::new(House::open(room_types, room_types).await);
        let path = house.path();
        let (desk, handle): (Arc<dyn Desk>, _) = match contender {
            Contender::Handle | Contender::HandleWithoutKeys => {
                let handle = Arc::new(Handle::open(&house, contender == Contender::Handle).await);
                (handle.clone(), Some(handle))
            }
            Contender::GuardedUpdate => (Arc::new(GuardedUpdate::open(&path).await), None),
            Contender::Serialised => (Arc::new(Serialised::open(&path).await), None),
            Contender::PollingLock => (Arc::new(PollingLock::open(&path).await), None),
        };
        Self { house, desk, handle }
    }

    pub async fn close(self) {
        if let Some(handle) = self.handle {
            handle.engine.shutdown().await;
        }
    }
}
