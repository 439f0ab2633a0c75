//! Bookings, read one by one and as lists. Only a commit writes them.

use crate::domain::contact::comparable_email;
use crate::domain::{Booking, BookingId, HotelId};
use crate::store::db::{Connection, Dialect, Statement};
use crate::store::sql::{self, Columns};
use crate::store::{BookingFilter, Error, Page};

pub const COUNT_LIVE: &str = "
    SELECT count(*) AS live FROM bookings WHERE hotel_id = $1 AND status IN ('held', 'confirmed', 'in_house')";

/// How many bookings of a hotel are not over.
pub async fn count_live(reading: &mut Connection<'_>, hotel: HotelId) -> Result<u64, Error> {
    let counted = reading.find(Statement::new(COUNT_LIVE).bind(hotel.0), |row| row.number("live")).await?;
    Ok(counted.unwrap_or_default())
}

pub fn by_id_text(dialect: &Dialect) -> String {
    format!("{} WHERE b.id = $1", dialect.booking)
}

pub async fn find(reading: &mut Connection<'_>, id: BookingId) -> Result<Option<Booking>, Error> {
    let statement = Statement::new(by_id_text(reading.dialect())).bind(id.0);
    reading.find(statement, sql::booking).await
}

/// A page of the bookings that the filter selects, by id.
pub async fn list(
    reading: &mut Connection<'_>,
    filter: &BookingFilter,
    page: Page<BookingId>,
) -> Result<Vec<Booking>, Error> {
    if has_nul(filter) {
        return Ok(Vec::new());
    }
    let statement = list_statement(reading.dialect(), filter, page);
    reading.list(statement, sql::booking).await
}

/// PostgreSQL's text has no NUL, and a parameter with one is an error.
fn has_nul(filter: &BookingFilter) -> bool {
    [&filter.contact, &filter.external_reference].into_iter().flatten().any(|text| text.contains('\0'))
}

/// One statement for every combination of filters. The page is chosen first, so that guests and services of other bookings
/// are not read.
pub fn list_statement(dialect: &Dialect, filter: &BookingFilter, page: Page<BookingId>) -> Statement {
    let mut query = Statement::new(format!("{} WHERE b.id IN (SELECT b.id FROM bookings AS b", dialect.booking));
    let index = index(filter);
    if let Some(index) = index {
        query.push(&dialect.through(index));
    }
    query.push(" WHERE b.id > ").push_bind(page.after.map(|id| id.0).unwrap_or_default());
    of_hotel(dialect, filter, index, &mut query);
    conditions(dialect, filter, &mut query);
    query.push(" ORDER BY b.id LIMIT ").push_bind(page.limit).push(") ORDER BY b.id");
    query
}

/// The index that leaves the fewest bookings to be looked at; without one they are read in order of their ids. A planner
/// without statistics is told to use it. The index of arrivals begins with the hotel, because a desk asks for its own.
pub fn index(filter: &BookingFilter) -> Option<&'static str> {
    let arrival = (filter.arrival.start.is_some(), filter.arrival.end.is_some());
    let in_a_hotel = filter.hotel.is_some() || filter.room_type.is_some();
    Some(match filter {
        BookingFilter { contact: Some(contact), .. } if is_email(contact) => "bookings_by_email",
        BookingFilter { contact: Some(_), .. } => "bookings_by_mobile",
        BookingFilter { external_reference: Some(_), .. } => "bookings_by_reference",
        _ if arrival == (true, true) => "bookings_by_arrival",
        BookingFilter { status: Some(_), .. } if in_a_hotel => "bookings_by_hotel_and_status",
        BookingFilter { status: Some(_), .. } => "bookings_by_status",
        _ if arrival != (false, false) => "bookings_by_arrival",
        BookingFilter { room_type: Some(_), .. } => "bookings_by_room_type",
        BookingFilter { hotel: Some(_), .. } => "bookings_by_hotel",
        _ => return None,
    })
}

/// The hotel: named by the filter, or that of its room type, for the indexes that begin with the hotel.
fn of_hotel(dialect: &Dialect, filter: &BookingFilter, index: Option<&str>, query: &mut Statement) {
    match (filter.hotel, filter.room_type) {
        (Some(hotel), _) => {
            query.push(" AND b.hotel_id = ").push_bind(hotel.0);
        }
        (None, Some(room_type)) => {
            query
                .push(" AND b.hotel_id = (SELECT hotel_id FROM room_types WHERE id = ")
                .push_bind(room_type.0)
                .push(")");
        }
        // A planner that is told to use the index of arrivals searches it hotel by hotel.
        (None, None) if dialect.names_indexes && index == Some("bookings_by_arrival") => {
            query.push(" AND b.hotel_id IN (SELECT id FROM hotels)");
        }
        (None, None) => {}
    }
}

fn conditions(dialect: &Dialect, filter: &BookingFilter, query: &mut Statement) {
    if let Some(room_type) = filter.room_type {
        query.push(" AND b.room_type_id = ").push_bind(room_type.0);
    }
    if let Some(status) = filter.status {
        query.push(" AND b.status = ").push_bind(status);
    }
    if let Some(first) = filter.arrival.start {
        query.push(" AND b.check_in >= ").push_bind(first);
    }
    if let Some(end) = filter.arrival.end {
        query.push(" AND b.check_in < ").push_bind(end);
    }
    match &filter.contact {
        Some(email) if is_email(email) => {
            query.push(" AND b.email IS NOT NULL AND ").push(dialect.email).push(" = ");
            query.push_bind(comparable_email(email));
        }
        Some(mobile) => {
            query.push(" AND b.mobile = ").push_bind(mobile.as_str());
        }
        None => {}
    }
    if let Some(reference) = &filter.external_reference {
        query.push(" AND b.external_reference = ").push_bind(reference.as_str());
    }
}

fn is_email(contact: &str) -> bool {
    contact.contains('@')
}
