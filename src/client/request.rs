//! One request: its headers, its answer and its repeats.

use std::fmt::Display;
use std::marker::PhantomData;
use std::time::Duration;

use backon::Retryable;
use bytes::{Bytes, BytesMut};
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::{Client, Error, LONGEST_PAUSE};
use crate::clock::{IdSource, System};

/// The largest answer that is read, in bytes. A page of bookings has about a megabyte.
pub const MAX_BODY: u64 = 16 * 1024 * 1024;

const KEY: &str = "Idempotency-Key";

/// A request that is answered with a `T`.
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'c, T> {
    client: &'c Client,
    draft: RequestBuilder,
    token: Option<String>,
    key: Option<String>,
    is_write: bool,
    answer: PhantomData<fn() -> T>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer<T> {
    pub status: StatusCode,
    retry_after: Option<Duration>,
    body: Bytes,
    value: PhantomData<fn() -> T>,
}

impl<'c, T> Request<'c, T> {
    pub(super) fn new(client: &'c Client, method: Method, path: &str, is_write: bool) -> Self {
        let draft = client.http.request(method, client.address(path));
        Self { client, draft, token: None, key: None, is_write, answer: PhantomData }
    }

    pub(super) fn query(self, query: &impl Serialize) -> Self {
        Self { draft: self.draft.query(query), ..self }
    }

    pub(super) fn json(self, body: &impl Serialize) -> Self {
        Self { draft: self.draft.json(body), ..self }
    }

    /// The bearer token: the administrator's, or the manage token of a booking.
    pub fn token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    /// The idempotency key of a write. A write without one gets a key of its own.
    pub fn key(self, key: impl Display) -> Self {
        Self { key: Some(key.to_string()), ..self }
    }

    /// At most this many items of a list.
    pub fn limit(self, items: u32) -> Self {
        self.query(&[("limit", items)])
    }

    /// The page of a list that begins after this cursor.
    pub fn cursor(self, cursor: &str) -> Self {
        self.query(&[("cursor", cursor)])
    }

    /// Reads the answer as another type, for example one with members that `T` lacks.
    pub fn reading<U>(self) -> Request<'c, U> {
        let Self { client, draft, token, key, is_write, .. } = self;
        Request { client, draft, token, key, is_write, answer: PhantomData }
    }

    /// Sends the request once. The answer is not looked at.
    pub async fn exchange(self) -> Result<Answer<T>, Error> {
        let client = self.client;
        client.attempt(self.finish()?).await
    }

    /// The request with all its headers.
    fn finish(self) -> Result<reqwest::Request, Error> {
        let mut draft = self.draft;
        if let Some(token) = self.token.as_deref().or(self.client.token.as_deref()) {
            draft = draft.bearer_auth(token);
        }
        if self.is_write {
            draft = draft.header(KEY, self.key.unwrap_or_else(|| System.next().to_string()));
        }
        draft.build().map_err(Error::Unsendable)
    }
}

impl<T: DeserializeOwned> Request<'_, T> {
    /// Sends the request, and again after a pause as long as an answer may still come. Every repeat has the same key.
    pub async fn send(self) -> Result<T, Error> {
        let client = self.client;
        let request = self.finish()?;
        let attempt = || async { client.attempt::<T>(copy(&request)).await?.value() };
        attempt.retry(client.pauses()).when(Error::is_temporary).adjust(pause).await
    }
}

impl Client {
    async fn attempt<T>(&self, request: reqwest::Request) -> Result<Answer<T>, Error> {
        let unanswered = |source| Error::NoAnswer { server: self.base.clone(), source };
        let response = self.http.execute(request).await.map_err(unanswered)?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        let body = body(response).await.map_err(unanswered)?.ok_or(Error::TooLarge)?;
        Ok(Answer { status, retry_after, body, value: PhantomData })
    }
}

impl<T: DeserializeOwned> Answer<T> {
    /// What a successful answer holds, or the problem.
    pub fn value(self) -> Result<T, Error> {
        match self.status.is_success() {
            true => serde_json::from_slice(&self.body).map_err(Error::NotUnderstood),
            false => Err(Problem::read(self.status, self.retry_after, &self.body).into()),
        }
    }
}

/// The pause before a repeat: the planned one, or what the server asks for. `None` when that is too long.
fn pause(error: &Error, planned: Option<Duration>) -> Option<Duration> {
    let pause = planned?.max(error.retry_after().unwrap_or_default());
    (pause <= LONGEST_PAUSE).then_some(pause)
}

/// All bodies are in memory, so a copy has all of the request.
fn copy(request: &reqwest::Request) -> reqwest::Request {
    let mut copy = reqwest::Request::new(request.method().clone(), request.url().clone());
    copy.headers_mut().clone_from(request.headers());
    *copy.body_mut() = request.body().and_then(|body| body.as_bytes()).map(|bytes| bytes.to_vec().into());
    copy
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

/// The whole body; `None` when it is larger than [`MAX_BODY`].
async fn body(mut response: Response) -> reqwest::Result<Option<Bytes>> {
    match response.content_length() {
        Some(length) if length > MAX_BODY => return Ok(None),
        Some(_) => return response.bytes().await.map(Some),
        None => {}
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if (body.len() + chunk.len()) as u64 > MAX_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(retry_after: Option<u64>) -> Error {
        Problem::read(StatusCode::SERVICE_UNAVAILABLE, retry_after.map(Duration::from_secs), b"").into()
    }

    #[test]
    fn a_repeat_waits_as_long_as_the_server_asks_and_no_longer_than_the_limit() {
        let planned = Some(Duration::from_secs(2));
        assert_eq!(pause(&busy(None), planned), planned);
        assert_eq!(pause(&busy(Some(1)), planned), planned);
        assert_eq!(pause(&busy(Some(5)), planned), Some(Duration::from_secs(5)));
        assert_eq!(pause(&busy(Some(31)), planned), None, "the server asks for more than the limit");
        assert_eq!(pause(&busy(Some(5)), None), None, "no attempt is left");
    }

    #[test]
    fn a_write_has_a_key_and_a_read_has_none() {
        let client = Client::at("http://127.0.0.1:1").ok().unwrap().with_token("administrator");
        let header = |request: &reqwest::Request, name| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
        let write = client.write::<()>(Method::POST, "/v1/bookings".to_owned()).finish().ok().unwrap();
        assert_eq!(header(&write, KEY).unwrap().len(), 36);
        assert_eq!(header(&write, "authorization").as_deref(), Some("Bearer administrator"));
        let own = client.write::<()>(Method::POST, String::new()).key("order-1").token("own").finish().ok().unwrap();
        assert_eq!(header(&own, KEY).as_deref(), Some("order-1"));
        assert_eq!(header(&own, "authorization").as_deref(), Some("Bearer own"));
        let read = client.read::<()>("/v1/hotels".to_owned()).limit(3).finish().ok().unwrap();
        assert_eq!((header(&read, KEY), read.url().query()), (None, Some("limit=3")));
    }

    #[test]
    fn a_copy_has_all_of_the_request() {
        let client = Client::at("http://127.0.0.1:1").ok().unwrap();
        let request = client.write::<()>(Method::POST, "/x".to_owned()).json(&[1, 2]).finish().ok().unwrap();
        let copy = copy(&request);
        assert_eq!((copy.method(), copy.url(), copy.headers()), (request.method(), request.url(), request.headers()));
        assert_eq!(copy.body().and_then(|body| body.as_bytes()), Some(&b"[1,2]"[..]));
    }
}
