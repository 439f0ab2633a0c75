//! Lists of bookings: one statement for every combination of filters, each through the index that fits it.

use sqlx::QueryBuilder;

use super::Sqlite;
use crate::domain::{Booking, BookingId};
use crate::store::sql;
use crate::store::{BookingFilter, Error, Page};

/// The page is chosen first, so that guests and services of other bookings are not read. Index and conditions go between.
const LIST: &str = concat!(include_str!("booking.sql"), "WHERE b.id IN (SELECT b.id FROM bookings AS b");
const ORDER: &str = " ORDER BY b.id LIMIT ";

impl Sqlite {
    pub(super) async fn list_bookings(
        &self,
        filter: &BookingFilter,
        page: Page<BookingId>,
    ) -> Result<Vec<Booking>, Error> {
        let rows = list(filter, page).build().fetch_all(&self.readers).await?;
        rows.iter().map(sql::booking).collect()
    }
}

/// The index that leaves the fewest bookings to be looked at; without one they are read in order of their ids. It is
/// named, because SQLite keeps no statistics here and would go by the number of columns. An index of arrivals begins with
/// the hotel, because a desk asks for its own; over all hotels it is searched hotel by hotel.
pub(super) fn index(filter: &BookingFilter) -> Option<&'static str> {
    let arrival = (filter.arrival.start.is_some(), filter.arrival.end.is_some());
    let in_a_house = filter.hotel.is_some() || filter.room_type.is_some();
    Some(match filter {
        BookingFilter { contact: Some(contact), .. } if contact.contains('@') => "bookings_by_email",
        BookingFilter { contact: Some(_), .. } => "bookings_by_mobile",
        BookingFilter { external_reference: Some(_), .. } => "bookings_by_reference",
        _ if arrival == (true, true) => "bookings_by_arrival",
        BookingFilter { status: Some(_), .. } if in_a_house => "bookings_by_hotel_and_status",
        BookingFilter { status: Some(_), .. } => "bookings_by_status",
        _ if arrival != (false, false) => "bookings_by_arrival",
        BookingFilter { room_type: Some(_), .. } => "bookings_by_room_type",
        BookingFilter { hotel: Some(_), .. } => "bookings_by_hotel",
        _ => return None,
    })
}

pub(super) fn list(filter: &BookingFilter, page: Page<BookingId>) -> QueryBuilder<sqlx::Sqlite> {
    let mut query = QueryBuilder::new(LIST);
    let index = index(filter);
    if let Some(index) = index {
        query.push(" INDEXED BY ").push(index);
    }
    query.push(" WHERE b.id > ").push_bind(page.after.map(|id| id.to_string()).unwrap_or_default());
    match (filter.hotel, filter.room_type) {
        (Some(hotel), _) => {
            query.push(" AND b.hotel_id = ").push_bind(hotel.to_string());
        }
        (None, Some(id)) => {
            let of_room_type = " AND b.hotel_id = (SELECT hotel_id FROM room_types WHERE id = ";
            query.push(of_room_type).push_bind(id.to_string()).push(")");
        }
        (None, None) if index == Some("bookings_by_arrival") => {
            query.push(" AND b.hotel_id IN (SELECT id FROM hotels)");
        }
        (None, None) => {}
    }
    conditions(filter, &mut query);
    query.push(ORDER).push_bind(i64::from(page.limit)).push(") ORDER BY b.id");
    query
}

fn conditions(filter: &BookingFilter, query: &mut QueryBuilder<sqlx::Sqlite>) {
    let mut require = |condition: &'static str, value: Option<String>| {
        if let Some(value) = value {
            query.push(condition).push_bind(value);
        }
    };
    require(" AND b.room_type_id = ", filter.room_type.map(|id| id.to_string()));
    require(" AND b.status = ", filter.status.map(str::to_owned));
    require(" AND b.check_in >= ", filter.arrival.start.map(|date| date.to_string()));
    require(" AND b.check_in < ", filter.arrival.end.map(|date| date.to_string()));
    match &filter.contact {
        Some(email) if email.contains('@') => {
            require(" AND b.email IS NOT NULL AND lower(b.email) = ", Some(email.to_ascii_lowercase()));
        }
        mobile => require(" AND b.mobile = ", mobile.clone()),
    }
    require(" AND b.external_reference = ", filter.external_reference.clone());
}
