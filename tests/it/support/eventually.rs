//! Waiting for what other processes bring about in their own time.

use std::time::Duration;

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
