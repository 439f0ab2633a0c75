//! A rate limit: a burst of the whole limit, then a steady refill (GCRA, by governor).
//!
//! governor decides; [`Allowances`] stores what it decided on. A network and its site are charged together or not at all, so
//! a charge can be tried without being stored. The number of stored allowances is bounded.

use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dashmap::{DashMap, Entry};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};

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
        let Some(site) = net.site() else { return self.callers.take(&net).map_err(|wait| self.exceeded(wait)) };
        let charged = self.sites.check(&site).and_then(|()| self.callers.take(&net));
        charged.and_then(|()| self.sites.take(&site)).map_err(|wait| self.exceeded(wait))
    }

    /// Charges all of these callers. If one of them is at its limit, none is charged.
    pub fn charge(&self, callers: &[u64]) -> Result<(), Exceeded> {
        let checked = callers.iter().try_for_each(|caller| self.callers.check(caller));
        let charged = checked.and_then(|()| callers.iter().try_for_each(|caller| self.callers.take(caller)));
        charged.map_err(|wait| self.exceeded(wait))
    }

    /// Drops the keys with a full allowance.
    pub fn forget(&self) {
        self.callers.forget();
        self.sites.forget();
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

/// The rate of many callers. The key of a caller is a hash with a secret, so a caller cannot choose which allowance it
/// shares.
struct Meter<C: Clock = DefaultClock> {
    hasher: RandomState,
    limiter: RateLimiter<Charge, Allowances, C, NoOpMiddleware<C::Instant>>,
}

/// One request of a caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Charge {
    caller: u64,
    /// Only asks whether the request would be admitted.
    is_trial: bool,
}

/// When the allowance of each caller is full again.
#[derive(Default)]
struct Allowances {
    full_at: DashMap<u64, Nanos>,
    /// The number of entries, read without locks.
    count: AtomicUsize,
}

impl Meter {
    fn new(limit: u32, window: Duration) -> Self {
        Self::with_clock(limit, window, DefaultClock::default())
    }

    /// Drops the callers with a full allowance.
    fn forget(&self) {
        self.limiter.retain_recent();
    }
}

impl<C: Clock> Meter<C> {
    fn with_clock(limit: u32, window: Duration, clock: C) -> Self {
        let burst = NonZeroU32::new(limit).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(window / burst.get()).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        Self { hasher: RandomState::new(), limiter: RateLimiter::new(quota, Allowances::default(), clock) }
    }

    /// Whether a caller may send a request now, or how long it must wait. Charges nothing.
    fn check(&self, caller: &impl Hash) -> Result<(), Duration> {
        self.ask(caller, true)
    }

    /// Charges one request. A refused request charges nothing.
    fn take(&self, caller: &impl Hash) -> Result<(), Duration> {
        self.ask(caller, false)
    }

    fn ask(&self, caller: &impl Hash, is_trial: bool) -> Result<(), Duration> {
        let charge = Charge { caller: self.hasher.hash_one(caller), is_trial };
        self.limiter.check_key(&charge).map_err(|until| until.wait_time_from(self.limiter.clock().now()))
    }
}

impl Allowances {
    /// The allowance of a caller. A new caller shares one when the store is full.
    fn slot(&self, caller: u64) -> u64 {
        let is_full = self.count.load(Ordering::Relaxed) >= MAX_KEYS;
        if is_full && !self.full_at.contains_key(&caller) { caller % BUCKETS } else { caller }
    }
}

impl StateStore for Allowances {
    type Key = Charge;

    fn measure_and_replace<T, F, E>(&self, charge: &Charge, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let slot = self.slot(charge.caller);
        if charge.is_trial {
            let full_at = self.full_at.get(&slot).map(|full_at| *full_at);
            return decide(full_at).map(|(admitted, _)| admitted);
        }
        match self.full_at.entry(slot) {
            Entry::Occupied(mut entry) => {
                let (admitted, full_at) = decide(Some(*entry.get()))?;
                entry.insert(full_at);
                Ok(admitted)
            }
            Entry::Vacant(entry) => {
                let (admitted, full_at) = decide(None)?;
                entry.insert(full_at);
                self.count.fetch_add(1, Ordering::Relaxed);
                Ok(admitted)
            }
        }
    }
}

impl ShrinkableKeyedStateStore<Charge> for Allowances {
    fn retain_recent(&self, drop_below: Nanos) {
        self.full_at.retain(|_, full_at| *full_at > drop_below);
        self.count.store(self.full_at.len(), Ordering::Relaxed);
    }

    fn len(&self) -> usize {
        self.full_at.len()
    }

    fn is_empty(&self) -> bool {
        self.full_at.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

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
        let clock = FakeRelativeClock::default();
        let meter = Meter::with_clock(2, Duration::from_secs(60), clock.clone());
        let taken = [0, 0, 0, 29, 1, 0, 970, 0, 0].map(|secs| {
            clock.advance(Duration::from_secs(secs));
            (meter.check(&1).is_ok(), meter.take(&1).is_ok())
        });
        let expected = [true, true, false, false, true, false, true, true, false];
        assert_eq!(taken, expected.map(|admitted| (admitted, admitted)));
        clock.advance(Duration::from_secs(10));
        assert_eq!(meter.take(&1), Err(Duration::from_secs(20)));
    }

    #[test]
    fn callers_with_a_full_allowance_are_forgotten() {
        let (allowances, at) = (Allowances::default(), |secs| Nanos::from(Duration::from_secs(secs)));
        for caller in 1..=20 {
            let charge = Charge { caller, is_trial: false };
            allowances.measure_and_replace(&charge, |_| Ok::<_, ()>(((), at(caller)))).unwrap();
        }
        allowances.retain_recent(at(15));
        assert_eq!((allowances.len(), allowances.count.load(Ordering::Relaxed)), (5, 5));
    }

    #[test]
    fn the_networks_of_a_site_share_a_limit() {
        let policy = Policy::new("p", 2, 60);
        let admitted = (0..100).filter(|n| policy.charge_net(Net::V6(0x2001_0db8_0001_0000 + n)).is_ok()).count();
        assert_eq!(admitted, 16);
        policy.charge_net(Net::V6(0x2001_0db8_0002_0000)).unwrap();
        assert_eq!(policy.callers.limiter.len(), 17, "a refused network leaves no entry");
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
        let keys = policy.callers.limiter.len();
        assert!(keys <= MAX_KEYS + usize::try_from(BUCKETS).unwrap(), "{keys}");
        policy.charge_net(v4(0)).unwrap();
        policy.charge_net(v4(0)).unwrap_err();
    }
}
