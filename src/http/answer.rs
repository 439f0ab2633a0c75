//! What more than one handler needs to do its work and to answer.

use actix_web::HttpResponse;
use actix_web::http::header::{self, ContentType, HeaderName};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::code::Code;
use super::extract::Known;
use super::problem::Problem;

/// Does several steps that belong together, to the end even if the client hangs up in between.
pub async fn to_the_end<T: 'static>(steps: impl Future<Output = Result<T, Problem>> + 'static) -> Result<T, Problem> {
    let steps = actix_web::rt::spawn(steps.in_current_span());
    steps.await.unwrap_or_else(|_| Err(Problem::of(Code::Internal)))
}

/// 201, with the address of what was made.
pub fn created(location: String, body: &impl Serialize) -> HttpResponse {
    HttpResponse::Created().insert_header((header::LOCATION, location)).json(body)
}

/// May be kept, but not used without asking.
pub const REVALIDATE: (HeaderName, &str) = (header::CACHE_CONTROL, "no-cache");

/// 200 with a strong ETag made from the answer itself, or 304 if the client has that answer.
pub fn unless_known(known: &Known, body: &impl Serialize) -> Result<HttpResponse, Problem> {
    let json = serde_json::to_vec(body).map_err(|_| Problem::of(Code::Internal))?;
    let digest = BASE64URL_NOPAD.encode(&Sha256::digest(&json)[..16]);
    let tag = header::ETag(header::EntityTag::new_strong(digest));
    if known.has(&tag) {
        return Ok(HttpResponse::NotModified().insert_header(tag).insert_header(REVALIDATE).finish());
    }
    let mut answer = HttpResponse::Ok();
    Ok(answer.insert_header(tag).insert_header(REVALIDATE).content_type(ContentType::json()).body(json))
}

/// A strong ETag (RFC 9110) from a sequence number.
pub fn etag(sequence: u64) -> header::ETag {
    header::ETag(header::EntityTag::new_strong(sequence.to_string()))
}
