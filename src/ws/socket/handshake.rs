//! The opening handshake (RFC 6455, section 4.2).

use actix_web::http::header::{self, HeaderName};
use actix_web::http::{ConnectionType, Method};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use data_encoding::BASE64;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Bytes of a `Sec-WebSocket-Key`.
const KEY: usize = 16;

/// The 101 that opens a WebSocket, without a body, or the requirement that the request does not meet.
pub fn accept(request: &HttpRequest) -> Result<HttpResponseBuilder, &'static str> {
    let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let key = header(header::SEC_WEBSOCKET_KEY).unwrap_or_default();
    let is_key = BASE64.decode(key.as_bytes()).is_ok_and(|key| key.len() == KEY);
    let lacks = if request.method() != Method::GET {
        Some("the method must be GET")
    } else if !header(header::UPGRADE).is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        Some("the header Upgrade must be websocket")
    } else if request.head().connection_type() != ConnectionType::Upgrade {
        Some("the header Connection must have Upgrade")
    } else if header(header::SEC_WEBSOCKET_VERSION) != Some("13") {
        Some("the header Sec-WebSocket-Version must be 13")
    } else {
        (!is_key).then_some("the header Sec-WebSocket-Key must be 16 bytes in base64")
    };
    if let Some(lacks) = lacks {
        return Err(lacks);
    }
    let mut response = HttpResponse::SwitchingProtocols();
    response.upgrade("websocket").insert_header((header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes())));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use rstest::rstest;

    use super::*;

    fn valid() -> Vec<(&'static str, &'static str)> {
        vec![
            ("Upgrade", "WebSocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
    }

    fn ask(headers: &[(&'static str, &'static str)]) -> Result<HttpResponse, &'static str> {
        let request = headers.iter().fold(TestRequest::get(), |request, header| request.insert_header(*header));
        let mut request = request.to_srv_request();
        if headers.contains(&("Connection", "Upgrade")) {
            request.head_mut().set_connection_type(ConnectionType::Upgrade);
        }
        accept(request.request()).map(|mut response| response.finish())
    }

    #[test]
    fn the_example_of_the_rfc_is_accepted() {
        let response = ask(&valid()).unwrap();
        assert_eq!(response.headers().get(header::SEC_WEBSOCKET_ACCEPT).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[rstest]
    #[case("Upgrade", "h2c")]
    #[case("Connection", "keep-alive")]
    #[case("Sec-WebSocket-Version", "12")]
    #[case("Sec-WebSocket-Key", "dGhlIHNhbXBsZQ==")]
    #[case("Sec-WebSocket-Key", "not base64")]
    fn an_incomplete_handshake_is_refused_with_the_name_of_the_header(
        #[case] name: &'static str,
        #[case] value: &'static str,
    ) {
        let mut headers = valid();
        headers.retain(|(other, _)| *other != name);
        assert!(ask(&headers).unwrap_err().contains(name));
        headers.push((name, value));
        assert!(ask(&headers).unwrap_err().contains(name));
    }
}
