//! `PUT /v1/room-types/{id}/nights`: changes many nights. Each item succeeds or fails on its own.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::item::NightsItem;
use crate::clock::Clock;
use crate::domain::{NightsChange, RatePlanId, RoomTypeId, Violation};
use crate::engine::{Engine, NightsOutcome};
use crate::http::answer::run_to_end;
use crate::http::code::Code;
use crate::http::extract::{Administrator, Body, ExpectedSequence, Id, OwnerEngine, object};
use crate::http::limits::{MAX_NIGHTS_BODY, MAX_NIGHTS_ITEMS};
use crate::http::problem::{Document, Problem};
use crate::http::room_types;
use crate::store::{Catalogue, Page};

/// The most nights that the problems of one answer list together.
const MAX_LISTED_NIGHTS: usize = 5_000;

/// A bulk change of nights: at most 1000 items, applied in order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetNights)]
pub struct SetNights {
    #[serde(deserialize_with = "object::list")]
    #[schema(min_items = 1, max_items = 1000)]
    items: Vec<NightsItem>,
}

/// The result of a bulk change.
#[derive(Debug, Serialize, ToSchema)]
pub struct NightsSet {
    items: Vec<ItemResult>,
}

/// The result of one item.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemResult {
    /// The position of the item in the request, from 0.
    index: usize,
    status: ItemStatus,
    /// The number of changed nights of the room type and of its rate plans.
    changed: usize,
    /// The room type's sequence number after the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    /// Why the item was refused, or why the first item with the status `retry` failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Document>,
}

/// The status of an item.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// The item is applied and durable.
    Applied,
    /// The item is not applied. Sending it again unchanged will fail again: see `problem`.
    Refused,
    /// The item was not applied, or its outcome is unknown, because the owner was overloaded or unreachable. Later
    /// items were not tried. Send the item again: a repeat has no second effect.
    Retry,
}

pub async fn handle(
    (catalogue, clock): (Data<dyn Catalogue>, Data<dyn Clock>),
    OwnerEngine(engine): OwnerEngine,
    _: Administrator,
    Id(room_type): Id<RoomTypeId>,
    expected: ExpectedSequence,
    body: Body<SetNights, MAX_NIGHTS_BODY>,
) -> Result<HttpResponse, Problem> {
    room_types::find(&**catalogue, room_type).await?;
    let changes = check(&**catalogue, room_type, body.value.items).await?;
    check_on_sale(&engine, room_type, expected).await?;
    let items = run_to_end(async move { set(&**clock, &engine, room_type, expected.sequence, changes).await }).await?;
    Ok(HttpResponse::Ok().json(NightsSet { items }))
}

/// Applies the items in order, and stops at an item that fails temporarily: the later items would fail too.
///
/// If the first item fails temporarily, the whole request fails. If its problem names another owner, nothing was done,
/// and the whole request is forwarded. The first item has the client's condition. Each later item has the condition
/// that no other change came between.
async fn set(
    clock: &dyn Clock,
    engine: &Engine,
    room_type: RoomTypeId,
    mut expected: Option<u64>,
    changes: Vec<NightsChange>,
) -> Result<Vec<ItemResult>, Problem> {
    let count = changes.len();
    let mut items = Vec::with_capacity(count);
    let mut room = MAX_LISTED_NIGHTS;
    for (index, change) in changes.into_iter().enumerate() {
        let item = match engine.change_nights(room_type, expected, change).await.map_err(Problem::from) {
            Ok(outcome) => {
                expected = expected.and(Some(outcome.sequence));
                ItemResult::applied(index, outcome)
            }
            Err(problem) if index == 0 && problem.code() == Code::Stale => return Err(problem),
            Err(problem) if !problem.is_temporary() => ItemResult::refused(index, &problem, clock),
            Err(problem) if index == 0 => return Err(problem),
            Err(problem) => {
                items.push(ItemResult { status: ItemStatus::Retry, ..ItemResult::refused(index, &problem, clock) });
                items.extend((index + 1..count).map(ItemResult::untried));
                break;
            }
        };
        items.push(item.within(&mut room));
    }
    Ok(items)
}

/// Refuses if the nights on sale are no longer those of the client's ETag.
async fn check_on_sale(engine: &Engine, room_type: RoomTypeId, expected: ExpectedSequence) -> Result<(), Problem> {
    let Some(on_sale) = expected.on_sale else { return Ok(()) };
    let view = engine.view(room_type, on_sale[0], on_sale[0]).await?;
    match view.on_sale == on_sale {
        true => Ok(()),
        false => Err(Problem::of(Code::Stale).with_sequence(view.sequence)),
    }
}

/// The changes, or the violations of all items. With a violation, no item is applied.
async fn check(
    catalogue: &dyn Catalogue,
    room_type: RoomTypeId,
    items: Vec<NightsItem>,
) -> Result<Vec<NightsChange>, Problem> {
    if !(1..=MAX_NIGHTS_ITEMS).contains(&items.len()) {
        return Err(Violation::new("/items", "items_range", format!("must have 1 to {MAX_NIGHTS_ITEMS} items")).into());
    }
    let only_plan = match items.iter().any(NightsItem::lacks_plan) {
        true => only_plan(catalogue, room_type).await?,
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

/// The rate plan of the room type, if it has exactly one.
async fn only_plan(catalogue: &dyn Catalogue, room_type: RoomTypeId) -> Result<Option<RatePlanId>, Problem> {
    let plans = catalogue.rate_plans(room_type, Page { after: None, limit: 2 }).await?;
    match plans.as_slice() {
        [only] => Ok(Some(only.id)),
        _ => Ok(None),
    }
}

impl ItemResult {
    fn applied(index: usize, NightsOutcome { sequence, changed }: NightsOutcome) -> Self {
        Self { index, status: ItemStatus::Applied, changed, sequence: Some(sequence), problem: None }
    }

    fn refused(index: usize, problem: &Problem, clock: &dyn Clock) -> Self {
        let problem = Some(problem.document(Some(clock.now())));
        Self { index, status: ItemStatus::Refused, changed: 0, sequence: None, problem }
    }

    /// Limits the listed nights to the room left in the answer.
    fn within(mut self, room: &mut usize) -> Self {
        *room -= self.problem.as_mut().map_or(0, |problem| problem.limit_nights(*room));
        self
    }

    fn untried(index: usize) -> Self {
        Self { index, status: ItemStatus::Retry, changed: 0, sequence: None, problem: None }
    }
}
