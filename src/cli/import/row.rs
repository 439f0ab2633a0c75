//! One row of the public "Hotel booking demand" format (Antonio, Almeida, Nunes, Data in Brief 22, 2019), and the
//! reservation it describes.

use jiff::ToSpan;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;

use crate::domain::stay::days_between;
use crate::domain::text;
use crate::domain::{Amount, Date, Hotel, Occupancy, RoomType, Stay};

/// The columns that are read. Others are ignored.
pub const COLUMNS: [&str; 14] = [
    "hotel",
    "lead_time",
    "arrival_date_year",
    "arrival_date_month",
    "arrival_date_day_of_month",
    "stays_in_weekend_nights",
    "stays_in_week_nights",
    "adults",
    "children",
    "babies",
    "reserved_room_type",
    "adr",
    "reservation_status",
    "reservation_status_date",
];

/// The longest time between booking and arrival in days. With the longest stay it fits the longest horizon.
pub const MAX_LEAD_DAYS: u16 = 2_600;

/// A row of the file.
#[derive(Debug, Deserialize)]
pub struct Row<'a> {
    hotel: &'a str,
    lead_time: &'a str,
    arrival_date_year: &'a str,
    arrival_date_month: &'a str,
    arrival_date_day_of_month: &'a str,
    stays_in_weekend_nights: &'a str,
    stays_in_week_nights: &'a str,
    adults: &'a str,
    children: &'a str,
    babies: &'a str,
    reserved_room_type: &'a str,
    adr: &'a str,
    reservation_status: &'a str,
    reservation_status_date: &'a str,
}

/// A reservation that can be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Line in the file.
    pub line: u64,
    /// Index into [`super::source::Source::room_types`].
    pub room_type: usize,
    pub booked_on: Date,
    pub stay: Stay,
    pub party: Ages,
    /// Price of a night.
    pub price: Amount,
    pub end: End,
}

impl Reservation {
    /// Days between booking and arrival.
    pub fn lead_days(&self) -> u16 {
        u16::try_from(days_between(self.booked_on, self.stay.check_in())).unwrap_or(0)
    }
}

/// The guests by age group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ages {
    pub adults: u16,
    pub children: u16,
    pub babies: u16,
}

/// The end of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    CheckedOut,
    Cancelled { on: Date },
    NoShow,
}

/// The result of parsing a row.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    Reservation {
        hotel: String,
        room_type: String,
        reservation: Reservation,
        negative_price: bool,
    },
    /// A well-formed row that is no stay, and the reason.
    Skipped(&'static str),
}

/// A value that breaks the format.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    pub column: &'static str,
    pub rule: String,
}

impl Row<'_> {
    /// Reads the row that begins at `line`.
    pub fn parse(&self, line: u64) -> Result<Parsed, Problem> {
        let hotel = name("hotel", self.hotel, Hotel::MAX_NAME)?;
        let room_type = name("reserved_room_type", self.reserved_room_type, RoomType::MAX_NAME)?;
        let lead_days = count("lead_time", self.lead_time, MAX_LEAD_DAYS)?;
        let arrival = self.arrival()?;
        let nights = self.nights()?;
        let party = self.party()?;
        let (price, negative_price) = price(self.adr)?;
        let status_date = date("reservation_status_date", self.reservation_status_date)?;
        let status = self.status(status_date)?;
        if nights == 0 {
            return Ok(Parsed::Skipped("no night"));
        }
        if party.persons() == 0 {
            return Ok(Parsed::Skipped("no guest"));
        }
        let out_of_range = |_| problem("arrival_date_year", "must leave the dates of the stay inside the calendar");
        let departure = arrival.checked_add(i64::from(nights).days()).map_err(out_of_range)?;
        let booked_on = arrival.checked_sub(i64::from(lead_days).days()).map_err(out_of_range)?;
        let stay = Stay::new(arrival, departure).map_err(|rule| problem("stays_in_week_nights", rule.message))?;
        // Some rows have a cancellation before the booking, or after the arrival; it is moved to the nearest possible day.
        let end = match status {
            End::Cancelled { on } => End::Cancelled { on: on.clamp(booked_on, arrival) },
            end => end,
        };
        let reservation = Reservation { line, room_type: 0, booked_on, stay, party, price, end };
        Ok(Parsed::Reservation { hotel, room_type, reservation, negative_price })
    }

    fn arrival(&self) -> Result<Date, Problem> {
        let year = count("arrival_date_year", self.arrival_date_year, 9_000)?;
        let month = month(self.arrival_date_month)?;
        let day = count("arrival_date_day_of_month", self.arrival_date_day_of_month, 31)?;
        let no_day = |_| problem("arrival_date_day_of_month", "must be a day of the month of arrival");
        let (year, day) = (i16::try_from(year).unwrap_or(i16::MAX), i8::try_from(day).unwrap_or(i8::MAX));
        Date::new(year, month, day).map_err(no_day)
    }

    fn nights(&self) -> Result<u16, Problem> {
        let weekend = count("stays_in_weekend_nights", self.stays_in_weekend_nights, Stay::MAX_NIGHTS)?;
        let week = count("stays_in_week_nights", self.stays_in_week_nights, Stay::MAX_NIGHTS)?;
        Ok(weekend + week)
    }

    fn party(&self) -> Result<Ages, Problem> {
        let most = Occupancy::MAX_PEOPLE;
        let children = match self.children {
            "NULL" | "NA" | "" => 0,
            children => count("children", children, most)?,
        };
        let party =
            Ages { adults: count("adults", self.adults, most)?, children, babies: count("babies", self.babies, most)? };
        match party.persons() <= usize::from(most) {
            true => Ok(party),
            false => Err(problem("adults", format!("must be at most {most} with children and babies"))),
        }
    }

    fn status(&self, on: Date) -> Result<End, Problem> {
        match self.reservation_status {
            "Check-Out" => Ok(End::CheckedOut),
            "Canceled" => Ok(End::Cancelled { on }),
            "No-Show" => Ok(End::NoShow),
            other => {
                Err(problem("reservation_status", format!("must be Check-Out, Canceled or No-Show, not {other:?}")))
            }
        }
    }
}

