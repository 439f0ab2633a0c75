//! Promise P1 under a race: 200 clients want the same night, and there are ten rooms.

use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::support;

#[test]
fn two_hundred_clients_get_ten_rooms_and_everybody_else_a_409() {
    support::run(async {
        let app = support::app().await;
        let room_type = app.room_type_with_rooms(10).await;
        let date = app.today().tomorrow().unwrap();
        let start = Arc::new(Barrier::new(200));
        let clients = (0..200).map(|number| {
            let (start, app) = (start.clone(), app.clone());
            let body = json!({
                "room_type_id": room_type, "checkin_date": date, "checkout_date": date.tomorrow().unwrap(), "rooms": 1,
                "num_guests": 1, "guests": [{"name": "Ana Lopes", "age": 34}], "contact": {"mobile": "+351912345678"},
            });
            tokio::spawn(async move {
                start.wait().await;
                let response = app.post("/v1/bookings", &body).header("Idempotency-Key", format!("race-{number}"));
                let response = response.send().await.unwrap();
                (response.status(), response.json::<Value>().await.unwrap())
            })
        });
        let mut booked = 0;
        for client in clients.collect::<Vec<_>>() {
            match client.await.unwrap() {
                (StatusCode::CREATED, _) => booked += 1,
                (StatusCode::CONFLICT, problem) => {
                    assert_eq!(problem["code"], "sold_out");
                    assert_eq!(problem["nights"][0]["date"], json!(date));
                }
                (other, problem) => panic!("answered {other}: {problem}"),
            }
        }
        assert_eq!(booked, 10);
        app.verify().await;
    });
}
