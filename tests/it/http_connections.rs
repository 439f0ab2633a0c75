//! Connections: clients that send slowly, never finish, or do not read occupy neither connections nor memory.

use std::net::SocketAddr;
use std::time::Duration;

use crate::support::app::{ADMIN, App, with_settings};
use crate::support::eventually::eventually;
use crate::support::live::Dashboard;
use crate::support::program::{Started, Workplace};
use crate::support::raw::{GET, Raw};

/// Requests have a second; an idle connection has an hour, so no idle connection is closed here.
const HASTE: &[(&str, &str)] = &[("request_timeout_secs", "1"), ("keep_alive_secs", "3600")];

fn address(app: &App) -> SocketAddr {
    app.running.url().trim_start_matches("http://").parse().unwrap()
}

#[test]
fn a_body_that_never_ends_does_not_keep_the_connection_of_an_answered_request() {
    with_settings(HASTE, async |app| {
        let chunked = "Host: x\r\nTransfer-Encoding: chunked\r\n";
        let json = "Content-Type: application/json\r\n";
        let big = "a".repeat(0x20000);
        for (request, status) in [
            (format!("GET /healthz HTTP/1.1\r\n{chunked}\r\n"), 200),
            (format!("GET /healthz HTTP/1.1\r\n{chunked}\r\n1\r\na\r\n"), 200),
            (format!("GET /docs HTTP/1.1\r\n{chunked}\r\n"), 308),
            (format!("POST /v1/hotels HTTP/1.1\r\n{chunked}{json}\r\n"), 401),
            (format!("POST /nothing HTTP/1.1\r\n{chunked}\r\n"), 404),
            (format!("POST /v1/bookings HTTP/1.1\r\n{chunked}\r\n"), 415),
            (
                format!(
                    "POST /v1/hotels HTTP/1.1\r\n{chunked}{json}Authorization: Bearer {ADMIN}\r\n\r\n20000\r\n{big}\r\n"
                ),
                413,
            ),
            ("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n".to_owned(), 404),
        ] {
            let mut client = Raw::open(address(app)).await;
            client.send(request.as_bytes()).await;
            assert_eq!(client.answer().await.unwrap().status, status, "{}", &request[..60]);
            assert!(client.last().await.is_none(), "closed without another answer");
        }
        let mut endless = Raw::open(address(app)).await;
        endless.send(format!("GET /healthz HTTP/1.1\r\n{chunked}\r\n1;").as_bytes()).await;
        assert_eq!(endless.drip(&[b'a'; 1_000]).await.unwrap().status, 200);
    });
}

#[test]
fn every_head_of_a_connection_has_to_arrive_in_time() {
    with_settings(HASTE, async |app| {
        for (begun, drip) in
            [(b"".as_slice(), b"".as_slice()), (b"", b"\r\n"), (b"GET /healthz HTTP/1.1\r\n", b"X-A: a\r\n")]
        {
            // The first head.
            let mut client = Raw::open(address(app)).await;
            client.send(begun).await;
            client.drip(drip).await.unwrap().is_problem(408, "head_timeout");
        }
        let half = &GET[..GET.len() - 2];
        for (requests, begun, drip) in [
            (1, half, b"".as_slice()),
            (1, half, b"a"),
            (1, half, b"X-A: a\r\n"),
            (1, b"", b"G"),
            (1, b"", b"\r\n"),
            (3, half, b"a"),
        ] {
            // A later head, in one piece with earlier requests.
            let mut client = Raw::open(address(app)).await;
            client.send(&[GET.repeat(requests).as_slice(), begun].concat()).await;
            for _ in 0..requests {
                assert_eq!(client.answer().await.unwrap().status, 200);
            }
            client.drip(drip).await.unwrap().is_problem(408, "head_timeout");
        }
    });
}

