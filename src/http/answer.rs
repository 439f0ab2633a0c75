//! Helpers for handlers: answers with ETags, retries of concurrent changes, and steps that must not be cancelled.

use actix_web::HttpResponse;
use actix_web::http::header;
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::code::Code;
use super::extract::IfNoneMatch;
use super::problem::Problem;
use super::wire::IDEMPOTENT_REPLAYED;

/// A cache may keep the answer, but must revalidate it.
pub const REVALIDATE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "no-cache");

/// Runs several steps to the end, even if the client closes the connection meanwhile.
pub async fn run_to_end<T: 'static>(steps: impl Future<Output = Result<T, Problem>> + 'static) -> Result<T, Problem> {
    let steps = actix_web::rt::spawn(steps.in_current_span());
    steps.await.unwrap_or_else(|_| Err(Problem::of(Code::Internal)))
}

/// How often a change is retried before the client is asked to repeat it.
const MAX_TRIES: usize = 16;

/// Repeats a read, change and write until no other write came between. So concurrent changes of different members are
/// both kept. `attempt` returns `None` if another write came between.
pub async fn retry_on_conflict<T>(attempt: impl AsyncFn() -> Result<Option<T>, Problem>) -> Result<T, Problem> {
    for _ in 0..MAX_TRIES {
        if let Some(done) = attempt().await? {
            return Ok(done);
        }
    }
    Err(Problem::of(Code::Busy).retry_after_secs(1))
}

/// 201 with the address and the ETag of the new resource. `replayed`: it answers an earlier request with the same key.
pub fn created(location: String, body: &impl Serialize, replayed: bool) -> HttpResponse {
    let mut answer = HttpResponse::Created();
    answer.insert_header((header::LOCATION, location)).insert_header(version(body));
    if replayed {
        answer.insert_header((IDEMPOTENT_REPLAYED, "true"));
    }
    answer.json(body)
}

/// 200 with the ETag of the resource, or 304 if the client has the current version.
pub fn shown(body: &impl Serialize, known: &IfNoneMatch) -> HttpResponse {
    let version = version(body);
    match known.has(&version) {
        true => HttpResponse::NotModified().insert_header(version).insert_header(REVALIDATE).finish(),
        false => HttpResponse::Ok().insert_header(version).insert_header(REVALIDATE).json(body),
    }
}

/// 200 with the new ETag of the changed resource.
pub fn changed(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(version(body)).json(body)
}

/// A strong ETag (RFC 9110): a digest of the body.
pub fn version(body: &impl Serialize) -> header::ETag {
    let shown = serde_json::to_vec(body).unwrap_or_default();
    header::ETag(header::EntityTag::new_strong(BASE64URL_NOPAD.encode(&Sha256::digest(shown)[..16])))
}

/// A strong ETag (RFC 9110): a sequence number.
pub fn etag(sequence: u64) -> header::ETag {
    header::ETag(header::EntityTag::new_strong(sequence.to_string()))
}
