//! `GET /v1/events`: the events of room types after a position, in the order of commits.
//!
//! Events of a hotel or of the installation are not listed. Clients expect each event to have a room type and a
//! sequence number.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Deserialize;

use super::view::{EventPage, EventView};
use crate::domain::Violation;
use crate::http::code::Code;
use crate::http::extract::{Administrator, Query};
use crate::http::page::Paging;
use crate::http::problem::Problem;
use crate::store::Feed;
use crate::store::feed::Excerpt;

const DELETED: &str =
    "Events after this cursor have been deleted. Read the availability again, then begin without a cursor.";
const BEYOND: &str = "The last event is before this cursor, so the cursor belongs to another history. This happens \
                      after a backup was restored. Read the availability again, then begin without a cursor.";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    cursor: Option<String>,
    /// The deprecated name of `cursor`. Its clients expect an empty page to have no `next_cursor`.
    after: Option<String>,
    limit: Option<i64>,
}

pub async fn handle(
    feed: Data<dyn Feed>,
    _: Administrator,
    Query(window): Query<Window>,
) -> Result<HttpResponse, Problem> {
    let limit = Paging { limit: window.limit, cursor: None }.limit()?;
    let mut page = page(&**feed, window.position()?, limit).await?;
    if window.after.is_some() && page.items.is_empty() && !page.more {
        page.next_cursor = None;
    }
    Ok(HttpResponse::Ok().json(page))
}

/// A page of events after a position. Without a position, the page begins with the first event.
async fn page(feed: &dyn Feed, after: Option<u64>, limit: u32) -> Result<EventPage, Problem> {
    let mut found = excerpt(feed, after, limit).await?;
    let mut last = after;
    if found.last.is_none() {
        let end = feed.end().await?.event;
        match after {
            Some(after) if after > end => return Err(Problem::new(Code::EventsGone, BEYOND)),
            Some(_) => {}
            None => {
                last = Some(end);
                // Read again: the first events may have been committed before the end was read.
                found = excerpt(feed, None, limit).await?;
            }
        }
    }
    let last = found.last.or(last).unwrap_or_default();
    let items = found.events.iter().map(EventView::from).collect();
    Ok(EventPage { items, next_cursor: Some(last.to_string()), more: found.more })
}

/// Events after a position, or the problem that they are deleted.
async fn excerpt(feed: &dyn Feed, after: Option<u64>, limit: u32) -> Result<Excerpt, Problem> {
    feed.events(after, limit).await?.ok_or_else(|| Problem::new(Code::EventsGone, DELETED))
}

impl Window {
    /// The position after which the page begins.
    pub fn position(&self) -> Result<Option<u64>, Violation> {
        let (text, pointer) = match (&self.cursor, &self.after) {
            (Some(_), Some(_)) => {
                return Err(Violation::new(
                    "/after",
                    "one_cursor",
                    "is the deprecated name of cursor: send only one of them",
                ));
            }
            (Some(cursor), None) => (cursor, "/cursor"),
            (None, Some(after)) => (after, "/after"),
            (None, None) => return Ok(None),
        };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let position = text.parse().ok().filter(|position| digits && i64::try_from(*position).is_ok());
        let message = "must be the next_cursor of an earlier page, or the position of an event";
        position.map(Some).ok_or_else(|| Violation::new(pointer, "cursor", message))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::domain::{HotelId, RoomTypeId, Timestamp};
    use crate::store;
    use crate::store::feed::{ChangedHotel, End, Event, Moment, Payload};

    /// A feed that answers by a function of the position.
    struct Scripted<F>(F);

    fn event() -> Event {
        let nobody = uuid::Uuid::nil();
        Event {
            position: 7,
            hotel: HotelId(nobody),
            room_type: RoomTypeId(nobody),
            sequence: 1,
            at: Timestamp::UNIX_EPOCH,
            cause: "booked".to_owned(),
            booking: None,
            payload: Payload::Booking { deltas: Vec::new() },
        }
    }

    #[async_trait]
    impl<F: Fn(Option<u64>) -> Excerpt + Send + Sync + 'static> Feed for Scripted<F> {
        async fn events(&self, after: Option<u64>, _: u32) -> Result<Option<Excerpt>, store::Error> {
            Ok(Some(self.0(after)))
        }

        async fn end(&self) -> Result<End, store::Error> {
            Ok(End { event: 7, hotel: 0 })
        }

        async fn events_of(&self, _: RoomTypeId, _: u64, _: u32) -> Result<Vec<Event>, store::Error> {
            Ok(Vec::new())
        }

        async fn moment(&self, _: RoomTypeId, _: u64) -> Result<Option<Moment>, store::Error> {
            Ok(None)
        }

        async fn changed_hotels(&self, _: u64, _: u32) -> Result<Vec<ChangedHotel>, store::Error> {
            Ok(Vec::new())
        }

        async fn trim_events(&self, _: Timestamp, _: u32) -> Result<u64, store::Error> {
            Ok(0)
        }
    }

    #[tokio::test]
    async fn an_event_that_is_committed_while_a_page_is_read_is_not_passed_over() {
        // The first event is committed after the first look.
        let looks = AtomicUsize::new(0);
        let feed = Scripted(move |after: Option<u64>| {
            let is_there = looks.fetch_add(1, Ordering::Relaxed) > 0 && after.is_none_or(|after| after < 7);
            let events = if is_there { vec![event()] } else { Vec::new() };
            Excerpt { last: events.last().map(|event| event.position), events, more: false }
        });
        let mut cursor = None;
        let mut read = Vec::new();
        for _ in 0..3 {
            let page = serde_json::to_value(page(&feed, cursor, 20).await.unwrap()).unwrap();
            read.extend(page["items"].as_array().unwrap().iter().map(|item| item["position"].clone()));
            cursor = page["next_cursor"].as_str().unwrap().parse().ok();
        }
        assert_eq!(read.len(), 1, "{read:?}");
    }

    #[tokio::test]
    async fn a_page_without_an_event_of_a_room_type_says_where_to_go_on() {
        let feed = Scripted(|_| Excerpt { events: Vec::new(), last: Some(6), more: true });
        let page = page(&feed, None, 20).await.unwrap();
        assert_eq!((page.items.len(), page.next_cursor.as_deref(), page.more), (0, Some("6"), true));
    }
}
