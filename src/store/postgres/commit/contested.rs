//! Contested room types: another program has locked them. A batch is written without them, so that its lane goes on.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::RoomTypeId;
use crate::store::{CommitEntry, Verdict};

/// How long a contested room type is left out without waiting for its lock.
const REMEMBERED: Duration = Duration::from_secs(5);

/// The contested room types, and when each was found.
#[derive(Debug, Default)]
pub(in super::super) struct Contested(Mutex<HashMap<RoomTypeId, Instant>>);

impl Contested {
    /// Whether a batch writes to a contested room type.
    pub fn meets(&self, batch: &[CommitEntry]) -> bool {
        let mut found = self.found();
        if found.is_empty() {
            return false;
        }
        found.retain(|_, at| at.elapsed() < REMEMBERED);
        batch.iter().any(|entry| found.contains_key(&entry.room_type))
    }

    /// Learns from a batch that was written without locked room types: their entries are fenced.
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