impl Ages {
    /// Hotels often record the parents in another booking.
    pub fn is_without_adult(self) -> bool {
        self.adults == 0
    }

    pub fn persons(self) -> usize {
        [self.adults, self.children, self.babies].into_iter().map(usize::from).sum()
    }
}

fn problem(column: &'static str, rule: impl Into<String>) -> Problem {
    Problem { column, rule: rule.into() }
}

fn name(column: &'static str, value: &str, most: usize) -> Result<String, Problem> {
    text::line(value, most, "").map_err(|violation| problem(column, violation.message))
}

fn count(column: &'static str, value: &str, most: u16) -> Result<u16, Problem> {
    let rule = || problem(column, format!("must be a whole number from 0 to {most}, not {value:?}"));
    value.trim().parse().ok().filter(|count| *count <= most).ok_or_else(rule)
}

fn date(column: &'static str, value: &str) -> Result<Date, Problem> {
    value.trim().parse().map_err(|_| problem(column, format!("must be a date such as 2016-05-01, not {value:?}")))
}

fn month(value: &str) -> Result<i8, Problem> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let position = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(value.trim()));
    let number = position.and_then(|position| i8::try_from(position + 1).ok());
    number.ok_or_else(|| problem("arrival_date_month", format!("must be the name of a month, not {value:?}")))
}

