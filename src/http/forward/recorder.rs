//! Keeps a copy of a request body while its handler reads it.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Instant;

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::web::{Bytes, BytesMut};
use futures_util::TryStreamExt;

/// The bytes read so far. The handler and the recorder share them without a copy.
pub struct Recorder(Rc<RefCell<Read>>);

/// The bytes, and when the last of them were read.
struct Read {
    bytes: Kept,
    last: Instant,
}

/// The recorded bytes. A body in one piece is shared without a copy. Several pieces are copied together, because many
/// small pieces would use more memory than their bytes.
enum Kept {
    One(Bytes),
    Several(BytesMut),
}

impl Kept {
    fn add(&mut self, more: &Bytes) {
        match self {
            Self::One(first) if first.is_empty() => *first = more.clone(),
            Self::One(first) => *self = Self::Several([first.as_ref(), more.as_ref()].concat().as_slice().into()),
            Self::Several(all) => all.extend_from_slice(more),
        }
    }
}

impl Recorder {
    /// Records the body that the handler reads. Recording ends when the recorder is dropped, so the messages of a
    /// WebSocket are not kept. The limit of the reader limits the copy.
    pub fn of(request: &mut ServiceRequest) -> Self {
        let read = Rc::new(RefCell::new(Read { bytes: Kept::One(Bytes::new()), last: Instant::now() }));
        let payload = request.take_payload();
        request.set_payload(match payload {
            Payload::None => Payload::None,
            payload => {
                let kept = Rc::downgrade(&read);
                let recorded = payload.inspect_ok(move |bytes| {
                    if let Some(kept) = kept.upgrade() {
                        let mut kept = kept.borrow_mut();
                        kept.bytes.add(bytes);
                        kept.last = Instant::now();
                    }
                });
                Payload::Stream { payload: Box::pin(recorded) as Pin<Box<_>> }
            }
        });
        Self(read)
    }

    /// When the last bytes were read. Without a body: when the request was.
    pub fn last_read(&self) -> Instant {
        self.0.borrow().last
    }

    pub fn bytes(&self) -> Bytes {
        match &self.0.borrow().bytes {
            Kept::One(bytes) => bytes.clone(),
            Kept::Several(bytes) => bytes.clone().freeze(),
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use futures_util::StreamExt;

    use super::*;

    #[actix_web::test]
    async fn a_body_is_kept_only_while_the_recorder_lives() {
        let chunks = ["a", "b"].map(|chunk| Ok(Bytes::from(chunk)));
        let mut request = TestRequest::default().to_srv_request();
        request.set_payload(Payload::from(Box::pin(futures_util::stream::iter(chunks)) as Pin<Box<_>>));
        let recorder = Recorder::of(&mut request);
        let mut payload = request.take_payload();
        assert_eq!(payload.next().await.unwrap().unwrap(), "a");
        assert_eq!(recorder.bytes(), "a");
        let kept = Rc::downgrade(&recorder.0);
        drop(recorder);
        assert_eq!(payload.next().await.unwrap().unwrap(), "b", "the handler can still read");
        assert!(kept.upgrade().is_none());
    }

    #[actix_web::test]
    async fn many_small_pieces_are_kept_as_one() {
        let chunks = (0..1_000).map(|n: u32| Ok(Bytes::copy_from_slice(&[(n % 10) as u8 + b'0'])));
        let mut request = TestRequest::default().to_srv_request();
        request.set_payload(Payload::from(Box::pin(futures_util::stream::iter(chunks)) as Pin<Box<_>>));
        let recorder = Recorder::of(&mut request);
        let read = request.take_payload().try_collect::<Vec<_>>().await.unwrap();
        assert_eq!((read.len(), recorder.bytes()), (1_000, Bytes::from("0123456789".repeat(100))));
        match &recorder.0.borrow().bytes {
            Kept::Several(bytes) => assert!(bytes.capacity() < 4_000, "{}", bytes.capacity()),
            Kept::One(_) => panic!("there were several"),
        }
    }
}
