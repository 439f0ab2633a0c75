//! The id of a request: the client's, if it is safe to log, or a new one.

use actix_web::dev::ServiceRequest;

use crate::clock::IdSource;
use crate::http::wire::X_REQUEST_ID;

const MAX_LENGTH: usize = 128;

/// The id under which a request is answered and logged.
pub fn of(request: &ServiceRequest, ids: &dyn IdSource) -> String {
    let given = request.headers().get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
    match given.filter(|id| is_safe_to_log(id)) {
        Some(id) => id.to_owned(),
        None => ids.next().to_string(),
    }
}

/// Short and visible: logs and answers show the id unchanged.
fn is_safe_to_log(id: &str) -> bool {
    (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_forge_a_log_line_is_replaced() {
        assert!(is_safe_to_log("req_01HX"));
        for bad in ["", "a b", "a\nb", &"x".repeat(129)] {
            assert!(!is_safe_to_log(bad));
        }
    }
}
