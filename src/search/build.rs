//! Reads the whole store into the index.
//!
//! A hotel or a room type with a corrupt row is left out, so that it does not keep other hotels out of search. When the
//! store does not answer, the build stops and is tried again.

use std::sync::Arc;
use std::time::Instant;

use tokio::task::{JoinError, JoinSet};
use tracing::{error, info};

use super::Index;
use crate::domain::{Hotel, HotelId, Inventory, RoomTypeId, Timestamp};
use crate::store::{Error, Page, Store};

/// Hotels per statement.
const HOTELS: u32 = 5_000;
/// Room types per statement: enough to make the cost of a statement small, few enough to hold in memory twice.
const ROOM_TYPES: u32 = 1_000;
/// Statements at once. At least one read connection stays free for booking requests.
const AT_ONCE: usize = 3;
/// Statements between two progress lines in the log.
const LOG_EVERY: usize = 100;

/// Hotels, each with some of its room types.
pub(super) type Stocked = Vec<(Arc<Hotel>, Vec<Inventory>)>;

/// Reads everything in the store. Newer data in the index stays. Returns the hotels that have such data.
pub(super) async fn build(index: Index, store: Arc<dyn Store>, now: Timestamp) -> Result<Vec<HotelId>, Error> {
    let started = Instant::now();
    put_hotels(&index, &*store).await?;
    let mut reads = JoinSet::new();
    let (mut after, mut begun, mut overtaken) = (None, 0, Vec::new());
    loop {
        let ids = store.all_room_types(Page { after, limit: ROOM_TYPES }).await?;
        let Some(last) = ids.last().copied() else { break };
        if reads.len() >= AT_ONCE {
            overtaken.extend(finish(reads.join_next().await)?);
        }
        reads.spawn(put_room_types(index.clone(), store.clone(), ids, now));
        (after, begun) = (Some(last), begun + 1);
        if begun % LOG_EVERY == 0 {
            info!(room_types = index.size().1, took = ?started.elapsed(), "building the search index");
        }
    }
    while let Some(read) = reads.join_next().await {
        overtaken.extend(finish(Some(read))?);
    }
    let (hotels, room_types) = index.size();
    info!(hotels, room_types, took = ?started.elapsed(), "the search index is built");
    Ok(overtaken)
}

/// Puts all hotels into the index, including those without room types.
async fn put_hotels(index: &Index, store: &dyn Store) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = Page { after, limit: HOTELS };
        let last = match store.hotels(None, page).await {
            Err(Error::Corrupt(_)) => put_readable_hotels(index, store, page).await?,
            hotels => {
                let hotels = hotels?;
                let last = hotels.last().map(|hotel| hotel.id);
                index.put(hotels.into_iter().map(Arc::new));
                last
            }
        };
        let Some(last) = last else { return Ok(()) };
        after = Some(last);
    }
}

/// Reads the hotels of a page one by one and skips corrupt ones. Returns the last id of the page.
async fn put_readable_hotels(index: &Index, store: &dyn Store, page: Page<HotelId>) -> Result<Option<HotelId>, Error> {
    let ids = store.all_hotels(page).await?;
    for id in &ids {
        match store.hotel(*id).await {
            Err(error @ Error::Corrupt(_)) => {
                error!(hotel = %id, error = &error as &dyn std::error::Error, "the hotel cannot be read: search leaves it out");
            }
            hotel => index.put(hotel?.map(Arc::new)),
        }
    }
    Ok(ids.last().copied())
}

/// The result of a finished read. A panic counts as a failure of the store.
fn finish(read: Option<Result<Result<Vec<HotelId>, Error>, JoinError>>) -> Result<Vec<HotelId>, Error> {
    match read {
        Some(Err(panicked)) => Err(Error::Unavailable(panicked.into())),
        Some(Ok(result)) => result,
        None => Ok(Vec::new()),
    }
}

/// `ids` are in order and complete between the first and the last.
async fn put_room_types(
    index: Index,
    store: Arc<dyn Store>,
    ids: Vec<RoomTypeId>,
    now: Timestamp,
) -> Result<Vec<HotelId>, Error> {
    let Some((first, last)) = ids.first().zip(ids.last()) else { return Ok(Vec::new()) };
    let stocked = match store.stock_between(*first..=*last, now).await {
        Err(Error::Corrupt(_)) => read_readable(&*store, &ids, now).await?,
        stock => by_hotel(stock?),
    };
    Ok(index.stock_up(stocked))
}

/// Reads room types one by one and skips corrupt ones.
pub(super) async fn read_readable(store: &dyn Store, ids: &[RoomTypeId], now: Timestamp) -> Result<Stocked, Error> {
    let mut stocked = Vec::new();
    for id in ids {
        match store.stock_between(*id..=*id, now).await {
            Err(error @ Error::Corrupt(_)) => {
                error!(room_type = %id, error = &error as &dyn std::error::Error, "the room type cannot be read: search leaves it out");
            }
            stock => stocked.extend(by_hotel(stock?)),
        }
    }
    Ok(stocked)
}

/// Groups room types by hotel. Room types of one hotel are mostly neighbours.
fn by_hotel(stock: Vec<Inventory>) -> Stocked {
    let mut hotels = Stocked::new();
    for inventory in stock {
        match hotels.last_mut().filter(|(hotel, _)| hotel.id == inventory.hotel.id) {
            Some((_, stock)) => stock.push(inventory),
            None => hotels.push((inventory.hotel.clone(), vec![inventory])),
        }
    }
    hotels
}
