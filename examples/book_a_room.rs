//! Searches for a room, books it, extends the stay and cancels it.
//!
//! ```sh
//! cargo run -- serve --demo              # in one terminal
//! cargo run --example book_a_room        # in another
//! ```

use anyhow::Context;
use innkeeper::client::{BookingChange, Client, Guest, NewBooking, Search};
use innkeeper::clock::{Clock, System};
use jiff::ToSpan;
use jiff::tz::TimeZone;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    book_a_room(&url).await
}

pub async fn book_a_room(url: &str) -> anyhow::Result<()> {
    let client = Client::at(url)?;

    // A stay is a half-open range of dates at the hotel: the last date is the day of departure.
    let today = System.now().to_zoned(TimeZone::UTC).date();
    let stay = [today.checked_add(30.days())?, today.checked_add(32.days())?];

    // Search shows every plan that sells the stay, the cheapest first.
    let offers = client.search(&Search::in_city("Lisbon", stay).for_adults(2)).send().await?;
    let offer = offers.items.first().context("no hotel in Lisbon has a free room")?;
    let room_type = offer.room_types.first().context("the hotel offers no room type")?;
    let plan = room_type.rate_plans.first().context("the room type has no rate plan")?;
    println!("{}: {}, {}, {} {}", offer.hotel.name, room_type.name, plan.name, minor(plan.total_minor), offer.currency);

    // The client adds an idempotency key and repeats the request with it, so a lost answer never books twice.
    let guests = vec![guest("Ana Lopes", 34), guest("Rui Lopes", 36)];
    let order = NewBooking::new(room_type.room_type_id, stay, guests, "+351912345678");
    let order = NewBooking { rate_plan_id: Some(plan.rate_plan_id), ..order };
    let booking = client.book(&order).send().await?;
    println!("booked {}: {}", booking.id, booking.status);

    // The manage token of the booking is the key to it. Nobody else can read, change or cancel it.
    let longer = BookingChange { checkout_date: Some(stay[1].tomorrow()?), ..BookingChange::default() };
    match client.amend(booking.id, &longer).token(&booking.manage_token).send().await {
        Ok(changed) => {
            println!("extended to {}: {} {}", changed.checkout_date, minor(changed.total_minor), changed.currency)
        }
        // A refusal is a problem document with a stable code, the failing fields and the failing nights.
        Err(error) => match error.problem() {
            Some(problem) if problem.code == "sold_out" => {
                println!("the extra night is sold out: {:?}", problem.nights)
            }
            _ => return Err(error.into()),
        },
    }

    let cancelled = client.cancel(booking.id).token(&booking.manage_token).send().await?;
    println!("{}, fee {} {}", cancelled.status, minor(cancelled.fee_minor.unwrap_or(0)), cancelled.currency);
    Ok(())
}

fn guest(name: &str, age: u8) -> Guest {
    Guest { name: name.to_owned(), age }
}

/// An amount in major units, for currencies with two decimals.
fn minor(amount: i64) -> String {
    format!("{}.{:02}", amount / 100, amount % 100)
}
