//! Wraps every request below actix-web. It records where a request begins, when its handler waits for the body, and
//! where the answer ends.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_http::error::PayloadError;
use actix_http::header::{CONTENT_LENGTH, HeaderMap};
use actix_http::{HttpMessage, Payload, Request, Response, StatusCode};
use actix_service::{ServiceFactory, apply_fn_factory};
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::web::Bytes;
use futures_util::Stream;

use super::activity::{Activity, Length};
use super::rules::Reason;

/// The largest part of a body that is encoded at once. actix copies each part into the write buffer, so a large body is
/// never copied as a whole.
const SLICE: usize = 16 * 1024;

/// Records every request of a service.
pub fn recorded<F, E>(
    factory: F,
) -> impl ServiceFactory<
    Request,
    Config = (),
    Response = Response<Answer>,
    Error = E,
    InitError = F::InitError,
    Service = impl Service<Request, Response = Response<Answer>, Error = E, Future: 'static>,
    Future: 'static,
>
where
    F: ServiceFactory<Request, Config = (), Response = ServiceResponse<BoxBody>, Error = E> + 'static,
    F::Service: 'static,
    <F::Service as Service<Request>>::Future: 'static,
    F::Future: 'static,
    E: 'static,
    F::InitError: 'static,
{
    apply_fn_factory(factory, |mut request: Request, service: &F::Service| {
        let activity = request.conn_data::<Arc<Activity>>().cloned();
        if let Some(activity) = &activity {
            begin(activity, &mut request);
        }
        let answering = service.call(request);
        async move {
            let answered = answering.await;
            let Some(activity) = activity else { return answered.map(|answer| answer_of(answer.into(), None)) };
            match answered {
                Ok(answer) => Ok(answer_of(answer.into(), Some(activity))),
                Err(error) => {
                    activity.end();
                    Err(error)
                }
            }
        }
    })
}

fn begin(activity: &Arc<Activity>, request: &mut Request) {
    activity.begin(match request.payload() {
        Payload::None => Length::Exact(0),
        _ => announced(request.headers()),
    });
    if !matches!(request.payload(), Payload::None) {
        let payload = request.take_payload();
        let body = Body { payload, activity: activity.clone(), has_ended: false };
        *request.payload() = Payload::Stream { payload: Box::pin(body) };
    }
}

/// The length of a body by its headers.
fn announced(headers: &HeaderMap) -> Length {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    length.map_or(Length::Unknown, Length::Exact)
}

fn answer_of(response: Response<BoxBody>, activity: Option<Arc<Activity>>) -> Response<Answer> {
    response.map_body(|head, body| {
        if let Some(activity) = activity.as_ref().filter(|_| head.status == StatusCode::SWITCHING_PROTOCOLS) {
            activity.upgrade();
        }
        Answer { body, rest: Bytes::new(), is_shared: false, activity }
    })
}

/// The body of a request, which records how it is read.
struct Body {
    payload: Payload,
    activity: Arc<Activity>,
    has_ended: bool,
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Poll::Ready(part) = Pin::new(&mut self.payload).poll_next(context) else {
            self.activity.wait_for_body();
            if self.activity.asked_to_close() == Some(Reason::SlowBody) {
                self.activity.withdraw_close();
                return Poll::Ready(Some(Err(PayloadError::Io(io::ErrorKind::TimedOut.into()))));
            }
            return Poll::Pending;
        };
        match &part {
            Some(Ok(bytes)) => self.activity.receive_body(bytes.len()),
            None => {
                self.has_ended = true;
                self.activity.receive_body(0);
            }
            Some(Err(_)) => {}
        }
        Poll::Ready(part)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if !self.has_ended {
            self.activity.drop_body();
        }
    }
}

/// The body of an answer, in slices, which records how it is sent.
pub struct Answer {
    body: BoxBody,
    /// The rest of the present part.
    rest: Bytes,
    /// Whether other answers share the memory of the part.
    is_shared: bool,
    activity: Option<Arc<Activity>>,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.rest.is_empty() {
            let Some(part) = ready!(Pin::new(&mut self.body).poll_next(context)) else { return Poll::Ready(None) };
            let part = part?;
            if part.len() <= SLICE {
                return Poll::Ready(Some(Ok(part)));
            }
            self.is_shared = !part.is_unique();
            self.rest = part;
        }
        let size = self.rest.len().min(SLICE);
        let slice = self.rest.split_to(size);
        if let Some(activity) = self.activity.as_ref().filter(|_| !self.is_shared) {
            activity.set_body_left(self.rest.len());
        }
        Poll::Ready(Some(Ok(slice)))
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(activity) = &self.activity {
            activity.end();
        }
    }
}
