//! The connection: subscribes, hands over frames, and says how it ended.

use std::time::Duration;

use anyhow::anyhow;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::ws::frame::{Error, ServerFrame, Subscribe};

/// How long a connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long nothing may be heard, not even a ping, before a connection counts as dead.
const SILENCE: Duration = Duration::from_secs(90);

/// The largest message that is read, in bytes. A snapshot of a thousand nights has some 50,000.
const MESSAGE_BYTES: usize = 1024 * 1024;

/// A connection that has subscribed.
pub struct Link {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_heard: Instant,
}

/// Why there are no more frames.
#[derive(Debug)]
pub enum Ended {
    /// Worth another try.
    Lost(anyhow::Error),
    /// The server does not want this subscription; asking again would not help.
    Refused(Box<Error>),
    /// The window of nights has moved on.
    NewDay,
    /// Somebody has pressed the key for it.
    Quit,
}

impl Link {
    pub async fn open(address: &str, subscribe: &Subscribe) -> anyhow::Result<Self> {
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES))
            .max_frame_size(Some(MESSAGE_BYTES))
            .max_write_buffer_size(MESSAGE_BYTES);
        let connected = timeout(CONNECT_WITHIN, connect_async_with_config(address, Some(limits), false)).await;
        let (mut socket, _) = connected.map_err(|_| anyhow!("it does not answer"))??;
        socket.send(Message::text(serde_json::to_string(subscribe)?)).await?;
        Ok(Self { socket, last_heard: Instant::now() })
    }

    /// The next frame. What this version does not know is passed over, as the protocol asks. Who stops waiting loses
    /// nothing.
    pub async fn next(&mut self) -> Result<ServerFrame, Ended> {
        loop {
            let heard = timeout_at(self.last_heard + SILENCE, self.socket.next()).await;
            self.last_heard = Instant::now();
            let message = match heard.map_err(|_| Ended::Lost(anyhow!("nothing was heard for a long time")))? {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Err(Ended::Lost(error.into())),
                None => return Err(Ended::Lost(anyhow!("the server has gone"))),
            };
            match message {
                Message::Text(text) => match serde_json::from_str(&text) {
                    Ok(ServerFrame::Error(error)) => return Err(ended(error)),
                    Ok(frame) => return Ok(frame),
                    Err(_) => {}
                },
                Message::Close(frame) => {
                    let why = frame.map_or_else(|| "without a word".to_owned(), |frame| frame.to_string());
                    return Err(Ended::Lost(anyhow!("the server closed it: {why}")));
                }
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }
}

/// A mistake of ours stays one; a server in trouble may get over it.
fn ended(error: Error) -> Ended {
    match error.status {
        400..500 if error.retry_after.is_none() => Ended::Refused(Box::new(error)),
        _ => Ended::Lost(anyhow!("the server says: {}", error.detail)),
    }
}
