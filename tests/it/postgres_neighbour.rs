//! Another program on the same PostgreSQL server, with a writing transaction that does not end.

use reqwest::StatusCode;
use sqlx::{Connection, PgConnection};

use crate::support::app::{App, order, with_database};
use crate::support::eventually::eventually;
use crate::support::postgres::Server;

async fn events(app: &App) -> usize {
    app.admin_get("/v1/events?limit=100").await.body["items"].as_array().unwrap().len()
}

#[test]
fn a_foreign_transaction_delays_the_history_and_no_booking() {
    // A separate server, because every other test would wait for the history too.
    let server = Server::start("");
    with_database(&server.url("postgres"), &[], async |app| {
        let room_type = app.room_type(5).await;
        let mut before = 0;
        eventually("the history tells of the room type", async || {
            before = events(app).await;
            before > 0
        })
        .await;

        let mut neighbour = PgConnection::connect(&server.url("template1")).await.unwrap();
        let mut transaction = neighbour.begin().await.unwrap();
        sqlx::query("SELECT pg_current_xact_id()").execute(&mut *transaction).await.unwrap();
        for key in ["first", "second"] {
            assert_eq!(app.book(key, &order(&room_type, 1, 3)).await.status, StatusCode::CREATED);
        }
        assert_eq!(events(app).await, before, "nothing that may come before the neighbour's transaction is missed");

        transaction.commit().await.unwrap();
        eventually("the history goes on", async || events(app).await == before + 2).await;
        neighbour.close().await.unwrap();
    });
}
