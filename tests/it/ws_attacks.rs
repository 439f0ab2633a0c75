//! Hostile WebSocket clients without an account: the server closes each connection, and none uses much memory.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

use crate::support::app::{App, with_lone_app, with_settings};
use crate::support::eventually::eventually;
use crate::support::live::Dashboard;
use crate::support::program::{Started, Workplace};

const TEXT: u8 = 0x81;
const FIRST_FRAGMENT: u8 = 0x01;
const FRAGMENT: u8 = 0x00;
const PING: u8 = 0x89;

/// A frame with an all-zero mask whose header announces `length` bytes.
fn announced(first: u8, length: u64, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader { mask: Some([0; 4]), ..FrameHeader::default() };
    let mut frame = Vec::new();
    header.format(length, &mut frame).unwrap();
    frame[0] = first;
    frame.extend_from_slice(payload);
    frame
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    announced(first, payload.len() as u64, payload)
}

/// A raw connection, so that it can break the protocol.
struct Hostile(TcpStream);

impl Hostile {
    async fn open(address: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let hello = "GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(hello.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Self(stream)
    }

    /// Sends as long as the server reads, but for a few seconds at most.
    async fn flood(&mut self, piece: &[u8]) {
        let flood = async { while self.0.write_all(piece).await.is_ok() {} };
        let _ = tokio::time::timeout(Duration::from_secs(3), flood).await;
    }

    /// The code of the closing frame; `None` if the connection ends without one.
    async fn close_code(&mut self) -> Option<u16> {
        loop {
            let (first, length) = (self.0.read_u8().await.ok()?, self.0.read_u8().await.ok()?);
            let length = match length {
                126 => self.0.read_u16().await.ok()?,
                length => length.into(),
            };
            let mut payload = vec![0; length.into()];
            self.0.read_exact(&mut payload).await.ok()?;
            if first == 0x88 {
                return Some(u16::from_be_bytes(*payload.first_chunk().unwrap()));
            }
        }
    }
}

fn address(app: &App) -> String {
    app.running.url().replace("http://", "")
}

#[rstest]
#[case::text(announced(TEXT, 1 << 30, b""), 1009)]
#[case::binary(announced(0x82, u64::MAX >> 1, b""), 1009)]
#[case::continuation([frame(FIRST_FRAGMENT, b"{"), announced(FRAGMENT, 1 << 30, b"")].concat(), 1009)]
#[case::ping(announced(PING, 1 << 30, b""), 1002)]
#[case::close(announced(0x88, 126, b""), 1002)]
#[case::reserved_bit(frame(0xC1, b"{}"), 1002)]
#[case::unmasked(vec![TEXT, 2, b'{', b'}'], 1002)]
#[case::continuation_of_nothing(frame(0x80, b"{}"), 1002)]
fn a_frame_is_refused_by_its_header(#[case] bytes: Vec<u8>, #[case] code: u16) {
    with_lone_app(async |app| {
        let mut hostile = Hostile::open(&address(app)).await;
        hostile.0.write_all(&bytes).await.unwrap();
        assert_eq!(hostile.close_code().await, Some(code));
    });
}

#[test]
fn a_message_may_come_in_fragments_but_not_in_too_many() {
    with_settings(&[("ws_frames_per_sec", "10000")], async |app| {
        let fragment = |opcode, last, text: String| {
            let mut frame = Frame::message(text.into_bytes(), OpCode::Data(opcode), last);
            frame.header_mut().mask = Some([1, 2, 3, 4]);
            Message::Frame(frame)
        };
        let mut dashboard = Dashboard::open(app).await;
        dashboard.say(fragment(Data::Text, false, r#"{"ty"#.to_owned())).await;
        dashboard.say(Message::Ping("between".into())).await;
        dashboard.say(fragment(Data::Continue, true, r#"pe":"ping"}"#.to_owned())).await;
        assert_eq!(dashboard.next().await["type"], "pong");

        dashboard.say(fragment(Data::Text, false, String::new())).await;
        for _ in 0..64 {
            let _ = dashboard.socket.feed(fragment(Data::Continue, false, "x".to_owned())).await;
        }
        let _ = dashboard.socket.flush().await;
        assert_eq!(dashboard.close_code().await, Some(1008));
    });
}

#[rstest]
#[case::empty_fragments(FRAGMENT)]
#[case::pings(PING)]
#[case::pongs(0x8A)]
fn every_frame_counts_against_the_limit_of_frames(#[case] kind: u8) {
    with_settings(&[("ws_frames_per_sec", "5")], async |app| {
        let mut hostile = Hostile::open(&address(app)).await;
        let mut bytes = frame(FIRST_FRAGMENT, b"");
        bytes.extend(frame(kind, b"").repeat(60));
        hostile.0.write_all(&bytes).await.unwrap();
        assert_eq!(hostile.close_code().await, Some(1008));
    });
}

#[test]
fn a_ping_is_answered_with_its_payload() {
    with_lone_app(async |app| {
        let mut dashboard = Dashboard::open(app).await;
        dashboard.say(Message::Ping("are you there".into())).await;
        let pong = dashboard.socket.next().await.unwrap().unwrap();
        assert_eq!(pong, Message::Pong("are you there".into()));
    });
}

/// The demo as a separate process, and its address.
fn with_program(test: impl AsyncFnOnce(&Started, &str)) {
    let place = Workplace::new();
    let (program, greeting) = place.demo();
    let address = greeting.split("http://").nth(1).unwrap().split(['/', ' ', '\n']).next().unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test(&program, &address));
}

#[test]
fn hostile_frames_cost_no_memory() {
    with_program(async |program, address| {
        let before = program.memory_mib();
        let pieces: [(Vec<u8>, Vec<u8>); 4] = [
            (announced(0x82, u64::MAX >> 1, b""), vec![0; 256 * 1024]),
            (frame(FIRST_FRAGMENT, b""), frame(FRAGMENT, b"a").repeat(5_000)),
            (frame(FIRST_FRAGMENT, b""), frame(FRAGMENT, b"").repeat(5_000)),
            (frame(PING, b"x"), frame(PING, &[b'x'; 125]).repeat(1_000)),
        ];
        let attacks = pieces.iter().map(async |(opening, piece)| {
            let mut hostile = Hostile::open(address).await;
            hostile.0.write_all(opening).await.unwrap();
            hostile.flood(piece).await;
            program.memory_mib()
        });
        let most = futures_util::future::join_all(attacks).await.into_iter().max().unwrap();
        assert!(most < before + 64, "grew from {before} to {most} MiB");
    });
}

#[test]
fn gauges_are_current_and_never_negative() {
    with_program(async |_, address| {
        let numbers = async || {
            let text = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
            let gauge = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
                line.unwrap_or_else(|| panic!("no {name}: {text}")).parse::<f64>().unwrap()
            };
            ["innkeeper_live_actors", "innkeeper_mailbox_depth", "innkeeper_dashboards", "innkeeper_watched_room_types"]
                .map(gauge)
        };
        assert!(numbers().await.iter().all(|number| *number >= 0.0), "{:?}", numbers().await);
        let dashboard = Hostile::open(address).await;
        eventually("the dashboard is counted", async || numbers().await[2] == 1.0).await;
        drop(dashboard);
        eventually("the dashboard is not counted any more", async || numbers().await[2] == 0.0).await;
    });
}
