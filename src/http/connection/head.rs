//! Finds where the head of a request begins and ends. Line breaks before a head are skipped, as actix does.

/// The end of a head.
const END: u32 = u32::from_be_bytes(*b"\r\n\r\n");
/// The end of a head from a client that sends line feeds only.
const SHORT_END: u32 = 0x0A0A;

/// Whether the last four bytes read end a head.
pub fn ends(tail: u32) -> bool {
    tail == END || tail & 0xFFFF == SHORT_END
}

/// The number of line-break bytes at the beginning of these bytes.
pub fn blank(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// Whether at least `bytes` of the last four bytes read are line breaks.
pub fn is_blank(tail: u32, bytes: u64) -> bool {
    let last = tail.to_be_bytes().into_iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    bytes <= last as u64
}

/// Where a head ends in these bytes. They begin with the head, or with line breaks before it.
pub fn end_of_next(bytes: &[u8]) -> Option<usize> {
    let blank = blank(bytes);
    end(0, &bytes[blank..]).map(|end| blank + end)
}

/// Where a head ends in these bytes, which follow the four bytes of `tail`. A head ends with two line feeds that have
/// at most a carriage return between them.
pub fn end(tail: u32, bytes: &[u8]) -> Option<usize> {
    let tail = tail.to_be_bytes();
    let before = |end: usize, back: usize| match end.checked_sub(back) {
        Some(index) => bytes[index],
        None => tail[4 + end - back],
    };
    memchr::memchr_iter(b'\n', bytes).find_map(|end| {
        let is_end = before(end, 1) == b'\n' || before(end, 1) == b'\r' && before(end, 2) == b'\n';
        is_end.then_some(end + 1)
    })
}
