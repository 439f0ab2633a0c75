//! Text, names, numbers and dates in different spellings: which are accepted, which are refused, and with which
//! messages.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{ADMIN, Answer, App, answer, order, with_app, with_test_database};
use crate::support::live::Dashboard;
use crate::support::test_database::TestDatabase;

/// Text that every field refuses, and the rule that it breaks.
const HOSTILE: [(&str, &str); 8] = [
    ("A\u{0}B", "no_control_characters"),
    ("A\r\nBcc: b@b.pt", "no_control_characters"),
    ("A\u{9b}31m", "no_control_characters"),
    ("A\u{202e}B", "no_direction_controls"),
    ("A\u{2067}B", "no_direction_controls"),
    ("A\u{fffe}", "no_noncharacters"),
    ("\u{200b}\u{ad}", "visible_text"),
    ("\u{3164}", "visible_text"),
];

/// Checks that a request is refused for one rule of one field.
fn refused(answer: &Answer, pointer: &str, rule: &str) {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{pointer} {rule}: {}", answer.body);
    let error = &answer.body["errors"][0];
    assert_eq!((&error["pointer"], &error["rule"]), (&json!(pointer), &json!(rule)), "{}", answer.body);
}

fn hotel(name: &str, city: &str) -> Value {
    json!({"name": name, "city": city, "country": "TR", "timezone": "Europe/Istanbul", "currency": "EUR"})
}

async fn book(app: &App, order: &Value) -> Answer {
    answer(app.request(Method::POST, "/v1/bookings").json(order)).await
}

#[test]
fn no_text_field_accepts_control_or_invisible_characters() {
    with_app(async |app| {
        let room_type = app.room_type(5).await;
        let sample = order(&room_type, 10, 12);
        for (text, rule) in HOSTILE {
            let with = |pointer: &str, value: &str| {
                let mut order = sample.clone();
                order["contact"]["email"] = json!("ana@example.com");
                order["external_reference"] = json!("A-1");
                *order.pointer_mut(pointer).unwrap() = json!(value);
                order
            };
            for pointer in ["/guests/0/name", "/external_reference", "/contact/email"] {
                refused(&book(app, &with(pointer, text)).await, pointer, rule);
            }
            refused(&book(app, &with("/contact/mobile", text)).await, "/contact/mobile", "e164");
            let post = async |path: &str, body: Value| app.admin(Method::POST, path, &body).await;
            refused(&post("/v1/hotels", hotel(text, "Faro")).await, "/name", rule);
            refused(&post("/v1/hotels", hotel("Casa", text)).await, "/city", rule);
            let house = app.create("/v1/hotels", &hotel("Casa", "Faro")).await;
            let room = json!({"name": text, "max_adults": 2, "max_children": 0, "max_occupancy": 2, "rooms": 1});
            refused(&post(&format!("/v1/hotels/{house}/room-types"), room).await, "/name", rule);
            let service = json!({"name": text, "basis": "per_stay", "price_minor": 1});
            refused(&post(&format!("/v1/hotels/{house}/services"), service).await, "/name", rule);
            let plan = json!({"name": text, "price_minor": 1});
            refused(&post(&format!("/v1/room-types/{room_type}/rate-plans"), plan).await, "/name", rule);
            let rename = app.admin(Method::PATCH, &format!("/v1/hotels/{house}"), &json!({"name": text})).await;
            refused(&rename, "/name", rule);
            let force = json!({"items": [{"from": "2026-06-01", "to": "2026-06-02", "physical": 1, "force": text}]});
            let nights = app.admin(Method::PUT, &format!("/v1/room-types/{room_type}/nights"), &force).await;
            refused(&nights, "/items/0/force", rule);
        }
        assert_eq!(book(app, &sample).await.status, StatusCode::CREATED, "the room type still sells");
    });
}

#[test]
fn no_filter_and_no_message_accepts_control_or_invisible_characters() {
    with_app(async |app| {
        let mut dashboard = Dashboard::open(app).await;
        for (text, rule) in HOSTILE {
            let ask = async |path: &str, name: &str| {
                let request = app.request(Method::GET, path).bearer_auth(ADMIN).query(&[(name, text)]);
                answer(request).await
            };
            refused(&ask("/v1/hotels", "city").await, "/city", rule);
            let stay = "checkin_date=2026-06-10&checkout_date=2026-06-12";
            refused(&ask(&format!("/v1/search?{stay}"), "city").await, "/city", rule);
            refused(&ask("/v1/bookings", "external_reference").await, "/external_reference", rule);
            refused(&ask("/v1/bookings", "contact").await, "/contact", "contact");
            refused(&ask("/v1/bookings", "cursor").await, "/cursor", "cursor");
            refused(&ask("/v1/bookings", "status").await, "/status", "status");

            let id = uuid::Uuid::nil();
            let subscribe =
                json!({"type": "subscribe", "id": text, "hotel_id": id, "from": "2026-06-01", "to": "2026-06-02"});
            for message in [subscribe, json!({"type": "unsubscribe", "id": text})] {
                dashboard.send(&message).await;
                let told = dashboard.next().await;
                assert_eq!((&told["id"], &told["errors"][0]["rule"]), (&Value::Null, &json!(rule)), "{told}");
                assert_eq!(told["errors"][0]["pointer"], "/id");
            }
        }
    });
}

