//! The loop: wait for one, drain to a limit, commit once, answer after durability.

use std::collections::HashSet;
use std::iter::Peekable;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use anyhow::anyhow;
use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{error, warn};

use super::{Item, MAX_BATCH_BYTES, Outcome};
use crate::events::{Hub, Notice};
use crate::store::{CommitEntry, CommitError, Journal, Verdict};

/// Runs until [`Item::Finish`], or until all handles are dropped and the queue is empty.
pub(super) async fn run(journal: Arc<dyn Journal>, hub: Hub, mut inbox: mpsc::Receiver<Item>, limit: usize) {
    let mut items = Vec::with_capacity(limit);
    while inbox.recv_many(&mut items, limit).await > 0 {
        let finish = items.iter().position(|item| matches!(item, Item::Finish));
        items.truncate(finish.unwrap_or(items.len()));
        let mut queue = items.drain(..).peekable();
        while queue.peek().is_some() {
            let (entries, waiters) = next_batch(&mut queue);
            let outcomes = commit(&*journal, &entries).await;
            publish(&hub, &entries, &outcomes);
            report(waiters, outcomes);
        }
        drop(queue);
        if finish.is_some() {
            return;
        }
    }
}

/// A caller that waits for this batch.
enum Waiter {
    Fact(super::OnOutcome),
    /// The fact was withdrawn before the commit.
    Withdrawn(super::OnOutcome),
    After(Box<dyn FnOnce() + Send>),
}

/// The entries of the next batch, and the callers that wait for it, each in order of submission. A batch stays within
/// [`MAX_BATCH_BYTES`], or is one larger entry. An entry whose caller has stopped waiting is withdrawn, with the later
/// entries of its room type. Later batches need not know of that: the store fences a fact whose predecessor is missing.
fn next_batch(queue: &mut Peekable<impl ExactSizeIterator<Item = Item>>) -> (Vec<CommitEntry>, Vec<Waiter>) {
    let mut entries = Vec::with_capacity(queue.len());
    let mut waiters = Vec::with_capacity(queue.len());
    let (mut withdrawn, mut expired, now) = (HashSet::new(), 0_u64, Instant::now());
    let mut bytes = 0;
    loop {
        let is_first = entries.is_empty();
        let fitting = queue.next_if(|item| {
            bytes += item.bytes();
            is_first || bytes <= MAX_BATCH_BYTES
        });
        let Some(item) = fitting else { break };
        match item {
            Item::Fact(entry, until, on_outcome)
                if until.is_some_and(|until| until <= now) || withdrawn.contains(&entry.room_type) =>
            {
                withdrawn.insert(entry.room_type);
                expired += 1;
                waiters.push(Waiter::Withdrawn(on_outcome));
            }
            Item::Fact(entry, _, on_outcome) => {
                entries.push(entry);
                waiters.push(Waiter::Fact(on_outcome));
            }
            Item::After(then) => waiters.push(Waiter::After(then)),
            Item::Finish => {}
        }
    }
    if !withdrawn.is_empty() {
        warn!(room_types = withdrawn.len(), expired, "facts waited too long for the store and are withdrawn");
        metrics::counter!("innkeeper_requests_expired_total", "place" => "queue").increment(expired);
    }
    (entries, waiters)
}

/// Commits a batch; one outcome per entry.
async fn commit(journal: &dyn Journal, entries: &[CommitEntry]) -> Vec<Outcome> {
    if entries.is_empty() {
        return Vec::new();
    }
    let started = Instant::now();
    // A store that panics may have committed before the panic.
    let committed = AssertUnwindSafe(journal.commit(entries)).catch_unwind().await;
    let result = committed.unwrap_or_else(|_| Err(CommitError::UnknownOutcome(anyhow!("the store panicked"))));
    metrics::histogram!("innkeeper_commit_seconds").record(started.elapsed());
    metrics::histogram!("innkeeper_commit_batch_size").record(entries.len() as f64);
    match result {
        Ok(verdicts) => verdicts.into_iter().map(outcome).collect(),
        Err(failure) => {
            error!(facts = entries.len(), error = &failure as &dyn std::error::Error, "a commit failed");
            let (outcome, label) = match failure {
                CommitError::RolledBack(_) => (Outcome::Lost, "rolled_back"),
                CommitError::UnknownOutcome(_) => (Outcome::UnknownOutcome, "unknown_outcome"),
            };
            metrics::counter!("innkeeper_failed_commits_total", "outcome" => label).increment(1);
            vec![outcome; entries.len()]
        }
    }
}

fn outcome(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Committed => Outcome::Committed,
        Verdict::Fenced => Outcome::Fenced,
        Verdict::Duplicate => Outcome::Duplicate,
        Verdict::Refused => Outcome::Refused,
        Verdict::Unstorable => Outcome::Unstorable,
    }
}

/// Publishes before the callers are answered: a caller that books and then looks finds the booking.
fn publish(hub: &Hub, entries: &[CommitEntry], outcomes: &[Outcome]) {
    if !hub.has_listeners() {
        return;
    }
    let is_history =
        |(entry, outcome): &(&CommitEntry, &Outcome)| **outcome == Outcome::Committed && !entry.answer_only;
    let committed = entries.iter().zip(outcomes).filter(is_history);
    let facts: Arc<[_]> = committed.map(|(entry, _)| (entry.room_type, entry.fact.clone())).collect();
    if !facts.is_empty() {
        hub.publish(Notice::Committed(facts));
    }
}

fn report(waiters: Vec<Waiter>, outcomes: Vec<Outcome>) {
    let mut outcomes = outcomes.into_iter();
    for waiter in waiters {
        match waiter {
            // If the store returned too few verdicts, the other outcomes are unknown.
            Waiter::Fact(on_outcome) => on_outcome(outcomes.next().unwrap_or(Outcome::UnknownOutcome)),
            Waiter::Withdrawn(on_outcome) => on_outcome(Outcome::Lost),
            Waiter::After(then) => then(),
        }
    }
}
