//! Reading the whole store into the index.
//!
//! A hotel or a room type with a row that cannot be read is left out, and so not offered: it must not keep the others
//! off the market. A store that does not answer stops the build, which is tried again.

use std::sync::Arc;
use std::time::Instant;

use tokio::task::{JoinError, JoinSet};
use tracing::{error, info};

use super::Index;
use crate::domain::{Hotel, HotelId, Inventory, RoomTypeId, Timestamp};
use crate::store::{Error, Page, Store};

/// Hotels that one statement reads.
const HOTELS: u32 = 5_000;
/// Room types that one statement reads: enough that a statement costs nothing, few enough to hold in memory twice.
const ROOM_TYPES: u32 = 1_000;
/// Statements at once. One reading connection is left to those who book.
const AT_ONCE: usize = 3;
/// How many statements there are between two lines in the log.
const TELL_EVERY: usize = 100;

/// Hotels, each with some of its room types.
pub(super) type Stocked = Vec<(Arc<Hotel>, Vec<Inventory>)>;

/// Takes everything in that the store has. What the index already knows better stays; the hotels of which it does.
pub(super) async fn build(index: Index, store: Arc<dyn Store>, now: Timestamp) -> Result<Vec<HotelId>, Error> {
    let started = Instant::now();
    take_hotels(&index, &*store).await?;
    let mut reads = JoinSet::new();
    let (mut after, mut begun, mut overtaken) = (None, 0, Vec::new());
    loop {
        let ids = store.all_room_types(Page { after, limit: ROOM_TYPES }).await?;
        let Some(last) = ids.last().copied() else { break };
        if reads.len() >= AT_ONCE {
            overtaken.extend(finish(reads.join_next().await)?);
        }
        reads.spawn(take_room_types(index.clone(), store.clone(), ids, now));
        (after, begun) = (Some(last), begun + 1);
        if begun % TELL_EVERY == 0 {
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

/// Hotels, also those that have no room types yet.
async fn take_hotels(index: &Index, store: &dyn Store) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = Page { after, limit: HOTELS };
        let last = match store.hotels(None, page).await {
            Err(Error::Corrupt(_)) => take_hotels_that_can_be_read(index, store, page).await?,
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

/// One by one; the last of the page.
async fn take_hotels_that_can_be_read(
    index: &Index,
    store: &dyn Store,
    page: Page<HotelId>,
) -> Result<Option<HotelId>, Error> {
    let ids = store.all_hotels(page).await?;
    for id in &ids {
        match store.hotel(*id).await {
            Err(error @ Error::Corrupt(_)) => {
                error!(hotel = %id, error = &error as &dyn std::error::Error, "search leaves a hotel out");
            }
            hotel => index.put(hotel?.map(Arc::new)),
        }
    }
    Ok(ids.last().copied())
}

/// What became of a piece that was read.
fn finish(read: Option<Result<Result<Vec<HotelId>, Error>, JoinError>>) -> Result<Vec<HotelId>, Error> {
    match read {
        Some(Err(panicked)) => Err(Error::Unavailable(panicked.into())),
        Some(Ok(result)) => result,
        None => Ok(Vec::new()),
    }
}

/// `ids` are in order, and nothing lies between them.
async fn take_room_types(
    index: Index,
    store: Arc<dyn Store>,
    ids: Vec<RoomTypeId>,
    now: Timestamp,
) -> Result<Vec<HotelId>, Error> {
    let Some((first, last)) = ids.first().zip(ids.last()) else { return Ok(Vec::new()) };
    let stocked = match store.stock_between(*first..=*last, now).await {
        Err(Error::Corrupt(_)) => read_what_can_be(&*store, &ids, now).await?,
        stock => by_hotel(stock?),
    };
    Ok(index.stock_up(stocked))
}

/// Room types one by one.
pub(super) async fn read_what_can_be(store: &dyn Store, ids: &[RoomTypeId], now: Timestamp) -> Result<Stocked, Error> {
    let mut stocked = Vec::new();
    for id in ids {
        match store.stock_between(*id..=*id, now).await {
            Err(error @ Error::Corrupt(_)) => {
                error!(room_type = %id, error = &error as &dyn std::error::Error, "search leaves a room type out");
            }
            stock => stocked.extend(by_hotel(stock?)),
        }
    }
    Ok(stocked)
}

/// Room types gathered by hotel. Those of one hotel mostly come together.
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
