//! `watch` with the real program: against a real server, and after a lost connection.

use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::ChildStdout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::support::app::{in_system, order, with_lone_app};
use crate::support::port::Port;
use crate::support::program::{Started, Workplace, curl, innkeeper};

/// A running `watch` and its output.
struct Watcher {
    started: Started,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watcher {
    /// Watches three nights of June 2026.
    fn start(workplace: &Workplace, url: &str, what: [&str; 2]) -> Self {
        Self::run(workplace, &["watch", url, what[0], what[1], "--from", "2026-06-01", "--nights", "3"])
    }

    fn run(workplace: &Workplace, arguments: &[&str]) -> Self {
        let mut started = workplace.start(arguments);
        let stdout = ChildStdout::from_std(started.0.stdout.take().unwrap()).unwrap();
        let lines = BufReader::new(stdout).lines();
        Self { started, lines }
    }

    async fn line(&mut self) -> String {
        self.lines.next_line().await.unwrap().unwrap()
    }

    async fn line_with(&mut self, part: &str) -> String {
        loop {
            let line = self.line().await;
            if line.contains(part) {
                return line;
            }
        }
    }
}

#[test]
fn without_a_hotel_the_only_one_is_watched_and_several_are_listed() {
    with_lone_app(async |app| {
        let workplace = Workplace::new();
        let url = app.running.url();
        let listed = async || {
            let (place, url) = (workplace.path().to_owned(), url.clone());
            let watch = async move || {
                let mut command = tokio::process::Command::from(innkeeper());
                command.args(["watch", &url]).current_dir(place).kill_on_drop(true).output().await.unwrap()
            };
            let output = watch().await;
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            String::from_utf8(output.stderr).unwrap()
        };
        let none = listed().await;
        assert!(none.contains("there is no hotel"), "{none}");
        let one = app.room_type(10).await;
        let mut watcher = Watcher::run(&workplace, &["watch", &url]);
        assert!(watcher.line().await.starts_with("Double #"));
        app.room_type(10).await;
        let hotel = app.get(&format!("/v1/room-types/{one}")).await.body["hotel_id"].as_str().unwrap().to_owned();
        let two = listed().await;
        assert!(two.contains(&format!("{hotel}  Casa, Lisbon")) && two.contains("innkeeper watch"), "{two}");
    });
}

#[test]
fn a_booking_is_printed_as_a_line() {
    with_lone_app(async |app| {
        let workplace = Workplace::new();
        let room_type = app.room_type(10).await;
        let hotel = app.get(&format!("/v1/room-types/{room_type}")).await.body["hotel_id"].as_str().unwrap().to_owned();
        for (number, what) in [["--room-type", &room_type], ["--hotel", &hotel]].into_iter().enumerate() {
            let mut watcher = Watcher::start(&workplace, &app.running.url(), what);
            let snapshot = watcher.line().await;
            assert!(
                snapshot.starts_with("Double #") && snapshot.contains("snapshot: 3 nights from 2026-06-01"),
                "{snapshot}"
            );
            let booked = app.book(&format!("watch-{number}"), &order(&room_type, 2, 3)).await;
            assert_eq!(booked.status, StatusCode::CREATED);
            let sequence = &booked.body["sequence"];
            let line = watcher.line().await;
            let (sold, free) = (number + 1, 9 - number);
            assert_eq!(line, format!("Double #{sequence} booked: 2026-06-02 {sold} sold 0 held {free} free"));
            assert_eq!(watcher.started.terminate(), Some(0));
        }
    });
}

#[test]
fn watch_reconnects_after_a_restart_of_the_server_and_prints_no_change_twice() {
    in_system(async {
        let (workplace, port) = (Workplace::new(), Port::keep());
        let (killed, greeting) = workplace.demo_at(&port.address());
        let told = greeting.lines().find_map(|line| line.trim().strip_prefix("innkeeper watch ")).unwrap();
        let mut watcher = Watcher::run(&workplace, &[&["watch"][..], &told.split(' ').collect::<Vec<_>>()].concat());
        let name = greeting.split('"').nth(1).unwrap();
        watcher.line_with(&format!("{name} #")).await;
        let booked = curl(&greeting);
        let first = watcher.line_with(" booked: ").await;
        drop(killed);

        let (_started, greeting) = workplace.demo_at(&port.address());
        let rebooked = curl(&greeting);
        let second = watcher.line_with(" booked: ").await;
        assert_eq!([sequence(&first), sequence(&second)], [of_answer(&booked), of_answer(&rebooked)]);
        assert_eq!(watcher.started.terminate(), Some(0));
    });
}

/// The sequence number in a line: `Double #7 booked: …`.
fn sequence(line: &str) -> u64 {
    let number = line.split_once('#').unwrap().1;
    number.split(' ').next().unwrap().parse().unwrap()
}

/// The sequence number in an answer with headers.
fn of_answer(answer: &str) -> u64 {
    let body: Value = serde_json::from_str(answer.lines().last().unwrap()).unwrap();
    body["sequence"].as_u64().unwrap()
}

#[test]
fn an_unknown_room_type_or_server_is_an_error() {
    with_lone_app(async |app| {
        let (workplace, url) = (Workplace::new(), app.running.url());
        let unknown = "00000000-0000-0000-0000-000000000001";
        let run = move || workplace.run(&["watch", &url, "--room-type", unknown]);
        let ended = tokio::task::spawn_blocking(run).await.unwrap();
        assert!(ended.failed(1).contains("no_such_room_type"));
    });
    let workplace = Workplace::new();
    let unreachable = workplace.run(&["watch", "http://127.0.0.1:1"]).failed(1);
    assert!(unreachable.contains("cannot reach http://127.0.0.1:1"), "{unreachable}");
    workplace.run(&["watch", "http://127.0.0.1:1", "--hotel", "x"]).failed(2);
}

/// The next WebSocket client and its first frame. Plain HTTP requests for names are refused.
async fn client(listener: &TcpListener) -> (WebSocketStream<TcpStream>, Value) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut socket) = accept_async(stream).await else { continue };
        let first = socket.next().await.unwrap().unwrap().into_text().unwrap();
        return (socket, serde_json::from_str(&first).unwrap());
    }
}

