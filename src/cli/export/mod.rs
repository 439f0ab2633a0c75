//! `innkeeper export`: nights and bookings as a table.

mod bookings;
mod cell;
mod nights;

use clap::Subcommand;

use super::{Outcome, SETTINGS_HELP, with_store_to_read};
use crate::config::Config;
use crate::config::flags::CommonFlags;

/// Print nights or bookings as CSV (RFC 4180, UTF-8, a header line) on stdout.
///
/// Text that a spreadsheet would read as a formula gets a ' in front: = + - @ at the start of a cell, with any separator of
/// cells. The export reads page by page and may run while the server runs.
#[derive(Debug, clap::Args)]
pub struct Export {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// hotel,room_type,date,physical,sold,held: every night with a room sold or held.
    ///
    /// physical is the number of rooms of the type on that night.
    Nights(Format),
    /// One row per booking, without names and contact details of guests.
    ///
    /// booking_id,hotel_id,hotel,room_type_id,room_type,rate_plan_id,status,checkin_date,checkout_date,rooms,guests,
    /// total_minor,currency,created_at,external_reference
    Bookings(Format),
}

#[derive(Debug, clap::Args)]
#[command(after_help = SETTINGS_HELP)]
struct Format {
    /// Comma-separated values. This is the only format.
    #[arg(long, required = true)]
    csv: bool,
    #[command(flatten)]
    settings: CommonFlags,
}

impl Export {
    pub fn settings(&self) -> &CommonFlags {
        let (What::Nights(format) | What::Bookings(format)) = &self.what;
        &format.settings
    }

    pub async fn run(&self, config: Config) -> anyhow::Result<Outcome> {
        with_store_to_read(&config, async |store| {
            let mut csv = csv::Writer::from_writer(std::io::stdout().lock());
            match &self.what {
                What::Nights(_) => nights::write(&**store, &mut csv).await?,
                What::Bookings(_) => bookings::write(&**store, &mut csv).await?,
            }
            csv.flush()?;
            Ok(Outcome::Done)
        })
        .await
    }
}
