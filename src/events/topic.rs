//! One watched room type: its projection, who watches it, and how the two are joined without a gap or a doubling.
//!
//! A watcher is entered first; then it is told how things stand, under the same lock under which facts are followed.
//! So every fact is either in what it was told or comes to it afterwards. The lock is never held while something is
//! waited for, nor while watchers are gone through.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::mailbox::{Due, Mailbox, Slot};
use super::pending_steps::PendingSteps;
use super::projection::{Effect, Projection};
use super::update::{Change, Shared, Snapshot, Update, Window};
use super::{Error, Sources};
use crate::domain::{HotelId, RoomTypeId, Step, Timestamp};

/// The most changes that somebody who comes back is told one by one.
pub const REPLAY: u32 = 64;
/// How often something is tried again because facts came in between.
const TRIES: usize = 3;

/// Who watches the same nights.
type Members = BTreeMap<Slot, Arc<Mailbox>>;

#[derive(Debug)]
pub(super) struct Topic {
    id: RoomTypeId,
    state: Mutex<State>,
    loading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// `None` until somebody asks, and after a gap.
    projection: Option<Box<Projection>>,
    /// What was heard while there was no projection.
    pending: PendingSteps,
    /// The highest sequence number heard of.
    newest: u64,
    /// How often the projection was thrown away: what was read before does not count.
    forgotten: u64,
    /// Hotels that have changed since a projection began to be read, if one is.
    changed: Option<BTreeSet<HotelId>>,
    audiences: BTreeMap<Window, Audience>,
}

#[derive(Debug, Default)]
struct Audience {
    members: Arc<Members>,
    /// The window as it is now, for everybody who asks; the second for those who were too slow.
    snapshots: [Option<Arc<Shared<Snapshot>>>; 2],
}

/// What one fact means to one audience.
enum Delivery {
    Change(Arc<Members>, Arc<Shared<Change>>),
    Redraw(Arc<Members>),
    /// A day has begun: a snapshot is due whatever the members' sequence numbers are.
    Rolled(Arc<Members>),
}

impl Topic {
    pub fn new(id: RoomTypeId) -> Self {
        Self { id, state: Mutex::default(), loading: tokio::sync::Mutex::default() }
    }

    pub fn enter(&self, window: Window, slot: Slot, mailbox: &Arc<Mailbox>) {
        let mut state = self.lock();
        let audience = state.audiences.entry(window).or_default();
        Arc::make_mut(&mut audience.members).insert(slot, mailbox.clone());
    }

    pub fn leave(&self, window: Window, slot: Slot) {
        let mut state = self.lock();
        let Some(audience) = state.audiences.get_mut(&window) else { return };
        Arc::make_mut(&mut audience.members).remove(&slot);
        if audience.members.is_empty() {
            state.audiences.remove(&window);
        }
    }

    pub fn is_deserted(&self) -> bool {
        self.lock().audiences.is_empty()
    }

    /// A fact has been committed.
    pub fn follow(&self, step: Step, now: Timestamp) {
        let deliveries = self.lock().follow(step, now);
        for delivery in deliveries {
            match delivery {
                Delivery::Change(members, change) => {
                    members.iter().for_each(|(slot, mailbox)| mailbox.change(*slot, &change));
                }
                Delivery::Redraw(members) => {
                    members.iter().for_each(|(slot, mailbox)| mailbox.redraw(*slot, step.sequence));
                }
                Delivery::Rolled(members) => redraw(vec![members]),
            }
        }
    }

    /// What is known may be wrong: everybody is to be told anew.
    pub fn forget(&self) {
        let audiences = self.lock().forget();
        redraw(audiences);
    }

    /// Brings the projection to the hotel's date. At midnight, watchers of a night that begins or ends to be on sale get a
    /// snapshot. If the clock was set back, the projection lacks nights and is read again.
    pub fn look_at_the_clock(&self, now: Timestamp) {
        let audiences = self.lock().look_at_the_clock(now);
        redraw(audiences);
    }

