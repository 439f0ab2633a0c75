//! Live inventory over WebSocket: `GET /v1/ws`.
//!
//! Owns the frames ([`frame`]), their description at `/asyncapi.json` ([`asyncapi`]), the connections, and the
//! WebSocket protocol ([`socket`]). Called by `http/routes.rs`. It makes no decision and calls no actor. A connection
//! ([`session`]) reads from [`crate::events::Live`]; its subscriptions are in a [`dashboard`].
//!
//! Invariants: no frame contains guest data. For each room type a client receives every committed state of the watched
//! nights in order, or a newer snapshot. Unread changes are bounded, and are replaced by the newest state.
//!
//! Limits: [`Options`]. An invalid frame is answered with an `error` frame that names member and rule. A frame that
//! breaks the protocol closes the connection ([`close`]). A client that sends nothing for the idle time, or that stops
//! reading, is disconnected. A shutdown closes every connection with 1001.

pub mod asyncapi;
pub mod close;
pub mod dashboard;
pub mod frame;
pub mod handler;
pub mod pace;
pub mod render;
pub mod request;
pub mod session;
pub mod socket;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::events::Live;

pub use handler::handle;

/// Limits of connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Open connections.
    pub connections: usize,
    /// Subscriptions of one connection.
    pub subscriptions: usize,
    /// Room types in all subscriptions of one connection.
    pub room_types: usize,
    /// Different room types in all subscriptions of all connections.
    pub room_types_in_all: usize,
    /// Nights of one subscription.
    pub nights: usize,
    /// The largest message from a client, in bytes.
    pub frame_bytes: usize,
    /// Frames from one client per second. Messages, fragments, pings and pongs count.
    pub frames_per_sec: usize,
    /// How long a client may send nothing, and how long it may leave frames unread.
    pub idle: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 10_000,
            subscriptions: 16,
            room_types: 64,
            room_types_in_all: 20_000,
            nights: 366,
            frame_bytes: 16 * 1024,
            frames_per_sec: 50,
            idle: Duration::from_secs(60),
        }
    }
}

/// Admits connections. Clones share their limits.
#[derive(Debug, Clone)]
pub struct Gate {
    live: Live,
    options: Arc<Options>,
    permits: Arc<Semaphore>,
}

impl Gate {
    pub fn new(live: Live, options: Options) -> Self {
        let permits = Arc::new(Semaphore::new(options.connections));
        Self { live, options: Arc::new(options), permits }
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Sets the gauges of the connections.
    pub fn measure(&self) {
        let open = self.options.connections.saturating_sub(self.permits.available_permits());
        metrics::gauge!("innkeeper_dashboards").set(open as f64);
        metrics::gauge!("innkeeper_watched_room_types").set(self.live.watched() as f64);
    }

    /// A permit for one more connection. `None` at the limit.
    fn enter(&self) -> Option<OwnedSemaphorePermit> {
        self.permits.clone().try_acquire_owned().ok()
    }
}
