//! The steps that arrive while a hotel is read. Afterwards they are applied to what was read.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::{Fact, Inventory, RoomTypeId, Step, StepOrder, Timestamp};
use crate::events::Notice;
use crate::store::feed::Event;

/// Steps that are kept. If more arrive, the result of the read may be older than the index, and is read again.
const MAX_STEPS: usize = 16_384;

/// Steps of the room types of one hotel, in the order of their arrival.
#[derive(Default)]
pub(super) struct Meanwhile(Vec<(RoomTypeId, Kept)>);

/// One step, without the batch that it arrived in.
enum Kept {
    Fact(Arc<Fact>),
    Event(Box<Event>),
}

impl Meanwhile {
    /// Keeps the steps of a notice that concern the hotel.
    pub fn keep(&mut self, notice: &Notice, concerns: impl Fn(RoomTypeId) -> bool) {
        let room = MAX_STEPS.saturating_sub(self.0.len());
        match notice {
            Notice::Committed(facts) => {
                let facts = facts.iter().filter(|(id, _)| concerns(*id)).take(room);
                self.0.extend(facts.map(|(id, fact)| (*id, Kept::Fact(fact.clone()))));
            }
            Notice::History(events) => {
                let events = events.iter().filter(|event| concerns(event.room_type)).take(room);
                self.0.extend(events.map(|event| (event.room_type, Kept::Event(Box::new(event.clone())))));
            }
            Notice::Hotel(_) | Notice::Lost => {}
        }
    }

    /// Applies the steps to what was read.
    pub fn apply_to<'a>(&self, stock: impl Iterator<Item = &'a mut Inventory>, now: Timestamp) {
        let mut stock: HashMap<_, _> = stock.map(|inventory| (inventory.room_type.id, inventory)).collect();
        for (room_type, kept) in &self.0 {
            let step = kept.step();
            if let Some(inventory) = stock.get_mut(room_type)
                && step.order_after(inventory.sequence()) == StepOrder::Next
            {
                inventory.roll(now);
                inventory.follow(step);
            }
        }
    }
}

impl Kept {
    fn step(&self) -> Step<'_> {
        match self {
            Self::Fact(fact) => fact.step(),
            Self::Event(event) => event.step(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{book, day, inventory, noon, order, run, stay};

    fn meanwhile(facts: impl IntoIterator<Item = (RoomTypeId, Arc<Fact>)>) -> Meanwhile {
        let mut meanwhile = Meanwhile::default();
        meanwhile.keep(&Notice::Committed(facts.into_iter().collect()), |_| true);
        meanwhile
    }

    #[test]
    fn steps_that_arrived_during_a_read_are_applied_to_it() {
        let (now, mut known) = (noon(0), inventory(9));
        let id = known.room_type.id;
        let mut told = |number| run(&mut known, book(number, order(stay(0, 2), 1), now), now).unwrap();
        let before = told(1);
        let mut read = inventory(9);
        read.follow(before.step());
        meanwhile([before, told(2), told(3)].map(|fact| (id, fact))).apply_to([&mut read].into_iter(), now);
        assert_eq!((read.sequence(), read.calendar.first()), (3, day(0)));
        assert_eq!(read.calendar, known.calendar);
    }

    #[test]
    fn a_step_after_a_gap_is_left_to_the_next_read() {
        let (now, mut known, mut read) = (noon(0), inventory(9), inventory(9));
        let id = read.room_type.id;
        run(&mut known, book(1, order(stay(0, 2), 1), now), now).unwrap();
        let second = run(&mut known, book(2, order(stay(0, 2), 1), now), now).unwrap();
        meanwhile([(id, second)]).apply_to([&mut read].into_iter(), now);
        assert_eq!(read.sequence(), 0);
    }

    #[test]
    fn only_the_steps_of_the_hotel_are_kept_and_no_batch() {
        let (now, mut known) = (noon(0), inventory(9));
        let fact = run(&mut known, book(1, order(stay(0, 2), 1), now), now).unwrap();
        let (own, other) = (known.room_type.id, RoomTypeId(uuid::Uuid::nil()));
        let batch: Arc<[_]> = [(other, fact.clone()), (own, fact.clone()), (other, fact.clone())].into();
        let mut meanwhile = Meanwhile::default();
        meanwhile.keep(&Notice::Committed(batch.clone()), |id| id == own);
        assert_eq!(meanwhile.0.iter().map(|(id, kept)| (*id, kept.step())).collect::<Vec<_>>(), [(own, fact.step())]);
        assert_eq!(Arc::strong_count(&batch), 1);
        for _ in 0..MAX_STEPS + 5 {
            meanwhile.keep(&Notice::Committed(batch.clone()), |id| id == own);
        }
        assert_eq!(meanwhile.0.len(), MAX_STEPS);
    }
}