    /// A hotel has changed: if it is this room type's, what is known may be wrong.
    pub fn hotel_changed(&self, hotel: HotelId) {
        let audiences = self.lock().hotel_changed(hotel);
        redraw(audiences);
    }

    /// Makes sure that there is a projection. What is heard while it is read is followed afterwards; it is read again only
    /// if that does not suffice.
    pub async fn load(&self, sources: &Sources) -> Result<(), Error> {
        let _turn = self.loading.lock().await;
        for _ in 0..TRIES {
            let before = {
                let mut state = self.lock();
                if state.projection.is_some() {
                    return Ok(());
                }
                state.changed = Some(BTreeSet::new());
                state.forgotten
            };
            let loaded = sources.journal.load(self.id, sources.clock.now()).await?;
            let projection = Projection::of(loaded.ok_or(Error::NoSuchRoomType)?);
            let mut state = self.lock();
            if state.forgotten == before && state.settle(projection) {
                return Ok(());
            }
        }
        Err(Error::Unsettled)
    }

    /// Tells a member of an audience how things stand; from then on it is told every change.
    pub async fn tell(
        &self,
        (window, slot, mailbox): (Window, Slot, &Mailbox),
        due: Due,
        sources: &Sources,
    ) -> Result<Vec<Update>, Error> {
        for _ in 0..TRIES {
            self.look_at_the_clock(sources.clock.now());
            self.load(sources).await?;
            if let Due::Resume { after } = due
                && let Some(updates) = self.resume((window, slot, mailbox), after, sources).await?
            {
                return Ok(updates);
            }
            let mut state = self.lock();
            if let Some(snapshot) = state.snapshot(window, due == Due::Conflated) {
                mailbox.told(slot, snapshot.told().sequence);
                return Ok(vec![Update::Snapshot(snapshot)]);
            }
        }
        Err(Error::Unsettled)
    }

