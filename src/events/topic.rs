//! A topic: one watched room type with its projection and its watchers.
//!
//! A watcher is added first. It then gets the current state under the lock that also guards every step. So each fact is
//! either in that state or follows as a change: no gap, nothing twice. The lock is never held across an await, nor
//! while mailboxes are filled.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::mailbox::{Due, Mailbox, Slot};
use super::pending_steps::PendingSteps;
use super::projection::{Effect, Projection};
use super::update::{Change, EncodedOnce, Snapshot, Update, Window};
use super::{Error, Sources};
use crate::domain::{HotelId, RoomTypeId, Step, Timestamp};

/// Changes that a returning watcher gets one by one, at most.
pub const REPLAY: u32 = 64;
/// Attempts before giving up when new facts keep arriving.
const TRIES: usize = 3;

/// The watchers of one window.
type Members = BTreeMap<Slot, Arc<Mailbox>>;

#[derive(Debug)]
pub(super) struct Topic {
    id: RoomTypeId,
    state: Mutex<State>,
    loading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// `None` until the first watcher needs it, and after a gap.
    projection: Option<Box<Projection>>,
    /// Steps that arrived while there was no projection.
    pending: PendingSteps,
    /// The highest sequence number of any step so far.
    newest: u64,
    /// How often the projection was dropped. A read that began before the last time must not be used.
    invalidations: u64,
    /// While a projection is being read: the hotels that changed since the read began.
    changed: Option<BTreeSet<HotelId>>,
    audiences: BTreeMap<Window, Audience>,
}

#[derive(Debug, Default)]
struct Audience {
    members: Arc<Members>,
    /// The current state of the window, shared by all members. The second is marked as conflated.
    snapshots: [Option<Arc<EncodedOnce<Snapshot>>>; 2],
}

/// What one step means to one audience.
enum Delivery {
    Change(Arc<Members>, Arc<EncodedOnce<Change>>),
    Snapshot(Arc<Members>),
    /// A day has begun. A snapshot is due whatever the members' sequence numbers are.
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

    pub fn has_no_watchers(&self) -> bool {
        self.lock().audiences.is_empty()
    }

    /// Handles the step of a committed fact.
    pub fn follow(&self, step: Step, now: Timestamp) {
        let deliveries = self.lock().follow(step, now);
        for delivery in deliveries {
            match delivery {
                Delivery::Change(members, change) => {
                    members.iter().for_each(|(slot, mailbox)| mailbox.change(*slot, &change));
                }
                Delivery::Snapshot(members) => {
                    members.iter().for_each(|(slot, mailbox)| mailbox.require_snapshot(*slot, step.sequence));
                }
                Delivery::Rolled(members) => require_snapshots(vec![members]),
            }
        }
    }

    /// Drops the projection, because it may be wrong. All watchers need a new snapshot.
    pub fn invalidate(&self) {
        let audiences = self.lock().invalidate();
        require_snapshots(audiences);
    }

    /// Rolls the projection to the hotel's current date. At midnight, watchers of a night that enters or leaves the
    /// sale get a snapshot. If the clock was set back, the projection lacks nights and is read again.
    pub fn check_clock(&self, now: Timestamp) {
        let audiences = self.lock().check_clock(now);
        require_snapshots(audiences);
    }

    /// Drops the projection if the changed hotel is this room type's.
    pub fn hotel_changed(&self, hotel: HotelId) {
        let audiences = self.lock().hotel_changed(hotel);
        require_snapshots(audiences);
    }

    /// Reads a projection if there is none. Steps that arrive meanwhile are applied afterwards. If they do not suffice,
    /// it reads again.
    pub async fn load(&self, sources: &Sources) -> Result<(), Error> {
        let _turn = self.loading.lock().await;
        for _ in 0..TRIES {
            let before = {
                let mut state = self.lock();
                if state.projection.is_some() {
                    return Ok(());
                }
                state.changed = Some(BTreeSet::new());
                state.invalidations
            };
            let loaded = sources.journal.load(self.id, sources.clock.now()).await?;
            let projection = Projection::of(loaded.ok_or(Error::NoSuchRoomType)?);
            let mut state = self.lock();
            if state.invalidations == before && state.accept(projection) {
                return Ok(());
            }
        }
        Err(Error::ChangesTooFast)
    }

    /// The updates that bring a member to the current state. From then on it gets every change.
    pub async fn updates(
        &self,
        (window, slot, mailbox): (Window, Slot, &Mailbox),
        due: Due,
        sources: &Sources,
    ) -> Result<Vec<Update>, Error> {
        for _ in 0..TRIES {
            self.check_clock(sources.clock.now());
            self.load(sources).await?;
            if let Due::Resume { after } = due
                && let Some(updates) = self.resume((window, slot, mailbox), after, sources).await?
            {
                return Ok(updates);
            }
            let mut state = self.lock();
            if let Some(snapshot) = state.snapshot(window, due == Due::Conflated) {
                mailbox.mark_sent(slot, snapshot.value().sequence);
                return Ok(vec![Update::Snapshot(snapshot)]);
            }
        }
        Err(Error::ChangesTooFast)
    }

