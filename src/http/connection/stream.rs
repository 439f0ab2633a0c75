//! The I/O type below actix's dispatcher: a TCP stream that records what its client does, and closes itself when asked.

use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::web::Bytes;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::activity::Activity;
use super::open::Connections;
use super::plain;
use super::rules::{Reason, Stage};
use crate::http::code::Code;
use crate::http::problem::Problem;

/// One client's connection.
pub struct Connection {
    stream: TcpStream,
    activity: Arc<Activity>,
    connections: Arc<Connections>,
    /// The answer that is written in place of a bare answer of actix.
    replacement: Option<Replacement>,
    /// Bytes that actix gets later.
    kept: Bytes,
    /// Whether actix has to handle the present bytes before it gets more.
    pauses: bool,
}

/// A problem document that replaces a bare answer of `replaced` bytes.
struct Replacement {
    rest: Bytes,
    replaced: usize,
}

impl Connection {
    pub fn new(stream: TcpStream, activity: Arc<Activity>, connections: Arc<Connections>) -> Self {
        Self { stream, activity, connections, replacement: None, kept: Bytes::new(), pauses: false }
    }

    /// Gives the requests of this connection access to its record.
    pub fn attach(&self, data: &mut Extensions) {
        data.insert(self.activity.clone());
    }

    /// Gives actix the bytes of one request. Reading pauses while the client does not read its answers.
    fn read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.activity.register(context.waker());
        if self.activity.is_blocked() {
            self.activity.pause_reading();
            return Poll::Pending;
        }
        if std::mem::take(&mut self.pauses) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let (before, room) = (buffer.filled().len(), buffer.remaining());
        let share = if self.kept.is_empty() {
            ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
            let bytes = &buffer.filled()[before..];
            if bytes.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let share = self.activity.share(bytes);
            self.kept = Bytes::copy_from_slice(&bytes[share..]);
            buffer.set_filled(before + share);
            share
        } else {
            let share = self.activity.share(&self.kept[..room.min(self.kept.len())]);
            buffer.put_slice(&self.kept.split_to(share));
            share
        };
        self.activity.set_kept(self.kept.len());
        if share == 0 {
            self.activity.pause_reading();
            return Poll::Pending;
        }
        self.activity.received(&buffer.filled()[before..]);
        let is_full = share == room && self.activity.stage() != Stage::Receiving;
        self.pauses = is_full || !self.kept.is_empty();
        Poll::Ready(Ok(()))
    }

    /// Closes the connection if it was asked to and the reason still holds. Writes a last answer if there is one.
    fn check_close(&mut self) -> Option<io::Error> {
        let reason = self.activity.asked_to_close()?;
        let state = self.activity.state();
        let holds = match reason {
            Reason::Idle => state.is_idle() && !self.has_bytes(),
            // Bytes of a client that does not read its answer do not keep the connection open.
            Reason::Full => {
                state.is_evictable(self.activity.now()) && (self.activity.is_blocked() || !self.has_bytes())
            }
            Reason::Memory => state.awaited_since().is_some(),
            // The handler gets the error and answers.
            Reason::SlowBody => false,
            Reason::SlowHead | Reason::EndlessBody | Reason::Unread => {
                state.breach(self.activity.now(), self.connections.limits()) == Some(reason)
            }
        };
        if !holds {
            if reason != Reason::SlowBody {
                self.connections.keep_open(&self.activity, reason);
            }
            return None;
        }
        self.close(reason);
        Some(io::Error::new(io::ErrorKind::TimedOut, reason.name()))
    }

    /// Whether the client has sent bytes meanwhile.
    fn has_bytes(&self) -> bool {
        if !self.kept.is_empty() {
            return true;
        }
        let mut one = [std::mem::MaybeUninit::uninit()];
        SockRef::from(&self.stream).peek(&mut one).is_ok_and(|bytes| bytes > 0)
    }

    /// Counts the close, and writes the last answer.
    fn close(&self, reason: Reason) {
        self.connections.closed(reason);
        let socket = SockRef::from(&self.stream);
        match reason {
            Reason::SlowHead => {
                let detail = "The head of a request must be complete within the request timeout.";
                let problem = Problem::new(Code::HeadTimeout, detail);
                // Best effort: the connection does not wait for a client that broke a rule.
                let _ = self.stream.try_write(&plain::answer(&problem, self.connections.now()));
                let _ = socket.shutdown(Shutdown::Write);
            }
            // Frees the send buffer of the system at once.
            Reason::Unread | Reason::Memory => {
                let _ = socket.set_linger(Some(Duration::ZERO));
            }
            Reason::Idle | Reason::EndlessBody | Reason::SlowBody | Reason::Full => {}
        }
    }

    /// Writes bytes, and replaces a bare answer of actix by a problem document.
    fn write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.replacement.is_none() && !matches!(self.activity.stage(), Stage::Upgraded | Stage::Closing) {
            match plain::bare_answer(bytes) {
                Some((0, status)) => {
                    let rest = plain::answer(&Problem::of_status(status), self.connections.now());
                    self.replacement = Some(Replacement { rest, replaced: bytes.len() });
                }
                // The bytes before the bare answer are written first.
                Some((start, _)) => return self.send(context, &bytes[..start]),
                None => {}
            }
        }
        while let Some(mut replacement) = self.replacement.take() {
            if replacement.rest.is_empty() {
                return Poll::Ready(Ok(replacement.replaced.min(bytes.len())));
            }
            let sent = self.send(context, &replacement.rest);
            if let Poll::Ready(Ok(sent)) = sent {
                drop(replacement.rest.split_to(sent));
            }
            self.replacement = Some(replacement);
            ready!(sent)?;
        }
        self.send(context, bytes)
    }

    fn send(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(context, bytes);
        match &sent {
            Poll::Ready(Ok(sent)) => self.activity.sent(*sent),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                self.activity.register(context.waker());
                self.activity.block(bytes.len());
            }
        }
        sent
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.check_close() {
            Some(error) => Poll::Ready(Err(error)),
            None => self.read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.check_close() {
            Some(error) => Poll::Ready(Err(error)),
            None => self.write(context, bytes),
        }
    }

    /// actix calls this when all bytes are written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.activity.unblock();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.remove(&self.activity);
    }
}
