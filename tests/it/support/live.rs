//! A WebSocket client and the projection that it builds from its frames.

use std::collections::BTreeMap;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::app::App;
use super::eventually::PATIENCE;

/// One connection.
pub struct Dashboard {
    pub socket: WebSocketStream<TcpStream>,
}

impl Dashboard {
    pub async fn open(app: &App) -> Self {
        Self::try_open(app).await.unwrap()
    }

    pub async fn try_open(app: &App) -> Result<Self, tokio_tungstenite::tungstenite::Error> {
        let address = app.running.url().replace("http://", "");
        let stream = TcpStream::connect(&address).await.unwrap();
        let (socket, _) = tokio_tungstenite::client_async(format!("ws://{address}/v1/ws"), stream).await?;
        Ok(Self { socket })
    }

    /// A connection that watches June 2026 of a room type and has its snapshot.
    pub async fn watching(app: &App, room_type: &str) -> (Self, Projection) {
        let mut dashboard = Self::open(app).await;
        dashboard.send(&june(room_type)).await;
        let mut projection = Projection::default();
        projection.follow(&dashboard.next().await);
        (dashboard, projection)
    }

    pub async fn send(&mut self, frame: &Value) {
        self.say(Message::text(frame.to_string())).await;
    }

    pub async fn say(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The next frame. Heartbeats are answered meanwhile.
    pub async fn next(&mut self) -> Value {
        match self.next_or_close().await {
            Ok(frame) => frame,
            Err(close) => panic!("closed: {close:?}"),
        }
    }

    /// The next frame, or the close frame of the server.
    pub async fn next_or_close(&mut self) -> Result<Value, Option<CloseFrame>> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("no frame arrives");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => return Err(frame),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Reads to the end. Returns the close code of the server.
    pub async fn close_code(&mut self) -> Option<u16> {
        loop {
            if let Err(close) = self.next_or_close().await {
                return close.map(|close| close.code.into());
            }
        }
    }

    /// Whether no unread frame exists: the next frame is the answer to a ping.
    pub async fn is_silent(&mut self) -> bool {
        self.send(&json!({"type": "ping"})).await;
        self.next().await["type"] == "pong"
    }
}

/// Watches June 2026 of a room type.
pub fn june(room_type: &str) -> Value {
    json!({"type": "subscribe", "id": "june", "room_type_ids": [room_type], "from": "2026-06-01", "to": "2026-07-01"})
}

/// The same for a client that has seen everything up to `after`.
pub fn june_after(room_type: &str, after: u64) -> Value {
    let mut frame = june(room_type);
    frame["after"] = json!({ room_type: after });
    frame
}

/// The state of a client: per night sold, held, free.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Projection {
    pub nights: BTreeMap<String, [u64; 3]>,
    pub sequence: u64,
    pub conflated: usize,
}

impl Projection {
    /// Applies a frame; `false` if it is not about nights.
    pub fn follow(&mut self, frame: &Value) -> bool {
        match frame["type"].as_str().unwrap() {
            "snapshot" => self.nights.clear(),
            "change" => {
                assert!(frame["sequence"].as_u64().unwrap() > self.sequence, "doubled or out of order: {frame}")
            }
            _ => return false,
        }
        self.conflated += usize::from(frame["conflated"] == true);
        self.sequence = frame["sequence"].as_u64().unwrap();
        let mut date: jiff::civil::Date = frame["from"].as_str().unwrap().parse().unwrap();
        for night in 0..frame["sold"].as_array().unwrap().len() {
            let counts = ["sold", "held", "free"].map(|column| frame[column][night].as_u64().unwrap());
            self.nights.insert(date.to_string(), counts);
            date = date.tomorrow().unwrap();
        }
        true
    }

    /// Follows a dashboard up to a sequence number.
    pub async fn follow_to(&mut self, dashboard: &mut Dashboard, sequence: u64) {
        while self.sequence < sequence {
            let frame = dashboard.next().await;
            assert!(self.follow(&frame) || frame["type"] != "error", "{frame}");
        }
    }

    /// The nights of June 2026 from the API.
    pub async fn of(app: &App, room_type: &str) -> Self {
        let path = format!("/v1/room-types/{room_type}/availability?from=2026-06-01&to=2026-07-01");
        let body = app.get(&path).await.body;
        let night = |night: &Value| {
            let counts = ["sold", "held", "free"].map(|column| night[column].as_u64().unwrap());
            (night["date"].as_str().unwrap().to_owned(), counts)
        };
        let nights = body["nights"].as_array().unwrap().iter().map(night).collect();
        Self { nights, sequence: body["sequence"].as_u64().unwrap(), conflated: 0 }
    }
}
