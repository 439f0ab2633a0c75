//! Promise P1 under a race: 200 clients book the same night with ten rooms.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{answer, order, with_app};

#[test]
fn two_hundred_clients_get_ten_rooms_and_everybody_else_a_409() {
    with_app(async |app| {
        let room_type = app.room_type(10).await;
        let order = order(&room_type, 1, 2);
        let requests = (0..200).map(|number| {
            let request = app.request(Method::POST, "/v1/bookings").header("Idempotency-Key", format!("race-{number}"));
            // A separate client for each, so that they do not share one connection pool.
            tokio::spawn(answer(request.json(&order)))
        });
        let mut booked = 0;
        for finished in join_all(requests.collect::<Vec<_>>()).await {
            let got = finished.unwrap();
            match got.status {
                StatusCode::CREATED => booked += 1,
                StatusCode::CONFLICT => {
                    assert_eq!(got.body["code"], "sold_out");
                    assert_eq!(got.body["nights"][0]["date"], json!("2026-06-01"));
                }
                other => panic!("answered {other}: {}", got.body),
            }
        }
        assert_eq!(booked, 10);
        let availability =
            app.get(&format!("/v1/room-types/{room_type}/availability?from=2026-06-01&to=2026-06-02")).await;
        assert_eq!(
            (&availability.body["nights"][0]["sold"], &availability.body["nights"][0]["free"]),
            (&json!(10), &json!(0))
        );
    });
}
