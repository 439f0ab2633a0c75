//! Requests that are dropped before their decision: no client waits for them, or they are too old.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use innkeeper::engine::Key;
use innkeeper::store::{Fingerprint, KeyDigest};
use reqwest::StatusCode;
use rstest::rstest;
use tokio::task::spawn_blocking;

use super::{assert_503, sold, with_short_time_outs};
use crate::support::app::{order, with_unreliable_journal};
use crate::support::eventually::eventually;
use crate::support::fixtures::order_for;
use crate::support::unreliable_journal::Commit;

/// Sends a booking over a separate connection.
fn send(url: &str, key: Option<&str>, room_type: &str) -> TcpStream {
    let body = order(room_type, 1, 2).to_string();
    let key = key.map(|key| format!("Idempotency-Key: {key}\r\n")).unwrap_or_default();
    let length = format!("Content-Length: {}\r\n", body.len());
    let head = format!("POST /v1/bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{key}{length}\r\n");
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all((head + &body).as_bytes()).unwrap();
    stream
}

/// Closes the connection, and waits until the server has noticed.
async fn hang_up(mut stream: TcpStream) {
    let told = spawn_blocking(move || {
        stream.shutdown(Shutdown::Write).unwrap();
        stream.read_to_end(&mut Vec::new())
    });
    assert_eq!(told.await.unwrap().unwrap(), 0, "it was answered");
}

#[rstest]
#[case::without_a_key(None)]
#[case::with_a_key(Some("k"))]
fn an_abandoned_request_has_no_effect_later(#[case] key: Option<&str>) {
    // The only HTTP thread answers the next request after it has dropped the one before.
    with_unreliable_journal(&[("http_workers", "1")], async |app, journal| {
        let room_type = app.room_type(1).await;
        app.running.engine.hand_over().await;
        journal.next_load_hangs();
        let stream = send(&app.running.url(), key, &room_type);
        journal.hangs().await;
        hang_up(stream).await;
        assert_eq!(app.get("/healthz").await.status, StatusCode::OK);
        journal.release();
        assert_eq!(sold(app, &room_type).await, 0);
    });
}

#[test]
fn a_repeat_is_served_although_the_first_client_left() {
    with_unreliable_journal(&[], async |app, journal| {
        let room_type = app.room_type(1).await;
        let engine = &app.running.engine;
        engine.hand_over().await;
        journal.next_load_hangs();
        let book = || {
            let (engine, id) = (engine.clone(), room_type.parse().unwrap());
            let key = Key { digest: KeyDigest([7; 32]), fingerprint: Fingerprint([7; 32]) };
            let stay = innkeeper::domain::Stay::new("2026-06-01".parse().unwrap(), "2026-06-02".parse().unwrap());
            tokio::spawn(async move { engine.book(id, order_for(stay.unwrap()), Some(key)).await })
        };
        let first = book();
        journal.hangs().await;
        let second = book();
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        journal.release();
        let booked = second.await.unwrap().unwrap();
        assert!(!booked.replayed);
        assert_eq!(sold(app, &room_type).await, 1);
    });
}

#[test]
fn an_expired_request_is_not_decided_later() {
    with_short_time_outs(1, async |app, journal, room_type| {
        journal.next_load_hangs();
        assert_503(&app.book("k", &order(room_type, 1, 2)).await, &["interrupted"]);
        journal.hangs().await;
        journal.release();
        assert_eq!(sold(app, room_type).await, 0);
        eventually("it can be booked", async || {
            app.book("k", &order(room_type, 1, 2)).await.status == StatusCode::CREATED
        })
        .await;
    });
}

#[test]
fn an_expired_fact_is_withdrawn_before_the_store() {
    with_short_time_outs(3, async |app, journal, room_type| {
        // Its actor is in memory.
        assert_eq!(sold(app, room_type).await, 0);
        journal.next_commit(Commit::Late);
        let (body, waits) = (order(room_type, 1, 2), async || app.running.engine.lanes().iter().sum::<usize>() > 0);
        let stored = app.book("stored", &body);
        let withdrawn = async {
            journal.hangs().await;
            let (answer, ()) = tokio::join!(app.book("withdrawn", &body), eventually("it waits for the store", waits));
            answer
        };
        let (stored, withdrawn) = tokio::join!(stored, withdrawn);
        for answer in [&stored, &withdrawn] {
            assert_503(answer, &["interrupted"]);
        }
        journal.release();
        eventually("the first is stored", async || sold(app, room_type).await == 1).await;
        assert_eq!(super::book_until_answered(app, "stored", room_type).await.status, StatusCode::CREATED);
        assert_eq!(sold(app, room_type).await, 1, "its repeat got the same booking, and the second is none");
    });
}
