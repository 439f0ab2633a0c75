//! How many requests in a time (GCRA): all of the limit at once, then one at a time as it fills up again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::{DefaultKeyedRateLimiter, Quota};

use super::net::Net;
use crate::http::problem::Exceeded;

/// Callers that one policy tells apart. Beyond, those who come new share [`BUCKETS`] allowances.
pub const MAX_KEYS: usize = 100_000;
const BUCKETS: u64 = 16_384;
/// A site of IPv6 may have so many times the allowance of one of its networks.
const NETS_OF_A_SITE: u32 = 8;

/// Who is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    Net(Net),
    /// A number made of contact details.
    Contact(u64),
    /// Many callers together.
    Bucket(u64),
}

/// One limit.
pub struct Policy {
    name: &'static str,
    limit: u32,
    window: Duration,
    keys: DefaultKeyedRateLimiter<Key>,
    sites: DefaultKeyedRateLimiter<u64>,
    /// At least as many as there are keys.
    at_most: AtomicUsize,
    is_full: AtomicBool,
}

impl Policy {
    pub fn new(name: &'static str, limit: u32, window_secs: u64) -> Self {
        let window = Duration::from_secs(window_secs);
        let keys = DefaultKeyedRateLimiter::keyed(quota(limit, window));
        let sites = DefaultKeyedRateLimiter::keyed(quota(limit * NETS_OF_A_SITE, window));
        Self { name, limit, window, keys, sites, at_most: AtomicUsize::new(0), is_full: AtomicBool::new(false) }
    }

    /// Charges a network, and the site that it belongs to.
    pub fn charge_net(&self, net: Net) -> Result<(), Exceeded> {
        self.charge(&Key::Net(net))?;
        let Some(site) = net.site() else { return Ok(()) };
        let site = if self.is_full.load(Ordering::Relaxed) { site % BUCKETS } else { site };
        self.sites.check_key(&site).map_err(|until| self.exceeded(until.wait_time_from(self.sites.clock().now())))
    }

    pub fn charge(&self, key: &Key) -> Result<(), Exceeded> {
        let key = if self.has_room() { *key } else { bucket(key) };
        self.keys.check_key(&key).map_err(|until| self.exceeded(until.wait_time_from(self.keys.clock().now())))
    }

    /// Forgets who has all the allowance again.
    pub fn forget(&self) {
        self.keys.retain_recent();
        self.sites.retain_recent();
        let keys = self.keys.len().max(self.sites.len());
        self.at_most.store(keys, Ordering::Relaxed);
        self.is_full.store(keys >= MAX_KEYS, Ordering::Relaxed);
    }

    /// Each charge adds one key at most, so keys are counted only where there may be too many.
    fn has_room(&self) -> bool {
        if self.is_full.load(Ordering::Relaxed) {
            return false;
        }
        if self.at_most.fetch_add(1, Ordering::Relaxed) >= MAX_KEYS {
            let keys = self.keys.len().max(self.sites.len());
            self.at_most.store(keys, Ordering::Relaxed);
            self.is_full.store(keys >= MAX_KEYS, Ordering::Relaxed);
        }
        true
    }

    fn exceeded(&self, wait: Duration) -> Exceeded {
        Exceeded {
            policy: self.name,
            limit: self.limit,
            window_secs: self.window.as_secs(),
            retry_after_secs: i64::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX).max(1),
        }
    }
}

fn quota(limit: u32, window: Duration) -> Quota {
    let burst = NonZeroU32::new(limit).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(window / burst.get()).unwrap_or(Quota::per_second(burst)).allow_burst(burst)
}

/// The callers of a bucket have something in common that none of them can choose at will.
fn bucket(key: &Key) -> Key {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    Key::Bucket(hasher.finish() % BUCKETS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(n: u32) -> Net {
        Net::V4(n.into())
    }

    #[test]
    fn everybody_has_an_allowance_and_is_told_when_there_is_more() {
        let policy = Policy::new("p", 30, 60);
        for _ in 0..30 {
            policy.charge_net(v4(1)).unwrap();
        }
        let exceeded = policy.charge_net(v4(1)).unwrap_err();
        assert_eq!((exceeded.policy, exceeded.limit, exceeded.window_secs), ("p", 30, 60));
        assert!((1..=2).contains(&exceeded.retry_after_secs), "{exceeded:?}");
        policy.charge_net(v4(2)).unwrap();
    }

    #[test]
    fn the_networks_of_a_site_have_a_limit_together() {
        let policy = Policy::new("p", 2, 60);
        let admitted = (0..100).filter(|n| policy.charge_net(Net::V6(0x2001_0db8_0001_0000 + n)).is_ok()).count();
        assert_eq!(admitted, 16);
        policy.charge_net(Net::V6(0x2001_0db8_0002_0000)).unwrap();
    }

    #[test]
    fn memory_has_a_limit_whoever_comes() {
        let policy = Policy::new("p", 2, 3_600);
        for n in 0..150_000 {
            let _ = policy.charge_net(v4(n));
        }
        assert!(policy.keys.len() <= MAX_KEYS + 1 + usize::try_from(BUCKETS).unwrap(), "{}", policy.keys.len());
    }
}
