//! Shows the free rooms of a hotel, and every change within milliseconds.
//!
//! ```sh
//! cargo run -- serve --demo                                             # in one terminal
//! cargo run --example live_dashboard                                    # in a second one
//! cargo run -- storm http://127.0.0.1:8080 --mix churn --clients 1      # in a third one: bookings to look at
//! ```

use std::time::Duration;

use anyhow::Context;
use innkeeper::client::{Client, Error, Projection, Subscription, Watched};
use innkeeper::clock::{Clock, System};
use jiff::ToSpan;
use jiff::tz::TimeZone;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    let client = Client::at(&url)?;
    let hotels = client.hotels().limit(1).send().await?;
    let hotel = hotels.items.first().context("the server has no hotel")?;
    println!("{}, {}", hotel.name, hotel.city);

    let from = System.now().to_zoned(TimeZone::get(&hotel.timezone)?).date();
    let to = from.checked_add(7.days())?;
    let mut projection = Projection::default();
    loop {
        // After a lost connection the server sends what followed these sequence numbers.
        let seen = projection.seen();
        let subscription = Subscription { watched: Watched::Hotel(hotel.id), from, to, seen };
        let error = show(&client, &subscription, &mut projection).await;
        if !error.is_temporary() {
            return Err(error.into());
        }
        println!("{error}; connecting again");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Prints the free rooms after each frame, until the stream ends.
async fn show(client: &Client, subscription: &Subscription, projection: &mut Projection) -> Error {
    let mut live = match client.watch(subscription).await {
        Ok(live) => live,
        Err(error) => return error,
    };
    loop {
        // A snapshot has all nights of a room type, a change has the nights that changed. The projection applies both.
        match live.next().await {
            Ok(frame) if projection.apply(&frame) => println!("{}", free_rooms(subscription, projection)),
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

/// The free rooms of all room types, night by night.
fn free_rooms(subscription: &Subscription, projection: &Projection) -> String {
    let nights = subscription.from.series(1.day()).take_while(|date| *date < subscription.to);
    nights.map(|date| format!("{} {:>4}   ", date.strftime("%a %d"), projection.total(date).free)).collect()
}
