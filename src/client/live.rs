//! The WebSocket stream of inventory: a subscription and its frames.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use uuid::Uuid;

use super::problem::Problem;
use super::{Client, Error};
use crate::domain::Date;
use crate::http::value::Day;
use crate::ws::frame::{After, Id, ServerFrame, Subscribe};

/// The time-out for a new connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A connection without any message, not even a ping, counts as dead after this time.
const SILENCE: Duration = Duration::from_secs(90);
/// The largest message that is read, in bytes. A snapshot of a thousand nights has about 50,000.
pub const MESSAGE_BYTES: usize = 1024 * 1024;

/// The nights [from, to) of room types.
#[derive(Debug, Clone)]
pub struct Subscription {
    pub watched: Watched,
    pub from: Date,
    pub to: Date,
    /// The last sequence number of each room type that the client knows. The server sends what followed.
    pub seen: BTreeMap<Uuid, u64>,
}

/// The room types of a subscription.
#[derive(Debug, Clone)]
pub enum Watched {
    /// All room types of a hotel, later ones too.
    Hotel(Uuid),
    RoomTypes(Vec<Uuid>),
}

/// A connection that has subscribed.
pub struct Live {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_heard: Instant,
}

impl Client {
    /// Opens a WebSocket and subscribes.
    pub async fn watch(&self, subscription: &Subscription) -> Result<Live, Error> {
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES))
            .max_frame_size(Some(MESSAGE_BYTES))
            .max_write_buffer_size(MESSAGE_BYTES);
        let address = self.address("/v1/ws").replacen("http", "ws", 1);
        let connected = timeout(CONNECT_WITHIN, connect_async_with_config(address, Some(limits), false)).await;
        let (mut socket, _) = connected.map_err(|_| Error::Ended("the server does not answer".to_owned()))??;
        let frame = serde_json::to_string(&subscription.frame()).map_err(Error::NotUnderstood)?;
        socket.send(Message::text(frame)).await?;
        Ok(Live { socket, last_heard: Instant::now() })
    }
}

impl Live {
    /// The next frame. A frame of an unknown type is skipped, as the protocol asks. A refused subscription is a
    /// [`Problem`]. Dropping the future loses no frame.
    pub async fn next(&mut self) -> Result<ServerFrame, Error> {
        loop {
            let heard = timeout_at(self.last_heard + SILENCE, self.socket.next()).await;
            self.last_heard = Instant::now();
            let silence = |_| Error::Ended(format!("no message for {} seconds", SILENCE.as_secs()));
            let Some(message) = heard.map_err(silence)? else {
                return Err(Error::Ended("the server closed the connection".to_owned()));
            };
            match message? {
                Message::Text(text) => match serde_json::from_str(&text) {
                    Ok(ServerFrame::Error(error)) => return Err(Problem::from(error).into()),
                    Ok(frame) => return Ok(frame),
                    Err(_) => {}
                },
                Message::Close(frame) => {
                    let reason = frame.map_or_else(|| "no reason given".to_owned(), |frame| frame.to_string());
                    return Err(Error::Ended(format!("the server closed it: {reason}")));
                }
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }
}

impl Subscription {
    fn frame(&self) -> Subscribe {
        let (hotel_id, room_type_ids) = match &self.watched {
            Watched::Hotel(hotel) => (Some(*hotel), None),
            Watched::RoomTypes(room_types) => (None, Some(room_types.clone())),
        };
        Subscribe {
            kind: "subscribe".to_owned(),
            id: Id::Number(1),
            hotel_id,
            room_type_ids,
            from: Day(self.from),
            to: Day(self.to),
            after: (!self.seen.is_empty()).then(|| After::Sequences(self.seen.clone())),
        }
    }
}
