//! Dashboards that break the rules: each gets a clear answer, and others do not notice.

use futures_util::SinkExt;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::app::{App, order, with_lone_app, with_settings};
use crate::support::eventually::eventually;
use crate::support::live::{Dashboard, june};

async fn can_open(app: &App) -> bool {
    Dashboard::try_open(app).await.is_ok()
}

/// A client that is accepted and then sends nothing.
async fn hello(app: &App) -> TcpStream {
    let hello = "GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut socket = None;
    eventually("a connection is accepted", async || {
        let mut stream = TcpStream::connect(app.running.url().replace("http://", "")).await.unwrap();
        stream.write_all(hello.as_bytes()).await.unwrap();
        let mut welcome = [0; 12];
        stream.read_exact(&mut welcome).await.unwrap();
        socket = Some(stream);
        &welcome == b"HTTP/1.1 101"
    })
    .await;
    socket.unwrap()
}

#[test]
fn a_malformed_frame_is_answered_and_the_connection_stays() {
    with_lone_app(async |app| {
        let id = app.room_type(1).await;
        let subscribe = |member: &str, value: Value| {
            let mut frame = june(&id);
            frame[member] = value;
            frame.to_string()
        };
        let many: Vec<_> = (0..65).map(|n| uuid::Uuid::from_u128(n).to_string()).collect();
        let mut dashboard = Dashboard::open(app).await;
        for (text, code, pointer) in [
            ("{".to_owned(), "malformed_json", None),
            ("[]".to_owned(), "invalid_request", Some("")),
            ("{}".to_owned(), "invalid_request", Some("/type")),
            (r#"{"type":"dance"}"#.to_owned(), "invalid_request", Some("/type")),
            (r#"{"type":"ping","type":"ping"}"#.to_owned(), "invalid_request", Some("/type")),
            (r#"{"type":"ping","loud":true}"#.to_owned(), "invalid_request", Some("/loud")),
            (subscribe("from", json!("1.6.2026")), "invalid_request", Some("/from")),
            (subscribe("to", json!("2026-06-01")), "invalid_request", Some("/to")),
            (subscribe("to", json!("2028-06-01")), "invalid_request", Some("/to")),
            (subscribe("room_type_ids", json!([])), "invalid_request", Some("/room_type_ids")),
            (subscribe("room_type_ids", json!(many)), "invalid_request", Some("/room_type_ids")),
            (subscribe("room_type_ids", json!([id, id])), "invalid_request", Some("/room_type_ids/1")),
            (subscribe("room_type_ids", json!(["x"])), "invalid_request", Some("/room_type_ids/0")),
            (subscribe("hotel_id", json!(id)), "invalid_request", Some("/room_type_ids")),
            (subscribe("after", json!(-1)), "invalid_request", Some("/after")),
            (subscribe("after", json!({ &id: "x" })), "invalid_request", Some("/after")),
            (subscribe("id", json!("x".repeat(65))), "invalid_request", Some("/id")),
            (subscribe("id", json!(null)), "invalid_request", Some("/id")),
            (subscribe("room_type_ids", json!([many[0]])), "no_such_room_type", None),
        ] {
            dashboard.say(Message::text(text.clone())).await;
            let error = dashboard.next().await;
            assert_eq!((&error["type"], error["code"].as_str()), (&json!("error"), Some(code)), "{text}: {error}");
            let blamed = error["errors"][0]["pointer"].as_str();
            assert!(pointer == blamed || blamed.is_some_and(|it| it.starts_with(pointer.unwrap())), "{text}: {error}");
        }
        dashboard.send(&june(&id)).await;
        assert_eq!(dashboard.next().await["type"], "snapshot");
    });
}

#[test]
fn a_refused_subscription_is_named_in_the_error() {
    with_lone_app(async |app| {
        let mut dashboard = Dashboard::open(app).await;
        let mut frame = june("019a0000-0000-7000-8000-000000000000");
        frame["id"] = json!(12);
        dashboard.send(&frame).await;
        let error = dashboard.next().await;
        assert_eq!((&error["id"], &error["status"]), (&json!(12), &json!(404)));
    });
}

#[test]
fn harmful_frames_end_the_connection_with_the_right_code() {
    with_lone_app(async |app| {
        let text = |bytes: &[u8]| Frame::from_payload(FrameHeader::default(), bytes.to_vec().into());
        let not_utf8 = {
            let mut frame = text(b"\xff\xfe");
            frame.header_mut().opcode = OpCode::Data(Data::Text);
            Message::Frame(frame)
        };
        for (message, code) in
            [(Message::binary(vec![1, 2, 3]), 1003), (not_utf8, 1007), (Message::text("x".repeat(17 * 1024)), 1009)]
        {
            let mut dashboard = Dashboard::open(app).await;
            dashboard.say(message).await;
            assert_eq!(dashboard.close_code().await, Some(code));
        }
    });
}

#[test]
fn a_fragmented_message_has_the_same_limit() {
    with_lone_app(async |app| {
        let mut dashboard = Dashboard::open(app).await;
        let piece = |opcode, last, size: usize| {
            let mut frame = Frame::message(vec![b'x'; size], OpCode::Data(opcode), last);
            frame.header_mut().mask = Some([1, 2, 3, 4]);
            Message::Frame(frame)
        };
        dashboard.say(piece(Data::Text, false, 10_000)).await;
        dashboard.say(piece(Data::Continue, true, 10_000)).await;
        assert_eq!(dashboard.close_code().await, Some(1009));
    });
}

#[test]
fn a_flood_of_messages_is_stopped() {
    with_settings(&[("ws_frames_per_sec", "5")], async |app| {
        let mut dashboard = Dashboard::open(app).await;
        for _ in 0..50 {
            let _ = dashboard.socket.send(Message::text(r#"{"type":"ping"}"#)).await;
        }
        let mut last = Value::Null;
        let code = loop {
            match dashboard.next_or_close().await {
                Ok(frame) => last = frame,
                Err(close) => break close.map(|close| u16::from(close.code)),
            }
        };
        assert_eq!((&last["code"], code), (&json!("too_many_frames"), Some(1008)));
    });
}

#[test]
fn subscriptions_and_room_types_of_a_connection_are_limited() {
    with_settings(&[("ws_subscriptions", "2"), ("ws_room_types", "3")], async |app| {
        let types = [app.room_type(1).await, app.room_type(1).await, app.room_type(1).await];
        let mut dashboard = Dashboard::open(app).await;
        let subscribe = |id: &str, types: &[String]| {
            let mut frame = june("");
            (frame["id"], frame["room_type_ids"]) = (json!(id), json!(types));
            frame
        };
        dashboard.send(&subscribe("a", &types[..2])).await;
        assert_eq!([dashboard.next().await, dashboard.next().await].map(|it| it["type"].clone()), ["snapshot"; 2]);
        dashboard.send(&subscribe("b", &types[..2])).await;
        assert_eq!(dashboard.next().await["errors"][0]["rule"], "room_types_range");
        dashboard.send(&subscribe("b", &types[2..])).await;
        assert_eq!(dashboard.next().await["type"], "snapshot");
        dashboard.send(&subscribe("c", &types[..1])).await;
        assert_eq!(dashboard.next().await["errors"][0]["rule"], "subscriptions_range");
        dashboard.send(&subscribe("a", &types[1..2])).await;
        assert_eq!(dashboard.next().await["type"], "snapshot");
    });
}

#[test]
fn the_sum_of_watched_room_types_is_limited() {
    with_settings(&[("ws_room_types_in_all", "1")], async |app| {
        let (one, two) = (app.room_type(1).await, app.room_type(1).await);
        let (first, _) = Dashboard::watching(app, &one).await;
        let (second, _) = Dashboard::watching(app, &one).await;
        let mut third = Dashboard::open(app).await;
        third.send(&june(&two)).await;
        assert_eq!(third.next().await["code"], "too_many_dashboards");
        drop((first, second));
        eventually("there is room again", async || {
            third.send(&june(&two)).await;
            third.next().await["type"] == "snapshot"
        })
        .await;
    });
}

#[test]
fn closed_connections_make_room_for_others() {
    with_settings(&[("ws_connections", "2")], async |app| {
        let (one, _two) = (Dashboard::open(app).await, Dashboard::open(app).await);
        let Err(Error::Http(refusal)) = Dashboard::try_open(app).await else { panic!("a third connection") };
        assert_eq!(refusal.status().as_u16(), 503);
        assert!(refusal.headers().contains_key("retry-after"));
        drop(one);
        eventually("its connection is free again", async || can_open(app).await).await;
    });
}

#[test]
fn a_request_without_upgrade_answers_426() {
    with_lone_app(async |app| {
        let answer = app.get("/v1/ws").await;
        assert_eq!((answer.status, &answer.body["code"]), (StatusCode::UPGRADE_REQUIRED, &json!("upgrade_required")));
        assert_eq!(answer.headers["upgrade"], "websocket");
    });
}

#[test]
fn a_vanished_client_makes_room_for_others() {
    with_settings(&[("ws_idle_secs", "1"), ("ws_connections", "1")], async |app| {
        let mut silent = None;
        // On a slow machine the server may close an idle connection before the test has looked.
        eventually("a silent client has the only connection", async || {
            silent = Some(hello(app).await);
            !can_open(app).await
        })
        .await;
        // The client never reads or answers again, but the socket stays open.
        eventually("its connection is free again", async || can_open(app).await).await;
        drop(silent);
    });
}

#[test]
fn a_shutdown_closes_dashboards_at_once() {
    with_lone_app(async |app| {
        let room_type = app.room_type(1).await;
        let (mut dashboard, _) = Dashboard::watching(app, &room_type).await;
        app.running.begin_draining();
        assert_eq!(dashboard.close_code().await, Some(1001));
        assert_eq!(app.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
        let Err(Error::Http(refusal)) = Dashboard::try_open(app).await else { panic!("accepted") };
        assert_eq!(refusal.status().as_u16(), 503);
        assert_eq!(app.book("a", &order(&room_type, 10, 11)).await.status, StatusCode::CREATED);
    });
}

#[test]
fn the_protocol_is_served_beside_the_api() {
    with_settings(&[("ws_nights", "17")], async |app| {
        let paper = app.get("/asyncapi.json").await.body;
        assert_eq!(paper["asyncapi"], "3.0.0");
        assert!(paper["info"]["description"].as_str().unwrap().contains("Nights of a subscription: 17."));
        let openapi = app.get("/openapi.json").await.body;
        assert!(openapi["info"]["description"].as_str().unwrap().contains("/asyncapi.json"));
    });
}