#[test]
fn an_email_is_one_bare_address() {
    with_app(async |app| {
        let mut order = order(&app.room_type(9).await, 10, 12);
        for wrong in [
            "Ana <ana@example.com>",
            "\u{0} <a@b.pt>",
            "ana@example.com, rui@example.com",
            "ana@example.com\r\nBcc: rui@example.com",
            "ana(home)@example.com",
            "\"a\u{7}\"@example.com",
        ] {
            order["contact"]["email"] = json!(wrong);
            let answer = book(app, &order).await;
            assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["pointer"]), (422, &json!("/contact/email")));
        }
        order["contact"]["email"] = json!("ana@example.com");
        assert_eq!(book(app, &order).await.body["contact"]["email"], "ana@example.com");
    });
}

#[test]
fn numbers_of_small_countries_are_taken_and_every_number_is_shown_as_e164() {
    with_app(async |app| {
        let mut order = order(&app.room_type(9).await, 10, 12);
        for (written, kept) in [
            ("+298212345", "+298212345"),
            ("+376312345", "+376312345"),
            ("+299221234", "+299221234"),
            ("+50051234", "+50051234"),
            ("+44 (0)7911 123-456", "+447911123456"),
        ] {
            order["contact"]["mobile"] = json!(written);
            let booked = book(app, &order).await;
            assert_eq!(booked.body["contact"]["mobile"], kept, "{}", booked.body);
            let list =
                answer(app.request(Method::GET, "/v1/bookings").bearer_auth(ADMIN).query(&[("contact", written)]));
            assert_eq!(list.await.body["items"].as_array().unwrap().len(), 1, "{written}");
        }
        for wrong in ["+1 800 FLOWERS", "+351912345678 ext. 5", "tel:+351912345678", "912345678", "+5215512345678"] {
            order["contact"]["mobile"] = json!(wrong);
            refused(&book(app, &order).await, "/contact/mobile", "e164");
        }
    });
}

#[test]
fn a_city_is_found_however_its_name_is_spelt() {
    with_app(async |app| {
        app.create("/v1/hotels", &hotel("Kordon", "İzmir")).await;
        app.create("/v1/hotels", &hotel("Zur Post", "Gießen")).await;
        app.create("/v1/hotels", &hotel("Opera", "Zürich")).await;
        for (city, name) in [
            ("izmir", "Kordon"),
            ("İZMİR", "Kordon"),
            ("IZMIR", "Kordon"),
            ("i\u{307}zmir", "Kordon"),
            ("GIESSEN", "Zur Post"),
            ("GIEẞEN", "Zur Post"),
            (" gießen ", "Zur Post"),
            ("Zu\u{308}rich", "Opera"),
            ("ＺÜＲＩＣＨ", "Opera"),
        ] {
            let found = answer(app.request(Method::GET, "/v1/hotels").query(&[("city", city)])).await;
            assert_eq!(found.body["items"][0]["name"], name, "{city}: {}", found.body);
        }
        assert_eq!(app.get("/v1/hotels?city=Zurich").await.body["items"], json!([]));
    });
}

#[test]
fn name_keys_of_an_earlier_version_are_computed_again() {
    let place = TestDatabase::new();
    let store = ["UPDATE hotels SET city_key = 'i\u{307}zmir'", "UPDATE name_keys SET edition = 1"];
    with_test_database(&place, &[], async |app| {
        app.create("/v1/hotels", &hotel("Kordon", "İzmir")).await;
        app.create("/v1/hotels", &hotel("Ege", "İzmir")).await;
    });
    crate::support::app::in_system(async {
        for statement in store {
            place.execute(statement).await;
        }
    });
    with_test_database(&place, &[], async |app| {
        let found = app.get("/v1/hotels?city=izmir").await;
        assert_eq!(found.body["items"].as_array().unwrap().len(), 2, "{}", found.body);
    });
}

