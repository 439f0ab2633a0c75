//! Headers that are relayed to the next node or to the client, and hop-by-hop headers, which are not.

use crate::http::wire::FORWARDED;

/// Hop-by-hop headers (RFC 9110, section 7.6.1), and headers that every hop writes itself.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    // This node has read the whole body before it forwards the request.
    "expect",
    "host",
    "content-length",
    "date",
    // Only the first node compresses, for the client.
    "accept-encoding",
    FORWARDED,
];

/// The headers that end at this hop.
pub struct Hop(Vec<String>);

impl Hop {
    /// `connection`: the values of the `Connection` headers. They name more headers that end at this hop.
    pub fn of<'a>(connection: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let values = connection.into_iter().filter_map(|value| str::from_utf8(value).ok());
        Self(values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect())
    }

    /// Whether a header is relayed. Its name must be in lower case.
    pub fn lets_pass(&self, name: &str) -> bool {
        !HOP_BY_HOP.contains(&name) && !self.0.iter().any(|named| named == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_connection_names_are_not_relayed() {
        let hop = Hop::of([&b"close, X-Hop"[..], b"IF-MATCH ,", b"\xff"]);
        for ends in ["connection", "transfer-encoding", "x-hop", "if-match", "close"] {
            assert!(!hop.lets_pass(ends), "{ends}");
        }
        for passes in ["authorization", "x-hop-2", "idempotency-key"] {
            assert!(hop.lets_pass(passes), "{passes}");
        }
        assert!(Hop::of([]).lets_pass("if-match"));
    }
}
