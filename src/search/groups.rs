//! Groups of hotels: by city and by grid square.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use dashmap::DashMap;

use super::listing::Listing;

/// A group of hotels. A search clones the `Arc`, so it holds no lock while it quotes.
pub(super) type Group = Arc<[Arc<Listing>]>;

/// Groups by key. Every change copies the group. Changes are rare, searches are frequent.
pub(super) struct Groups<K>(DashMap<K, Group>);

impl<K: Eq + Hash> Default for Groups<K> {
    fn default() -> Self {
        Self(DashMap::new())
    }
}

impl<K: Eq + Hash> Groups<K> {
    pub fn get(&self, key: &K) -> Group {
        self.0.get(key).map(|group| group.clone()).unwrap_or_default()
    }

    /// Adds hotels that are in no group yet. Each group is copied once.
    pub fn add(&self, added: impl IntoIterator<Item = (K, Arc<Listing>)>) {
        let mut by_key = HashMap::<K, Vec<_>>::new();
        for (key, listing) in added {
            by_key.entry(key).or_default().push(listing);
        }
        for (key, added) in by_key {
            let mut group = self.0.entry(key).or_default();
            *group = group.iter().cloned().chain(added).collect();
        }
    }

    /// Moves a hotel from one group to another.
    pub fn move_hotel(&self, listing: &Arc<Listing>, from: Option<K>, to: Option<K>) {
        if from == to {
            return;
        }
        if let Some(from) = from {
            let mut group = self.0.entry(from).or_default();
            *group = group.iter().filter(|other| other.id != listing.id).cloned().collect();
        }
        self.add(to.map(|to| (to, listing.clone())));
    }

    pub fn clear(&self) {
        self.0.clear();
    }
}
