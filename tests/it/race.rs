//! Promise P1 under a race: 200 requests book the same night with ten rooms.

use futures_util::future::join_all;
use innkeeper::client::{Guest, NewBooking};
use jiff::civil::date;

use crate::support::app::with_app;

#[test]
fn of_two_hundred_concurrent_bookings_ten_get_a_room_and_the_others_a_409() {
    with_app(async |app| {
        let (client, room_type) = (app.client(), app.room_type(10).await.parse().unwrap());
        let [from, to] = [date(2026, 6, 1), date(2026, 6, 2)];
        let guests = vec![Guest { name: "Ana Lopes".to_owned(), age: 34 }];
        let order = NewBooking::new(room_type, [from, to], guests, "+351912345678");
        let answers = join_all((0..200).map(|_| client.book(&order).send())).await;
        for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            let problem = refused.problem().unwrap();
            assert_eq!((problem.status, problem.code.as_str(), problem.nights[0].date), (409, "sold_out", from));
        }
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
        let night = &client.availability(room_type, from, to).send().await.unwrap().nights[0];
        assert_eq!((night.sold, night.free), (10, 0));
    });
}
