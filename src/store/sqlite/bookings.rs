//! Reading bookings.

use std::sync::Arc;

use sqlx::{QueryBuilder, SqliteConnection};

use super::{Sqlite, rows};
use crate::domain::{Booking, BookingId, RoomTypeId};
use crate::store::{BookingFilter, Error, Page};

const BOOKING: &str = concat!(include_str!("booking.sql"), "WHERE b.id = $1");
/// The index is named, because the planner would take the one of all statuses.
const HOLDS: &str = concat!(
    include_str!("booking.sql"),
    "WHERE b.id IN (
        SELECT id FROM bookings INDEXED BY bookings_held WHERE room_type_id = $1 AND status = 'held'
    )"
);
const ROOM_TYPES_WITH_HOLDS: &str = "
    SELECT DISTINCT room_type_id FROM bookings INDEXED BY bookings_held WHERE status = 'held' ORDER BY room_type_id";
/// The page is chosen first, so that guests and services of other bookings are not read. The conditions go between.
const LIST: &str = concat!(include_str!("booking.sql"), "WHERE b.id IN (SELECT b.id FROM bookings AS b WHERE true");
const ORDER: &str = " ORDER BY b.id LIMIT ";

pub(super) async fn holds(reading: &mut SqliteConnection, room_type: RoomTypeId) -> Result<Vec<Arc<Booking>>, Error> {
    let rows = sqlx::query(HOLDS).bind(room_type.to_string()).fetch_all(reading).await?;
    rows.iter().map(|row| rows::booking(row).map(Arc::new)).collect()
}

impl Sqlite {
    pub(super) async fn find_booking(&self, id: BookingId) -> Result<Option<Booking>, Error> {
        let row = sqlx::query(BOOKING).bind(id.to_string()).fetch_optional(&self.readers).await?;
        row.as_ref().map(rows::booking).transpose()
    }

    pub(super) async fn list_bookings(
        &self,
        filter: &BookingFilter,
        page: Page<BookingId>,
    ) -> Result<Vec<Booking>, Error> {
        let rows = list(filter, page).build().fetch_all(&self.readers).await?;
        rows.iter().map(rows::booking).collect()
    }

    pub(super) async fn find_room_types_with_holds(&self) -> Result<Vec<RoomTypeId>, Error> {
        let rows = sqlx::query(ROOM_TYPES_WITH_HOLDS).fetch_all(&self.readers).await?;
        rows.iter().map(|row| rows::Columns::parsed(row, "room_type_id")).collect()
    }
}

/// Only the conditions that are asked for, so that the planner sees which index serves them.
fn list(filter: &BookingFilter, page: Page<BookingId>) -> QueryBuilder<sqlx::Sqlite> {
    let mut query = QueryBuilder::new(LIST);
    let mut require = |condition: &'static str, value: Option<String>| {
        if let Some(value) = value {
            query.push(condition).push_bind(value);
        }
    };
    require(" AND b.id > ", page.after.map(|id| id.to_string()));
    // With both ends, arrivals are fewer than what a hotel ever booked: the + keeps the planner off the hotel's index.
    let by_arrival = filter.arrival.start.is_some() && filter.arrival.end.is_some();
    let hotel = if by_arrival { " AND +b.hotel_id = " } else { " AND b.hotel_id = " };
    require(hotel, filter.hotel.map(|id| id.to_string()));
    require(" AND b.room_type_id = ", filter.room_type.map(|id| id.to_string()));
    require(" AND b.status = ", filter.status.map(str::to_owned));
    require(" AND b.check_in >= ", filter.arrival.start.map(|date| date.to_string()));
    require(" AND b.check_in < ", filter.arrival.end.map(|date| date.to_string()));
    let (emails, mobiles) = filter.contact.clone().into_iter().partition::<Vec<_>, _>(|contact| contact.contains('@'));
    require(" AND b.mobile = ", mobiles.into_iter().next());
    require(
        " AND b.email IS NOT NULL AND lower(b.email) = ",
        emails.into_iter().next().map(|e| e.to_ascii_lowercase()),
    );
    require(" AND b.external_reference = ", filter.external_reference.clone());
    query.push(ORDER).push_bind(i64::from(page.limit)).push(") ORDER BY b.id");
    query
}
