//! The subscriptions of one connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::frame::{self, After, Id, ServerFrame};
use super::request::{Request, Source, Subscribing};
use super::{Gate, Options, render};
use crate::domain::{HotelId, RoomTypeId, Violation};
use crate::events::mailbox::Slot;
use crate::events::{self, News, Subscriber, Window};
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::http::throttle::SocketCaller;
use crate::store::{Catalogue, Journal};

/// The subscriptions of one client.
pub struct Dashboard {
    subscriber: Subscriber,
    subscriptions: BTreeMap<Id, Subscription>,
    options: Arc<Options>,
    catalogue: Arc<dyn Catalogue>,
    journal: Arc<dyn Journal>,
    caller: SocketCaller,
}

/// The room types of one subscription. `hotel`: the hotel whose new room types are added.
struct Subscription {
    hotel: Option<HotelId>,
    window: Window,
    slots: BTreeMap<RoomTypeId, Slot>,
}

impl Dashboard {
    pub fn new(gate: &Gate, catalogue: Arc<dyn Catalogue>, journal: Arc<dyn Journal>, caller: SocketCaller) -> Self {
        let subscriber = gate.live.subscriber();
        Self { subscriber, subscriptions: BTreeMap::new(), options: gate.options.clone(), catalogue, journal, caller }
    }

    /// Carries out a request. Returns the frame to send at once, if there is one.
    pub async fn serve(&mut self, request: Request) -> Option<ServerFrame> {
        match request {
            Request::Subscribe(subscribing) => {
                let id = subscribing.id.clone();
                self.subscribe(subscribing).await.unwrap_or_else(|problem| Some(error(Some(id), &problem)))
            }
            Request::Unsubscribe(id) => match self.end(&id) {
                true => None,
                false => Some(error(Some(id), &Problem::of(Code::NoSuchSubscription))),
            },
            Request::Ping => Some(ServerFrame::Pong(frame::Pong {})),
        }
    }

    /// Waits for news. Cancel safe.
    pub async fn news(&self) -> News {
        self.subscriber.news().await
    }

    /// Renders news as frames.
    pub async fn render(&mut self, news: News) -> Vec<Bytes> {
        match news {
            News::Change(change) => vec![render::update(&events::Update::Change(change))],
            News::Due(slot, due) => match self.subscriber.updates(slot, due).await {
                Ok(updates) => updates.iter().map(render::update).collect(),
                Err(error) => self.lose(slot, error).iter().map(render::frame).collect(),
            },
            News::Hotel(hotel) => self.hotel_changed(hotel).await.iter().map(render::frame).collect(),
        }
    }

    async fn subscribe(&mut self, subscribing: Subscribing) -> Result<Option<ServerFrame>, Problem> {
        self.caller.charge_read()?;
        let Subscribing { id, source, window, after } = subscribing;
        let (hotel, room_types) = match source {
            Source::RoomTypes(ids) => (None, ids),
            Source::Hotel(hotel) => (Some(hotel), self.room_types(hotel).await?),
        };
        self.check_limits(&id, room_types.len(), after.as_ref())?;
        self.end(&id);
        let mut slots = BTreeMap::new();
        for room_type in &room_types {
            let after = match &after {
                None => None,
                Some(After::Sequence(sequence)) => Some(*sequence),
                Some(After::Sequences(seen)) => seen.get(&room_type.0).copied(),
            };
            match self.subscriber.watch(*room_type, window, after).await {
                Ok(slot) => slots.insert(*room_type, slot),
                Err(error) => {
                    slots.into_values().for_each(|slot| self.subscriber.unwatch(slot));
                    return Err(error.into());
                }
            };
        }
        if let Some(hotel) = hotel {
            self.subscriber.follow_hotel(hotel);
        }
        let empty = slots.is_empty();
        self.subscriptions.insert(id.clone(), Subscription { hotel, window, slots });
        let nothing_yet = frame::Current { id: Some(id), room_type_id: None, sequence: None };
        Ok(empty.then_some(ServerFrame::Current(nothing_yet)))
    }

