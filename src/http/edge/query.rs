//! Refuses query parameters where the endpoint takes none.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::http::extract::body::Nothing;
use crate::http::extract::pointer::from_query;
use crate::http::problem::Problem;

/// Refuses a request with query parameters. A parameter without effect is a mistake of the client.
pub async fn no_query<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match from_query::<Nothing>(request.query_string()) {
        Ok(Nothing {}) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(violation) => Ok(request.error_response(Problem::from(violation))),
    }
}
