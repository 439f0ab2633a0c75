//! The search index: it agrees with a brute-force search of the store, and follows every change.

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

/// A complete index of a store at `now`, and its hub.
async fn index_of(store: &Arc<dyn Store>, now: Timestamp) -> (Index, Hub) {
    let (index, hub) = (Index::default(), Hub::default());
    let clock = Arc::new(ManualClock::at(now));
    follow(index.clone(), hub.clone(), store.clone(), clock, &Tasks::default());
    index.reached(hub.position()).await;
    (index, hub)
}
