//! Metrics of requests, labelled by route, method and status. No label has a value that a client can invent.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};

/// The label of a method. Unknown methods share one label.
pub fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// Counts an answer. `route` is the pattern, such as `/v1/hotels/{id}`.
pub fn count(route: String, method: &'static str, status: StatusCode, took: Duration) {
    let status = status.as_u16().to_string();
    metrics::counter!("http_requests_total", "route" => route.clone(), "method" => method, "status" => status)
        .increment(1);
    metrics::histogram!("http_request_duration_seconds", "route" => route, "method" => method).record(took);
}
