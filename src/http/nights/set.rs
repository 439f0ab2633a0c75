//! `PUT /v1/room-types/{id}/nights`: changes many nights, each item for itself.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::item::{MAX_ITEMS, NightsItem};
use crate::domain::{NightsChange, RatePlanId, RoomTypeId, Violation};
use crate::engine::{Engine, NightsOutcome};
use crate::http::answer::to_the_end;
use crate::http::code::Code;
use crate::http::extract::{Administrator, Body, ExpectedSequence, Id, OwnerEngine, body, object};
use crate::http::problem::{Document, Problem};
use crate::http::room_types;
use crate::http::state::State;
use crate::http::value::MAX_FORCE;
use crate::store::Page;

/// The largest body, in bytes: a thousand items fit, however they are written.
pub const LIMIT: usize = MAX_ITEMS * (NightsItem::MEMBERS + body::text(MAX_FORCE));

/// The most nights in the way that an answer lists, over all its items.
const MAX_NIGHTS: usize = 5_000;

/// A bulk change of nights: at most 1000 items, done one after the other.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetNights)]
pub struct SetNights {
    #[serde(deserialize_with = "object::list")]
    #[schema(min_items = 1, max_items = 1000)]
    items: Vec<NightsItem>,
}

/// What became of a bulk change.
#[derive(Debug, Serialize, ToSchema)]
pub struct NightsSet {
    items: Vec<ItemResult>,
}

/// What became of one item.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemResult {
    /// Position in the request, counted from 0.
    index: usize,
    status: ItemStatus,
    /// Nights that are different now, of the room type and of its plans.
    changed: usize,
    /// The room type's sequence number after the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    /// Why the item was refused, or is to be sent again where it was the first to fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Document>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// It is done and durable.
    Applied,
    /// It is not done, and will not be as it stands: see `problem`.
    Refused,
    /// It is not done because the room type has too much to do, or nobody can say whether it is done, or it was not
    /// tried because of an item before it. Send it again: done twice is done once.
    Retry,
}

pub async fn handle(
    state: Data<State>,
    OwnerEngine(engine): OwnerEngine,
    _: Administrator,
    Id(room_type): Id<RoomTypeId>,
    ExpectedSequence(expected): ExpectedSequence,
    body: Body<SetNights, LIMIT>,
) -> Result<HttpResponse, Problem> {
    room_types::find(&state, room_type).await?;
    let changes = check(&state, room_type, body.value.items).await?;
    let items = to_the_end(async move { set(&state, &engine, room_type, expected, changes).await }).await?;
    Ok(HttpResponse::Ok().json(NightsSet { items }))
}

/// What becomes of each item, up to one that cannot be done now: whoever could not be asked about it is not asked about
/// a thousand more. Where it is the first, nothing is done, or nobody can say. Another node is asked for all of them only
/// where the answer to the first was its name: then nothing is done. A condition holds for every item: for the first it is
/// the client's, for those after it that nobody else has changed anything in between.
async fn set(
    state: &State,
    engine: &Engine,
    room_type: RoomTypeId,
    mut expected: Option<u64>,
    changes: Vec<NightsChange>,
) -> Result<Vec<ItemResult>, Problem> {
    let count = changes.len();
    let mut items = Vec::with_capacity(count);
    let mut room = MAX_NIGHTS;
    for (index, change) in changes.into_iter().enumerate() {
        let item = match engine.change_nights(room_type, expected, change).await.map_err(Problem::from) {
            Ok(outcome) => {
                expected = expected.and(Some(outcome.sequence));
                ItemResult::applied(index, outcome)
            }
            Err(problem) if index == 0 && problem.code() == Code::Stale => return Err(problem),
            Err(problem) if !problem.passes() => ItemResult::refused(index, &problem, state),
            Err(problem) if index == 0 => return Err(problem),
            Err(problem) => {
                items.push(ItemResult { status: ItemStatus::Retry, ..ItemResult::refused(index, &problem, state) });
                items.extend((index + 1..count).map(ItemResult::untried));
                break;
            }
        };
        items.push(item.within(&mut room));
    }
    Ok(items)
}

/// The changes, or everything that is wrong with any of them: then none is done.
async fn check(state: &State, room_type: RoomTypeId, items: Vec<NightsItem>) -> Result<Vec<NightsChange>, Problem> {
    if !(1..=MAX_ITEMS).contains(&items.len()) {
        return Err(Violation::new("/items", "items_range", format!("must have 1 to {MAX_ITEMS} items")).into());
    }
    let only_plan = match items.iter().any(NightsItem::lacks_plan) {
        true => only_plan(state, room_type).await?,
        false => None,
    };
    let mut changes = Vec::with_capacity(items.len());
    let mut wrong = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        match item.check(only_plan) {
            Ok(change) => changes.push(change),
            Err(all) => wrong.extend(all.into_iter().map(|one| one.under(&format!("/items/{index}")))),
        }
    }
    if wrong.is_empty() { Ok(changes) } else { Err(wrong.into()) }
}

/// The room type's plan, if it has exactly one.
async fn only_plan(state: &State, room_type: RoomTypeId) -> Result<Option<RatePlanId>, Problem> {
    let plans = state.catalogue.rate_plans(room_type, Page { after: None, limit: 2 }).await?;
    match plans.as_slice() {
        [only] => Ok(Some(only.id)),
        _ => Ok(None),
    }
}

impl ItemResult {
    fn applied(index: usize, NightsOutcome { sequence, changed }: NightsOutcome) -> Self {
        Self { index, status: ItemStatus::Applied, changed, sequence: Some(sequence), problem: None }
    }

    fn refused(index: usize, problem: &Problem, state: &State) -> Self {
        let problem = Some(problem.document(Some(state.clock.now())));
        Self { index, status: ItemStatus::Refused, changed: 0, sequence: None, problem }
    }

    /// Lists no more nights than there is room for in the answer.
    fn within(mut self, room: &mut usize) -> Self {
        *room -= self.problem.as_mut().map_or(0, |problem| problem.limit_nights(*room));
        self
    }

    fn untried(index: usize) -> Self {
        Self { index, status: ItemStatus::Retry, changed: 0, sequence: None, problem: None }
    }
}
