//! Files in the "Hotel booking demand" format: a generator, and a recount of the nights of a file.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use jiff::ToSpan;
use jiff::civil::{Date, date};

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

/// SplitMix64 (Steele, Lea, Flood 2014): the same file for the same seed, everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// A file with all columns of the real one and its unusual rows: no night, no guest, a negative rate, same-day
/// cancellations, long lead times and stays.
pub fn generate(seed: u64, rows: usize) -> String {
    let mut random = Random(seed);
    let mut file = String::from(
        "hotel,is_canceled,lead_time,arrival_date_year,arrival_date_month,arrival_date_week_number,\
         arrival_date_day_of_month,stays_in_weekend_nights,stays_in_week_nights,adults,children,babies,meal,country,\
         reserved_room_type,assigned_room_type,adr,reservation_status,reservation_status_date\n",
    );
    for _ in 0..rows {
        row(&mut file, &mut random);
    }
    file
}

fn row(file: &mut String, random: &mut Random) {
    let arrival = date(2015, 7, 1).saturating_add((random.below(180) as i64).days());
    let lead = if random.one_in(5) { 0 } else { random.below(400) as i64 };
    let (weekend, week) = if random.one_in(60) { (0, 0) } else { (random.below(3), 1 + random.below(9)) };
    let (adults, children) = if random.one_in(90) { (0, 0) } else { (1 + random.below(3), random.below(2)) };
    let room_type = ["A", "A", "A", "D", "E"][random.below(5) as usize];
    let rate = if random.one_in(200) {
        "-6.38".into()
    } else {
        format!("{}.{:02}", 40 + random.below(160), random.below(100))
    };
    let booked = arrival.saturating_sub(lead.days());
    let (status, on) = match random.below(10) {
        0..3 => ("Canceled", booked.saturating_add((random.below(lead as u64 + 1) as i64).days())),
        3 => ("No-Show", arrival),
        _ => ("Check-Out", arrival.saturating_add((weekend as i64 + week as i64).days())),
    };
    let children = if children == 0 && random.one_in(50) { "NULL".into() } else { children.to_string() };
    let (year, month, day) = (arrival.year(), MONTHS[arrival.month() as usize - 1], arrival.day());
    let canceled = u8::from(status == "Canceled");
    writeln!(
        file,
        "Resort Hotel,{canceled},{lead},{year},{month},27,{day},{weekend},{week},{adults},{children},0,BB,PRT,\
         {room_type},{room_type},{rate},{status},{on}"
    )
    .unwrap();
}

/// The figures of a file, counted without code of the importer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recount {
    pub rows: u64,
    pub skipped: u64,
    pub cancelled: u64,
    pub no_shows: u64,
    /// The price of these nights in cents.
    pub revenue_minor: i64,
    /// Rooms sold by room type and date.
    pub nights: BTreeMap<(String, String), u64>,
}

/// Counts a file as if nothing was refused.
pub fn recount(path: &Path) -> Recount {
    let mut recount = Recount::default();
    for row in csv::Reader::from_path(path).unwrap().deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let number = |column: &str| row[column].parse::<i64>().unwrap_or(0);
        recount.rows += 1;
        let nights = number("stays_in_weekend_nights") + number("stays_in_week_nights");
        if nights == 0 || number("adults") == 0 {
            recount.skipped += 1;
            continue;
        }
        let sold = match row["reservation_status"].as_str() {
            "Canceled" => {
                recount.cancelled += 1;
                0
            }
            "No-Show" => {
                recount.no_shows += 1;
                1
            }
            _ => nights,
        };
        let rate = (row["adr"].parse::<f64>().unwrap().max(0.0) * 100.0).round() as i64;
        recount.revenue_minor += rate * sold;
        for night in 0..sold {
            let date = arrival(&row).saturating_add(night.days()).to_string();
            *recount.nights.entry((row["reserved_room_type"].clone(), date)).or_default() += 1;
        }
    }
    recount
}

fn arrival(row: &BTreeMap<String, String>) -> Date {
    let month = MONTHS.iter().position(|month| *month == row["arrival_date_month"]).unwrap() + 1;
    let number = |column: &str| row[column].parse::<i16>().unwrap();
    date(number("arrival_date_year"), month as i8, number("arrival_date_day_of_month") as i8)
}
