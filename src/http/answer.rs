//! Answers that more than one address gives.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;

/// 201, with the address of what was made.
pub fn created(location: String, body: &impl Serialize) -> HttpResponse {
    HttpResponse::Created().insert_header((header::LOCATION, location)).json(body)
}

/// A strong ETag (RFC 9110) from a sequence number.
pub fn etag(sequence: u64) -> header::ETag {
    header::ETag(header::EntityTag::new_strong(sequence.to_string()))
}
