//! `GET /v1/bookings`: lists bookings, filtered, page by page.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Deserialize;
use uuid::Uuid;

use super::view::BookingView;
use crate::domain::text;
use crate::domain::violation::Violations;
use crate::domain::{Booking, BookingId, Email, HotelId, Mobile, RoomTypeId, Status, Violation};
use crate::http::access::Access;
use crate::http::extract::{Administrator, Query};
use crate::http::page::{self, List, Paging};
use crate::http::problem::Problem;
use crate::http::value::Day;
use crate::store::{BookingFilter, Page, Reports};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    hotel_id: Option<Uuid>,
    room_type_id: Option<Uuid>,
    status: Option<String>,
    arrival_from: Option<Day>,
    arrival_to: Option<Day>,
    contact: Option<String>,
    external_reference: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

pub async fn handle(
    reports: Data<dyn Reports>,
    access: Data<Access>,
    _: Administrator,
    Query(mut filter): Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let paging = Paging { limit: filter.limit, cursor: filter.cursor.take() };
    let (page, limit) = paging.page(BookingId)?;
    let (filter, mut items, mut bytes, mut after) = (filter.check()?, Vec::new(), 0, page.after);
    // A booking may have hundreds of guests. So a page is read in portions, and ends early if it is large.
    let more = loop {
        let wanted = PORTION.min(limit as usize - items.len());
        let page = Page { after, limit: wanted as u32 + 1 };
        let mut bookings = reports.bookings(&filter, page).await?;
        let more = bookings.len() > wanted;
        bookings.truncate(wanted);
        after = bookings.last().map(|booking| booking.id).or(after);
        bytes += bookings.iter().map(size).sum::<usize>();
        items.extend(bookings.iter().map(|booking| BookingView::of(booking, &access)));
        if !more || items.len() >= limit as usize || bytes >= PAGE_BYTES {
            break more;
        }
    };
    let next_cursor = after.filter(|_| more).map(|id| page::encode(id.0.as_bytes()));
    Ok(HttpResponse::Ok().json(List { items, next_cursor }))
}

/// Bookings in one read of the store.
const PORTION: usize = 20;
/// A page ends with the portion that exceeds this size, in bytes.
const PAGE_BYTES: usize = 1024 * 1024;

/// The approximate size of a booking in JSON, in bytes.
fn size(booking: &Booking) -> usize {
    let guests = booking.guests.iter().map(|guest| guest.name.len() + 32);
    let services = booking.services.iter().map(|service| service.name.len() + 160);
    1_024 + 40 * booking.stay.dates().count() + guests.chain(services).sum::<usize>()
}

impl Filter {
    fn check(self) -> Result<BookingFilter, Vec<Violation>> {
        let mut violations = Violations::default();
        let status = violations.keep(self.status.as_deref().map(status).transpose());
        let contact = violations.keep(self.contact.as_deref().map(contact).transpose());
        let reference = self.external_reference.map(|reference| text::line(&reference, 100, "/external_reference"));
        let reference = violations.keep(reference.transpose());
        let filter = (|| {
            Some(BookingFilter {
                hotel: self.hotel_id.map(HotelId),
                room_type: self.room_type_id.map(RoomTypeId),
                status: status?,
                arrival: self.arrival_from.map(|day| day.0)..self.arrival_to.map(|day| day.0),
                contact: contact?,
                external_reference: reference?,
            })
        })();
        violations.finish(filter)
    }
}

fn status(name: &str) -> Result<&'static str, Violation> {
    let known = Status::NAMES.into_iter().find(|known| *known == name);
    known.ok_or_else(|| Violation::new("/status", "status", format!("must be one of {}", Status::NAMES.join(", "))))
}

/// A phone number or an e-mail address, in the form in which the store keeps it.
fn contact(value: &str) -> Result<String, Violation> {
    let message = "must be a phone number such as %2B351912345678 (with its + escaped), or an e-mail address";
    let mobile = Mobile::sought(value).map(|mobile| mobile.as_str().to_owned());
    let found = mobile.or_else(|_| Email::parse(value).map(|email| email.as_str().to_owned()));
    found.map_err(|_| Violation::new("/contact", "contact", message))
}
