//! Bookings, without personal data.

use std::collections::HashMap;
use std::io::Write;

use super::cell;
use crate::domain::{Booking, HotelId, RoomTypeId};
use crate::store::{self, BookingFilter, Page, Store};

const HEADER: [&str; 15] = [
    "booking_id",
    "hotel_id",
    "hotel",
    "room_type_id",
    "room_type",
    "rate_plan_id",
    "status",
    "checkin_date",
    "checkout_date",
    "rooms",
    "guests",
    "total_minor",
    "currency",
    "created_at",
    "external_reference",
];
/// Rows per query.
const PAGE: u32 = 1_000;

pub async fn write(store: &dyn Store, csv: &mut csv::Writer<impl Write>) -> anyhow::Result<()> {
    csv.write_record(HEADER)?;
    let mut names = Names::default();
    let mut after = None;
    loop {
        let page = store.bookings(&BookingFilter::default(), Page { after, limit: PAGE }).await?;
        for booking in &page {
            let hotel = names.hotel(store, booking.hotel_id).await?;
            let room_type = names.room_type(store, booking.room_type_id).await?;
            csv.write_record(row(booking, &hotel, &room_type))?;
        }
        match page.last() {
            Some(last) if page.len() == PAGE as usize => after = Some(last.id),
            _ => return Ok(()),
        }
    }
}

fn row(booking: &Booking, hotel: &str, room_type: &str) -> [String; HEADER.len()] {
    let reference = booking.external_reference.as_deref().unwrap_or_default();
    [
        booking.id.to_string(),
        booking.hotel_id.to_string(),
        cell::text(hotel),
        booking.room_type_id.to_string(),
        cell::text(room_type),
        booking.rate_plan_id.to_string(),
        booking.status.name().to_owned(),
        booking.stay.check_in().to_string(),
        booking.stay.check_out().to_string(),
        booking.rooms.to_string(),
        booking.guests.len().to_string(),
        booking.total().to_string(),
        booking.currency.to_string(),
        booking.created_at.to_string(),
        cell::text(reference),
    ]
}

/// Names that were read already.
#[derive(Default)]
struct Names {
    hotels: HashMap<HotelId, String>,
    room_types: HashMap<RoomTypeId, String>,
}

impl Names {
    async fn hotel(&mut self, store: &dyn Store, id: HotelId) -> Result<String, store::Error> {
        if let Some(name) = self.hotels.get(&id) {
            return Ok(name.clone());
        }
        let name = store.hotel(id).await?.map(|hotel| hotel.name).unwrap_or_default();
        self.hotels.insert(id, name.clone());
        Ok(name)
    }

    async fn room_type(&mut self, store: &dyn Store, id: RoomTypeId) -> Result<String, store::Error> {
        if let Some(name) = self.room_types.get(&id) {
            return Ok(name.clone());
        }
        let name = store.room_type(id).await?.map(|room_type| room_type.name).unwrap_or_default();
        self.room_types.insert(id, name.clone());
        Ok(name)
    }
}
