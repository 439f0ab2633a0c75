//! A child server that ends with its parent.

use std::process::{Child, Command, Stdio};

/// Waits for the end of its input, which belongs to the parent. The first argument is the process to kill.
const WATCH: &str = r#"trap '' INT TERM HUP; cat >/dev/null; kill -KILL "$1""#;

/// A process that is killed when this is dropped, and in every case when this process ends.
pub struct Watched {
    process: Child,
    /// Its input is open as long as this process lives.
    watch: Child,
}

impl Watched {
    pub fn new(process: Child) -> Self {
        let mut watch = Command::new("sh");
        watch.args(["-c", WATCH, "sh", &process.id().to_string()]).stdin(Stdio::piped());
        let watch = watch.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { process, watch }
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // The shell kills the process before this process waits for it. Until then no other process gets its number.
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
        let _ = self.process.wait();
    }
}
