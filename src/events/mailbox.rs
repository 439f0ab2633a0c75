//! The mailbox of one subscriber. It is bounded: when changes find no room, the subscriber gets a snapshot instead.
//!
//! Every room type in a subscription has a slot. A slot is *due* when its subscriber needs the current state: at first,
//! after a gap, or when it was too slow. Changes of a due slot are not kept, because the current state will contain
//! them.
//! So at most [`ROOM`] changes and one due mark per slot wait, however slow the subscriber is.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::update::{Change, EncodedOnce};
use crate::domain::HotelId;

/// Changes that can wait for a subscriber. When the mailbox is full, the changes of a room type are conflated. One
/// commit has at most this many facts under default settings, so a subscriber that reads in time gets each of them.
pub const ROOM: usize = 256;

/// Identifies one room type in one subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u64);

/// Why a subscriber needs the current state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// It has no state yet.
    Snapshot,
    /// It has seen all changes up to `after`.
    Resume { after: u64 },
    /// It has missed changes because it read too slowly.
    Conflated,
}

/// What a subscriber receives.
#[derive(Debug)]
pub enum News {
    Due(Slot, Due),
    Change(Arc<EncodedOnce<Change>>),
    /// A followed hotel may have other room types now.
    Hotel(HotelId),
}

#[derive(Debug, Default)]
pub(super) struct Mailbox {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    slots: HashMap<Slot, SlotState>,
    due: VecDeque<Slot>,
    changes: VecDeque<(Slot, Arc<EncodedOnce<Change>>)>,
    hotels: VecDeque<HotelId>,
}

/// What the subscriber has received for a slot.
#[derive(Debug)]
struct SlotState {
    /// All changes up to this sequence number were sent or wait in the mailbox.
    sequence: u64,
    due: Option<Due>,
}

impl Mailbox {
    pub fn open(&self, slot: Slot, due: Due) {
        let mut waiting = self.lock();
        waiting.slots.insert(slot, SlotState { sequence: 0, due: Some(due) });
        waiting.due.push_back(slot);
        drop(waiting);
        self.wake.notify_one();
    }

    pub fn close(&self, slot: Slot) {
        let mut waiting = self.lock();
        waiting.slots.remove(&slot);
        waiting.due.retain(|due| *due != slot);
        waiting.changes.retain(|(of, _)| *of != slot);
    }

