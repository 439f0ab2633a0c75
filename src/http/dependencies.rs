//! What the HTTP API is built on.
//!
//! [`Dependencies`] exists while a server is put together. [`Dependencies::register`] gives each part to actix as a
//! `Data` of its own. A handler, extractor or middleware names the parts that it uses, and sees no others.

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};

use super::access::Access;
use super::edge::{AccessLog, Edge};
use super::forward::{Forwarding, Peers};
use super::openapi::Pages;
use super::system::{MetricsPage, StorePing};
use super::throttle::Throttle;
use crate::clock::{Clock, IdSource};
use crate::engine::Engine;
use crate::lease::Membership;
use crate::pulse::Pulse;
use crate::search::Index;
use crate::shutdown::Draining;
use crate::store::{Catalogue, Feed, Journal, Reports, Store};
use crate::ws::Gate;

/// Everything that handlers and middleware use. A clone is cheap and shares its parts.
#[derive(Clone)]
pub struct Dependencies {
    /// Decides everything that moves inventory.
    pub engine: Engine,
    /// Reads, and writes to the catalogue. Bookings are written through the engine only.
    pub store: Arc<dyn Store>,
    pub search: Index,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    pub access: Access,
    pub metrics: MetricsPage,
    pub store_ping: StorePing,
    /// The description of the API, rendered once.
    pub pages: Pages,
    /// Admits dashboards.
    pub gate: Gate,
    pub access_log: AccessLog,
    /// Whether this process is about to stop.
    pub draining: Draining,
    pub membership: Arc<dyn Membership>,
    /// Notices that this process stood still.
    pub pulse: Pulse,
    /// Limits public callers.
    pub throttle: Throttle,
    /// How to reach the other nodes. `None` on a node that is alone.
    pub peers: Option<Peers>,
}

impl Dependencies {
    /// Registers every part with one worker of the server.
    pub fn register(&self, config: &mut ServiceConfig) {
        let Self { engine, store, search, access, metrics, pages, gate, draining, pulse, throttle, .. } = self.clone();
        let catalogue: Arc<dyn Catalogue> = store.clone();
        let journal: Arc<dyn Journal> = store.clone();
        let reports: Arc<dyn Reports> = store.clone();
        let feed: Arc<dyn Feed> = store;
        config
            .app_data(Data::new(self.edge()))
            .app_data(Data::new(self.forwarding()))
            .app_data(Data::new(engine))
            .app_data(Data::from(catalogue))
            .app_data(Data::from(journal))
            .app_data(Data::from(reports))
            .app_data(Data::from(feed))
            .app_data(Data::new(search))
            .app_data(Data::from(self.clock.clone()))
            .app_data(Data::from(self.ids.clone()))
            .app_data(Data::new(access))
            .app_data(Data::new(metrics))
            .app_data(Data::new(self.store_ping.clone()))
            .app_data(Data::new(pages))
            .app_data(Data::new(gate))
            .app_data(Data::new(draining))
            .app_data(Data::from(self.membership.clone()))
            .app_data(Data::new(pulse))
            .app_data(Data::new(throttle));
    }

    /// What [`super::edge::around`] uses.
    pub fn edge(&self) -> Edge {
        Edge {
            ids: self.ids.clone(),
            clock: self.clock.clone(),
            access: self.access.clone(),
            access_log: self.access_log.clone(),
            throttle: self.throttle.clone(),
            draining: self.draining.clone(),
            membership: self.membership.clone(),
            peers: self.peers.clone(),
        }
    }

    /// What [`super::forward::around`] uses. Each worker has its own connections to the other nodes.
    fn forwarding(&self) -> Forwarding {
        Forwarding::new(
            self.engine.clone(),
            self.membership.clone(),
            self.clock.clone(),
            self.pulse.clone(),
            self.peers.as_ref(),
        )
    }
}
