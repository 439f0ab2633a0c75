//! Processor time of a booking, by process. Unlike a rate, it hardly depends on other programs.

use std::fs;
use std::ops::{AddAssign, Sub};
use std::time::Duration;

/// Processor time so far, or between two readings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    pub nodes: Duration,
    pub postgres: Duration,
    pub redis: Duration,
    /// The guests, which run in this process.
    pub guests: Duration,
}

impl Spent {
    pub fn by(nodes: &[u32], postgres: u32, redis: u32) -> Self {
        let family = |pid: u32| own(pid) + children(pid).into_iter().map(own).sum::<Duration>();
        Self {
            nodes: nodes.iter().map(|node| own(*node)).sum(),
            postgres: family(postgres),
            redis: own(redis),
            guests: own(std::process::id()),
        }
    }
}

impl Sub for Spent {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            nodes: self.nodes - before.nodes,
            postgres: self.postgres - before.postgres,
            redis: self.redis - before.redis,
            guests: self.guests - before.guests,
        }
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, more: Self) {
        self.nodes += more.nodes;
        self.postgres += more.postgres;
        self.redis += more.redis;
        self.guests += more.guests;
    }
}

/// The time of a process and of its children that have ended, in Linux' ticks of 1/100 s.
fn own(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // After the name in brackets: user and system time, its own and its children's, are the 12th to 15th fields.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(4);
    Duration::from_millis(10 * fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>())
}

fn children(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}
