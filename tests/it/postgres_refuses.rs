//! PostgreSQL refuses connections: requests and `/readyz` fail at once when the node knows it, and the server is used
//! again when it returns.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;

use crate::support::app::{order, with_database};
use crate::support::eventually::eventually;
use crate::support::postgres::Server;

/// Requests that each waited for 5 s before. On a busy machine one may take a second.
const REQUESTS: usize = 12;
const ALTOGETHER: Duration = Duration::from_secs(20);

#[test]
fn no_request_waits_for_a_server_that_refuses_connections() {
    let server = Server::start("");
    with_database(&server.url("postgres"), &[], async |app| {
        let room_type = app.room_type(5).await;
        let order = order(&room_type, 1, 2);
        assert_eq!(app.book("before", &order).await.status, StatusCode::CREATED);
        server.kill();
        eventually("it is known", async || app.get("/readyz").await.status == StatusCode::SERVICE_UNAVAILABLE).await;

        let since = Instant::now();
        for n in 0..REQUESTS {
            let ready = app.get("/readyz").await;
            assert_eq!((ready.status, &ready.body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("unavailable")));
            let booked = app.book(&format!("meanwhile-{n}"), &order).await;
            assert_eq!(booked.status, StatusCode::SERVICE_UNAVAILABLE, "{}", booked.body);
            assert!(booked.headers.contains_key("retry-after"));
        }
        assert!(since.elapsed() < ALTOGETHER, "{:?}", since.elapsed());

        server.come_back();
        eventually("it is used again", async || app.get("/readyz").await.status == StatusCode::OK).await;
        eventually("it sells", async || app.book("after", &order).await.status == StatusCode::CREATED).await;
    });
}
