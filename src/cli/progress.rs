//! The progress bar of long commands: on stderr, and only if that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `steps` steps of `what`.
pub fn bar(steps: u64, what: &'static str) -> ProgressBar {
    styled(steps, what, "{msg:>12} [{bar:40}] {human_pos}/{human_len} {per_sec}, {eta} left")
}

/// A bar over some seconds of `what`. Its prefix shows the current rates.
pub fn clock(seconds: u64, what: &'static str) -> ProgressBar {
    styled(seconds, what, "{msg:>12} [{bar:40}] {pos}/{len} s  {prefix}")
}

fn styled(steps: u64, what: &'static str, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps).with_style(style.progress_chars("█▉▊▋▌▍▎▏ ")).with_message(what)
}
