//! What more than one handler needs to do its work and to answer.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;
use tracing::Instrument;

use super::code::Code;
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

/// A strong ETag (RFC 9110) from a sequence number.
pub fn etag(sequence: u64) -> header::ETag {
    header::ETag(header::EntityTag::new_strong(sequence.to_string()))
}
