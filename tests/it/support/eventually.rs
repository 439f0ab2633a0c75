//! Waiting for what other processes bring about in their own time.

use std::time::{Duration, Instant};

/// How long something may take on a busy machine. Nothing is measured by it: it is how a test fails that waits in vain.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until it is so; what never is, fails the test by name.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asked = tokio::time::timeout(PATIENCE, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(asked.await.is_ok(), "never: {what}");
}

/// The same where nothing else is to be done meanwhile.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
