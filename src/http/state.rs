//! What handlers are given.

use std::sync::Arc;

use super::access::Access;
use super::edge::AccessLog;
use super::forward::Peers;
use super::system::Pages;
use super::throttle::Throttle;
use crate::clock::{Clock, IdSource};
use crate::engine::Engine;
use crate::lease::Membership;
use crate::pulse::Pulse;
use crate::search::{Building, Index};
use crate::shutdown::Draining;
use crate::store::{Catalogue, Feed, Journal, Reports};
use crate::ws::Gate;

/// Everything a handler may call. A clone is cheap.
#[derive(Clone)]
pub struct State {
    pub engine: Engine,
    pub catalogue: Arc<dyn Catalogue>,
    pub reports: Arc<dyn Reports>,
    pub search: Index,
    /// To read bookings. All writing goes through the engine.
    pub journal: Arc<dyn Journal>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    pub access: Access,
    /// Renders the metrics as Prometheus reads them.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The description of the API, made once.
    pub pages: Pages,
    /// Where dashboards come in.
    pub gate: Gate,
    /// Where requests are logged.
    pub access_log: AccessLog,
    /// Events of all room types.
    pub feed: Arc<dyn Feed>,
    /// Whether the process is about to end.
    pub draining: Draining,
    /// The nodes, and this one's part.
    pub membership: Arc<dyn Membership>,
    /// Notices that this process stood still.
    pub pulse: Pulse,
    /// How public callers are limited.
    pub throttle: Throttle,
    /// How to talk to the other nodes, where there can be others.
    pub peers: Option<Peers>,
}

impl State {
    /// The search index, knowing everything that anybody was answered before now.
    pub async fn searchable(&self) -> Result<&Index, Building> {
        self.search.caught_up(self.engine.hub().position()).await?;
        Ok(&self.search)
    }
}
