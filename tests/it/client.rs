//! The typed client against the real application, and its repeats against a server that is busy.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::web::{self, Data};
use actix_web::{App as Server, HttpRequest, HttpResponse, HttpServer};
use innkeeper::client::{BookingChange, Client, Error, Guest, NewBooking, Projection, Search, Subscription, Watched};
use innkeeper::clock::{Clock, System};
use jiff::civil::{Date, date};
use uuid::Uuid;

use crate::support::app::{ADMIN, in_system, with_lone_app};

#[path = "../../examples/book_a_room.rs"]
#[allow(dead_code, reason = "the example's main is not called")]
mod book_a_room;

fn june(first: i8, departure: i8) -> [Date; 2] {
    [date(2026, 6, first), date(2026, 6, departure)]
}

fn order(room_type: Uuid) -> NewBooking {
    let guests = vec![Guest { name: "Ana Lopes".to_owned(), age: 34 }];
    NewBooking::new(room_type, june(1, 3), guests, "+351912345678")
}

#[test]
fn a_guest_searches_books_changes_and_cancels() {
    with_lone_app(async |app| {
        let room_type: Uuid = app.room_type(1).await.parse().unwrap();
        let client = app.client();
        let offers = client.search(&Search::in_city("Lisbon", june(1, 3)).for_adults(1)).send().await.unwrap();
        let offered = &offers.items[0].room_types[0];
        assert_eq!((offered.room_type_id, offered.rate_plans[0].total_minor), (room_type, 20_000));

        let booked = client.book(&order(room_type)).key("order-1").send().await.unwrap();
        let repeated = client.book(&order(room_type)).key("order-1").send().await.unwrap();
        assert_eq!((repeated.id, booked.status.as_str()), (booked.id, "confirmed"));
        let read = client.booking(booked.id).token(&booked.manage_token).send().await.unwrap();
        assert_eq!(read, booked);

        let longer = BookingChange { checkout_date: Some(date(2026, 6, 4)), ..BookingChange::default() };
        let changed = client.amend(booked.id, &longer).token(&booked.manage_token).send().await.unwrap();
        assert_eq!((changed.checkout_date, changed.total_minor), (date(2026, 6, 4), 30_000));
        let nights = client.availability(room_type, date(2026, 6, 1), date(2026, 6, 5)).send().await.unwrap().nights;
        assert_eq!(nights.iter().map(|night| night.free).collect::<Vec<_>>(), [0, 0, 0, 1]);

        let cancelled = client.cancel(booked.id).token(&booked.manage_token).send().await.unwrap();
        assert_eq!(cancelled.status, "cancelled");
    });
}

#[test]
fn a_refusal_is_a_problem_with_its_code_fields_and_nights() {
    with_lone_app(async |app| {
        let room_type: Uuid = app.room_type(1).await.parse().unwrap();
        let client = app.client();
        client.book(&order(room_type)).send().await.unwrap();
        let refused = client.book(&order(room_type)).send().await.unwrap_err();
        let problem = refused.problem().unwrap();
        assert_eq!((problem.code.as_str(), problem.status, problem.nights.len()), ("sold_out", 409, 2));
        assert_eq!((problem.nights[0].date, problem.nights[0].free), (date(2026, 6, 1), Some(0)));
        let child = Guest { name: "Rui Lopes".to_owned(), age: 200 };
        let wrong = client.book(&NewBooking { guests: vec![child], ..order(room_type) }).send().await.unwrap_err();
        let problem = wrong.problem().unwrap();
        assert_eq!((problem.code.as_str(), problem.errors[0].pointer.as_str()), ("invalid_request", "/guests/0/age"));
        assert!(!wrong.is_temporary(), "{wrong}");
    });
}