#[test]
fn an_idle_connection_stays_open_for_longer_than_a_request_may_take() {
    with_settings(HASTE, async |app| {
        let post =
            b"POST /v1/bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        let mut client = Raw::open(address(app)).await;
        let (mut slow, requests) = (Raw::open(address(app)).await, [GET, post, GET]);
        for request in requests {
            client.send(request).await;
            client.answer().await.unwrap();
        }
        // Another connection measures the time: its head times out, and then a second one.
        for _ in 0..2 {
            slow.last().await.unwrap().is_problem(408, "head_timeout");
            slow = Raw::open(address(app)).await;
        }
        client.send(GET).await;
        assert_eq!(client.answer().await.unwrap().status, 200);
    });
}

#[test]
fn a_body_has_to_arrive_in_time() {
    with_settings(HASTE, async |app| {
        for length in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
            let mut client = Raw::open(address(app)).await;
            let head =
                format!("POST /v1/bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n\r\n");
            client.send(head.as_bytes()).await;
            client.drip(b"1\r\n \r\n").await.unwrap().is_problem(408, "body_timeout");
        }
        // A fast beginning does not excuse a pause.
        let mut client = Raw::open(address(app)).await;
        let head =
            "POST /v1/bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n";
        client.send(&[head.as_bytes(), &[b' '; 50_000]].concat()).await;
        client.last().await.unwrap().is_problem(408, "body_timeout");
    });
}

#[test]
fn an_answer_has_to_be_read_in_time() {
    with_settings(HASTE, async |app| {
        let bundle = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n";
        let known = b"GET /docs/ HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n".repeat(300);
        for request in [bundle.as_slice(), &bundle.repeat(40), &known, &GET.repeat(2_000)] {
            let mut client = Raw::narrow(address(app)).await;
            // Also when the server has sent a part of it.
            let _ = client.stream.try_write(request);
            eventually("the connection is given up", async || !client.try_send(b"\r\n").await).await;
        }
    });
}

#[test]
fn slow_readers_get_the_whole_answer() {
    with_settings(HASTE, async |app| {
        let mut client = Raw::narrow(address(app)).await;
        client.send(&b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3)).await;
        let first = client.answer().await.unwrap();
        assert!(first.status == 200 && first.body.len() > 1_000_000, "{}", first.head);
        for _ in 0..2 {
            assert_eq!(client.answer().await.unwrap().body, first.body);
        }
    });
}

#[test]
fn on_a_full_server_a_new_connection_replaces_the_longest_idle_one() {
    let settings = [("max_connections", "4"), ("request_timeout_secs", "300"), ("keep_alive_secs", "3600")];
    with_settings(&settings, async |app| {
        let mut idle = Vec::new();
        for _ in 0..4 {
            let mut client = Raw::open(address(app)).await;
            client.send(GET).await;
            assert_eq!(client.answer().await.unwrap().status, 200);
            idle.push(client);
            tokio::time::sleep(Duration::from_millis(300)).await; // longer than a tick of the server's clock
        }
        idle[0].send(&GET[..9]).await; // half a head is no more than idle
        for _ in 0..2 {
            let mut newcomer = Raw::open(address(app)).await;
            newcomer.send(GET).await;
            assert_eq!(newcomer.answer().await.unwrap().status, 200);
        }
        // The two longest idle connections are closed, or as many as there are new ones at most.
        assert!(idle[0].last().await.is_none());
        idle[3].send(GET).await;
        assert_eq!(idle[3].answer().await.unwrap().status, 200);
    });
}

#[test]
fn slow_requests_never_exceed_the_limit_and_are_replaced() {
    let settings = [("max_connections", "40"), ("request_timeout_secs", "300"), ("keep_alive_secs", "3600")];
    with_settings(&settings, async |app| {
        let head = b"POST /v1/bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
        let slow = [head.as_slice(), b"Content-Length: 1000\r\n\r\n{"].concat();
        let mut clients = Vec::new();
        for _ in 0..40 {
            let mut client = Raw::open(address(app)).await;
            client.send(&slow).await;
            clients.push(client);
        }
        // The server must have waited for them for a second.
        let mut newcomer = Raw::open(address(app)).await;
        eventually("a client that keeps the server waiting gives its place to another", async || {
            newcomer.try_send(GET).await;
            let served = newcomer.answer().await.is_some_and(|told| told.status == 200);
            if !served {
                newcomer = Raw::open(address(app)).await;
            }
            served
        })
        .await;
        for _ in 0..100 {
            let mut client = Raw::open(address(app)).await;
            client.try_send(&slow).await;
            clients.push(client);
        }
        let is_open = |client: &Raw| {
            let nothing_yet = |error: &std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
            client.stream.try_read(&mut [0; 8]).is_err_and(|error| nothing_yet(&error))
        };
        eventually("few more connections are open than there may be", async || {
            clients.iter().filter(|client| is_open(client)).count() <= 56
        })
        .await;
    });
}

