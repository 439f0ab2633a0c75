//! Logs and metrics of this process.
//!
//! Called once by `cli/` before anything else runs ([`start_logging`]) and by `app.rs` ([`metrics()`]). It decides where log
//! lines go (stderr, so that stdout stays free for results), makes panics visible, and keeps the numbers that `/metrics`
//! shows. The recorder and the subscriber are process-wide, because the `tracing` and `metrics` facades are.
//!
//! Invariant: a thread that logs never waits for the reader of the log (`lines`). Events that only a client can cause are
//! not logged as warnings or errors ([`filter`]).

mod described;
pub mod filter;
mod lines;
mod numbers;
mod repeats;

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::time::Duration;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;
use lines::Lines;
use repeats::Repeats;

pub use filter::Filter;
pub use numbers::{Metrics, metrics};

/// The lines of this process, once logging has started.
static LINES: OnceLock<Lines> = OnceLock::new();

/// Sends log lines to stderr and panics to the log. A second call changes nothing.
pub fn start_logging(filter: &Filter, format: LogFormat) -> io::Result<()> {
    let lines = Lines::start(io::stderr())?;
    let layer = tracing_subscriber::fmt::layer().with_writer(lines.clone()).with_ansi(io::stderr().is_terminal());
    let (registry, filter) = (tracing_subscriber::registry(), filter.targets().and(Repeats::default()));
    let installed = match format {
        LogFormat::Text => registry.with(layer.with_filter(filter)).try_init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true).with_filter(filter)).try_init(),
    };
    if installed.is_ok() {
        let _ = LINES.set(lines);
        report_panics();
    }
    Ok(())
}

/// Waits until the log is written, at most for `limit`: its reader may have stalled.
pub fn flush_log(limit: Duration) {
    if let Some(lines) = LINES.get() {
        lines.flush(limit);
    }
}

/// Logs and counts every panic. The supervisor of the task catches it.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        metrics::counter!("innkeeper_panics_total").increment(1);
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, message, "panicked");
    }));
}