    /// The changes after a sequence number. `None` if they are too many or not known, or if something other than facts
    /// has changed what is shown.
    async fn resume(
        &self,
        (window, slot, mailbox): (Window, Slot, &Mailbox),
        after: u64,
        sources: &Sources,
    ) -> Result<Option<Vec<Update>>, Error> {
        for _ in 0..TRIES {
            let (newest, invalidations) = {
                let state = self.lock();
                (state.projection.as_ref().map_or(0, |projection| projection.sequence()), state.invalidations)
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
            if state.invalidations != invalidations || window.cut(projection.on_sale()) != seen {
                return Ok(None);
            }
            let sequence = projection.sequence();
            let until = events.partition_point(|event| event.sequence <= sequence);
            if let Some(changes) = projection.replay(after, window, &events[..until]) {
                mailbox.mark_sent(slot, sequence);
                let changes = changes.into_iter().map(|change| Update::Change(EncodedOnce::new(change)));
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
    /// Uses a projection that was read, after applying the pending steps. Returns `false` if it lacks some steps.
    fn accept(&mut self, mut projection: Projection) -> bool {
        let changed = self.changed.take().unwrap_or_default();
        if changed.contains(&projection.hotel()) {
            return false;
        }
        let whole = self.pending.steps().all(|step| projection.follow(step) != Effect::Gap);
        let is_complete = whole && projection.sequence() >= self.newest;
        if is_complete {
            self.pending.clear();
            self.projection = Some(Box::new(projection));
        }
        is_complete
    }

    fn follow(&mut self, step: Step, now: Timestamp) -> Vec<Delivery> {
        self.newest = self.newest.max(step.sequence);
        let rolled = self.check_clock(now);
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
            Effect::Gap => self.invalidate().into_iter().map(Delivery::Snapshot).collect(),
            Effect::Moved(nights) => self.moved(nights, step.cause),
            Effect::Changed(nights) => {
                let affected = self.audiences.iter().filter(|(window, _)| window.cut(nights).is_some());
                affected.map(|(_, audience)| Delivery::Snapshot(audience.members.clone())).collect()
            }
        }
    }

    /// Audiences that see the same part of a change share it.
    fn moved(&self, nights: Window, cause: &str) -> Vec<Delivery> {
        let Some(projection) = &self.projection else { return Vec::new() };
        let mut changes: HashMap<Window, Option<Arc<EncodedOnce<Change>>>> = HashMap::new();
        let delivery = |(window, audience): (&Window, &Audience)| {
            let seen = window.cut(nights)?;
            let change = changes.entry(seen).or_insert_with(|| projection.change(seen, cause).map(EncodedOnce::new));
            Some(Delivery::Change(audience.members.clone(), change.clone()?))
        };
        self.audiences.iter().filter_map(delivery).collect()
    }

    /// Rolls the projection to the hotel's current date. Returns the watchers of nights that enter or leave the sale.
    fn check_clock(&mut self, now: Timestamp) -> Vec<Arc<Members>> {
        let Some(projection) = &mut self.projection else { return Vec::new() };
        if projection.is_ahead(now) {
            return self.invalidate();
        }
        let Some(before) = projection.roll(now) else { return Vec::new() };
        let after = projection.on_sale();
        self.clear_snapshots();
        let affected = self.audiences.iter().filter(|(window, _)| window.cut(before) != window.cut(after));
        affected.map(|(_, audience)| audience.members.clone()).collect()
    }

    fn invalidate(&mut self) -> Vec<Arc<Members>> {
        self.projection = None;
        self.invalidations += 1;
        self.clear_snapshots();
        self.audiences.values().map(|audience| audience.members.clone()).collect()
    }

    fn hotel_changed(&mut self, hotel: HotelId) -> Vec<Arc<Members>> {
        match &self.projection {
            Some(projection) if projection.hotel() == hotel => return self.invalidate(),
            Some(_) => {}
            // Which hotel owns the room type is known after the read.
            None => drop(self.changed.as_mut().map(|changed| changed.insert(hotel))),
        }
        Vec::new()
    }

    fn clear_snapshots(&mut self) {
        self.audiences.values_mut().for_each(|audience| audience.snapshots = [None, None]);
    }

    fn snapshot(&mut self, window: Window, conflated: bool) -> Option<Arc<EncodedOnce<Snapshot>>> {
        let projection = self.projection.as_ref()?;
        let draw = || EncodedOnce::new(projection.snapshot(window, conflated));
        let kept = self.audiences.get_mut(&window).map(|audience| &mut audience.snapshots[usize::from(conflated)]);
        Some(kept.map_or_else(draw, |kept| kept.get_or_insert_with(draw).clone()))
    }
}

fn require_snapshots(audiences: Vec<Arc<Members>>) {
    for members in audiences {
        members.iter().for_each(|(slot, mailbox)| mailbox.require_snapshot(*slot, u64::MAX));
    }
}