async fn send(socket: &mut WebSocketStream<TcpStream>, frame: Value) {
    socket.send(Message::text(frame.to_string())).await.unwrap();
}

#[test]
fn a_lost_connection_is_resumed_after_the_last_sequence() {
    in_system(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (workplace, id) = (Workplace::new(), "00000000-0000-0000-0000-00000000000a");
        let mut watcher = Watcher::start(&workplace, &url, ["--room-type", id]);

        let (mut socket, subscribe) = client(&listener).await;
        let expected = json!({"type": "subscribe", "id": 1, "room_type_ids": [id], "from": "2026-06-01",
            "to": "2026-06-04"});
        assert_eq!(subscribe, expected);
        send(&mut socket, json!({"type": "later_invention"})).await;
        send(
            &mut socket,
            json!({"type": "snapshot", "room_type_id": id, "sequence": 4, "from": "2026-06-01", "currency": "EUR",
                "physical": [2], "sold": [0], "held": [0], "free": [2], "price_minor": [1]}),
        )
        .await;
        let change = |sequence: u64| {
            json!({"type": "change", "room_type_id": id, "sequence": sequence, "from": "2026-06-01", "sold": [1],
                "held": [0], "free": [1], "cause": "booked"})
        };
        send(&mut socket, change(6)).await;
        drop(socket);

        let (mut socket, subscribe) = client(&listener).await;
        assert_eq!(subscribe["after"], json!({ id: 6 }));
        send(&mut socket, change(7)).await;
        send(&mut socket, json!({"type": "current", "room_type_id": id, "sequence": 7})).await;
        let lines = [watcher.line().await, watcher.line().await, watcher.line().await, watcher.line().await];
        let name = "…0000000a";
        assert_eq!(
            lines,
            [
                format!("{name} #4 snapshot: 1 nights from 2026-06-01, 2 room nights free"),
                format!("{name} #6 booked: 2026-06-01 1 sold 0 held 1 free"),
                format!("{name} #7 booked: 2026-06-01 1 sold 0 held 1 free"),
                format!("{name} #7 is current"),
            ]
        );
        assert_eq!(watcher.started.terminate(), Some(0));
    });
}
