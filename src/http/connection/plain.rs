//! Answers that are written without actix: to clients without a complete request, and in place of actix's bare answers.

use std::fmt::Write as _;

use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;

use crate::domain::Timestamp;
use crate::http::problem::Problem;

/// The longest bare answer of actix, in bytes.
const LONGEST_BARE: usize = 200;

/// A problem as a complete HTTP answer that closes the connection.
pub fn answer(problem: &Problem, now: Timestamp) -> Bytes {
    let response = problem.render();
    let status = response.status();
    let mut head = format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or_default());
    for (name, value) in response.headers() {
        // `write!` to a string cannot fail; our own headers are text.
        let _ = write!(head, "{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    let body = response.into_body().try_into_bytes().unwrap_or_default();
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT");
    let _ = write!(head, "date: {date}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let mut answer = head.into_bytes();
    answer.extend_from_slice(&body);
    answer.into()
}

/// Finds a bare answer of actix at the end of these bytes. Returns its position and its status.
///
/// actix writes a bare answer for bytes that never reach the application. It is an error without a body. Answers of the
/// application have more headers, so they are longer.
pub fn bare_answer(bytes: &[u8]) -> Option<(usize, StatusCode)> {
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let from = bytes.len().saturating_sub(LONGEST_BARE);
    let start = from + memchr::memmem::rfind(&bytes[from..], b"HTTP/1.")?;
    let status = StatusCode::from_bytes(bytes.get(start + 9..start + 12)?).ok()?;
    (status.is_client_error() || status.is_server_error()).then_some((start, status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::code::Code;

    const BARE: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n";

    #[test]
    fn a_bare_answer_of_actix_differs_from_answers_of_the_application() {
        assert_eq!(bare_answer(BARE), Some((0, StatusCode::BAD_REQUEST)));
        let both = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".as_slice(), BARE].concat();
        assert_eq!(bare_answer(&both), Some((both.len() - BARE.len(), StatusCode::BAD_REQUEST)));
        for other in [
            b"HTTP/1.1 100 Continue\r\n\r\n".as_slice(),
            b"HTTP/1.1 304 Not Modified\r\ndate: x\r\n\r\n",
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
            b"",
        ] {
            assert_eq!(bare_answer(other), None);
        }
    }

    #[test]
    fn a_problem_is_a_complete_answer_with_all_headers() {
        let problem = Problem::of(Code::TooManyConnections).retry_after_secs(1);
        let answer = answer(&problem, Timestamp::UNIX_EPOCH);
        let text = std::str::from_utf8(&answer).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{head}");
        for line in [
            "content-type: application/problem+json",
            "x-content-type-options: nosniff",
            "retry-after: 1",
            "connection: close",
            "date: Thu, 01 Jan 1970 00:00:00 GMT",
            &format!("content-length: {}", body.len()),
        ] {
            assert!(head.contains(line), "{head}");
        }
        assert!(bare_answer(&answer).is_none());
        assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["code"], "too_many_connections");
    }
}