    /// The changes after a sequence number, if they are few and known, and nothing but facts has changed what is shown.
    async fn resume(
        &self,
        (window, slot, mailbox): (Window, Slot, &Mailbox),
        after: u64,
        sources: &Sources,
    ) -> Result<Option<Vec<Update>>, Error> {
        for _ in 0..TRIES {
            let (newest, forgotten) = {
                let state = self.lock();
                (state.projection.as_ref().map_or(0, |projection| projection.sequence()), state.forgotten)
            };
            if after > newest || newest - after > u64::from(REPLAY) {
                return Ok(None);
            }
            let Some(moment) = sources.feed.moment(self.id, after).await? else { return Ok(None) };
            if moment.calendar_changed_since {
                return Ok(None);
            }
            let events = match newest - after {
                0 => Vec::new(),
                _ => sources.feed.events_of(self.id, after, 2 * REPLAY).await?,
            };
            let state = self.lock();
            let Some(projection) = &state.projection else { return Ok(None) };
            let seen = window.cut(projection.on_sale_at(moment.at));
            if state.forgotten != forgotten || window.cut(projection.on_sale()) != seen {
                return Ok(None);
            }
            let sequence = projection.sequence();
            let until = events.partition_point(|event| event.sequence <= sequence);
            if let Some(changes) = projection.replay(after, window, &events[..until]) {
                mailbox.told(slot, sequence);
                let changes = changes.into_iter().map(|change| Update::Change(Shared::new(change)));
                let current = Update::Current { room_type: self.id, sequence };
                return Ok(Some(changes.chain([current]).collect()));
            }
        }
        Ok(None)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes a projection that was read, followed by what was heard meanwhile; not if it lacks some of that.
    fn settle(&mut self, mut projection: Projection) -> bool {
        let changed = self.changed.take().unwrap_or_default();
        if changed.contains(&projection.hotel()) {
            return false;
        }
        let whole = self.pending.steps().all(|step| projection.follow(step) != Effect::Missed);
        let settled = whole && projection.sequence() >= self.newest;
        if settled {
            self.pending.clear();
            self.projection = Some(Box::new(projection));
        }
        settled
    }

    fn follow(&mut self, step: Step, now: Timestamp) -> Vec<Delivery> {
        self.newest = self.newest.max(step.sequence);
        let rolled = self.look_at_the_clock(now);
        let Some(projection) = &mut self.projection else {
            self.pending.keep(step);
            return rolled.into_iter().map(Delivery::Rolled).collect();
        };
        let effect = projection.follow(step);
        if effect != Effect::Known {
            self.clear_snapshots();
        }
        rolled.into_iter().map(Delivery::Rolled).chain(self.deliveries(effect, step)).collect()
    }

    fn deliveries(&mut self, effect: Effect, step: Step) -> Vec<Delivery> {
        match effect {
            Effect::Known | Effect::Nothing => Vec::new(),
            Effect::Missed => self.forget().into_iter().map(Delivery::Redraw).collect(),
            Effect::Moved(nights) => self.moved(nights, step.cause),
            Effect::Redrawn(nights) => {
                let affected = self.audiences.iter().filter(|(window, _)| window.cut(nights).is_some());
                affected.map(|(_, audience)| Delivery::Redraw(audience.members.clone())).collect()
            }
        }
    }

    /// Audiences that see the same part of the change share it.
    fn moved(&self, nights: Window, cause: &str) -> Vec<Delivery> {
        let Some(projection) = &self.projection else { return Vec::new() };
        let mut changes: HashMap<Window, Option<Arc<Shared<Change>>>> = HashMap::new();
        let delivery = |(window, audience): (&Window, &Audience)| {
            let seen = window.cut(nights)?;
            let change = changes.entry(seen).or_insert_with(|| projection.change(seen, cause).map(Shared::new));
            Some(Delivery::Change(audience.members.clone(), change.clone()?))
        };
        self.audiences.iter().filter_map(delivery).collect()
    }

    /// Moves the projection to the hotel's date. Returns the watchers of nights that are on sale only before or after that.
    fn look_at_the_clock(&mut self, now: Timestamp) -> Vec<Arc<Members>> {
        let Some(projection) = &mut self.projection else { return Vec::new() };
        if projection.is_ahead(now) {
            return self.forget();
        }
        let Some(before) = projection.roll(now) else { return Vec::new() };
        let after = projection.on_sale();
        self.clear_snapshots();
        let affected = self.audiences.iter().filter(|(window, _)| window.cut(before) != window.cut(after));
        affected.map(|(_, audience)| audience.members.clone()).collect()
    }

    fn forget(&mut self) -> Vec<Arc<Members>> {
        self.projection = None;
        self.forgotten += 1;
        self.clear_snapshots();
        self.audiences.values().map(|audience| audience.members.clone()).collect()
    }

    fn hotel_changed(&mut self, hotel: HotelId) -> Vec<Arc<Members>> {
        match &self.projection {
            Some(projection) if projection.hotel() == hotel => return self.forget(),
            Some(_) => {}
            // Whose it is will be known when it has been read.
            None => drop(self.changed.as_mut().map(|changed| changed.insert(hotel))),
        }
        Vec::new()
    }

    fn clear_snapshots(&mut self) {
        self.audiences.values_mut().for_each(|audience| audience.snapshots = [None, None]);
    }

    fn snapshot(&mut self, window: Window, conflated: bool) -> Option<Arc<Shared<Snapshot>>> {
        let projection = self.projection.as_ref()?;
        let draw = || Shared::new(projection.snapshot(window, conflated));
        let kept = self.audiences.get_mut(&window).map(|audience| &mut audience.snapshots[usize::from(conflated)]);
        Some(kept.map_or_else(draw, |kept| kept.get_or_insert_with(draw).clone()))
    }
}

fn redraw(audiences: Vec<Arc<Members>>) {
    for members in audiences {
        members.iter().for_each(|(slot, mailbox)| mailbox.redraw(*slot, u64::MAX));
    }
}
