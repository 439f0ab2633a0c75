//! Keeps the body of a request while its handler reads it.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::web::{Bytes, BytesMut};
use futures_util::TryStreamExt;

/// What has been read so far. The bytes are shared with whoever reads them.
pub struct Recorder(Rc<RefCell<Vec<Bytes>>>);

impl Recorder {
    /// Listens to whoever will read the body. What limits the reader limits what is kept.
    pub fn of(request: &mut ServiceRequest) -> Self {
        let read = Rc::new(RefCell::new(Vec::new()));
        let payload = request.take_payload();
        request.set_payload(match payload {
            Payload::None => Payload::None,
            payload => {
                let kept = read.clone();
                let listened = payload.inspect_ok(move |bytes| kept.borrow_mut().push(bytes.clone()));
                Payload::Stream { payload: Box::pin(listened) as Pin<Box<_>> }
            }
        });
        Self(read)
    }

    pub fn bytes(&self) -> Bytes {
        match self.0.borrow().as_slice() {
            [] => Bytes::new(),
            [only] => only.clone(),
            several => several
                .iter()
                .fold(BytesMut::new(), |mut all, bytes| {
                    all.extend_from_slice(bytes);
                    all
                })
                .freeze(),
        }
    }
}
