//! The description of the API, for machines and for people. Everything is in the binary: no network is needed.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::http::openapi::openapi_on;
use crate::http::state::State;

/// The OpenAPI document. The dates of its examples lie ahead of today, so that they can be tried out.
pub async fn openapi(state: Data<State>) -> HttpResponse {
    let today = state.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    HttpResponse::Ok().json(openapi_on(today))
}

/// Swagger UI lives in a folder.
pub async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

pub fn user_interface() -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json").try_it_out_enabled(true))
}
