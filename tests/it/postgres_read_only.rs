//! A PostgreSQL that answers and refuses writes: an administrator made it read-only, or its disk is full.

use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::StatusCode;
use sqlx::{Connection, PgConnection};

use crate::support::app::{order, with_database};
use crate::support::eventually::eventually;
use crate::support::postgres::Server;

#[test]
fn a_read_only_database_is_not_ready_until_it_takes_writes_again() {
    let server = Server::start("");
    let url = server.url("postgres");
    with_database(&url, &[], async |app| {
        let room_type = app.room_type(1_000).await;
        let mut administrator = PgConnection::connect(&url).await.unwrap();
        let mut say = async |sql: &'static str| {
            sqlx::raw_sql(sql).execute(&mut administrator).await.unwrap();
            sqlx::raw_sql("SELECT pg_reload_conf()").execute(&mut administrator).await.unwrap();
        };
        let keys = AtomicUsize::new(0);
        let book = async || {
            let key = format!("k{}", keys.fetch_add(1, Ordering::Relaxed));
            app.book(&key, &order(&room_type, 1, 2)).await.status
        };
        let ready = async || app.get("/readyz").await.status;

        say("ALTER SYSTEM SET default_transaction_read_only = on").await;
        eventually("it takes no bookings", async || book().await == StatusCode::SERVICE_UNAVAILABLE).await;
        assert_eq!(ready().await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(app.get("/v1/hotels").await.status, StatusCode::OK, "reading goes on");

        say("ALTER SYSTEM RESET default_transaction_read_only").await;
        eventually("it is ready", async || ready().await == StatusCode::OK).await;
        eventually("it books", async || book().await == StatusCode::CREATED).await;
    });
}