    /// Adds a change, unless the subscriber has it already or will get a newer state.
    pub fn change(&self, slot: Slot, change: &Arc<EncodedOnce<Change>>) {
        let mut waiting = self.lock();
        let (sequence, full) = (change.value().sequence, waiting.changes.len() >= ROOM);
        let Some(known) = waiting.slots.get_mut(&slot) else { return };
        if known.due.is_some() || sequence <= known.sequence {
            return;
        }
        if full {
            metrics::counter!("innkeeper_live_conflations_total").increment(1);
            waiting.make_due(slot, Due::Conflated);
        } else {
            known.sequence = sequence;
            waiting.changes.push_back((slot, change.clone()));
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Makes a slot due, unless the subscriber has all changes up to `sequence`.
    pub fn require_snapshot(&self, slot: Slot, sequence: u64) {
        let mut waiting = self.lock();
        let stale = waiting.slots.get(&slot).is_some_and(|known| known.due.is_none() && known.sequence < sequence);
        if stale {
            waiting.make_due(slot, Due::Snapshot);
            drop(waiting);
            self.wake.notify_one();
        }
    }

    /// The subscriber is about to get the state at `sequence`. Later changes are kept for it again.
    pub fn mark_sent(&self, slot: Slot, sequence: u64) {
        if let Some(known) = self.lock().slots.get_mut(&slot) {
            *known = SlotState { sequence, due: None };
        }
    }

    pub fn hotel(&self, hotel: HotelId) {
        let mut waiting = self.lock();
        if !waiting.hotels.contains(&hotel) {
            waiting.hotels.push_back(hotel);
            drop(waiting);
            self.wake.notify_one();
        }
    }

    /// Waits for news. Cancelling the wait loses nothing. For one reader only.
    pub async fn next(&self) -> News {
        loop {
            if let Some(news) = self.lock().next() {
                return news;
            }
            self.wake.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn make_due(&mut self, slot: Slot, why: Due) {
        if let Some(known) = self.slots.get_mut(&slot) {
            known.due = Some(why);
            self.changes.retain(|(of, _)| *of != slot);
            self.due.push_back(slot);
        }
    }

    fn next(&mut self) -> Option<News> {
        if let Some(hotel) = self.hotels.pop_front() {
            return Some(News::Hotel(hotel));
        }
        while let Some(slot) = self.due.pop_front() {
            if let Some(due) = self.slots.get(&slot).and_then(|known| known.due) {
                return Some(News::Due(slot, due));
            }
        }
        self.changes.pop_front().map(|(_, change)| News::Change(change))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Date, RoomTypeId};

    fn change(sequence: u64) -> Arc<EncodedOnce<Change>> {
        let room_type = RoomTypeId(Uuid::nil());
        EncodedOnce::new(Change { room_type, sequence, from: Date::MIN, nights: Vec::new(), cause: "booked".into() })
    }

    /// A mailbox whose slot has received everything up to 5.
    fn mailbox_at_5() -> Mailbox {
        let mailbox = Mailbox::default();
        mailbox.open(Slot(1), Due::Snapshot);
        assert!(matches!(mailbox.lock().next(), Some(News::Due(Slot(1), Due::Snapshot))));
        mailbox.mark_sent(Slot(1), 5);
        mailbox
    }

    fn next(mailbox: &Mailbox) -> Option<News> {
        mailbox.lock().next()
    }

    #[test]
    fn a_change_that_was_sent_already_is_not_kept() {
        let mailbox = mailbox_at_5();
        for sequence in [4, 5, 6, 6] {
            mailbox.change(Slot(1), &change(sequence));
        }
        mailbox.require_snapshot(Slot(1), 6);
        assert!(matches!(next(&mailbox), Some(News::Change(kept)) if kept.value().sequence == 6));
        assert!(next(&mailbox).is_none());
    }

    #[test]
    fn nothing_is_kept_for_a_slot_that_is_due() {
        let mailbox = mailbox_at_5();
        mailbox.require_snapshot(Slot(1), 6);
        mailbox.change(Slot(1), &change(7));
        mailbox.require_snapshot(Slot(1), 8);
        assert!(matches!(next(&mailbox), Some(News::Due(Slot(1), Due::Snapshot))));
        assert!(next(&mailbox).is_none());
    }

    #[test]
    fn a_full_mailbox_keeps_its_changes_and_makes_further_slots_due() {
        let mailbox = mailbox_at_5();
        mailbox.open(Slot(2), Due::Snapshot);
        assert!(matches!(next(&mailbox), Some(News::Due(Slot(2), _))));
        mailbox.mark_sent(Slot(2), 0);
        for sequence in 6..6 + ROOM as u64 {
            mailbox.change(Slot(1), &change(sequence));
        }
        for sequence in 1..1_000 {
            mailbox.change(Slot(2), &change(sequence));
        }
        let waiting = mailbox.lock();
        assert_eq!((waiting.changes.len(), waiting.due.len()), (ROOM, 1));
        assert_eq!(waiting.slots[&Slot(2)].due, Some(Due::Conflated));
    }

    #[test]
    fn conflating_removes_waiting_changes() {
        let mailbox = mailbox_at_5();
        for sequence in 6..7 + ROOM as u64 {
            mailbox.change(Slot(1), &change(sequence));
        }
        assert!(matches!(next(&mailbox), Some(News::Due(Slot(1), Due::Conflated))));
        assert!(next(&mailbox).is_none());
    }

    #[test]
    fn a_closed_slot_receives_nothing() {
        let mailbox = mailbox_at_5();
        mailbox.change(Slot(1), &change(6));
        mailbox.close(Slot(1));
        mailbox.change(Slot(1), &change(7));
        mailbox.require_snapshot(Slot(1), 8);
        assert!(next(&mailbox).is_none());
    }
}
