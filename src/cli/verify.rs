//! `innkeeper verify`: recounts the counters of the database.

use std::sync::Arc;

use super::{Outcome, SETTINGS_HELP, output, progress, with_store_to_read};
use crate::config::Config;
use crate::config::flags::CommonFlags;
use crate::domain::RoomTypeId;
use crate::store::audit::{self, Finding};
use crate::store::{Page, Store};

/// Recount every night from the bookings and its settings, and check sequences, idempotency records and jobs.
///
/// Prints each difference with its room type. Exit code 0: no difference. 3: at least one difference.
/// It may run while the server runs, because each room type is read in one transaction. A plain copy of a SQLite file that
/// was in use, without its log, counts as a difference.
#[derive(Debug, clap::Args)]
#[command(after_help = SETTINGS_HELP)]
pub struct Verify {
    #[command(flatten)]
    pub settings: CommonFlags,
}

/// Ids per query; idempotency records and jobs that are named.
const PAGE: u32 = 1_000;

impl Verify {
    pub async fn run(&self, config: Config) -> anyhow::Result<Outcome> {
        with_store_to_read(&config, verify).await
    }
}

async fn verify(store: &Arc<dyn Store>) -> anyhow::Result<Outcome> {
    let room_types = all_room_types(store).await?;
    let bar = progress::bar(room_types.len() as u64, "recounting");
    let (mut differences, mut forced) = (0, 0);
    for &room_type in &room_types {
        let evidence = store.evidence(room_type).await?;
        forced += evidence.nights.iter().filter(|night| night.forced > 0).count();
        let finding = Finding { room_type, differences: audit::recount(&evidence) };
        differences += finding.differences.len();
        let lines = describe(store, &finding).await?;
        bar.suspend(|| lines.iter().try_for_each(output::line))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(incomplete) = store.incomplete() {
        output::line(incomplete)?;
        differences += 1;
    }
    let stray = store.stray_idempotency_records(PAGE).await?;
    stray.iter().try_for_each(output::line)?;
    differences += stray.len();
    let stray = store.stray_jobs(PAGE).await?;
    stray.iter().try_for_each(output::line)?;
    differences += stray.len();
    if forced > 0 {
        output::line(format_args!("nights with more guests than rooms because a lower capacity was forced: {forced}"))?;
    }
    output::line(format_args!("room types recounted: {}; differences: {differences}", room_types.len()))?;
    Ok(if differences == 0 { Outcome::Done } else { Outcome::Differences })
}

async fn all_room_types(store: &Arc<dyn Store>) -> anyhow::Result<Vec<RoomTypeId>> {
    let mut all = Vec::new();
    loop {
        let page = store.all_room_types(Page { after: all.last().copied(), limit: PAGE }).await?;
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// One line per difference, with the names of the room type and its hotel where they still exist.
async fn describe(store: &Arc<dyn Store>, finding: &Finding) -> anyhow::Result<Vec<String>> {
    if finding.differences.is_empty() {
        return Ok(Vec::new());
    }
    let room_type = store.room_type(finding.room_type).await?;
    let hotel = match &room_type {
        Some(room_type) => store.hotel(room_type.hotel_id).await?,
        None => None,
    };
    let hotel = hotel.map_or("?".to_owned(), |hotel| hotel.name);
    let name = room_type.map_or("?".to_owned(), |room_type| room_type.name);
    let line = |difference| format!("room type {} ({hotel}, {name}): {difference}", finding.room_type);
    Ok(finding.differences.iter().map(line).collect())
}
