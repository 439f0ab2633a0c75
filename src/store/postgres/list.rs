//! Lists of bookings: one statement for every combination of filters. Which index fits is the planner's choice: it has
//! statistics.

use jiff_sqlx::ToSqlx;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::Postgres;
use crate::domain::{Booking, BookingId};
use crate::store::sql;
use crate::store::{BookingFilter, Error, Page};

/// The page is chosen first, so that guests and services of other bookings are not read. The conditions go between.
const LIST: &str = concat!(include_str!("booking.sql"), "WHERE b.id IN (SELECT b.id FROM bookings AS b WHERE b.id > ");

impl Postgres {
    pub(super) async fn list_bookings(
        &self,
        filter: &BookingFilter,
        page: Page<BookingId>,
    ) -> Result<Vec<Booking>, Error> {
        if cannot_be_stored(filter) {
            return Ok(Vec::new());
        }
        let rows = self.pool.all(list(filter, page).build()).await?;
        rows.iter().map(sql::booking).collect()
    }
}

/// PostgreSQL's text has no NUL, and asking for one is an error.
fn cannot_be_stored(filter: &BookingFilter) -> bool {
    [&filter.contact, &filter.external_reference].into_iter().flatten().any(|text| text.contains('\0'))
}

pub(super) fn list(filter: &BookingFilter, page: Page<BookingId>) -> QueryBuilder<sqlx::Postgres> {
    let mut query = QueryBuilder::new(LIST);
    query.push_bind(page.after.map_or(Uuid::nil(), |id| id.0));
    if let Some(hotel) = filter.hotel {
        query.push(" AND b.hotel_id = ").push_bind(hotel.0);
    }
    if let Some(room_type) = filter.room_type {
        query.push(" AND b.room_type_id = ").push_bind(room_type.0);
        // BatchState to every index that begins with the hotel.
        let hotel = " AND b.hotel_id = (SELECT hotel_id FROM room_types WHERE id = ";
        query.push(hotel).push_bind(room_type.0).push(")");
    }
    if let Some(status) = filter.status {
        query.push(" AND b.status = ").push_bind(status);
    }
    if let Some(first) = filter.arrival.start {
        query.push(" AND b.check_in >= ").push_bind(first.to_sqlx());
    }
    if let Some(end) = filter.arrival.end {
        query.push(" AND b.check_in < ").push_bind(end.to_sqlx());
    }
    match &filter.contact {
        Some(email) if email.contains('@') => {
            query.push(" AND lower(b.email COLLATE \"C\") = ").push_bind(email.to_ascii_lowercase());
        }
        Some(mobile) => {
            query.push(" AND b.mobile = ").push_bind(mobile.clone());
        }
        None => {}
    }
    if let Some(reference) = &filter.external_reference {
        query.push(" AND b.external_reference = ").push_bind(reference.clone());
    }
    query.push(" ORDER BY b.id LIMIT ").push_bind(i64::from(page.limit)).push(") ORDER BY b.id");
    query
}
