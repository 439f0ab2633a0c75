//! The output of a command: results on stdout, everything else on stderr.
//!
//! The print macros panic when the reader has closed the output. Here that is no failure: the command runs to its end, so
//! the exit code of `innkeeper verify | head` is right. A server must not wait for a reader that stalls, so `serve` prints
//! through [`within`].

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Prints a part of the result. A full disk is an error.
pub fn print(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Prints a line of the result.
pub fn line(text: impl Display) -> io::Result<()> {
    print(format_args!("{text}\n"))
}

/// Prints a remark on stderr. A failure is ignored.
pub fn remark(text: impl Display) {
    let _ = write!(io::stderr(), "{text}");
}

/// Prints on a thread of its own, and waits no longer than `limit` for the reader. Unread text may be lost, or read later.
pub fn within(limit: Duration, print: impl FnOnce() + Send + 'static) {
    let (caller, until, printed) = (thread::current(), Instant::now() + limit, Arc::new(AtomicBool::new(false)));
    let done = printed.clone();
    let run = move || {
        print();
        done.store(true, Ordering::Release);
        caller.unpark();
    };
    if thread::Builder::new().name("output".into()).spawn(run).is_err() {
        return;
    }
    while !printed.load(Ordering::Acquire) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Barrier, Mutex};

    use super::*;

    #[test]
    fn output_waits_for_a_reader_and_not_for_a_stalled_one() {
        let printed = Arc::new(Mutex::new(Vec::new()));
        let printing = printed.clone();
        within(Duration::from_secs(60), move || printing.lock().unwrap().push("read"));
        assert_eq!(*printed.lock().unwrap(), ["read"]);
        let reader = Arc::new(Barrier::new(2));
        let stalled = reader.clone();
        within(Duration::from_millis(1), move || {
            stalled.wait();
        });
        reader.wait();
    }
}
