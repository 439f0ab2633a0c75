//! The background tasks of the leases: one renews them, one sends heartbeats, one checks the store.
//!
//! They are separate tasks, so that neither a thousand leases nor a store that hangs delays a heartbeat. A failure is
//! counted, and the next turn tries again. Renewals are a third of the TTL apart, so a lease survives two failed turns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{GivenAway, RedisLease};
use crate::domain::RoomTypeId;
use crate::lease::{Revoked, Token, Unavailable, Why};

/// Renewals in flight at once: the connection sends them together.
const AT_ONCE: usize = 512;
/// After so many failures without a single answer, the rest of the turn is skipped.
const GIVE_UP_AFTER: usize = 512;
/// Room types that one turn hands over to their preferred nodes: a node that joins receives its share gradually. Each is
/// revoked once, so one that cannot end does not hold up the others.
const HANDED_OVER_AT_ONCE: usize = 64;

/// Sends heartbeats until `stop`.
pub async fn beat(lease: Arc<RedisLease>, stop: CancellationToken) {
    let mut ticks = ticks(lease.leases.heartbeat_interval());
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        beat_once(&lease).await;
    }
}

/// Sends one heartbeat. A node that has become an outsider hands over every room type at once.
pub async fn beat_once(lease: &RedisLease) {
    let beaten = lease.registry.beat(lease.holdings.len()).await;
    if lease.registry.outsider().is_some() && lease.holdings.len() > 0 {
        let held = lease.holdings.all();
        lease.revoke(held.into_iter().map(|(room_type, token)| Revoked { room_type, token, why: Why::CutOff }));
    }
    if let Err(error) = beaten {
        metrics::counter!("innkeeper_heartbeats_failed_total").increment(1);
        warn!(
            error = &error as &dyn std::error::Error,
            "a heartbeat failed: the other nodes do not learn that this one is alive"
        );
    }
}

/// Renews every lease until `stop`.
pub async fn renew(lease: Arc<RedisLease>, stop: CancellationToken) {
    let mut ticks = ticks(lease.leases.ttl / 3);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let turn = renew_once(&lease).await;
        metrics::counter!("innkeeper_lease_renewals_failed_total").increment(turn.failed as u64);
        if let Some(error) = &turn.last_error {
            let error = error as &dyn std::error::Error;
            warn!(failed = turn.failed, error, "leases cannot be renewed; their owners continue");
        }
        if turn.failed == 0 || turn.answered > 0 {
            hand_over_misplaced(&lease).await;
        }
    }
}

/// Counts this node's heartbeats in the store until `stop`, and so compares the databases of the peers. A node whose store
/// has not answered for two thirds of the TTL is cut off: it hands over every room type, about as fast as if it had died.
pub async fn watch_store(lease: Arc<RedisLease>, stop: CancellationToken) {
    let (mut ticks, patience) = (ticks(lease.leases.heartbeat_interval()), lease.leases.ttl / 3);
    let mut answered = Instant::now();
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if lease.registry.check_database(patience).await {
            answered = Instant::now();
        }
        let is_cut_off = answered.elapsed() > 2 * patience;
        if lease.registry.cut_off(is_cut_off) != is_cut_off {
            match is_cut_off {
                true => {
                    warn!("the store cannot be reached: this node hands over every room type to nodes that reach it")
                }
                false => info!("the store is reached again: this node takes its share of the room types"),
            }
            beat_once(&lease).await;
        }
    }
}

/// The results of one turn.
#[derive(Default)]
struct Turn {
    answered: usize,
    failed: usize,
    last_error: Option<Unavailable>,
}

/// One turn. After a failure the other renewals are still tried: only a part of a Redis Cluster may be away.
async fn renew_once(lease: &RedisLease) -> Turn {
    let mut turn = Turn::default();
    let held = stream::iter(lease.holdings.all());
    let mut renewals = held.map(|(room_type, token)| renew_one(lease, room_type, token)).buffer_unordered(AT_ONCE);
    while let Some(renewed) = renewals.next().await {
        match renewed {
            Ok(()) => turn.answered += 1,
            Err(error) => {
                turn.failed += 1;
                turn.last_error = Some(error);
            }
        }
        if turn.answered == 0 && turn.failed >= GIVE_UP_AFTER {
            break;
        }
    }
    turn
}

async fn renew_one(lease: &RedisLease, room_type: RoomTypeId, token: Token) -> Result<(), Unavailable> {
    let asked_at = Instant::now();
    if lease.leases.renew(room_type, token).await? {
        lease.holdings.confirm(room_type, token, asked_at);
        return Ok(());
    }
    // The lease may have been released or granted anew meanwhile.
    if lease.holdings.forget(room_type, token) {
        metrics::counter!("innkeeper_leases_lost_total").increment(1);
        warn!(%room_type, token = token.0, "a lease is lost: another node has it, or it was released");
        lease.revoke([Revoked { room_type, token, why: Why::Lost }]);
    }
    Ok(())
}

/// Revokes some of the room types whose preferred node is another one, such as a node that has joined.
async fn hand_over_misplaced(lease: &RedisLease) {
    lease.forget_what_was_given_away();
    if misplaced(lease).next().is_none() {
        return;
    }
    // The view may be out of date: a node that drains sends everything here.
    beat_once(lease).await;
    // A node that cannot store anything hands over everything.
    let at_once = if lease.registry.is_cut_off() { usize::MAX } else { HANDED_OVER_AT_ONCE };
    let revoked: Vec<_> = misplaced(lease).take(at_once).collect();
    if revoked.is_empty() {
        return;
    }
    info!(room_types = revoked.len(), "room types are handed over to their preferred nodes");
    let until = Instant::now() + lease.leases.ttl;
    for Revoked { room_type, token, .. } in &revoked {
        lease.given_away.insert(*room_type, GivenAway { token: *token, until });
    }
    lease.revoke(revoked);
}

/// Room types whose preferred node is another one, by the current view, and that were not revoked yet.
fn misplaced(lease: &RedisLease) -> impl Iterator<Item = Revoked> {
    let is_misplaced = |(room_type, token): &(RoomTypeId, Token)| {
        let asked = lease.given_away.get(room_type).is_some_and(|given| given.token == *token);
        let elsewhere = lease.registry.preferred_as_seen(*room_type).is_some_and(|to| to != lease.leases.me);
        !asked && elsewhere
    };
    let why = if lease.registry.is_cut_off() { Why::CutOff } else { Why::Misplaced };
    let held = lease.holdings.all().into_iter().filter(is_misplaced);
    held.map(move |(room_type, token)| Revoked { room_type, token, why })
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