/// The average daily rate in cents, and whether it was negative and became zero. More than two decimals are rounded half
/// away from zero.
fn price(value: &str) -> Result<(Amount, bool), Problem> {
    let rule = || problem("adr", format!("must be an amount such as 75 or 98.50, not {value:?}"));
    let rate: Decimal = value.trim().parse().map_err(|_| rule())?;
    let cents = rate.checked_mul(Decimal::ONE_HUNDRED).ok_or_else(rule)?;
    let cents = cents.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero).to_i64().ok_or_else(rule)?;
    match Amount(cents) {
        price if price < Amount::ZERO => Ok((Amount::ZERO, true)),
        price if price <= Amount::MAX_PRICE => Ok((price, false)),
        _ => Err(rule()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rstest::rstest;

    use super::*;

    const ROW: Row<'static> = Row {
        hotel: "Resort Hotel",
        lead_time: "13",
        arrival_date_year: "2015",
        arrival_date_month: "July",
        arrival_date_day_of_month: "1",
        stays_in_weekend_nights: "0",
        stays_in_week_nights: "2",
        adults: "2",
        children: "1",
        babies: "0",
        reserved_room_type: "A",
        adr: "75.5",
        reservation_status: "Check-Out",
        reservation_status_date: "2015-07-03",
    };

    fn reservation(row: &Row<'_>) -> Reservation {
        match row.parse(2).unwrap() {
            Parsed::Reservation { reservation, .. } => reservation,
            Parsed::Skipped(why) => panic!("skipped: {why}"),
        }
    }

    #[test]
    fn a_row_is_a_reservation() {
        let parsed = reservation(&ROW);
        assert_eq!(parsed.stay, Stay::new(date(2015, 7, 1), date(2015, 7, 3)).unwrap());
        assert_eq!((parsed.booked_on, parsed.price), (date(2015, 6, 18), Amount(7_550)));
        assert_eq!((parsed.party.persons(), parsed.end, parsed.line), (3, End::CheckedOut, 2));
    }

    #[rstest]
    #[case("75", 7_500)]
    #[case("0", 0)]
    #[case("134.73", 13_473)]
    #[case("0.26", 26)]
    #[case("5400", 540_000)]
    #[case("1.005", 101)] // exact: as a float it would be 1.00
    fn a_price_is_exact(#[case] adr: &str, #[case] cents: i64) {
        assert_eq!(price(adr), Ok((Amount(cents), false)));
    }

    #[test]
    fn a_negative_price_becomes_zero_and_is_marked() {
        assert_eq!(price("-6.38"), Ok((Amount::ZERO, true)));
    }

    #[test]
    fn a_cancellation_is_never_after_the_arrival() {
        let cancelled = Row { reservation_status: "Canceled", reservation_status_date: "2015-07-02", ..ROW };
        assert_eq!(reservation(&cancelled).end, End::Cancelled { on: date(2015, 7, 1) });
    }

    #[test]
    fn a_cancellation_is_never_before_the_booking() {
        let cancelled = Row { reservation_status: "Canceled", reservation_status_date: "2015-06-01", ..ROW };
        assert_eq!(reservation(&cancelled).end, End::Cancelled { on: date(2015, 6, 18) });
    }

    #[rstest]
    #[case(Row { stays_in_week_nights: "0", ..ROW }, "no night")]
    #[case(Row { adults: "0", children: "0", ..ROW }, "no guest")]
    fn a_row_without_a_night_or_a_guest_is_skipped(#[case] row: Row<'_>, #[case] why: &'static str) {
        assert_eq!(row.parse(2), Ok(Parsed::Skipped(why)));
    }

    #[rstest]
    #[case(Row { lead_time: "-1", ..ROW }, "lead_time")]
    #[case(Row { lead_time: "99999", ..ROW }, "lead_time")]
    #[case(Row { arrival_date_month: "Julember", ..ROW }, "arrival_date_month")]
    #[case(Row { arrival_date_month: "February", arrival_date_day_of_month: "30", ..ROW }, "arrival_date_day_of_month")]
    #[case(Row { stays_in_week_nights: "1001", ..ROW }, "stays_in_week_nights")]
    #[case(Row { stays_in_week_nights: "999", stays_in_weekend_nights: "2", ..ROW }, "stays_in_week_nights")]
    #[case(Row { adults: "two", ..ROW }, "adults")]
    #[case(Row { adults: "101", ..ROW }, "adults")]
    #[case(Row { adults: "60", children: "40", babies: "1", ..ROW }, "adults")]
    #[case(Row { babies: "NULL", ..ROW }, "babies")]
    #[case(Row { adr: "1e3x", ..ROW }, "adr")]
    #[case(Row { adr: "99999999999999999999", ..ROW }, "adr")]
    #[case(Row { reservation_status: "Gone", ..ROW }, "reservation_status")]
    #[case(Row { reservation_status_date: "2015-02-30", ..ROW }, "reservation_status_date")]
    #[case(Row { hotel: " ", ..ROW }, "hotel")]
    fn a_broken_value_is_named_by_its_column(#[case] row: Row<'_>, #[case] column: &str) {
        assert_eq!(row.parse(2).unwrap_err().column, column);
    }

    #[test]
    fn names_have_the_limits_of_the_catalogue() {
        let (hotel, room_type) = ("H".repeat(201), "R".repeat(101));
        assert_eq!(Row { hotel: &hotel, ..ROW }.parse(2).unwrap_err().column, "hotel");
        assert!(Row { hotel: &hotel[1..], ..ROW }.parse(2).is_ok());
        assert_eq!(Row { reserved_room_type: &room_type, ..ROW }.parse(2).unwrap_err().column, "reserved_room_type");
        assert!(Row { reserved_room_type: &room_type[1..], ..ROW }.parse(2).is_ok());
    }

    #[rstest]
    #[case(Row { adults: "0", children: "2", ..ROW })]
    #[case(Row { adults: "0", children: "0", babies: "1", ..ROW })]
    fn children_without_an_adult_are_imported(#[case] row: Row<'_>) {
        assert!(reservation(&row).party.is_without_adult());
    }

    #[test]
    fn a_missing_number_of_children_is_zero() {
        for missing in ["NULL", "NA", ""] {
            assert_eq!(reservation(&Row { children: missing, ..ROW }).party.children, 0);
        }
    }
}
