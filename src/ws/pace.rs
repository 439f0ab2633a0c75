//! How fast a client may talk.

use std::time::Duration;

use tokio::time::Instant;

/// Counts messages second by second.
#[derive(Debug)]
pub struct Pace {
    limit: usize,
    second: Instant,
    count: usize,
}

impl Pace {
    pub fn new(limit: usize) -> Self {
        Self { limit, second: Instant::now(), count: 0 }
    }

    /// Counts one more; `false` if it is one too many.
    pub fn keeps(&mut self) -> bool {
        if self.second.elapsed() >= Duration::from_secs(1) {
            (self.second, self.count) = (Instant::now(), 0);
        }
        self.count += 1;
        self.count <= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_second_counts_for_itself() {
        let mut pace = Pace::new(2);
        assert_eq!([pace.keeps(), pace.keeps(), pace.keeps()], [true, true, false]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!([pace.keeps(), pace.keeps(), pace.keeps()], [true, true, false]);
    }
}
