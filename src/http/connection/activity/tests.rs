use super::*;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

fn connection() -> Activity {
    let ticks = Ticks::default();
    ticks.set(5);
    Activity::new(1, ticks)
}

/// Whether more of a head, or of a body, is due after these bytes and one answer.
fn owes_after(parts: &[&[u8]], length: Length) -> bool {
    let it = connection();
    parts.iter().for_each(|part| it.received(part));
    it.begins(length);
    it.ends();
    it.seen().head != 0
}

#[test]
fn a_connection_that_sent_a_whole_request_owes_nothing() {
    assert!(!owes_after(&[GET], Length::IfNoneMatch(0)));
    assert!(!owes_after(&[b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r", b"\n{}"], Length::IfNoneMatch(2)));
    assert!(!owes_after(&[b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n", b"{}"], Length::IfNoneMatch(2)));
    assert!(!owes_after(&[b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], Length::Unknown));
    assert!(!owes_after(&[b"GET / HTTP/1.0\n\n"], Length::IfNoneMatch(0)));
}

#[test]
fn what_was_begun_is_due() {
    assert!(owes_after(&[GET, b"G"], Length::IfNoneMatch(0)));
    assert!(owes_after(&[b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}POST /"], Length::IfNoneMatch(2)));
    let it = connection();
    it.received(b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    it.begins(Length::Unknown);
    it.leaves_body();
    it.ends();
    assert!(it.seen().head != 0 && it.seen().leftover);
}

#[test]
fn an_idle_connection_owes_a_head_from_its_first_byte_on() {
    let it = connection();
    it.received(GET);
    it.begins(Length::IfNoneMatch(0));
    it.ends();
    assert_eq!(it.seen().head, 0);
    it.received(b"\r\n");
    assert_eq!(it.seen().head, 0, "one empty line is passed over");
    it.received(b"\r\n");
    assert_eq!(it.seen().head, 5, "more of them are a head that never ends");
}

#[test]
fn empty_lines_before_a_head_are_no_part_of_it() {
    let post = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n";
    assert!(!owes_after(&[b"\r\n\r\n", post, b"{}"], Length::IfNoneMatch(2)));
    assert!(!owes_after(&[b"\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"], Length::IfNoneMatch(2)));
    assert!(!owes_after(&[post, b"{}\r\n"], Length::IfNoneMatch(2)), "as old clients end a body");
    assert!(owes_after(&[post, b"{}\r\nP"], Length::IfNoneMatch(2)));
    let it = connection();
    let (with_line, two) = ([b"\r\n", GET].concat(), [b"\r\n", GET, b"\r\n", GET].concat());
    assert_eq!((it.share(&with_line), it.share(&two)), (with_line.len(), with_line.len()));
}

#[test]
fn a_body_is_held_from_its_first_byte_until_its_request_is_answered() {
    let body = [b'a'; 100];
    for (head, length) in [
        (b"POST / HTTP/1.1\r\nContent-Length: 200\r\n\r\n".as_slice(), Length::IfNoneMatch(200)),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", Length::Unknown),
    ] {
        let it = connection();
        it.received(&[head, &body].concat());
        it.begins(length);
        assert_eq!(it.seen().held, 100, "{length:?}");
        it.awaits_body();
        it.received(&body);
        it.got_body(200);
        assert_eq!(it.seen().held, 200, "while its handler works: {length:?}");
        it.ends();
        assert_eq!(it.seen().held, 0, "{length:?}");
    }
}

#[test]
fn what_nobody_reads_of_a_body_is_not_held() {
    for length in [Length::IfNoneMatch(1_000_000), Length::Unknown] {
        let it = connection();
        it.received(GET);
        it.begins(length);
        it.leaves_body();
        it.received(&[b'a'; 1_000]);
        assert_eq!(it.seen().held, 0, "{length:?}");
        it.ends();
        it.received(&[b'a'; 1_000]);
        assert_eq!(it.seen().held, 0, "{length:?}");
    }
}

#[test]
fn actix_gets_one_request_at_a_time() {
    let it = connection();
    let two = [GET, GET].concat();
    assert_eq!(it.share(&two), GET.len(), "the first head alone");
    it.received(GET);
    it.begins(Length::IfNoneMatch(0));
    assert_eq!(it.share(GET), 0, "while it is being answered");
    it.ends();
    assert_eq!(it.share(GET), GET.len());
    let post = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(it.share(post), post.len(), "a body comes with its head");
    it.received(&post[..post.len() - 1]);
    it.begins(Length::IfNoneMatch(2));
    assert_eq!(it.share(b"}GET"), 1, "the rest of the body");
    it.awaits_body();
    assert_eq!(it.share(b"}GET"), 4, "whatever a handler waits for");
}

#[test]
fn a_head_ends_wherever_its_bytes_were_divided() {
    for at in 0..GET.len() {
        let it = connection();
        it.received(&GET[..at]);
        it.received(&GET[at..]);
        assert_eq!(it.head_end.load(Relaxed), GET.len() as u64, "{at}");
    }
}

#[test]
fn a_websocket_whose_session_has_ended_has_to_be_read_in_time() {
    let it = connection();
    it.begins(Length::IfNoneMatch(0));
    it.upgrades();
    it.blocks(10);
    it.ticks.set(60_000);
    it.hangs_up();
    assert_eq!((it.seen().stage, it.seen().blocked), (Stage::Closing, 60_000));
    it.ends();
    it.hangs_up();
    assert_eq!(it.seen().stage, Stage::Waiting, "its answer is over");
}

#[test]
fn a_connection_that_has_ended_cannot_be_asked_to_close() {
    let it = connection();
    assert!(it.ask_to_close(Reason::Full) && !it.ask_to_close(Reason::Full));
    assert_eq!(it.leaves(), Some(Reason::Full));
    assert!(!it.ask_to_close(Reason::Full));
}

#[test]
fn what_a_client_does_not_take_is_held_until_it_does() {
    let it = connection();
    it.begins(Length::IfNoneMatch(0));
    it.holds(100);
    it.blocks(10);
    assert_eq!(it.seen().held, 110);
    it.sent(4);
    assert_eq!(it.seen().blocked_bytes, 4);
    it.unblocks();
    assert_eq!((it.seen().held, it.seen().blocked), (0, 0));
}
