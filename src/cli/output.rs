//! What a command says: its result on stdout, everything else on stderr.
//!
//! The print macros panic when nobody reads any more. Here that is no failure: the command goes on to its end, so that its
//! exit code tells the truth also to `innkeeper verify | head`.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

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
