//! Contested room types: another program has locked them, or rows that they need. A batch is written without them, so
//! that its lane goes on.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::RoomTypeId;
use crate::store::CommitEntry;

/// How long a batch with a contested room type does not wait for locks as long as other batches do.
const REMEMBERED: Duration = Duration::from_secs(5);
/// How long a room type is left out without a try, after a wait for another row than its own.
const LEFT_OUT: Duration = Duration::from_secs(2);

/// The contested room types, and when each was found.
#[derive(Debug, Default)]
pub(in super::super) struct Contested(Mutex<HashMap<RoomTypeId, Found>>);

#[derive(Debug, Clone, Copy)]
struct Found {
    at: Instant,
    /// Another row than the room type's own is locked. Only a wait finds that out.
    waited_for: bool,
}

/// The locked room types of a batch.
#[derive(Debug, Default)]
pub(in super::super) struct Locked {
    /// Their own row is locked.
    pub skipped: BTreeSet<RoomTypeId>,
    /// Another row that they need is locked: a night, a plan, the hotel.
    pub waited_for: BTreeSet<RoomTypeId>,
}

impl Contested {
    /// Whether a batch writes to a contested room type.
    pub fn meets(&self, batch: &[CommitEntry]) -> bool {
        let mut found = self.found();
        if found.is_empty() {
            return false;
        }
        found.retain(|_, found| found.at.elapsed() < REMEMBERED);
        batch.iter().any(|entry| found.contains_key(&entry.room_type))
    }

    /// The room types of a batch that are left out without a try.
    pub fn left_out(&self, batch: &[CommitEntry]) -> HashSet<RoomTypeId> {
        let found = self.found();
        let is_left_out =
            |id: &RoomTypeId| found.get(id).is_some_and(|found| found.waited_for && found.at.elapsed() < LEFT_OUT);
        batch.iter().map(|entry| entry.room_type).filter(is_left_out).collect()
    }

    /// Learns from a batch that was written without locked room types. Nothing is learnt of those `left_out`.
    pub fn learn(&self, batch: &[CommitEntry], left_out: &HashSet<RoomTypeId>, locked: &Locked) {
        let (mut found, at) = (self.found(), Instant::now());
        for id in batch.iter().map(|entry| entry.room_type).filter(|id| !left_out.contains(id)) {
            let waited_for = locked.waited_for.contains(&id);
            match waited_for || locked.skipped.contains(&id) {
                true => drop(found.insert(id, Found { at, waited_for })),
                false => drop(found.remove(&id)),
            }
        }
    }

    fn found(&self) -> MutexGuard<'_, HashMap<RoomTypeId, Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{book, inventory, noon, order, run, stay};
    use crate::lease::Token;

    fn batch() -> [CommitEntry; 1] {
        let mut house = inventory(2);
        let fact = run(&mut house, book(1, order(stay(0, 1), 1), noon(0)), noon(0)).unwrap();
        let (room_type, token) = (house.room_type.id, Token(1));
        [CommitEntry { room_type, token, fact, record: None, jobs: Vec::new(), answer_only: false }]
    }

    fn of(batch: &[CommitEntry]) -> BTreeSet<RoomTypeId> {
        batch.iter().map(|entry| entry.room_type).collect()
    }

    #[test]
    fn what_is_fenced_for_another_reason_is_not_taken_for_locked() {
        let (contested, batch) = (Contested::default(), batch());
        contested.learn(&batch, &HashSet::new(), &Locked::default());
        assert!(!contested.meets(&batch));
    }

    #[test]
    fn what_had_to_be_waited_for_is_not_tried_for_a_moment_and_what_was_skipped_is() {
        let (contested, batch) = (Contested::default(), batch());
        let skipped = Locked { skipped: of(&batch), ..Locked::default() };
        contested.learn(&batch, &HashSet::new(), &skipped);
        assert!(contested.meets(&batch) && contested.left_out(&batch).is_empty());
        let waited_for = Locked { waited_for: of(&batch), ..Locked::default() };
        contested.learn(&batch, &HashSet::new(), &waited_for);
        let left_out = contested.left_out(&batch);
        assert_eq!(left_out.len(), 1);
        // Where it was not tried, nothing is known of it.
        contested.learn(&batch, &left_out, &Locked::default());
        assert!(contested.meets(&batch));
        contested.learn(&batch, &HashSet::new(), &Locked::default());
        assert!(!contested.meets(&batch));
    }
}
