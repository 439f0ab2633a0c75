//! `storm` with the real program: against a demo, and against servers with a fault.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::{Arc, Mutex};

use actix_web::web::{self, Data, Json};
use actix_web::{App, HttpResponse, HttpServer};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::app::in_system;
use crate::support::program::{Ended, Workplace};

const FIGURES: [&str; 15] = [
    "mix",
    "clients",
    "seconds",
    "requests",
    "accepted",
    "refused",
    "errors",
    "accepted_per_second",
    "requests_per_second",
    "p50_ms",
    "p99_ms",
    "p999_ms",
    "max_ms",
    "oversold",
    "lost",
];

fn url(greeting: &str) -> &str {
    greeting.split_whitespace().find_map(|word| word.strip_suffix("/v1/hotels")).unwrap()
}

fn storm(workplace: &Workplace, url: &str, arguments: &[&str]) -> (Ended, Value) {
    let ended = workplace.run(&[&["storm", url, "--seconds", "1", "--json"], arguments].concat());
    let figures = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
    (ended, figures)
}

#[test]
fn every_mix_finds_rooms_by_itself_and_nothing_is_oversold_or_lost() {
    let workplace = Workplace::new();
    let (started, greeting) = workplace.demo();
    for mix in ["hot", "spread", "last-room", "churn", "read-mostly"] {
        let (ended, figures) = storm(&workplace, url(&greeting), &["--mix", mix, "--clients", "8"]);
        ended.succeeded();
        let number = |name: &str| figures[name].as_u64().unwrap();
        assert_eq!((&figures["mix"], number("clients")), (&json!(mix), 8));
        assert_eq!((number("oversold"), number("lost"), number("errors")), (0, 0, 0), "{figures}");
        assert!(number("accepted") > 0, "{figures}");
        assert_eq!(number("accepted") + number("refused"), number("requests"), "{figures}");
        assert!(mix != "last-room" || number("refused") > 0, "no request was too late: {figures}");
        let names: BTreeSet<&str> = figures.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, FIGURES.into());
    }
    assert_eq!(started.terminate(), Some(0));
    workplace.run(&["verify"]).succeeded();
}

#[test]
fn at_a_rate_every_due_request_is_sent() {
    let workplace = Workplace::new();
    let (_started, greeting) = workplace.demo();
    let (_, figures) = storm(&workplace, url(&greeting), &["--mix", "spread", "--rate", "50"]);
    assert_eq!(figures["requests"], 50, "{figures}");
}

/// A fault of a server.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// It acknowledges bookings, and answers 404 when they are read.
    LosesBookings,
    /// It acknowledges bookings and takes no rooms for them.
    MiscountsNights,
    /// It sells more rooms than its capacity.
    Oversells,
    /// It acknowledges bookings, and answers 503 when they are read.
    CannotRead,
}

struct FaultyServer {
    fault: Fault,
    bookings: Mutex<Vec<Value>>,
}

impl FaultyServer {
    fn book(&self, order: &Value) -> Value {
        let mut bookings = self.bookings.lock().unwrap();
        let booking = json!({
            "id": uuid::Uuid::from_u128(bookings.len() as u128),
            "status": "confirmed",
            "manage_token": "token",
            "room_type_id": order["room_type_id"],
            "checkin_date": order["checkin_date"],
            "checkout_date": order["checkout_date"],
            "rooms": order["rooms"],
        });
        bookings.push(booking.clone());
        booking
    }

    fn availability(&self, from: &str) -> Value {
        let bookings = self.bookings.lock().unwrap();
        let from: jiff::civil::Date = from.parse().unwrap();
        let night = |days: i64| {
            let date = from.saturating_add(jiff::SignedDuration::from_hours(24 * days)).to_string();
            let covers = |booking: &&Value| {
                booking["checkin_date"].as_str() <= Some(&*date) && booking["checkout_date"].as_str() > Some(&*date)
            };
            let taken = bookings.iter().filter(covers).count();
            let (sold, physical) = match self.fault {
                Fault::LosesBookings | Fault::CannotRead => (taken, 60_000),
                Fault::MiscountsNights => (0, 60_000),
                Fault::Oversells if taken > 0 => (2, 1),
                Fault::Oversells => (0, 1),
            };
            json!({"date": date, "physical": physical, "out_of_order": 0, "overbooking_allowance": 0, "sold": sold,
                "held": 0, "free": 1, "closed": false})
        };
        json!({"sequence": bookings.len(), "nights": (0..6).map(night).collect::<Vec<_>>()})
    }
}

