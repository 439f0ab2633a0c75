//! `serve` with the real program: the demo's curl line books, and a signal ends it in order.

use std::process::Command;

use innkeeper::clock::{Clock, System};

use crate::support::program::{Workplace, curl, token, url};

#[test]
fn the_curl_line_of_the_demo_books_a_room() {
    let workplace = Workplace::new();
    let (started, greeting) = workplace.demo();
    let answer = curl(&greeting);
    assert!(answer.starts_with("HTTP/1.1 201"), "{greeting}\n{answer}");
    let again = curl(&greeting);
    assert_eq!(again.lines().last(), answer.lines().last(), "the same key gets the same answer");
    assert_eq!(started.terminate(), Some(0));
    workplace.run(&["verify"]).succeeded();
}

#[test]
fn an_orderly_end_leaves_one_complete_file() {
    let workplace = Workplace::sqlite();
    let (started, greeting) = workplace.demo();
    assert!(curl(&greeting).starts_with("HTTP/1.1 201"), "{greeting}");
    assert_eq!(started.terminate(), Some(0));
    assert!(!workplace.path().join("innkeeper.db-wal").exists());
    let elsewhere = Workplace::sqlite();
    std::fs::copy(workplace.path().join("innkeeper.db"), elsewhere.path().join("innkeeper.db")).unwrap();
    let counted = elsewhere.run(&["verify"]).succeeded().stdout;
    assert_eq!(counted, workplace.run(&["verify"]).succeeded().stdout);
}

#[test]
fn a_token_that_was_set_is_not_shown() {
    let workplace = Workplace::new();
    workplace.file(".env", "INNKEEPER_ADMIN_TOKEN=known-to-its-owner");
    let (started, greeting) = workplace.demo();
    assert!(greeting.contains("Admin token  as it was set") && !greeting.contains("known-to"), "{greeting}");
    assert_eq!(started.terminate(), Some(0));
}

#[test]
fn a_second_demo_keeps_the_hotels_and_still_books() {
    let workplace = Workplace::new();
    let (started, first) = workplace.demo();
    assert_eq!(started.terminate(), Some(0));
    let counted = workplace.run(&["verify"]).succeeded().stdout;
    let (started, second) = workplace.demo();
    assert!(curl(&second).starts_with("HTTP/1.1 201"), "{second}");
    assert_ne!(token(&first), token(&second));
    assert_eq!(started.terminate(), Some(0));
    assert_eq!(workplace.run(&["verify"]).succeeded().stdout, counted);
}

/// The demo shows a hotel in operation on every date.
#[test]
fn the_demo_has_guests_in_house_arrivals_today_and_about_60_percent_of_its_rooms_sold() {
    let workplace = Workplace::new();
    let (started, greeting) = workplace.demo();
    let (url, token) = (url(&greeting), token(&greeting));
    let count = |query: &str| {
        let authorization = format!("Authorization: Bearer {token}");
        let address = format!("{url}/v1/bookings?limit=200&{query}");
        let output = Command::new("curl").args(["-sS", "-H", &authorization, &address]).output().unwrap();
        let page: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        page["items"].as_array().unwrap_or_else(|| panic!("{page}")).len()
    };
    assert!(count("status=in_house") > 50);
    let arrivals_today = |hotel: &serde_json::Value| {
        let zone = jiff::tz::TimeZone::get(hotel["timezone"].as_str().unwrap()).unwrap();
        let today = System.now().to_zoned(zone).date();
        let days = format!("arrival_from={today}&arrival_to={}", today.tomorrow().unwrap());
        count(&format!("status=confirmed&hotel_id={}&{days}", hotel["id"].as_str().unwrap()))
    };
    let hotels = Command::new("curl").args(["-sS", &format!("{url}/v1/hotels?limit=200")]).output().unwrap();
    let hotels: serde_json::Value = serde_json::from_slice(&hotels.stdout).unwrap();
    assert!(hotels["items"].as_array().unwrap().iter().map(arrivals_today).sum::<usize>() > 10);
    let today = System.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    assert!(count("status=checked_out") > 10);
    assert_eq!(started.terminate(), Some(0));
    workplace.run(&["verify"]).succeeded();

    let nights = workplace.run(&["export", "nights", "--csv"]).succeeded().stdout;
    let (mut rooms, mut sold) = (std::collections::BTreeMap::new(), 0);
    let week: Vec<String> = (2..9).map(|day| today.saturating_add(jiff::Span::new().days(day)).to_string()).collect();
    for night in csv::Reader::from_reader(nights.as_bytes()).into_deserialize::<Night>().map(Result::unwrap) {
        rooms.insert((night.hotel, night.room_type), night.physical);
        sold += if week.contains(&night.date) { night.sold } else { 0 };
    }
    let occupancy = 100 * sold / (7 * rooms.values().sum::<u32>());
    assert!((50..=70).contains(&occupancy), "{occupancy} %");
}

/// A line of the export.
#[derive(serde::Deserialize)]
struct Night {
    hotel: String,
    room_type: String,
    date: String,
    physical: u32,
    sold: u32,
}
