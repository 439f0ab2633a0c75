//! The search index: it says what a brute-force reading of the store says, and follows whatever happens.

mod follow;
mod oracle;
mod places;
mod town;

use std::sync::Arc;

use innkeeper::clock::ManualClock;
use innkeeper::domain::Timestamp;
use innkeeper::events::Hub;
use innkeeper::search::{Index, follow};
use innkeeper::store::Store;
use innkeeper::tasks::Tasks;

/// A complete index of a store, as it is at `now`, and the hub that it listens to.
async fn index_of(store: &Arc<dyn Store>, now: Timestamp) -> (Index, Hub) {
    let (index, hub) = (Index::default(), Hub::default());
    let clock = Arc::new(ManualClock::at(now));
    follow(index.clone(), hub.clone(), store.clone(), clock, &Tasks::default());
    index.reached(hub.position()).await;
    (index, hub)
}
