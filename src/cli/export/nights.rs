//! The nights that have rooms sold or held.

use std::io::Write;

use super::cell;
use crate::store::{CountedNight, Store};

const HEADER: [&str; 6] = ["hotel", "room_type", "date", "physical", "sold", "held"];
/// Rows per query.
const PAGE: u32 = 2_000;

pub async fn write(store: &dyn Store, csv: &mut csv::Writer<impl Write>) -> anyhow::Result<()> {
    csv.write_record(HEADER)?;
    let mut after = None;
    loop {
        let page = store.counted_nights(after, PAGE).await?;
        for night in &page {
            csv.write_record(row(night))?;
        }
        match page.last() {
            Some(last) if page.len() == PAGE as usize => after = Some((last.room_type_id, last.date)),
            _ => return Ok(()),
        }
    }
}

fn row(night: &CountedNight) -> [String; 6] {
    let CountedNight { hotel, room_type, date, physical, sold, held, .. } = night;
    let counts = [physical, sold, held].map(ToString::to_string);
    let [physical, sold, held] = counts;
    [cell::text(hotel), cell::text(room_type), date.to_string(), physical, sold, held]
}
