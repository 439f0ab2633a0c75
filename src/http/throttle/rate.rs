//! A rate limit: a burst of the whole limit, then a steady refill.
//!
//! The algorithm is GCRA (ITU-T I.371). It keeps one number for each caller: the time at which its allowance is full
//! again. The algorithm is implemented here, because a network and its site are charged together or not at all, and
//! because memory is bounded.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dashmap::DashMap;

use super::net::Net;
use crate::http::problem::Exceeded;

/// Callers with an allowance of their own in one meter. Further callers share [`BUCKETS`] allowances.
const MAX_KEYS: usize = 100_000;
const BUCKETS: u64 = 16_384;
/// The limit of an IPv6 site, as a multiple of the limit of one network.
const NETS_OF_A_SITE: u32 = 8;

/// One rate limit.
pub struct Policy {
    name: &'static str,
    limit: u32,
    window: Duration,
    callers: Meter,
    sites: Meter,
}

impl Policy {
    pub fn new(name: &'static str, limit: u32, window_secs: u64) -> Self {
        let window = Duration::from_secs(window_secs);
        let (callers, sites) = (Meter::new(limit, window), Meter::new(limit * NETS_OF_A_SITE, window));
        Self { name, limit, window, callers, sites }
    }

    /// Charges a network and its site. If one of them is at its limit, neither is charged.
    pub fn charge_net(&self, net: Net) -> Result<(), Exceeded> {
        let now = Instant::now();
        let Some(site) = net.site() else { return self.callers.take(&net, now).map_err(|wait| self.exceeded(wait)) };
        let charged = self.sites.check(&site, now).and_then(|()| self.callers.take(&net, now));
        charged.and_then(|()| self.sites.take(&site, now)).map_err(|wait| self.exceeded(wait))
    }

    /// Charges all of these callers. If one of them is at its limit, none is charged.
    pub fn charge(&self, callers: &[u64]) -> Result<(), Exceeded> {
        let now = Instant::now();
        let checked = callers.iter().try_for_each(|caller| self.callers.check(caller, now));
        let charged = checked.and_then(|()| callers.iter().try_for_each(|caller| self.callers.take(caller, now)));
        charged.map_err(|wait| self.exceeded(wait))
    }

    /// Drops the keys with a full allowance.
    pub fn forget(&self) {
        let now = Instant::now();
        self.callers.forget(now);
        self.sites.forget(now);
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

/// The allowances of many callers. The key of a caller is a hash with a secret, so a caller cannot choose which
/// allowance it shares.
struct Meter {
    hasher: RandomState,
    /// The time in which one request is refilled, and the burst.
    period: Duration,
    burst: u32,
    /// When the allowance of a caller is full again.
    full_at: DashMap<u64, Instant>,
    /// An upper bound of the entries in `full_at`.
    keys: AtomicUsize,
}

impl Meter {
    fn new(limit: u32, window: Duration) -> Self {
        let burst = limit.max(1);
        let (hasher, full_at, keys) = Default::default();
        Self { hasher, period: window / burst, burst, full_at, keys }
    }

    /// Whether a caller may send a request now, or how long it must wait. Charges nothing.
    fn check(&self, caller: &impl Hash, now: Instant) -> Result<(), Duration> {
        let full_at = self.full_at.get(&self.key(caller)).map_or(now, |full_at| *full_at);
        self.wait(full_at, now)
    }

    /// Charges one request. A refused request charges nothing.
    fn take(&self, caller: &impl Hash, now: Instant) -> Result<(), Duration> {
        let key = self.key(caller);
        let mut full_at = self.full_at.entry(key).or_insert_with(|| {
            self.keys.fetch_add(1, Ordering::Relaxed);
            now
        });
        self.wait(*full_at, now)?;
        *full_at = (*full_at).max(now) + self.period;
        Ok(())
    }

    fn wait(&self, full_at: Instant, now: Instant) -> Result<(), Duration> {
        let after = full_at.saturating_duration_since(now) + self.period;
        match after.saturating_sub(self.period * self.burst) {
            Duration::ZERO => Ok(()),
            wait => Err(wait),
        }
    }

    /// The key of a caller. A new caller in a full meter gets a shared key.
    fn key(&self, caller: &impl Hash) -> u64 {
        let key = self.hasher.hash_one(caller);
        let is_full = self.keys.load(Ordering::Relaxed) >= MAX_KEYS;
        if is_full && !self.full_at.contains_key(&key) { key % BUCKETS } else { key }
    }

    fn forget(&self, now: Instant) {
        self.full_at.retain(|_, full_at| *full_at > now);
        self.keys.store(self.full_at.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(n: u32) -> Net {
        Net::V4(n.into())
    }

    #[test]
    fn every_network_has_its_own_limit_and_learns_when_to_retry() {
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
    fn an_allowance_is_refilled_one_request_at_a_time() {
        let (meter, start) = (Meter::new(2, Duration::from_secs(60)), Instant::now());
        let at = |secs| start + Duration::from_secs(secs);
        let taken = [0, 0, 0, 29, 30, 30, 1_000, 1_000, 1_000].map(|secs| meter.take(&1, at(secs)).is_ok());
        assert_eq!(taken, [true, true, false, false, true, false, true, true, false]);
        assert_eq!(meter.take(&1, at(1_010)), Err(Duration::from_secs(20)));
        meter.forget(at(1_059));
        assert_eq!(meter.full_at.len(), 1);
        meter.forget(at(1_060));
        assert_eq!(meter.full_at.len(), 0);
    }

    #[test]
    fn the_networks_of_a_site_share_a_limit() {
        let policy = Policy::new("p", 2, 60);
        let admitted = (0..100).filter(|n| policy.charge_net(Net::V6(0x2001_0db8_0001_0000 + n)).is_ok()).count();
        assert_eq!(admitted, 16);
        policy.charge_net(Net::V6(0x2001_0db8_0002_0000)).unwrap();
        assert_eq!(policy.callers.full_at.len(), 17, "a refused network leaves no entry");
    }

    #[test]
    fn a_refused_network_charges_nothing_to_its_site() {
        let policy = Policy::new("p", 2, 60);
        for _ in 0..100 {
            let _ = policy.charge_net(Net::V6(0x2001_0db8_0001_0000));
        }
        let admitted = (1..100).filter(|n| policy.charge_net(Net::V6(0x2001_0db8_0001_0000 + n)).is_ok()).count();
        assert_eq!(admitted, 14);
    }

    #[test]
    fn all_of_several_are_charged_or_none() {
        let policy = Policy::new("p", 2, 60);
        policy.charge(&[1]).unwrap();
        policy.charge(&[1, 2]).unwrap();
        for _ in 0..10 {
            policy.charge(&[2, 1]).unwrap_err();
        }
        policy.charge(&[2]).unwrap();
    }

    #[test]
    fn memory_is_bounded_and_known_callers_keep_their_allowance() {
        let policy = Policy::new("p", 2, 3_600);
        policy.charge_net(v4(0)).unwrap();
        for n in 1..150_000 {
            let _ = policy.charge_net(v4(n));
        }
        let keys = policy.callers.full_at.len();
        assert!(keys <= MAX_KEYS + usize::try_from(BUCKETS).unwrap(), "{keys}");
        policy.charge_net(v4(0)).unwrap();
        policy.charge_net(v4(0)).unwrap_err();
    }
}
