//! Live inventory over WebSocket: `GET /v1/ws`.
//!
//! Owns the messages ([`frame`]), their description at `/asyncapi.json` ([`asyncapi`]), the connections and the
//! protocol below them ([`socket`]). Called by `http/routes.rs`. It never decides and never asks an actor: a connection
//! ([`session`]) is a reader of [`crate::events::Live`] whose wishes are kept by a [`dashboard`].
//!
//! Invariants: no guest's data is in any frame; per room type a client sees every committed state of the nights it
//! watches in order, or a newer snapshot; what a client has not read yet is bounded and gives way to the newest state.
//!
//! Limits: [`Options`]. A harmless mistake is answered with an `error` frame that names field and rule; a harmful one
//! closes the connection ([`close`]). A client that vanishes is noticed by its silence, one that stops reading by its
//! socket. At shutdown everybody is sent away with 1001.

pub mod asyncapi;
pub mod close;
pub mod dashboard;
pub mod frame;
pub mod handler;
pub mod pace;
pub mod request;
pub mod session;
pub mod socket;
pub mod words;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::events::Live;

pub use handler::handle;

/// Limits of connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Open at the same time.
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
    /// Frames from one client in a second, whatever they are: messages, fragments, pings, pongs.
    pub frames_per_sec: usize,
    /// How long a client may be silent, and how long it may leave what it is sent unread.
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

/// Where connections come from. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Gate {
    live: Live,
    options: Arc<Options>,
    places: Arc<Semaphore>,
}

impl Gate {
    pub fn new(live: Live, options: Options) -> Self {
        let places = Arc::new(Semaphore::new(options.connections));
        Self { live, options: Arc::new(options), places }
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Writes the gauges of the connections as they are now.
    pub fn measure(&self) {
        let open = self.options.connections.saturating_sub(self.places.available_permits());
        metrics::gauge!("innkeeper_dashboards").set(open as f64);
        metrics::gauge!("innkeeper_watched_room_types").set(self.live.watched() as f64);
    }

    /// A place for one more connection, unless there are too many.
    fn enter(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().ok()
    }
}
