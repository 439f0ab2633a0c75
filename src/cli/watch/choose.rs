//! The choice of a hotel, where the command line names none.

use std::fmt::Write;
use std::io::{self, IsTerminal};

use anyhow::bail;
use uuid::Uuid;

use crate::cli::output;
use crate::client::{Client, Hotel};

/// The largest number of hotels that are listed.
const LISTED: u32 = 200;

/// The only hotel, or the one that the user chooses at the terminal. Without a terminal, several hotels are an error that
/// lists them.
pub async fn hotel(client: &Client, url: &str) -> anyhow::Result<Option<Uuid>> {
    let hotels = client.hotels().limit(LISTED).send().await?.items;
    if let [only] = hotels.as_slice() {
        return Ok(Some(only.id));
    }
    if hotels.is_empty() {
        bail!("there is no hotel at {url} yet");
    }
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        bail!("name one of these hotels:\n\n{}\n  innkeeper watch {url} --hotel {}", list(&hotels, url), hotels[0].id);
    }
    output::print(format_args!("Hotels:\n\n{}\n", list(&hotels, url)))?;
    loop {
        output::print(format_args!("Number of the hotel, or nothing to end: "))?;
        let mut typed = String::new();
        io::stdin().read_line(&mut typed)?;
        match typed.trim().parse::<usize>() {
            Ok(number) if (1..=hotels.len()).contains(&number) => return Ok(Some(hotels[number - 1].id)),
            _ if typed.trim().is_empty() => return Ok(None),
            _ => output::line(format_args!("Type a number from 1 to {}.", hotels.len()))?,
        }
    }
}

fn list(hotels: &[Hotel], url: &str) -> String {
    let mut text = String::new();
    for (index, Hotel { id, name, city, .. }) in hotels.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:>4}  {id}  {name}, {city}", index + 1);
    }
    if hotels.len() == LISTED as usize {
        let _ = writeln!(text, "      There may be more: {url}/v1/hotels lists all of them.");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hotels_are_listed_with_numbers_and_ids() {
        let hotel = |number: u128, name: &str| Hotel {
            id: Uuid::from_u128(number),
            name: name.into(),
            city: "Lisbon".into(),
            country: "PT".into(),
            timezone: "Europe/Lisbon".into(),
            currency: "EUR".into(),
        };
        let text = list(&[hotel(1, "Casa"), hotel(2, "Azulejo")], "http://x:1");
        assert!(text.contains("   2  00000000-0000-0000-0000-000000000002  Azulejo, Lisbon\n"), "{text}");
    }
}
