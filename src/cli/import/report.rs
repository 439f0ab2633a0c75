//! The report of an import.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use super::catalogue::ImportCatalogue;
use super::replay::Outcome;
use super::source::Source;
use crate::domain::{Amount, Booking, Date, Status};

/// The limit of lines in a remark. All are counted.
const LINES_NAMED: usize = 1_000;
/// Width of a full bar, in characters.
const BAR: u32 = 40;

/// The figures of an import, as `--json` prints them.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Data rows of the file: accepted, refused and skipped together.
    pub rows: u64,
    /// Rows without a night or without a guest.
    pub skipped: u64,
    /// Reservations that the engine accepted, also those that were cancelled later.
    pub accepted: u64,
    /// Accepted reservations of children without an adult.
    pub without_adult: u64,
    /// Reservations that the engine refused, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    pub cancelled: u64,
    pub no_shows: u64,
    pub checked_out: u64,
    /// Room nights sold at the end: all nights of guests who arrived, and the first night of each no-show.
    pub nights_sold: u64,
    /// The price of these nights, in minor units.
    pub revenue_minor: i64,
    /// The duration of the replay.
    pub seconds: f64,
    /// Accepted reservations per second, with all their later moves.
    pub bookings_per_second: f64,
    pub peak_occupancy: Vec<Peak>,
}

/// The fullest night of a room type.
#[derive(Debug, Serialize)]
pub struct Peak {
    pub hotel: String,
    pub room_type: String,
    pub rooms: u16,
    /// Rooms sold for that night at the end.
    pub sold: u32,
    pub date: Option<Date>,
}

impl Report {
    pub fn new(source: &Source, catalogue: &ImportCatalogue, outcome: &Outcome, took: Duration) -> Self {
        let bookings = || outcome.bookings.iter().flatten();
        let count = |status: fn(Status) -> bool| bookings().filter(|booking| status(booking.status)).count() as u64;
        let (accepted, seconds) = (bookings().count() as u64, took.as_secs_f64());
        let kept: Vec<(u64, Amount)> = bookings().map(|booking| kept(booking)).collect();
        Self {
            rows: source.rows,
            skipped: source.skipped.len() as u64,
            accepted,
            without_adult: without_adult(source, outcome),
            refused: outcome.refused.clone(),
            cancelled: count(|status| matches!(status, Status::Cancelled { .. })),
            no_shows: count(|status| matches!(status, Status::NoShow { .. })),
            checked_out: count(|status| matches!(status, Status::CheckedOut { .. })),
            nights_sold: kept.iter().map(|(nights, _)| nights).sum(),
            revenue_minor: kept.iter().map(|(_, price)| *price).sum::<Amount>().minor(),
            seconds: (seconds * 1_000.0).round() / 1_000.0,
            bookings_per_second: (accepted as f64 / seconds.max(f64::EPSILON) * 10.0).round() / 10.0,
            peak_occupancy: peaks(source, catalogue, outcome),
        }
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let refused: u64 = self.refused.values().sum();
        let reasons: Vec<_> = self.refused.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
        let mut text = format!(
            "{} rows: {} accepted ({} of children without an adult), {refused} refused{reasons}, {} skipped\n\
             {} checked out, {} cancelled, {} no-shows\n\
             {} room nights sold for {} in minor units\n\
             {:.1} s, {:.0} bookings per second with all their later moves\n\nPeak occupancy\n",
            self.rows,
            self.accepted,
            self.without_adult,
            self.skipped,
            self.checked_out,
            self.cancelled,
            self.no_shows,
            self.nights_sold,
            self.revenue_minor,
            self.seconds,
            self.bookings_per_second,
        );
        for peak in &self.peak_occupancy {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}", peak.line());
        }
        text
    }
}

impl Peak {
    fn line(&self) -> String {
        let filled = (self.sold * BAR).checked_div(u32::from(self.rooms)).unwrap_or(0).min(BAR);
        let bar: String = (0..BAR).map(|position| if position < filled { '█' } else { '·' }).collect();
        let date = self.date.map(|date| format!(" on {date}")).unwrap_or_default();
        let Self { hotel, room_type, rooms, sold, .. } = self;
        format!("  {hotel}, {room_type:<4} {bar} {sold:>4} of {rooms} rooms{date}")
    }
}

/// Remarks about rows that are skipped or changed, for stderr.
pub fn remarks(source: &Source) -> String {
    let mut groups: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (line, why) in &source.skipped {
        groups.entry(format!("skipped, {why}")).or_default().push(*line);
    }
    if !source.negative_prices.is_empty() {
        groups.insert("negative adr, imported as 0".to_owned(), source.negative_prices.clone());
    }
    let alone = source.reservations.iter().filter(|reservation| reservation.party.is_without_adult());
    let alone: Vec<u64> = alone.map(|reservation| reservation.line).collect();
    if !alone.is_empty() {
        groups.insert("children without an adult".to_owned(), alone);
    }
    groups.iter().map(|(what, lines)| remark(what, lines)).collect()
}

fn without_adult(source: &Source, outcome: &Outcome) -> u64 {
    let imported = source.reservations.iter().zip(&outcome.bookings).filter(|(_, booking)| booking.is_some());
    imported.filter(|(reservation, _)| reservation.party.is_without_adult()).count() as u64
}

fn remark(what: &str, lines: &[u64]) -> String {
    let named: Vec<_> = lines.iter().take(LINES_NAMED).map(ToString::to_string).collect();
    let more = if lines.len() > LINES_NAMED { " …" } else { "" };
    format!("{what}: {} rows, in lines {}{more}\n", lines.len(), named.join(", "))
}

/// The room nights of a booking at the end, and their price.
fn kept(booking: &Booking) -> (u64, Amount) {
    let Some(print) = booking.footprint() else { return (0, Amount::ZERO) };
    let nights = print.stay.nights();
    (u64::from(nights) * u64::from(print.rooms), booking.nightly_totals().take(usize::from(nights)).sum())
}

fn peaks(source: &Source, catalogue: &ImportCatalogue, outcome: &Outcome) -> Vec<Peak> {
    let mut sold: Vec<BTreeMap<Date, u32>> = vec![BTreeMap::new(); catalogue.room_types.len()];
    for (reservation, booking) in source.reservations.iter().zip(&outcome.bookings) {
        let print = booking.as_ref().and_then(|booking| booking.footprint());
        if let (Some(print), Some(sold)) = (print, sold.get_mut(reservation.room_type)) {
            for night in print.stay.dates() {
                *sold.entry(night).or_default() += u32::from(print.rooms);
            }
        }
    }
    let peak = |(room_type, nights): (&crate::domain::RoomType, &BTreeMap<Date, u32>)| {
        // The earliest of equally full nights.
        let fullest = nights.iter().max_by_key(|(date, sold)| (**sold, std::cmp::Reverse(**date)));
        let hotel = catalogue.hotels.iter().find(|hotel| hotel.id == room_type.hotel_id);
        Peak {
            hotel: hotel.map(|hotel| hotel.name.clone()).unwrap_or_default(),
            room_type: room_type.name.clone(),
            rooms: room_type.rooms,
            sold: fullest.map_or(0, |(_, sold)| *sold),
            date: fullest.map(|(date, _)| *date),
        }
    };
    let mut peaks: Vec<Peak> = catalogue.room_types.iter().zip(&sold).map(peak).collect();
    peaks.sort_by(|a, b| (&a.hotel, &a.room_type).cmp(&(&b.hotel, &b.room_type)));
    peaks
}
