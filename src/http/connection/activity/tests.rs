use super::*;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

fn connection() -> Activity {
    let ticks = Ticks::default();
    ticks.set(5);
    Activity::new(1, ticks)
}

/// Whether a time limit runs for the rest of a head or a body, after these bytes and one answer.
fn is_incomplete_after(parts: &[&[u8]], length: Length) -> bool {
    let it = connection();
    parts.iter().for_each(|part| it.received(part));
    it.begin(length);
    it.end();
    it.state().head != 0
}

#[test]
fn no_time_limit_runs_after_a_whole_request() {
    assert!(!is_incomplete_after(&[GET], Length::Exact(0)));
    assert!(!is_incomplete_after(&[b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r", b"\n{}"], Length::Exact(2)));
    assert!(!is_incomplete_after(&[b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n", b"{}"], Length::Exact(2)));
    assert!(!is_incomplete_after(
        &[b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
        Length::Unknown
    ));
    assert!(!is_incomplete_after(&[b"GET / HTTP/1.0\n\n"], Length::Exact(0)));
}

#[test]
fn a_time_limit_runs_for_an_incomplete_request() {
    assert!(is_incomplete_after(&[GET, b"G"], Length::Exact(0)));
    assert!(is_incomplete_after(&[b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}POST /"], Length::Exact(2)));
    let it = connection();
    it.received(b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    it.begin(Length::Unknown);
    it.drop_body();
    it.end();
    assert!(it.state().head != 0 && it.state().leftover);
}

#[test]
fn the_time_limit_of_a_head_begins_with_its_first_byte() {
    let it = connection();
    it.received(GET);
    it.begin(Length::Exact(0));
    it.end();
    assert_eq!(it.state().head, 0);
    it.received(b"\r\n");
    assert_eq!(it.state().head, 0, "one empty line is skipped");
    it.received(b"\r\n");
    assert_eq!(it.state().head, 5, "more empty lines count as a head");
}

#[test]
fn empty_lines_before_a_head_are_no_part_of_it() {
    let post = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n";
    assert!(!is_incomplete_after(&[b"\r\n\r\n", post, b"{}"], Length::Exact(2)));
    assert!(!is_incomplete_after(&[b"\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"], Length::Exact(2)));
    assert!(!is_incomplete_after(&[post, b"{}\r\n"], Length::Exact(2)), "old clients send a line break after a body");
    assert!(is_incomplete_after(&[post, b"{}\r\nP"], Length::Exact(2)));
    let it = connection();
    let (with_line, two) = ([b"\r\n", GET].concat(), [b"\r\n", GET, b"\r\n", GET].concat());
    assert_eq!((it.share(&with_line), it.share(&two)), (with_line.len(), with_line.len()));
}

#[test]
fn a_body_is_held_from_its_first_byte_until_its_request_is_answered() {
    let body = [b'a'; 100];
    for (head, length) in [
        (b"POST / HTTP/1.1\r\nContent-Length: 200\r\n\r\n".as_slice(), Length::Exact(200)),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", Length::Unknown),
    ] {
        let it = connection();
        it.received(&[head, &body].concat());
        it.begin(length);
        assert_eq!(it.state().held, 100, "{length:?}");
        it.wait_for_body();
        it.received(&body);
        it.receive_body(200);
        assert_eq!(it.state().held, 200, "during the handler: {length:?}");
        it.end();
        assert_eq!(it.state().held, 0, "{length:?}");
    }
}

#[test]
fn the_rest_of_a_dropped_body_is_not_held() {
    for length in [Length::Exact(1_000_000), Length::Unknown] {
        let it = connection();
        it.received(GET);
        it.begin(length);
        it.drop_body();
        it.received(&[b'a'; 1_000]);
        assert_eq!(it.state().held, 0, "{length:?}");
        it.end();
        it.received(&[b'a'; 1_000]);
        assert_eq!(it.state().held, 0, "{length:?}");
    }
}

#[test]
fn actix_gets_one_request_at_a_time() {
    let it = connection();
    let two = [GET, GET].concat();
    assert_eq!(it.share(&two), GET.len(), "the first head alone");
    it.received(GET);
    it.begin(Length::Exact(0));
    assert_eq!(it.share(GET), 0, "during the answer");
    it.end();
    assert_eq!(it.share(GET), GET.len());
    let post = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(it.share(post), post.len(), "a body is given with its head");
    it.received(&post[..post.len() - 1]);
    it.begin(Length::Exact(2));
    assert_eq!(it.share(b"}GET"), 1, "the rest of the body");
    it.wait_for_body();
    assert_eq!(it.share(b"}GET"), 4, "a handler that waits gets all bytes");
}

#[test]
fn the_end_of_a_head_is_found_in_any_division_of_its_bytes() {
    for at in 0..GET.len() {
        let it = connection();
        it.received(&GET[..at]);
        it.received(&GET[at..]);
        assert_eq!(it.head_end.load(Relaxed), GET.len() as u64, "{at}");
    }
}

#[test]
fn a_client_must_read_a_websocket_in_time_after_its_session() {
    let it = connection();
    it.begin(Length::Exact(0));
    it.upgrade();
    it.block(10);
    it.ticks.set(60_000);
    it.session_ended();
    assert_eq!((it.state().stage, it.state().blocked), (Stage::Closing, 60_000));
    it.end();
    it.session_ended();
    assert_eq!(it.state().stage, Stage::Waiting, "the answer has ended");
}

#[test]
fn a_closed_connection_cannot_be_asked_to_close() {
    let it = connection();
    assert!(it.ask_to_close(Reason::Full) && !it.ask_to_close(Reason::Full));
    assert_eq!(it.close_for_good(), Some(Reason::Full));
    assert!(!it.ask_to_close(Reason::Full));
}

#[test]
fn unread_bytes_of_an_answer_count_as_held() {
    let it = connection();
    it.begin(Length::Exact(0));
    it.set_body_left(100);
    it.block(10);
    assert_eq!(it.state().held, 110);
    it.sent(4);
    assert_eq!(it.state().blocked_bytes, 4);
    it.unblock();
    assert_eq!((it.state().held, it.state().blocked), (0, 0));
}
