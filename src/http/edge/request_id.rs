//! Request ids: the client's, if it is a decent one, or a new one.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::clock::IdSource;

/// The header that carries a request's id, there and back.
pub const X_REQUEST_ID: &str = "x-request-id";
const MAX_LENGTH: usize = 128;

/// The id under which a request is answered and logged.
pub fn of(request: &ServiceRequest, ids: &dyn IdSource) -> String {
    let given = request.headers().get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
    match given.filter(|id| is_decent(id)) {
        Some(id) => id.to_owned(),
        None => ids.next().to_string(),
    }
}

/// Tells the client.
pub fn echo(headers: &mut HeaderMap, id: &str) {
    name(headers, id);
}

/// Gives a request or an answer its name.
pub fn name(headers: &mut HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static(X_REQUEST_ID), value);
    }
}

/// Short and visible: it goes into logs as it is.
fn is_decent(id: &str) -> bool {
    (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_forge_a_log_line_is_replaced() {
        assert!(is_decent("req_01HX"));
        for bad in ["", "a b", "a\nb", &"x".repeat(129)] {
            assert!(!is_decent(bad));
        }
    }
}
