//! The queue of outgoing frames of one client, bounded in bytes.
//!
//! The session waits while the queue is full. The HTTP connection takes frames as fast as its socket accepts bytes.
//! Both run on the same thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;

/// The size at which a queue is full, in bytes. The frame that fills it may exceed the size.
const CAPACITY: usize = 32 * 1024;

/// The connection is closed, so no frame can be sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone;

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// Whether the session has sent its last frame.
    ended: bool,
    /// Whether the connection is closed.
    gone: bool,
    session: Option<Waker>,
    connection: Option<Waker>,
}

/// The sending half, for the session.
#[derive(Debug)]
pub struct Outbox(Rc<RefCell<Queue>>);

/// The receiving half, for the connection: the body of the response that opened the WebSocket.
#[derive(Debug)]
pub struct Frames(Rc<RefCell<Queue>>);

/// Creates an empty queue.
pub fn open() -> (Outbox, Frames) {
    let queue = Rc::default();
    (Outbox(Rc::clone(&queue)), Frames(queue))
}

impl Outbox {
    /// Waits until the queue has room, and adds a frame. A cancelled call drops the frame.
    pub async fn send(&self, frame: Bytes) -> Result<(), Gone> {
        poll_fn(|context| self.0.borrow_mut().poll_room(context)).await?;
        self.0.borrow_mut().push(frame);
        Ok(())
    }

    /// Adds the last frame. If the queue is full, the other frames are dropped.
    pub fn close(self, frame: Bytes) {
        let mut queue = self.0.borrow_mut();
        if queue.bytes >= CAPACITY {
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
        if self.bytes < CAPACITY {
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
        if self.bytes < CAPACITY {
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
    async fn a_full_queue_accepts_no_frame_until_the_connection_has_taken_one() {
        let (outbox, mut frames) = open();
        outbox.send(frame(CAPACITY)).await.unwrap();
        assert_eq!(outbox.send(frame(1)).now_or_never(), None);
        assert_eq!(next(&mut frames).await, Some(CAPACITY));
        outbox.send(frame(1)).await.unwrap();
        assert_eq!(next(&mut frames).await, Some(1));
    }

    #[tokio::test]
    async fn the_last_frame_is_always_accepted_and_ends_the_body() {
        let (outbox, mut frames) = open();
        outbox.send(frame(CAPACITY)).await.unwrap();
        outbox.close(frame(7));
        assert_eq!([next(&mut frames).await, next(&mut frames).await], [Some(7), None]);
    }

    #[tokio::test]
    async fn no_frame_can_be_sent_after_the_connection_is_closed() {
        let (outbox, frames) = open();
        outbox.send(frame(CAPACITY)).await.unwrap();
        let waiting = outbox.send(frame(1));
        drop(frames);
        assert_eq!(waiting.await, Err(Gone));
    }
}
