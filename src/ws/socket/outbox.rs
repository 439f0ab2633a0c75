//! Frames on their way to one client: a queue that is bounded in bytes.
//!
//! The session waits while the queue is full; the HTTP connection takes frames as its socket takes bytes. Both live on
//! the same thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;

/// Bytes after which a queue is full. The frame that fills it may be larger.
const ROOM: usize = 32 * 1024;

/// The connection has ended: nothing can be sent any more.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone;

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// No more frames will come.
    ended: bool,
    /// Nobody takes frames any more.
    gone: bool,
    session: Option<Waker>,
    connection: Option<Waker>,
}

/// The session's end.
#[derive(Debug)]
pub struct Outbox(Rc<RefCell<Queue>>);

/// The connection's end: the body of the response that opened the WebSocket.
#[derive(Debug)]
pub struct Frames(Rc<RefCell<Queue>>);

/// Both ends of an empty queue.
pub fn open() -> (Outbox, Frames) {
    let queue = Rc::default();
    (Outbox(Rc::clone(&queue)), Frames(queue))
}

impl Outbox {
    /// Queues a frame as soon as there is room. A frame that was not queued when the waiting is given up is lost.
    pub async fn send(&self, frame: Bytes) -> Result<(), Gone> {
        poll_fn(|context| self.0.borrow_mut().poll_room(context)).await?;
        self.0.borrow_mut().push(frame);
        Ok(())
    }

    /// Queues the last frame. A client that left the queue full gets nothing else of it.
    pub fn close(self, frame: Bytes) {
        let mut queue = self.0.borrow_mut();
        if queue.bytes >= ROOM {
            queue.clear();
        }
        queue.push(frame);
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let mut queue = self.0.borrow_mut();
        queue.ended = true;
        wake(&mut queue.connection);
    }
}

impl Queue {
    fn poll_room(&mut self, context: &Context<'_>) -> Poll<Result<(), Gone>> {
        if self.gone {
            return Poll::Ready(Err(Gone));
        }
        if self.bytes < ROOM {
            return Poll::Ready(Ok(()));
        }
        self.session = Some(context.waker().clone());
        Poll::Pending
    }

    fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
        wake(&mut self.connection);
    }

    fn take(&mut self) -> Option<Bytes> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.len();
        if self.bytes < ROOM {
            wake(&mut self.session);
        }
        Some(frame)
    }

    fn clear(&mut self) {
        self.frames = VecDeque::new();
        self.bytes = 0;
    }
}

impl MessageBody for Frames {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let mut queue = self.0.borrow_mut();
        match queue.take() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None if queue.ended => Poll::Ready(None),
            None => {
                queue.connection = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        let mut queue = self.0.borrow_mut();
        queue.gone = true;
        queue.clear();
        wake(&mut queue.session);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn frame(bytes: usize) -> Bytes {
        vec![b'x'; bytes].into()
    }

    async fn next(frames: &mut Frames) -> Option<usize> {
        let next = poll_fn(|context| Pin::new(&mut *frames).poll_next(context)).await;
        next.map(|frame| frame.unwrap().len())
    }

    #[tokio::test]
    async fn a_full_queue_takes_no_more_until_the_connection_has_taken_some() {
        let (outbox, mut frames) = open();
        outbox.send(frame(ROOM)).await.unwrap();
        assert_eq!(outbox.send(frame(1)).now_or_never(), None);
        assert_eq!(next(&mut frames).await, Some(ROOM));
        outbox.send(frame(1)).await.unwrap();
        assert_eq!(next(&mut frames).await, Some(1));
    }

    #[tokio::test]
    async fn the_last_frame_finds_room_and_ends_the_body() {
        let (outbox, mut frames) = open();
        outbox.send(frame(ROOM)).await.unwrap();
        outbox.close(frame(7));
        assert_eq!([next(&mut frames).await, next(&mut frames).await], [Some(7), None]);
    }

    #[tokio::test]
    async fn nothing_can_be_sent_once_the_connection_has_ended() {
        let (outbox, frames) = open();
        outbox.send(frame(ROOM)).await.unwrap();
        let waiting = outbox.send(frame(1));
        drop(frames);
        assert_eq!(waiting.await, Err(Gone));
    }
}