#[test]
fn a_connection_beyond_the_limit_gets_a_problem_document() {
    let settings = [("max_connections", "3"), ("keep_alive_secs", "3600")];
    with_settings(&settings, async |app| {
        let mut dashboards = Vec::new();
        while dashboards.len() < 3 {
            dashboards.push(Dashboard::open(app).await);
        }
        let mut newcomer = Raw::open(address(app)).await;
        newcomer.send(GET).await;
        let refused = newcomer.last().await.unwrap();
        refused.is_problem(503, "too_many_connections");
        assert!(refused.head.contains("retry-after: "), "{}", refused.head);
        for dashboard in &mut dashboards {
            assert!(dashboard.is_silent().await, "a WebSocket keeps its place");
        }
    });
}

#[test]
fn bytes_that_are_not_http_are_refused_with_a_problem_document() {
    with_settings(&[], async |app| {
        for (bytes, status, code) in [
            (b"NONSENSE\r\n\r\n".to_vec(), 400, "malformed_request"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n".to_vec(), 400, "malformed_request"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 400, "malformed_request"),
            ([GET, b"\x00\x01\r\n\r\n"].concat(), 400, "malformed_request"),
            ([b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'x'; 150_000]].concat(), 431, "headers_too_large"),
        ] {
            let mut client = Raw::open(address(app)).await;
            client.try_send(&bytes).await;
            client.last().await.unwrap().is_problem(status, code);
        }
        let mut client = Raw::open(address(app)).await;
        for (request, status, code) in [
            ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"),
            (
                "GET /v1/bookings HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
                400,
                "malformed_header",
            ),
        ] {
            client.send(request.as_bytes()).await;
            let refused = client.answer().await.unwrap();
            refused.is_problem(status, code);
            assert!(refused.head.contains("x-request-id: "), "{}", refused.head);
        }
    });
}

/// The address in a greeting of the demo.
fn greeted(greeting: &str) -> SocketAddr {
    greeting.split("http://").nth(1).unwrap().split(['/', ' ', '\n']).next().unwrap().parse().unwrap()
}

/// Anonymous memory in MiB.
fn memory(program: &Started) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.0.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn unread_answers_of_many_connections_cost_bounded_memory() {
    let place = Workplace::sqlite();
    let (program, greeting) = place.demo_with(&["--request-timeout-secs", "60", "--client-buffers-mib", "4"]);
    let address = greeted(&greeting);
    let mut first = Raw::open(address).await;
    let wanted: Vec<Vec<u8>> = ["/docs/swagger-ui-bundle.js", "/openapi.json", "/v1/search?city=Lisbon", "/docs/"]
        .map(|path| format!("GET {path} HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"x\"\r\n\r\n").repeat(40).into_bytes())
        .into();
    for request in &wanted {
        first.send(&request[..request.len() / 40]).await;
        first.answer().await.unwrap();
    }
    let before = memory(&program);
    let (mut clients, mut most) = (Vec::new(), 0);
    for turn in 0..400 {
        let client = Raw::narrow(address).await;
        let _ = client.stream.try_write(&wanted[turn % wanted.len()]);
        clients.push(client);
        most = most.max(memory(&program));
    }
    eventually("those that hold too much are given up", async || {
        most = most.max(memory(&program));
        let mut client = Raw::open(address).await;
        client.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        let metrics = String::from_utf8(client.answer().await.unwrap().body).unwrap();
        metrics.lines().any(|line| {
            line.starts_with("innkeeper_connections_closed_total{reason=\"memory\"}") && !line.ends_with(" 0")
        })
    })
    .await;
    assert!(most < before + 100, "{before} MiB before, {most} MiB at the highest");
}