/// Starts a server with a fault. Returns its address.
fn serve(fault: Fault) -> String {
    let faulty = Data::from(Arc::new(FaultyServer { fault, bookings: Mutex::default() }));
    let id = uuid::Uuid::nil();
    let hotel = json!({"id": id, "name": "Casa", "city": "Lisbon", "country": "PT", "timezone": "Europe/Lisbon",
        "currency": "EUR"});
    let hotels = json!({"items": [hotel], "next_cursor": null});
    let room_type = json!({"id": id, "hotel_id": id, "name": "Double", "max_adults": 2, "max_children": 0,
        "max_occupancy": 2, "rooms": 60_000});
    let room_types = json!({"items": [room_type], "next_cursor": null});
    let server = HttpServer::new(move || {
        let (hotels, room_types) = (hotels.clone(), room_types.clone());
        let book =
            async |server: Data<FaultyServer>, order: Json<Value>| HttpResponse::Created().json(server.book(&order));
        let availability = async |server: Data<FaultyServer>, query: web::Query<Vec<(String, String)>>| {
            HttpResponse::Ok().json(server.availability(&query[0].1))
        };
        let read = async |server: Data<FaultyServer>, id: web::Path<uuid::Uuid>| match server.fault {
            Fault::LosesBookings => HttpResponse::NotFound().finish(),
            Fault::CannotRead => HttpResponse::ServiceUnavailable().finish(),
            _ => HttpResponse::Ok().json(&server.bookings.lock().unwrap()[id.as_u128() as usize]),
        };
        App::new()
            .app_data(faulty.clone())
            .route("/v1/hotels", web::get().to(move || std::future::ready(Json(hotels.clone()))))
            .route("/v1/hotels/{id}/room-types", web::get().to(move || std::future::ready(Json(room_types.clone()))))
            .route("/v1/room-types/{id}/availability", web::get().to(availability))
            .route("/v1/bookings", web::post().to(book))
            .route("/v1/bookings/{id}", web::get().to(read))
    });
    let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    tokio::spawn(server.run());
    format!("http://{address}")
}

#[rstest]
fn a_fault_of_the_server_is_found(
    #[values(Fault::LosesBookings, Fault::MiscountsNights, Fault::Oversells)] fault: Fault,
) {
    in_system(async {
        let url = serve(fault);
        let (ended, figures) =
            tokio::task::spawn_blocking(move || storm(&Workplace::new(), &url, &["--clients", "2"])).await.unwrap();
        let found = if fault == Fault::Oversells { "oversold" } else { "lost" };
        assert!(figures[found].as_u64().unwrap() > 0, "{figures}");
        assert!(ended.failed(1).contains("the server oversold nights or lost acknowledged writes"));
    });
}

#[test]
fn a_failed_check_is_reported_as_not_checked() {
    in_system(async {
        let url = serve(Fault::CannotRead);
        let (ended, figures) =
            tokio::task::spawn_blocking(move || storm(&Workplace::new(), &url, &["--clients", "2"])).await.unwrap();
        assert!(figures["accepted"].as_u64().unwrap() > 0, "{figures}");
        assert_eq!((&figures["oversold"], &figures["lost"]), (&Value::Null, &Value::Null));
        assert!(ended.failed(1).contains("cannot be checked"));
    });
}

#[test]
fn an_interrupted_storm_checks_and_reports_what_it_did() {
    let workplace = Workplace::new();
    let (_started, greeting) = workplace.demo();
    let bookings = || workplace.run(&["export", "bookings", "--csv"]).succeeded().stdout;
    let before = bookings();
    let mut storm = workplace.start(&["storm", url(&greeting), "--seconds", "1000", "--json", "--clients", "2"]);
    while bookings() == before {}
    storm.signal("INT");
    let mut figures = String::new();
    storm.0.stdout.take().unwrap().read_to_string(&mut figures).unwrap();
    assert_eq!(storm.0.wait().unwrap().code(), Some(0), "{figures}");
    let figures: Value = serde_json::from_str(&figures).unwrap();
    assert!(figures["accepted"].as_u64().unwrap() > 0 && figures["lost"] == 0, "{figures}");
}

#[test]
fn a_storm_needs_a_server_that_answers() {
    let workplace = Workplace::new();
    for (url, complaint) in [
        ("127.0.0.1:1", "is no URL such as http://"),
        ("https://127.0.0.1", "plain HTTP only"),
        ("http://127.0.0.1:1", "cannot reach"),
    ] {
        let error = workplace.run(&["storm", url]).failed(1);
        assert!(error.contains(complaint), "{url}: {error}");
    }
    let both = workplace.run(&["storm", "http://127.0.0.1:1", "--clients", "2", "--rate", "2"]).failed(2);
    assert!(both.contains("cannot be used with"), "{both}");
}
