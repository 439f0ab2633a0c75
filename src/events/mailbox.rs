//! What waits for one subscriber: bounded, because changes that find no room give way to the newest state.
//!
//! Every room type in a subscription has a slot. A slot is *due* when its subscriber is to be told how things stand
//! (at first, after a gap, when it was too slow); until that has been done, changes of it are not kept, since they will
//! be in what is told then. So there are at most [`ROOM`] changes and one due mark per slot, however slow the
//! subscriber is.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::update::{Change, Shared};
use crate::domain::HotelId;

/// Changes that wait for a subscriber before those of a room type are conflated: as many as one commit brings at most by
/// default, so that whoever reads is told each.
pub const ROOM: usize = 256;

/// One room type in one subscription, as the subscriber calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u64);

/// Why a subscriber is to be told how things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// It knows nothing yet.
    Snapshot,
    /// It has seen everything up to `after`.
    Resume { after: u64 },
    /// It has missed changes because it was too slow.
    Conflated,
}

/// What a subscriber finds.
#[derive(Debug)]
pub enum News {
    Due(Slot, Due),
    Change(Arc<Shared<Change>>),
    /// A hotel that it follows may have other room types now.
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
    changes: VecDeque<(Slot, Arc<Shared<Change>>)>,
    hotels: VecDeque<HotelId>,
}

/// What the subscriber knows of a slot.
#[derive(Debug)]
struct SlotState {
    /// It has been told, or will be by what waits, everything up to here.
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

    /// A change, unless the subscriber knows it already or will be told a newer state.
    pub fn change(&self, slot: Slot, change: &Arc<Shared<Change>>) {
        let mut waiting = self.lock();
        let (sequence, full) = (change.told().sequence, waiting.changes.len() >= ROOM);
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

    /// The subscriber is to be told how things stand, unless it knows everything up to `sequence`.
    pub fn redraw(&self, slot: Slot, sequence: u64) {
        let mut waiting = self.lock();
        let stale = waiting.slots.get(&slot).is_some_and(|known| known.due.is_none() && known.sequence < sequence);
        if stale {
            waiting.make_due(slot, Due::Snapshot);
            drop(waiting);
            self.wake.notify_one();
        }
    }

    /// The subscriber is about to be told how things stand at `sequence`: what comes later is kept for it again.
    pub fn told(&self, slot: Slot, sequence: u64) {
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

    /// Waits for news. Nothing is lost when the waiting is given up. For one reader.
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

    fn change(sequence: u64) -> Arc<Shared<Change>> {
        let room_type = RoomTypeId(Uuid::nil());
        Shared::new(Change { room_type, sequence, from: Date::MIN, nights: Vec::new(), cause: "booked".into() })
    }

    /// A mailbox whose slot has been told everything up to 5.
    fn told() -> Mailbox {
        let mailbox = Mailbox::default();
        mailbox.open(Slot(1), Due::Snapshot);
        assert!(matches!(mailbox.lock().next(), Some(News::Due(Slot(1), Due::Snapshot))));
        mailbox.told(Slot(1), 5);
        mailbox
    }

    fn next(mailbox: &Mailbox) -> Option<News> {
        mailbox.lock().next()
    }

    #[test]
    fn what_was_told_already_is_not_kept() {
        let mailbox = told();
        for sequence in [4, 5, 6, 6] {
            mailbox.change(Slot(1), &change(sequence));
        }
        mailbox.redraw(Slot(1), 6);
        assert!(matches!(next(&mailbox), Some(News::Change(kept)) if kept.told().sequence == 6));
        assert!(next(&mailbox).is_none());
    }

    #[test]
    fn nothing_is_kept_for_a_slot_that_is_due() {
        let mailbox = told();
        mailbox.redraw(Slot(1), 6);
        mailbox.change(Slot(1), &change(7));
        mailbox.redraw(Slot(1), 8);
        assert!(matches!(next(&mailbox), Some(News::Due(Slot(1), Due::Snapshot))));
        assert!(next(&mailbox).is_none());
    }

    #[test]
    fn a_full_mailbox_stays_as_it_is_and_who_finds_no_room_is_due() {
        let mailbox = told();
        mailbox.open(Slot(2), Due::Snapshot);
        assert!(matches!(next(&mailbox), Some(News::Due(Slot(2), _))));
        mailbox.told(Slot(2), 0);
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
    fn conflating_takes_back_what_waits() {
        let mailbox = told();
        for sequence in 6..7 + ROOM as u64 {
            mailbox.change(Slot(1), &change(sequence));
        }
        assert!(matches!(next(&mailbox), Some(News::Due(Slot(1), Due::Conflated))));
        assert!(next(&mailbox).is_none());
    }

    #[test]
    fn nothing_comes_for_a_slot_that_is_closed() {
        let mailbox = told();
        mailbox.change(Slot(1), &change(6));
        mailbox.close(Slot(1));
        mailbox.change(Slot(1), &change(7));
        mailbox.redraw(Slot(1), 8);
        assert!(next(&mailbox).is_none());
    }
}
