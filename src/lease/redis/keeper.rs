//! The keeper: renews what this node was granted, says that it lives, and whether it reaches the store.
//!
//! A task for each, so that a thousand leases never delay a heartbeat. What fails is counted and tried again at the
//! next turn; a third of the TTL apart, a lease survives two turns that failed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{GivenAway, RedisLease};
use crate::domain::RoomTypeId;
use crate::lease::{Revoked, Token, Unavailable, Why};
use crate::store::Identity;

/// Renewals on their way at once: the connection sends them together.
const AT_ONCE: usize = 512;
/// After so many failures without a single answer, Redis is away for all the others too.
const IN_VAIN: usize = 512;
/// Room types that one turn hands to the nodes that are to have them: a node that joins is given its share little by
/// little. Each is asked to end once; one that cannot does not keep the others back.
const HANDED_OVER_AT_ONCE: usize = 64;

/// Sends heartbeats until it is told to stop.
pub async fn beat(lease: Arc<RedisLease>, stop: CancellationToken) {
    let mut ticks = ticks(lease.leases.beat_every());
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        beat_once(&lease).await;
    }
}

/// Says it once. A node that is no member any more lets the others have everything at once.
pub async fn beat_once(lease: &RedisLease) {
    let beaten = lease.registry.beat(lease.holdings.len()).await;
    if lease.registry.outsider().is_some() && lease.holdings.len() > 0 {
        let held = lease.holdings.all();
        lease.revoke(held.into_iter().map(|(room_type, token)| Revoked { room_type, token, why: Why::CutOff }));
    }
    if let Err(error) = beaten {
        metrics::counter!("innkeeper_heartbeats_failed_total").increment(1);
        warn!(error = &error as &dyn std::error::Error, "the other nodes cannot be told that this one lives");
    }
}

/// Renews every lease until it is told to stop.
pub async fn renew(lease: Arc<RedisLease>, stop: CancellationToken) {
    let mut ticks = ticks(lease.leases.ttl / 3);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let turn = renew_once(&lease).await;
        metrics::counter!("innkeeper_lease_renewals_failed_total").increment(turn.failed as u64);
        if let Some(error) = &turn.last_error {
            let error = error as &dyn std::error::Error;
            warn!(failed = turn.failed, error, "leases cannot be renewed; what is owned goes on");
        }
        if turn.failed == 0 || turn.answered > 0 {
            hand_over_misplaced(&lease).await;
        }
    }
}

/// Asks the store whether it answers, until it is told to stop. A node that has heard nothing of it for two thirds of the TTL can store
/// nothing: the others are to have what it owns, within about the time that they would need if it had died.
pub async fn watch_store<F: Future<Output = Option<Identity>>>(
    lease: Arc<RedisLease>,
    identity: Arc<impl Fn() -> F>,
    stop: CancellationToken,
) {
    let (mut ticks, patience) = (ticks(lease.leases.beat_every()), lease.leases.ttl / 3);
    let mut heard = Instant::now();
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let found = timeout(patience, identity()).await.ok().flatten();
        lease.registry.works_on(found.as_ref());
        if found.is_some() {
            heard = Instant::now();
        }
        let is_cut_off = heard.elapsed() > 2 * patience;
        if lease.registry.cut_off(is_cut_off) != is_cut_off {
            match is_cut_off {
                true => warn!("the store cannot be reached: nodes that reach it are to have every room type"),
                false => info!("the store is reached again: this node takes its share of the room types"),
            }
            beat_once(&lease).await;
        }
    }
}

/// What became of the renewals of one turn.
#[derive(Default)]
struct Turn {
    answered: usize,
    failed: usize,
    last_error: Option<Unavailable>,
}

/// One turn. One failure says nothing of the others: a part of a Redis Cluster may be away.
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
        if turn.answered == 0 && turn.failed >= IN_VAIN {
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
    // It may have been given back or granted anew while it was asked for.
    if lease.holdings.forget(room_type, token) {
        metrics::counter!("innkeeper_leases_lost_total").increment(1);
        warn!(%room_type, token = token.0, "a lease is lost: another node has it, or it was given back");
        lease.revoke([Revoked { room_type, token, why: Why::Lost }]);
    }
    Ok(())
}

/// Lets go of some of the room types that another node is to have, such as one that has joined.
async fn hand_over_misplaced(lease: &RedisLease) {
    lease.forget_what_was_given_away();
    if misplaced(lease).next().is_none() {
        return;
    }
    // What was seen a moment ago may be over: a node that drains sends everything here.
    beat_once(lease).await;
    // Who cannot store anything keeps nothing back.
    let at_once = if lease.registry.is_cut_off() { usize::MAX } else { HANDED_OVER_AT_ONCE };
    let revoked: Vec<_> = misplaced(lease).take(at_once).collect();
    if revoked.is_empty() {
        return;
    }
    info!(room_types = revoked.len(), "room types are handed to the nodes that are to have them");
    let until = Instant::now() + lease.leases.ttl;
    for Revoked { room_type, token, .. } in &revoked {
        lease.given_away.insert(*room_type, GivenAway { token: *token, until });
    }
    lease.revoke(revoked);
}

/// What another node is to have, as far as is known, and was not asked to end yet.
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
