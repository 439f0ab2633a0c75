//! Where the head of a request begins and ends. Line breaks before it are passed over, as actix does.

/// The end of a head.
const END: u32 = u32::from_be_bytes(*b"\r\n\r\n");
/// The end of a head as clients write it that know no carriage returns.
const SHORT_END: u32 = 0x0A0A;

/// Whether the last four bytes read end a head.
pub fn ends(tail: u32) -> bool {
    tail == END || tail & 0xFFFF == SHORT_END
}

/// How many line breaks these bytes begin with.
pub fn blank(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// Whether so many of the last four bytes read are line breaks.
pub fn is_blank(tail: u32, bytes: u64) -> bool {
    let last = tail.to_be_bytes().into_iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    bytes <= last as u64
}

/// Where a head ends in these bytes, which begin with it, or with line breaks before it.
pub fn end_of_next(bytes: &[u8]) -> Option<usize> {
    let blank = blank(bytes);
    end(0, &bytes[blank..]).map(|end| blank + end)
}

/// Where a head ends in these bytes, which follow on the four of `tail`: after two line feeds with nothing between them,
/// or a carriage return.
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
