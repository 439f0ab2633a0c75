//! The I/O type under actix's dispatcher: a TCP stream that records what its client does and closes itself when asked.

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
    /// What is written instead of an answer that actix made without the application.
    instead: Option<Instead>,
    /// Bytes that actix may have later.
    kept: Bytes,
    /// What was handed over is handled before more is read.
    pauses: bool,
}

/// A problem document that replaces so many bytes of actix's own.
struct Instead {
    rest: Bytes,
    replaced: usize,
}

impl Connection {
    pub fn new(stream: TcpStream, activity: Arc<Activity>, connections: Arc<Connections>) -> Self {
        Self { stream, activity, connections, instead: None, kept: Bytes::new(), pauses: false }
    }

    /// Lets the requests of this connection find its record.
    pub fn introduce(&self, data: &mut Extensions) {
        data.insert(self.activity.clone());
    }

    /// Hands over what actix may have now. Nothing while the client has to take its answers first.
    fn read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.activity.register(context.waker());
        if self.activity.is_blocked() {
            self.activity.puts_off_reading();
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
        self.activity.keeps(self.kept.len());
        if share == 0 {
            self.activity.puts_off_reading();
            return Poll::Pending;
        }
        self.activity.received(&buffer.filled()[before..]);
        let is_full = share == room && self.activity.stage() != Stage::Receiving;
        self.pauses = is_full || !self.kept.is_empty();
        Poll::Ready(Ok(()))
    }

    /// Whether the connection was asked to close and still has reason to. What the client is owed is said first.
    fn closes(&mut self) -> Option<io::Error> {
        let reason = self.activity.asked_to_close()?;
        let seen = self.activity.seen();
        let holds = match reason {
            Reason::Idle => seen.is_idle() && !self.has_bytes(),
            // Bytes of a client that does not take its answer are no reason to stay.
            Reason::Full => seen.gives_way(self.activity.now()) && (self.activity.is_blocked() || !self.has_bytes()),
            Reason::Memory => seen.awaited_since().is_some(),
            // The handler is told instead, and answers.
            Reason::SlowBody => false,
            Reason::SlowHead | Reason::EndlessBody | Reason::Unread => {
                seen.breach(self.activity.now(), self.connections.limits()) == Some(reason)
            }
        };
        if !holds {
            if reason != Reason::SlowBody {
                self.connections.spares(&self.activity, reason);
            }
            return None;
        }
        self.part(reason);
        Some(io::Error::new(io::ErrorKind::TimedOut, reason.name()))
    }

    /// Whether the client has just sent something after all.
    fn has_bytes(&self) -> bool {
        if !self.kept.is_empty() {
            return true;
        }
        let mut one = [std::mem::MaybeUninit::uninit()];
        SockRef::from(&self.stream).peek(&mut one).is_ok_and(|bytes| bytes > 0)
    }

    fn part(&self, reason: Reason) {
        self.connections.closed(reason);
        let socket = SockRef::from(&self.stream);
        match reason {
            Reason::SlowHead => {
                let detail = "The head of a request has to be complete in time.";
                let problem = Problem::new(Code::HeadTimeout, detail);
                // As far as the socket takes it: the client has broken a rule and is not waited for.
                let _ = self.stream.try_write(&plain::answer(&problem, self.connections.now()));
                let _ = socket.shutdown(Shutdown::Write);
            }
            // What the system still keeps for the client is freed at once.
            Reason::Unread | Reason::Memory => {
                let _ = socket.set_linger(Some(Duration::ZERO));
            }
            Reason::Idle | Reason::EndlessBody | Reason::SlowBody | Reason::Full => {}
        }
    }

    /// Writes; an answer that actix made by itself leaves as a problem document.
    fn write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.instead.is_none() && !matches!(self.activity.stage(), Stage::Upgraded | Stage::Closing) {
            match plain::bare_answer(bytes) {
                Some((0, status)) => {
                    let rest = plain::answer(&Problem::of_status(status), self.connections.now());
                    self.instead = Some(Instead { rest, replaced: bytes.len() });
                }
                // What stands before it goes first, alone.
                Some((start, _)) => return self.send(context, &bytes[..start]),
                None => {}
            }
        }
        while let Some(mut instead) = self.instead.take() {
            if instead.rest.is_empty() {
                return Poll::Ready(Ok(instead.replaced.min(bytes.len())));
            }
            let sent = self.send(context, &instead.rest);
            if let Poll::Ready(Ok(sent)) = sent {
                drop(instead.rest.split_to(sent));
            }
            self.instead = Some(instead);
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
                self.activity.blocks(bytes.len());
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
        match self.closes() {
            Some(error) => Poll::Ready(Err(error)),
            None => self.read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.closes() {
            Some(error) => Poll::Ready(Err(error)),
            None => self.write(context, bytes),
        }
    }

    /// Called once everything is written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.activity.unblocks();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.leaves(&self.activity);
    }
}
