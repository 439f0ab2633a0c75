//! What more than one handler needs to do its work and to answer.

use actix_web::HttpResponse;
use actix_web::http::header;
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::code::Code;
use super::extract::IfNoneMatch;
use super::problem::Problem;

/// May be kept, but not used without asking.
pub const REVALIDATE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "no-cache");

/// Does several steps that belong together, to the end even if the client hangs up in between.
pub async fn to_the_end<T: 'static>(steps: impl Future<Output = Result<T, Problem>> + 'static) -> Result<T, Problem> {
    let steps = actix_web::rt::spawn(steps.in_current_span());
    steps.await.unwrap_or_else(|_| Err(Problem::of(Code::Internal)))
}

/// How often somebody may be faster before a client is asked to come back.
const TRIES: usize = 16;

/// Reads, changes and writes, until nobody has written in between: so two changes of different members both count.
/// `attempt` gives `None` when somebody was faster.
pub async fn overwriting_nobody<T>(attempt: impl AsyncFn() -> Result<Option<T>, Problem>) -> Result<T, Problem> {
    for _ in 0..TRIES {
        if let Some(done) = attempt().await? {
            return Ok(done);
        }
    }
    Err(Problem::of(Code::Busy).retry_after_secs(1))
}

/// 201, with the address and the version of what was made.
pub fn created(location: String, body: &impl Serialize) -> HttpResponse {
    HttpResponse::Created().insert_header((header::LOCATION, location)).insert_header(version(body)).json(body)
}

/// 200, with the version of what is shown; 304 when the client has it already.
pub fn shown(body: &impl Serialize, known: &IfNoneMatch) -> HttpResponse {
    let version = version(body);
    match known.has(&version) {
        true => HttpResponse::NotModified().insert_header(version).insert_header(REVALIDATE).finish(),
        false => HttpResponse::Ok().insert_header(version).insert_header(REVALIDATE).json(body),
    }
}

/// 200, with the new version of what was changed.
pub fn changed(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(version(body)).json(body)
}

/// A strong ETag (RFC 9110) from what is shown: equal tags, equal bodies.
pub fn version(body: &impl Serialize) -> header::ETag {
    let shown = serde_json::to_vec(body).unwrap_or_default();
    header::ETag(header::EntityTag::new_strong(BASE64URL_NOPAD.encode(&Sha256::digest(shown)[..16])))
}

/// A strong ETag (RFC 9110) from a sequence number.
pub fn etag(sequence: u64) -> header::ETag {
    header::ETag(header::EntityTag::new_strong(sequence.to_string()))
}
