//! Which hotel to watch, where nobody named one.

use std::fmt::Write;
use std::io::{self, IsTerminal};

use serde::Deserialize;
use uuid::Uuid;

use crate::cli::output;
use crate::cli::remote::{Page, Remote};

/// The most hotels that are listed.
const MOST: usize = 200;

#[derive(Debug, Deserialize)]
pub struct Hotel {
    id: Uuid,
    name: String,
    city: String,
}

/// The only hotel, or the one that somebody chooses at the terminal. Elsewhere the hotels are listed, with what to type.
pub async fn hotel(remote: &Remote, url: &str) -> anyhow::Result<Option<Uuid>> {
    let hotels: Vec<Hotel> = remote.get::<Page<_>>("/v1/hotels", &[("limit", &MOST.to_string())]).await?.items;
    if let [only] = hotels.as_slice() {
        return Ok(Some(only.id));
    }
    output::print(list(&hotels, url))?;
    if hotels.is_empty() || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok(None);
    }
    loop {
        output::print(format_args!("Number of the hotel, or nothing to leave: "))?;
        let mut typed = String::new();
        io::stdin().read_line(&mut typed)?;
        match typed.trim().parse::<usize>() {
            Ok(number) if (1..=hotels.len()).contains(&number) => return Ok(Some(hotels[number - 1].id)),
            _ if typed.trim().is_empty() => return Ok(None),
            _ => output::line(format_args!("That is none of 1 to {}.", hotels.len()))?,
        }
    }
}

fn list(hotels: &[Hotel], url: &str) -> String {
    let Some(first) = hotels.first() else { return format!("There is no hotel at {url} yet.\n") };
    let mut text = "Hotels:\n\n".to_owned();
    for (index, Hotel { id, name, city }) in hotels.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:>4}  {id}  {name}, {city}", index + 1);
    }
    if hotels.len() == MOST {
        let _ = writeln!(text, "      and maybe more: {url}/v1/hotels has all of them");
    }
    let _ = writeln!(text, "\nWatch one of them:\n\n  innkeeper watch {url} --hotel {}\n", first.id);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hotels_are_listed_with_what_to_type() {
        let hotel =
            |number: u128, name: &str| Hotel { id: Uuid::from_u128(number), name: name.into(), city: "Lisbon".into() };
        let text = list(&[hotel(1, "Casa"), hotel(2, "Azulejo")], "http://x:1");
        assert!(text.contains("   2  00000000-0000-0000-0000-000000000002  Azulejo, Lisbon\n"), "{text}");
        assert!(text.contains("innkeeper watch http://x:1 --hotel 00000000-0000-0000-0000-000000000001\n"), "{text}");
        assert_eq!(list(&[], "http://x:1"), "There is no hotel at http://x:1 yet.\n");
    }
}
