//! Hotels that are looked for together: by city, by place.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use dashmap::DashMap;

use super::listing::Listing;

/// A group as a search takes it: whole, without copying it, and so without holding a lock while it quotes.
pub(super) type Group = Arc<[Arc<Listing>]>;

/// Groups by what their hotels have in common. Changing one makes a copy of it, which is rare: hotels are made, and
/// now and then moved, but searched all the time.
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

    /// Adds hotels that are in no group yet; each group is copied once.
    pub fn add(&self, newcomers: impl IntoIterator<Item = (K, Arc<Listing>)>) {
        let mut by_key = HashMap::<K, Vec<_>>::new();
        for (key, listing) in newcomers {
            by_key.entry(key).or_default().push(listing);
        }
        for (key, newcomers) in by_key {
            let mut group = self.0.entry(key).or_default();
            *group = group.iter().cloned().chain(newcomers).collect();
        }
    }

    /// Moves a hotel from one group to another.
    pub fn shift(&self, listing: &Arc<Listing>, from: Option<K>, to: Option<K>) {
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
