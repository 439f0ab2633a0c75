//! Header names, the media type of problems, and headers that every answer carries.
//!
//! A leaf: it uses no other module of `http`. The edge, problem documents and forwarding all set these headers.

use actix_web::HttpRequest;
use actix_web::dev::ResponseHead;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};

/// The media type of problem documents (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Carries the id of a request, in the request and in its answer.
pub const X_REQUEST_ID: &str = "x-request-id";
/// Carries the client's idempotency key.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Marks an answer that repeats the answer to an earlier request with the same idempotency key.
pub const IDEMPOTENT_REPLAYED: &str = "idempotent-replayed";
/// Carries the credentials of the node that forwards a request.
pub const FORWARDED: &str = "innkeeper-forwarded";
/// Carries the client's network from the node that received the request to the node that answers it.
pub const CLIENT_NETWORK: &str = "innkeeper-client";
/// In an answer to another node: names the node that owns the room type.
pub const OWNER: HeaderName = HeaderName::from_static("innkeeper-owner");
/// Names the node that answered a forwarded request. A load balancer may use it to route the next request.
pub const ANSWERED_BY: HeaderName = HeaderName::from_static("innkeeper-answered-by");

/// The Content-Security-Policy of every answer. Swagger UI needs its own scripts and styles, images in data URLs, and
/// one inline style: the hash is that of the style of its logo.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; \
     style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; \
     img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// The path that chooses the handler: decoded, so that `/%761/hotels` is `/v1/hotels`.
pub fn routed_path(request: &HttpRequest) -> &str {
    request.match_info().as_str()
}

/// Sets the id of a request, in its own headers or in those of its answer.
pub fn set_request_id(headers: &mut HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static(X_REQUEST_ID), value);
    }
}

/// Adds the security headers of every answer. An answer is not cached unless its handler sets Cache-Control.
pub fn set_security_headers(headers: &mut HeaderMap) {
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Makes an answer the last one on its connection, unless the connection became a WebSocket.
///
/// The client opens a new connection, to another node if there are several. A node that closes down then has no
/// connection left into which a client may just be writing a request.
pub fn close_connection(head: &mut ResponseHead) {
    if head.status != StatusCode::SWITCHING_PROTOCOLS {
        head.set_connection_type(ConnectionType::Close);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::HttpResponse;

    use super::*;

    #[test]
    fn a_connection_that_became_a_websocket_is_left_open() {
        let mut switched = HttpResponse::SwitchingProtocols().upgrade("websocket").finish();
        close_connection(switched.head_mut());
        assert_eq!(switched.head().connection_type(), ConnectionType::Upgrade);
        let mut answered = HttpResponse::Ok().finish();
        close_connection(answered.head_mut());
        assert_eq!(answered.head().connection_type(), ConnectionType::Close);
    }
}