    async fn room_types(&self, hotel: HotelId) -> Result<Vec<RoomTypeId>, Problem> {
        match self.catalogue.hotel(hotel).await? {
            Some(_) => Ok(self.journal.room_type_ids(hotel).await?),
            None => Err(Problem::of(Code::NoSuchHotel)),
        }
    }

    /// Checks the limits of the connection. A replaced subscription does not count.
    fn check_limits(&self, id: &Id, room_types: usize, after: Option<&After>) -> Result<(), Violation> {
        let replaced = self.subscriptions.get(id);
        if replaced.is_none() && self.subscriptions.len() >= self.options.subscriptions {
            let message =
                format!("must be one of at most {} subscriptions of the connection", self.options.subscriptions);
            return Err(Violation::new("/id", "subscriptions_range", message));
        }
        let others = self.subscriber.watched() - replaced.map_or(0, |subscription| subscription.slots.len());
        if others + room_types > self.options.room_types {
            let message = format!("must not exceed {} room types of the connection", self.options.room_types);
            return Err(Violation::new("/room_type_ids", "room_types_range", message));
        }
        match after {
            Some(After::Sequence(_)) if room_types != 1 => {
                Err(Violation::new("/after", "one_room_type", "must name each room type, unless there is exactly one"))
            }
            _ => Ok(()),
        }
    }

    /// Ends a subscription. `false` if it does not exist.
    fn end(&mut self, id: &Id) -> bool {
        let Some(subscription) = self.subscriptions.remove(id) else { return false };
        subscription.slots.into_values().for_each(|slot| self.subscriber.unwatch(slot));
        if let Some(hotel) = subscription.hotel
            && !self.subscriptions.values().any(|other| other.hotel == Some(hotel))
        {
            self.subscriber.leave_hotel(hotel);
        }
        true
    }

    /// Ends the subscription of a room type that cannot be shown. Returns the error frame.
    fn lose(&mut self, slot: Slot, why: events::Error) -> Option<ServerFrame> {
        let mut named = self.subscriptions.iter().filter(|(_, it)| it.slots.values().any(|own| *own == slot));
        let id = named.next().map(|(id, _)| id.clone())?;
        self.end(&id);
        Some(error(Some(id), &why.into()))
    }

    /// Adds the new room types of a hotel to its subscriptions.
    async fn hotel_changed(&mut self, hotel: HotelId) -> Vec<ServerFrame> {
        let following = self.subscriptions.iter().filter(|(_, subscription)| subscription.hotel == Some(hotel));
        let ids: Vec<Id> = following.map(|(id, _)| id.clone()).collect();
        let mut frames = Vec::new();
        for id in ids {
            if let Err(problem) = self.extend(&id, hotel).await {
                self.end(&id);
                frames.push(error(Some(id), &problem));
            }
        }
        frames
    }

    /// Adds the new room types of a hotel to one subscription.
    async fn extend(&mut self, id: &Id, hotel: HotelId) -> Result<(), Problem> {
        let room_types = self.journal.room_type_ids(hotel).await?;
        self.check_limits(id, room_types.len(), None)?;
        let Some(subscription) = self.subscriptions.get_mut(id) else { return Ok(()) };
        for room_type in room_types {
            if !subscription.slots.contains_key(&room_type) {
                let slot = self.subscriber.watch(room_type, subscription.window, None).await?;
                subscription.slots.insert(room_type, slot);
            }
        }
        Ok(())
    }
}

/// An `error` frame.
pub fn error(id: Option<Id>, problem: &Problem) -> ServerFrame {
    ServerFrame::Error(frame::Error::new(id, problem))
}

impl From<events::Error> for Problem {
    fn from(error: events::Error) -> Self {
        match error {
            events::Error::NoSuchRoomType => Self::of(Code::NoSuchRoomType),
            events::Error::Full => Self::of(Code::TooManyDashboards).retry_after_secs(5),
            events::Error::ChangesTooFast => Self::of(Code::Interrupted).retry_after_secs(1),
            events::Error::Store(error) => error.into(),
        }
    }
}
