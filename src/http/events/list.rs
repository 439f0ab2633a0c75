//! `GET /v1/events`: what has happened after a position, in the order of commits.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Deserialize;

use super::view::{EventPage, EventView};
use crate::domain::Violation;
use crate::http::code::Code;
use crate::http::extract::{Administrator, Query};
use crate::http::page::Paging;
use crate::http::problem::Problem;
use crate::http::state::State;
use crate::store::feed::Excerpt;

const DELETED: &str =
    "Events after this cursor have been deleted. Read the availability anew, then begin without a cursor.";
const BEYOND: &str = "The history ends before this cursor: the cursor is of another history, such as one before a backup \
                      was restored. Read the availability anew, then begin without a cursor.";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    cursor: Option<String>,
    /// The older name of `cursor`.
    after: Option<String>,
    limit: Option<i64>,
}

pub async fn handle(
    state: Data<State>,
    _: Administrator,
    Query(window): Query<Window>,
) -> Result<HttpResponse, Problem> {
    let limit = Paging { limit: window.limit, cursor: None }.limit()?;
    let after = window.position()?;
    let found = state.feed.events(after, limit).await?;
    let Excerpt { events, more } = found.ok_or_else(|| Problem::new(Code::EventsGone, DELETED))?;
    let last = match events.last() {
        Some(event) => event.position,
        None => tail(&state, after).await?,
    };
    let items = events.iter().map(EventView::from).collect();
    Ok(HttpResponse::Ok().json(EventPage { items, next_cursor: last.to_string(), more }))
}

/// From where a reader goes on that has found no event.
async fn tail(state: &State, after: Option<u64>) -> Result<u64, Problem> {
    let end = state.feed.end().await?.event;
    match after {
        Some(after) if after > end => Err(Problem::new(Code::EventsGone, BEYOND)),
        Some(after) => Ok(after),
        None => Ok(end),
    }
}

impl Window {
    /// After which position the page begins.
    pub fn position(&self) -> Result<Option<u64>, Violation> {
        let (text, pointer) = match (&self.cursor, &self.after) {
            (Some(_), Some(_)) => {
                return Err(Violation::new("/after", "one_cursor", "is the older name of cursor: send one of them"));
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
