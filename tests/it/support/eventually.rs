//! Waits for effects of other processes.

use std::time::{Duration, Instant};

/// The time-out on a busy machine. It measures nothing: it ends a test that waits in vain.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Repeats a check until it succeeds. A check that never does fails the test by its name.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asked = tokio::time::timeout(PATIENCE, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(asked.await.is_ok(), "never: {what}");
}

/// The same where nothing else is done meanwhile.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
