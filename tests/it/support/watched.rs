//! A server beside us that is gone when we are.

use std::process::{Child, Command, Stdio};

/// Waits for the end of its input, which is ours. What is to be killed is the first argument.
const WATCH: &str = r#"trap '' INT TERM HUP; cat >/dev/null; kill -KILL "$1""#;

/// A process that is killed when this is dropped, and at the latest when this process ends, however that comes.
pub struct Watched {
    process: Child,
    /// Its input is open as long as we live.
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
        // Killed by the shell before anybody waits for it: until then its number is nobody else's.
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
        let _ = self.process.wait();
    }
}
