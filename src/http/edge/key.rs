//! Idempotency keys where nothing remembers them.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::http::code::Code;
use crate::http::problem::Problem;

const UNKNOWN: &str = "Nothing was done: a request that is repeated under this key would be done twice. Send it without \
                       Idempotency-Key, and look whether it was done before you repeat it.";

/// Refuses a request that relies on a key which nothing would remember.
pub async fn no_key<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.headers().contains_key("idempotency-key") {
        return Ok(request.error_response(Problem::new(Code::KeyUnsupported, UNKNOWN)));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}
