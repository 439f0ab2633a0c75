//! Refuses an idempotency key where no record of it would be kept.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::http::wire::IDEMPOTENCY_KEY;

const UNSUPPORTED: &str = "Nothing was done. This endpoint keeps no idempotency records, so a repeated request would \
                           have a second effect. Send it without Idempotency-Key. Before you repeat it, check whether \
                           it was done.";

/// Refuses a request with an idempotency key.
pub async fn no_key<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.headers().contains_key(IDEMPOTENCY_KEY) {
        return Ok(request.error_response(Problem::new(Code::KeyUnsupported, UNSUPPORTED)));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}
