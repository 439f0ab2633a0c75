//! Room types that another program has locked: a batch is written without them, so that the others of its lane go on.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::RoomTypeId;
use crate::store::{CommitEntry, Verdict};

/// How long a room type that was found to be locked is not waited for.
const REMEMBERED: Duration = Duration::from_secs(5);

/// Those that were found to be locked a moment ago.
#[derive(Debug, Default)]
pub(in super::super) struct Contested(Mutex<HashMap<RoomTypeId, Instant>>);

impl Contested {
    /// Whether a batch writes to one of them.
    pub fn meets(&self, batch: &[CommitEntry]) -> bool {
        let mut found = self.found();
        if found.is_empty() {
            return false;
        }
        found.retain(|_, at| at.elapsed() < REMEMBERED);
        batch.iter().any(|entry| found.contains_key(&entry.room_type))
    }

    /// A batch was written without those that are locked: none of their entries is stored.
    pub fn learn(&self, batch: &[CommitEntry], verdicts: &[Verdict]) {
        let mut found = self.found();
        for (entry, verdict) in batch.iter().zip(verdicts) {
            match verdict {
                Verdict::Fenced => drop(found.insert(entry.room_type, Instant::now())),
                _ => drop(found.remove(&entry.room_type)),
            }
        }
    }

    fn found(&self) -> MutexGuard<'_, HashMap<RoomTypeId, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
