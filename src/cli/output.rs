//! What a command says: its result on stdout, everything else on stderr.
//!
//! The print macros panic when nobody reads any more. Here that is no failure: the command goes on to its end, so that its
//! exit code tells the truth also to `innkeeper verify | head`. A reader that stalls is another matter: a server must not
//! wait for it, so what `serve` says goes through [`within`].

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

/// The same with the end of a line.
pub fn line(text: impl Display) -> io::Result<()> {
    print(format_args!("{text}\n"))
}

/// Tells whoever watches. There is nobody to tell when that fails.
pub fn remark(text: impl Display) {
    let _ = write!(io::stderr(), "{text}");
}

/// Says something on a thread of its own, and waits for it no longer than `limit`. What nobody has read by then may be
/// lost, or read later.
pub fn within(limit: Duration, say: impl FnOnce() + Send + 'static) {
    let (caller, until, said) = (thread::current(), Instant::now() + limit, Arc::new(AtomicBool::new(false)));
    let done = said.clone();
    let speak = move || {
        say();
        done.store(true, Ordering::Release);
        caller.unpark();
    };
    if thread::Builder::new().name("output".into()).spawn(speak).is_err() {
        return;
    }
    while !said.load(Ordering::Acquire) {
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
    fn what_is_read_is_waited_for_and_what_is_not_is_left() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let saying = said.clone();
        within(Duration::from_secs(60), move || saying.lock().unwrap().push("read"));
        assert_eq!(*said.lock().unwrap(), ["read"]);
        let reader = Arc::new(Barrier::new(2));
        let stalled = reader.clone();
        within(Duration::from_millis(1), move || {
            stalled.wait();
        });
        reader.wait();
    }
}
