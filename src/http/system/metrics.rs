//! Metrics as Prometheus reads them.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::http::state::State;

pub async fn handle(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body((state.metrics)())
}