#[test]
fn the_feed_and_the_stream_tell_of_a_booking() {
    with_lone_app(async |app| {
        let room_type: Uuid = app.room_type(3).await.parse().unwrap();
        let client = app.client().with_token(ADMIN);
        let [from, to] = june(1, 3);
        let watched = Watched::RoomTypes(vec![room_type]);
        let mut live = client.watch(&Subscription { watched, from, to, seen: Default::default() }).await.ok().unwrap();
        let mut projection = Projection::default();
        assert!(projection.apply(&live.next().await.unwrap()));
        assert_eq!(projection.total(from).free, 3);
        let booked = client.book(&order(room_type)).send().await.unwrap();
        while projection.seen()[&room_type] < booked.sequence {
            projection.apply(&live.next().await.unwrap());
        }
        assert_eq!(projection.total(from).free, 2);

        app.settled().await;
        let mut page = client.events().limit(1).send().await.unwrap();
        while page.more {
            page = client.events().cursor(&page.next_cursor).send().await.unwrap();
        }
        let last = page.items.last().unwrap();
        assert_eq!((last.cause.as_str(), last.booking_id), ("booked", Some(booked.id)));
    });
}

#[test]
fn a_refused_subscription_is_a_problem() {
    with_lone_app(async |app| {
        let client = app.client();
        let [from, to] = june(1, 3);
        let watched = Watched::Hotel(Uuid::from_u128(1));
        let mut live = client.watch(&Subscription { watched, from, to, seen: Default::default() }).await.ok().unwrap();
        let refused = live.next().await.unwrap_err();
        assert_eq!(refused.problem().unwrap().code, "no_such_hotel");
        assert!(!refused.is_temporary());
    });
}

#[test]
fn the_example_books_a_room() {
    with_lone_app(async |app| {
        app.clock.set(System.now());
        app.room_type(3).await;
        book_a_room::book_a_room(&app.running.url()).await.unwrap();
    });
}

/// A server that answers 503 to the first requests. It keeps the idempotency key of every request.
struct Busy {
    left: Mutex<usize>,
    retry_after: &'static str,
    keys: Mutex<Vec<String>>,
}

impl Busy {
    /// Starts the server. Returns it and its address.
    fn serve(answers: usize, retry_after: &'static str) -> (Arc<Self>, String) {
        let busy = Arc::new(Self { left: Mutex::new(answers), retry_after, keys: Mutex::default() });
        let data = Data::from(busy.clone());
        let server = HttpServer::new(move || {
            Server::new()
                .app_data(data.clone())
                .default_service(web::to(async |busy: Data<Self>, request: HttpRequest| busy.answer(&request)))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let address = server.addrs()[0];
        tokio::spawn(server.run());
        (busy, format!("http://{address}"))
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let key = request.headers().get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
        self.keys.lock().unwrap().extend(key);
        let mut left = self.left.lock().unwrap();
        if *left == 0 {
            let page = serde_json::json!({"items": [], "next_cursor": null});
            return HttpResponse::Ok().json(page);
        }
        *left -= 1;
        HttpResponse::ServiceUnavailable().insert_header(("Retry-After", self.retry_after)).finish()
    }
}

#[test]
fn a_busy_server_is_asked_again_after_the_time_that_it_names() {
    in_system(async {
        let (busy, url) = Busy::serve(1, "1");
        let begun = Instant::now();
        let page = Client::at(&url).unwrap().hotels().send().await.unwrap();
        assert!(page.items.is_empty() && begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
        assert_eq!(*busy.left.lock().unwrap(), 0);
    });
}

#[test]
fn every_repeat_of_a_write_has_the_same_key_and_repeats_have_a_limit() {
    in_system(async {
        let (busy, url) = Busy::serve(100, "0");
        let client = Client::at(&url).unwrap().with_attempts(3);
        let error = client.book(&order(Uuid::nil())).send().await.unwrap_err();
        assert!(matches!(&error, Error::Problem(problem) if problem.status == 503), "{error}");
        let keys = busy.keys.lock().unwrap().clone();
        assert_eq!((keys.len(), keys.iter().all(|key| *key == keys[0])), (3, true), "{keys:?}");
    });
}

#[test]
fn a_server_that_asks_for_a_long_pause_gets_no_repeat() {
    in_system(async {
        let (busy, url) = Busy::serve(100, "3600");
        let error = Client::at(&url).unwrap().hotels().send().await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
        assert_eq!(*busy.left.lock().unwrap(), 99);
    });
}
