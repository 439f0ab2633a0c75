//! Which headers go on to the next node or back to the client, and which concern one connection alone.

/// Headers about a connection, not about a request (RFC 9110, section 7.6.1), and those that are written anew.
const OF_THE_CONNECTION: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    // Answered here: the whole body has been read before anything is sent on.
    "expect",
    "host",
    "content-length",
    "date",
    // What is compressed is compressed once, for the client.
    "accept-encoding",
    super::FORWARDED,
];

/// One connection, as the headers that came over it describe it.
pub struct Hop(Vec<String>);

impl Hop {
    /// `connection`: the values of its `Connection` headers, which name more headers that end here.
    pub fn of<'a>(connection: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let values = connection.into_iter().filter_map(|value| str::from_utf8(value).ok());
        Self(values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect())
    }

    /// Whether a header goes on. Its name is in lower case, as the libraries have it.
    pub fn lets_pass(&self, name: &str) -> bool {
        !OF_THE_CONNECTION.contains(&name) && !self.0.iter().any(|named| named == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_connection_names_ends_with_it() {
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