#[test]
fn a_stay_in_the_past_is_refused_everywhere() {
    with_app(async |app| {
        let room_type = app.room_type(5).await;
        let hotel = app.get(&format!("/v1/room-types/{room_type}")).await.body["hotel_id"].clone();
        let hotel = hotel.as_str().unwrap().to_owned();
        for place in ["city=Lisbon", "city=Nowhere", "latitude=38&longitude=-9&radius_km=5"] {
            for dates in
                ["checkin_date=2026-04-29&checkout_date=2026-05-03", "checkin_date=2020-01-01&checkout_date=2020-01-02"]
            {
                let answer = app.get(&format!("/v1/search?{place}&{dates}")).await;
                assert_eq!(answer.body["code"], "arrival_in_the_past", "{place}: {}", answer.body);
                refused(&answer, "/checkin_date", "arrival_in_the_past");
            }
            let today = app.get(&format!("/v1/search?{place}&checkin_date=2026-05-01&checkout_date=2026-05-02")).await;
            assert_eq!(today.status, StatusCode::OK, "{}", today.body);
        }
        for path in [format!("/v1/room-types/{room_type}/availability"), format!("/v1/hotels/{hotel}/calendar")] {
            let past = app.get(&format!("{path}?from=2026-04-20&to=2026-05-01")).await;
            assert_eq!(
                (past.status.as_u16(), &past.body["code"]),
                (422, &json!("arrival_in_the_past")),
                "{}",
                past.body
            );
            refused(&past, "/to", "arrival_in_the_past");
            assert_eq!(app.get(&format!("{path}?from=2026-04-20&to=2026-05-02")).await.status, StatusCode::OK);
        }
    });
}

#[test]
fn what_is_no_json_is_400_and_what_breaks_a_rule_is_422() {
    with_app(async |app| {
        let raw = async |body: &str| {
            let request = app.request(Method::POST, "/v1/bookings").header("Content-Type", "application/json");
            answer(request.body(body.to_owned())).await
        };
        for broken in
            ["{\"a\":", "{\"a\"", "{\"rooms\":\"x\",", "{\"rooms\":1}}", "{\"a\":01}", "{\"a\":\"\n\"}", "{a:1}", "["]
        {
            let answer = raw(broken).await;
            assert_eq!((answer.status.as_u16(), &answer.body["code"]), (400, &json!("malformed_json")), "{broken}");
        }
        for (wrong, pointer) in
            [("{\"a\":1}", "/a"), ("{\"rooms\":\"x\"}", "/rooms"), ("[]", ""), ("{}", "/room_type_id")]
        {
            let answer = raw(wrong).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body["errors"][0]["pointer"]),
                (422, &json!(pointer)),
                "{wrong}"
            );
        }
        let half = raw("{\"external_reference\":\"\\ud800\"}").await;
        refused(&half, "/external_reference", "no_noncharacters");
    });
}

#[test]
fn the_longest_lists_fit_in_every_encoding() {
    with_app(async |app| {
        let house = app.create("/v1/hotels", &hotel("Kapsel", "Kyoto")).await;
        let dormitory = json!({"name": "Hall", "max_adults": 100, "max_children": 0, "max_occupancy": 100, "rooms": 9});
        let hall = app.create(&format!("/v1/hotels/{house}/room-types"), &dormitory).await;
        let plan = json!({"name": "Flexible", "price_minor": 100});
        app.create(&format!("/v1/room-types/{hall}/rate-plans"), &plan).await;
        let mut order = order(&hall, 10, 12);
        let crowd = |name: &str| vec![json!({"name": name.repeat(200), "age": 30}); 500];
        (order["num_guests"], order["rooms"]) = (json!(500), json!(5));
        for name in ["漢", "😀"] {
            order["guests"] = json!(crowd(name));
            // As some clients write it: ASCII only, with indentation.
            let text = serde_json::to_string_pretty(&order).unwrap();
            let escaped: String = text
                .chars()
                .map(|c| match c.is_ascii() {
                    true => c.to_string(),
                    false => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
                })
                .collect();
            let request = app.request(Method::POST, "/v1/bookings").header("Content-Type", "application/json");
            let booked = answer(request.body(escaped)).await;
            assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
            let path = format!("/v1/bookings/{}", booked.body["id"].as_str().unwrap());
            let amended = app.admin(Method::PATCH, &path, &json!({"guests": crowd("字")})).await;
            assert_eq!(amended.status, StatusCode::OK, "{}", amended.body);
            order["checkin_date"] = json!("2026-06-11");
            order["checkout_date"] = json!("2026-06-12");
            app.admin(Method::POST, &format!("{path}/cancel"), &json!({})).await;
        }
        let item = json!({"from": "2026-06-01", "to": "2026-06-02", "physical": 9, "force": "漢".repeat(100)});
        let nights = json!({"items": vec![item; 1_000]});
        let set = app.admin(Method::PUT, &format!("/v1/room-types/{hall}/nights"), &nights).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.body);
    });
}

#[test]
fn another_caller_can_neither_use_nor_probe_a_key() {
    with_app(async |app| {
        let room_type = app.room_type(9).await;
        let ours = order(&room_type, 10, 12);
        let mut strangers = order(&room_type, 14, 15);
        strangers["contact"]["mobile"] = json!("+351961234567");
        let theirs = app.book("order-1001", &strangers).await;
        assert_eq!(theirs.status, StatusCode::CREATED);
        let first = app.book("order-1001", &ours).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
        let again = app.book("order-1001", &ours).await;
        assert_eq!((&again.body["id"], again.headers.get("idempotent-replayed").is_some()), (&first.body["id"], true));
        let mut other = ours.clone();
        other["rooms"] = json!(2);
        assert_eq!(app.book("order-1001", &other).await.body["code"], "idempotency_key_reused");
    });
}
