//! The projection of one watched room type: its state after the committed facts. Pure.

use std::collections::BTreeMap;

use super::update::{Change, Counts, ShownNight, Snapshot, Window};
use crate::domain::{
    CalendarView, Date, HotelId, Inventory, Night, NightDelta, NightView, Step, StepEffect, StepOrder, Timestamp,
};
use crate::store::feed::Event;

/// What a step did to a projection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The projection had applied this step already.
    Known,
    /// Earlier steps are missing. The projection must be read again.
    Gap,
    /// No shown value has changed.
    Nothing,
    /// A booking moved the counters of these nights.
    Moved(Window),
    /// Capacity, prices or restrictions of these nights changed.
    Changed(Window),
}

/// A room type's nights, prices and counters.
#[derive(Debug)]
pub(super) struct Projection(Inventory);

impl Projection {
    pub fn of(inventory: Inventory) -> Self {
        Self(inventory)
    }

    pub fn sequence(&self) -> u64 {
        self.0.sequence()
    }

    pub fn hotel(&self) -> HotelId {
        self.0.hotel.id
    }

    /// Drops the nights before the hotel's current date and adds the same number at the end. If the date has moved,
    /// returns the nights that were on sale before.
    pub fn roll(&mut self, now: Timestamp) -> Option<Window> {
        let before = self.on_sale();
        self.0.roll(now);
        (self.on_sale() != before).then_some(before)
    }

    /// The nights that are on sale now.
    pub fn on_sale(&self) -> Window {
        self.on_sale_on(self.0.calendar.first())
    }

    /// The nights that were on sale at an instant, under the hotel's present settings.
    pub fn on_sale_at(&self, at: Timestamp) -> Window {
        self.on_sale_on(self.0.hotel.today(at))
    }

    fn on_sale_on(&self, today: Date) -> Window {
        Window { from: today, to: self.0.hotel.horizon_end(today) }
    }

    /// Whether the clock was set back after nights were dropped.
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        self.0.is_ahead(now)
    }

    pub fn follow(&mut self, step: Step) -> Effect {
        match step.order_after(self.sequence()) {
            StepOrder::Known => return Effect::Known,
            StepOrder::Gap => return Effect::Gap,
            StepOrder::Next => {}
        }
        if let StepEffect::Counts(deltas) = step.effect {
            self.0.follow(step);
            return span(deltas.iter().map(|delta| delta.date)).map_or(Effect::Nothing, Effect::Moved);
        }
        let before = self.view(Window { from: Date::MIN, to: Date::MAX }).nights;
        self.0.follow(step);
        let after = self.view(Window { from: Date::MIN, to: Date::MAX }).nights;
        let different = before.iter().zip(&after).filter(|(before, after)| before != after);
        span(different.map(|(_, after)| after.date)).map_or(Effect::Nothing, Effect::Changed)
    }

    pub fn snapshot(&self, window: Window, conflated: bool) -> Snapshot {
        let view = self.view(window);
        Snapshot {
            room_type: view.room_type_id,
            currency: view.currency,
            sequence: view.sequence,
            from: view.nights.first().map_or(window.from, |night| night.date),
            nights: view.nights.iter().map(shown).collect(),
            conflated,
        }
    }

    /// These nights after the last step.
    pub fn change(&self, nights: Window, cause: &str) -> Option<Change> {
        self.change_at(self.sequence(), nights, &BTreeMap::new(), cause)
    }

    /// The changes from a sequence number up to this projection, in order, computed from the events in between. `None`
    /// if events are missing or one of them was not a booking.
    pub fn replay(&self, after: u64, window: Window, events: &[Event]) -> Option<Vec<Change>> {
        let expected = after + 1..=self.sequence();
        if !events.iter().map(|event| event.sequence).eq(expected) {
            return None;
        }
        let mut changes = Vec::new();
        let mut undone: BTreeMap<Date, (i32, i32)> = BTreeMap::new();
        for event in events.iter().rev() {
            let StepEffect::Counts(deltas) = event.payload.step_effect() else { return None };
            let nights = span(deltas.iter().map(|delta| delta.date)).and_then(|span| span.cut(window));
            let change = |nights| self.change_at(event.sequence, nights, &undone, &event.cause);
            changes.extend(nights.and_then(change));
            for NightDelta { date, sold, held } in deltas {
                let (sold_since, held_since) = undone.entry(*date).or_default();
                (*sold_since, *held_since) = (*sold_since + sold, *held_since + held);
            }
        }
        changes.reverse();
        Some(changes)
    }

    /// These nights as they were before the `undone` steps.
    fn change_at(
        &self,
        sequence: u64,
        nights: Window,
        undone: &BTreeMap<Date, (i32, i32)>,
        cause: &str,
    ) -> Option<Change> {
        let calendar = &self.0.calendar;
        let to = nights.to.min(self.0.hotel.horizon_end(calendar.first()));
        let mut nights = calendar.range(nights.from, to).peekable();
        let (from, _) = *nights.peek()?;
        let counts = |(date, night): (Date, &Night)| {
            let (sold, held) = undone.get(&date).copied().unwrap_or_default();
            let (sold, held) = (without(night.sold, sold), without(night.held, held));
            Counts { sold, held, free: calendar.capacity(night).saturating_sub(sold.saturating_add(held)) }
        };
        let counts = nights.map(counts).collect();
        Some(Change { room_type: self.0.room_type.id, sequence, from, nights: counts, cause: cause.to_owned() })
    }

    fn view(&self, window: Window) -> CalendarView {
        CalendarView::of(&self.0, window.from, window.to)
    }
}

fn without(count: u16, moved: i32) -> u16 {
    u16::try_from((i32::from(count) - moved).max(0)).unwrap_or(u16::MAX)
}

fn shown(view: &NightView) -> ShownNight {
    let counts = Counts { sold: view.night.sold, held: view.night.held, free: view.free };
    ShownNight { physical: view.physical, counts, price: view.price }
}

/// The window from the first to the last of some dates.
fn span(dates: impl Iterator<Item = Date>) -> Option<Window> {
    let mut span: Option<Window> = None;
    for date in dates {
        let one = Window { from: date, to: date.tomorrow().unwrap_or(date) };
        span = Some(span.map_or(one, |span| Window { from: span.from.min(one.from), to: span.to.max(one.to) }));
    }
    span
}
