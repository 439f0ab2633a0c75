//! The limit of frames per second.

use std::time::Duration;

use tokio::time::Instant;

/// Counts the frames of each second.
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

    /// Counts one frame. `false` if it exceeds the limit.
    pub fn allows(&mut self) -> bool {
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
    async fn each_second_has_its_own_limit() {
        let mut pace = Pace::new(2);
        assert_eq!([pace.allows(), pace.allows(), pace.allows()], [true, true, false]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!([pace.allows(), pace.allows(), pace.allows()], [true, true, false]);
    }
}
