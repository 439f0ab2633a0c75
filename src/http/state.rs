//! What handlers are given.

use std::sync::Arc;

use super::access::Access;
use crate::clock::{Clock, IdSource};
use crate::engine::Engine;
use crate::store::{Catalogue, Ledger, Reports, Store};

/// Everything a handler may call. A clone is cheap.
#[derive(Clone)]
pub struct State {
    pub engine: Engine,
    pub catalogue: Arc<dyn Catalogue>,
    pub reports: Arc<dyn Reports>,
    /// To read bookings. All writing goes through the engine.
    pub ledger: Arc<dyn Ledger>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    pub access: Access,
    /// Renders the metrics as Prometheus reads them.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl State {
    /// State on one store that can do everything.
    pub fn new<S: Store>(
        engine: Engine,
        store: Arc<S>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        access: Access,
        metrics: Arc<dyn Fn() -> String + Send + Sync>,
    ) -> Self {
        Self { engine, catalogue: store.clone(), reports: store.clone(), ledger: store, clock, ids, access, metrics }
    }
}
