//! Headers of requests and answers between nodes, byte by byte.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::failures::lost_to;
use crate::support::app::{ADMIN, App, answer, order};
use crate::support::cluster::with_nodes;

/// Reads a complete message: its headers, and the body that they announce.
fn message(connection: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                return text;
            }
        }
        let mut bytes = [0; 4_096];
        let count = connection.read(&mut bytes).unwrap();
        assert_ne!(count, 0, "cut off after {text}");
        read.extend_from_slice(&bytes[..count]);
    }
}

/// An owner that records requests and always gives the same answer.
fn parrot(says: &'static str) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (heard, asked) = mpsc::channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let _ = heard.send(message(&mut connection));
            connection.write_all(says.as_bytes()).unwrap();
        }
    });
    (url, asked)
}

/// Sends a request as bytes, and reads the headers and the body of the answer.
fn send(node: &App, request: &str) -> String {
    let mut connection = TcpStream::connect(node.running.url().trim_start_matches("http://")).unwrap();
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// The names of the headers of a message, in lower case.
fn names(message: &str) -> Vec<String> {
    let head = message.split("\r\n\r\n").next().unwrap();
    head.lines().skip(1).map(|line| line.split(':').next().unwrap().to_lowercase()).collect()
}

#[test]
fn connection_headers_are_not_forwarded() {
    with_nodes(1, async |cluster| {
        let (url, asked) = parrot(
            "HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-End: 2\r\n\
             Proxy-Authenticate: Basic\r\nTrailer: X-Sum\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n\
             2\r\n{}\r\n0\r\nX-Sum: 3\r\n\r\n",
        );
        let room_type = lost_to(cluster, url).await;
        let node = &cluster.nodes[0];
        let request = format!(
            "GET /v1/room-types/{room_type}/availability?from=2026-06-01&to=2026-06-02 HTTP/1.1\r\nHost: inn\r\n\
             Connection: close, x-secret\r\nX-Secret: 1\r\nX-Public: 2\r\nTE: trailers\r\nKeep-Alive: 5\r\n\
             Proxy-Authorization: Basic eA==\r\nProxy-Connection: close\r\nUpgrade: h2c\r\nExpect: 100-continue\r\n\
             Accept-Encoding: identity\r\n\r\n"
        );
        let answered = send(node, &request);
        let answered = answered.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        let arrived = names(&asked.recv().unwrap());
        let mut arrived: Vec<_> = arrived.iter().map(String::as_str).collect();
        arrived.sort_unstable();
        assert_eq!(arrived, ["accept", "host", "innkeeper-forwarded", "x-public", "x-request-id"]);

        let (head, body) = answered.rsplit_once("\r\n\r\n").unwrap();
        let returned = names(head);
        for end in ["x-end", "content-length", "x-request-id"] {
            assert_eq!(returned.iter().filter(|name| *name == end).count(), 1, "{end}: {answered}");
        }
        for hop in ["x-hop", "keep-alive", "proxy-authenticate", "trailer", "upgrade", "transfer-encoding"] {
            assert!(!returned.contains(&hop.to_owned()), "{hop}: {answered}");
        }
        assert_eq!(body, "{}");
    });
}

#[test]
fn a_chunked_body_is_forwarded_as_a_whole() {
    with_nodes(1, async |cluster| {
        let (url, asked) = parrot("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
        let room_type = lost_to(cluster, url).await;
        let body = order(&room_type, 1, 2).to_string();
        let (one, two) = body.split_at(20);
        let request = format!(
            "POST /v1/bookings HTTP/1.1\r\nHost: inn\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
            one.len(),
            two.len()
        );
        let answered = send(&cluster.nodes[0], &request);
        assert!(answered.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), "{answered}");
        let asked = asked.recv().unwrap();
        let (head, sent) = asked.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        assert_eq!(sent, body);
    });
}

#[test]
fn a_head_request_is_answered_as_by_the_owner() {
    with_nodes(2, async |cluster| {
        let (room_type, owner) = cluster.room_type(3).await;
        let path = format!("/v1/room-types/{room_type}/availability?from=2026-06-01&to=2026-06-03");
        let head = format!("HEAD {path} HTTP/1.1\r\nHost: inn\r\nConnection: close\r\n\r\n");
        let get = send(&cluster.nodes[owner], &head.replacen("HEAD", "GET", 1));
        let length = get.split_once("\r\n\r\n").unwrap().1.len();
        assert_ne!(length, 0);
        for node in &cluster.nodes {
            let answered = send(node, &head);
            assert!(answered.starts_with("HTTP/1.1 200 OK\r\n"), "{answered}");
            assert!(answered.contains(&format!("content-length: {length}\r\n")), "{answered}");
            assert!(answered.ends_with("\r\n\r\n"), "{answered}");
            assert!(answered.contains("etag: "), "{answered}");
        }
        // The length of the problem's body is unknown, but there is no body.
        let missing =
            "HEAD /v1/room-types/00000000-0000-0000-0000-000000000001/availability?from=2026-06-01&to=2026-06-03";
        let missing = format!("{missing} HTTP/1.1\r\nHost: inn\r\nConnection: close\r\n\r\n");
        for node in &cluster.nodes {
            let answered = send(node, &missing);
            assert!(answered.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answered}");
            assert!(answered.ends_with("\r\n\r\n"), "{answered}");
        }
    });
}

#[test]
fn a_head_of_unknown_length_stays_one() {
    with_nodes(1, async |cluster| {
        let (url, _asked) = parrot("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
        let room_type = lost_to(cluster, url).await;
        let head = format!(
            "HEAD /v1/room-types/{room_type}/availability?from=2026-06-01&to=2026-06-02 HTTP/1.1\r\nHost: inn\r\n\
             Connection: close\r\n\r\n"
        );
        let answered = send(&cluster.nodes[0], &head);
        assert!(answered.starts_with("HTTP/1.1 200 OK\r\n") && answered.ends_with("\r\n\r\n"), "{answered}");
        assert!(!names(&answered).contains(&"content-length".to_owned()), "{answered}");
    });
}

#[test]
fn hop_by_hop_headers_do_not_reach_the_owner() {
    with_nodes(2, async |cluster| {
        let (room_type, owner) = cluster.room_type(3).await;
        let book = async |connection: &str| {
            let request = cluster.nodes[1 - owner].request(Method::POST, "/v1/bookings").header("If-Match", "\"999\"");
            answer(request.header("Connection", connection).json(&order(&room_type, 1, 2))).await
        };
        assert_eq!(book("keep-alive").await.body["code"], "stale");
        assert_eq!(book("keep-alive, if-match").await.status, StatusCode::CREATED);
        let nights = format!("/v1/room-types/{room_type}/nights");
        let request = cluster.nodes[1 - owner].request(Method::PUT, &nights).bearer_auth(ADMIN);
        let body = json!({"items": [{"from": "2026-06-01", "to": "2026-06-02", "physical": 3}]});
        let unauthorized = answer(request.header("Connection", "authorization").json(&body)).await;
        assert_eq!(unauthorized.status, StatusCode::UNAUTHORIZED);
    });
}
