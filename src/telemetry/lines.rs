//! Log lines on their way to stderr. A thread of its own writes them, so a reader that stalls blocks no other thread.
//!
//! Limits: [`ROOM`] bytes wait, and as many are being written. Further lines are dropped and counted in
//! `innkeeper_log_lines_dropped_total`. [`super::repeats`] limits repeated warnings and errors.
//! Other lines have no limit here. The access log limits its own lines.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Bytes that wait for the thread that writes.
const ROOM: usize = 1024 * 1024;

/// Takes log lines. A clone hands them to the same thread.
#[derive(Clone)]
pub struct Lines(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    /// Signals lines that wait, and lines that are written.
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<u8>,
    /// Whether the thread is writing now.
    writing: bool,
    /// Lines dropped since the log last said so.
    dropped: u64,
}

/// One line.
pub struct Line<'a>(&'a Shared);

impl Lines {
    /// Starts the thread that writes to `out`.
    pub fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, changed) = Default::default();
        let shared = Arc::new(Shared { queue, changed });
        let writer = shared.clone();
        thread::Builder::new().name("log".into()).spawn(move || writer.write_for_ever(out))?;
        Ok(Self(shared))
    }

    /// Waits until everything is written, at most for `limit`.
    pub fn flush(&self, limit: Duration) {
        let pending = |queue: &mut Queue| queue.writing || !queue.waiting.is_empty();
        let _ = self.0.changed.wait_timeout_while(self.0.queue(), limit, pending);
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &[u8]) {
        let mut queue = self.queue();
        if queue.waiting.len() + line.len() > ROOM {
            queue.dropped += 1;
            drop(queue);
            metrics::counter!("innkeeper_log_lines_dropped_total").increment(1);
            return;
        }
        queue.waiting.extend_from_slice(line);
        drop(queue);
        self.changed.notify_all();
    }

    fn write_for_ever(&self, mut out: impl Write) {
        let mut batch = Vec::new();
        loop {
            let idle = |queue: &mut Queue| queue.waiting.is_empty();
            let mut queue = self.changed.wait_while(self.queue(), idle).unwrap_or_else(PoisonError::into_inner);
            batch.clear();
            std::mem::swap(&mut queue.waiting, &mut batch);
            queue.writing = true;
            drop(queue);
            // A reader that has gone away is no reason to stop: another one may take over the descriptor.
            if out.write_all(&batch).and_then(|()| out.flush()).is_err() {
                let lines = batch.iter().filter(|byte| **byte == b'\n').count();
                metrics::counter!("innkeeper_log_lines_dropped_total").increment(lines as u64);
            }
            let mut queue = self.queue();
            queue.writing = false;
            let dropped = std::mem::take(&mut queue.dropped);
            drop(queue);
            self.changed.notify_all();
            if dropped > 0 {
                tracing::warn!(dropped, "log lines were dropped, because stderr was not read fast enough");
            }
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

/// Takes a whole line at once, and never fails.
impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Collects what is written, while nobody holds the lock.
    #[derive(Clone, Default)]
    struct Reader(Arc<Mutex<Vec<u8>>>);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_arrive_in_order_and_whole() {
        let reader = Reader::default();
        let lines = Lines::start(reader.clone()).unwrap();
        for number in 0..1_000 {
            lines.0.push(format!("line {number}\n").as_bytes());
        }
        lines.flush(Duration::from_secs(60));
        let expected: String = (0..1_000).map(|number| format!("line {number}\n")).collect();
        assert_eq!(String::from_utf8(reader.0.lock().unwrap().clone()).unwrap(), expected);
    }

    #[test]
    fn a_reader_that_stalls_costs_lines_and_bounded_memory() {
        let reader = Reader::default();
        let lines = Lines::start(reader.clone()).unwrap();
        let stalled = reader.0.lock().unwrap();
        let line = [b'x'; 1_000];
        for _ in 0..10_000 {
            lines.0.push(&line);
        }
        lines.flush(Duration::from_millis(1));
        let queue = lines.0.queue();
        assert!(queue.dropped >= 10_000 - 2 * (ROOM / line.len()) as u64, "{}", queue.dropped);
        assert!(queue.waiting.len() <= ROOM && queue.waiting.capacity() <= 2 * ROOM);
        drop((queue, stalled));
        lines.flush(Duration::from_secs(60));
        assert!(reader.0.lock().unwrap().len() <= 2 * ROOM);
    }
}
