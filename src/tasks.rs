//! Long-running background tasks, each with a name and a failure policy.
//!
//! Owns supervision: a panic, or a return without being told to stop, is counted (`innkeeper_task_restarts_total{task}`),
//! logged and handled by the task's [`Policy`]. `app.rs` and `engine/` start every task of the process here. `/readyz` asks
//! [`Tasks::failing`], and `app::Running::failed` waits for [`Tasks::stopped_by`].
//!
//! A task is a loop that ends when its [`CancellationToken`] is cancelled. [`Tasks::stop`] cancels all tokens and waits
//! for the tasks to finish their turn, up to a limit.
//!
//! To add a task: write a loop around `stop.run_until_cancelled(…)`, choose a name and a policy, and add the name to the
//! table in `docs/operations.md` (a test compares the two).

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::FutureExt;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

/// Delays between a failure and the restart: doubled from the first to the last.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LAST_DELAY: Duration = Duration::from_secs(30);
/// A task that ran for so long starts again with the first delay.
const RECOVERED_AFTER: Duration = Duration::from_secs(60);
/// Injected panics that can wait for their tasks.
const FAILPOINTS: usize = 16;

/// What happens after a failure: a panic, or a return before the stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// The task starts again after a delay. It must be able to start from nothing.
    Restart,
    /// The process shuts down, because it cannot work without this task.
    Stop,
    /// The task may return when it has nothing left to do. After a panic it starts again.
    Finish,
}

/// The background tasks of a process. A clone is the same set.
#[derive(Debug, Clone)]
pub struct Tasks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stop: CancellationToken,
    abandon: CancellationToken,
    tracker: TaskTracker,
    /// Tasks that failed and wait for their restart.
    failing: Mutex<BTreeSet<&'static str>>,
    stopped_by: watch::Sender<Option<&'static str>>,
    failpoints: broadcast::Sender<&'static str>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self(Arc::new(Inner {
            stop: CancellationToken::new(),
            abandon: CancellationToken::new(),
            tracker: TaskTracker::new(),
            failing: Mutex::default(),
            stopped_by: watch::Sender::new(None),
            failpoints: broadcast::Sender::new(FAILPOINTS),
        }))
    }
}

impl Tasks {
    /// Starts a task. `run` makes one run of it and is called again for each restart. The first call happens before
    /// `spawn` returns, so a run may subscribe to something in `run` itself.
    pub fn spawn<F>(
        &self,
        name: &'static str,
        policy: Policy,
        mut run: impl FnMut(CancellationToken) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        metrics::counter!("innkeeper_task_restarts_total", "task" => name).increment(0);
        let first = run(self.0.stop.clone());
        let tasks = self.clone();
        let supervised = async move {
            tokio::select! {
                () = tasks.0.abandon.cancelled() => {}
                () = tasks.supervise(name, policy, first, run) => {}
            }
        };
        self.0.tracker.spawn(supervised);
    }

    /// A task that failed and does not run again yet.
    pub fn failing(&self) -> Option<&'static str> {
        self.failures().first().copied()
    }

    /// Waits until a task with [`Policy::Stop`] has failed; its name.
    pub async fn stopped_by(&self) -> &'static str {
        let mut stopped_by = self.0.stopped_by.subscribe();
        match stopped_by.wait_for(Option::is_some).await.map(|name| *name) {
            Ok(Some(name)) => name,
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    /// Tells all tasks to finish and waits for them. Tasks that have not finished within `limit` are dropped; returns
    /// whether there were any.
    pub async fn stop(&self, limit: Duration) -> bool {
        self.0.stop.cancel();
        self.0.tracker.close();
        let late = timeout(limit, self.0.tracker.wait()).await.is_err();
        self.abandon();
        late
    }

    /// Drops all tasks where they are, as a crash would.
    pub fn abandon(&self) {
        self.0.stop.cancel();
        self.0.abandon.cancel();
    }

    /// Failpoint for tests: the task of this name panics where it waits.
    pub fn inject_panic(&self, name: &'static str) {
        // An error means that no task runs.
        let _ = self.0.failpoints.send(name);
    }

    async fn supervise<F>(
        &self,
        name: &'static str,
        policy: Policy,
        first: F,
        mut run: impl FnMut(CancellationToken) -> F,
    ) where
        F: Future<Output = ()>,
    {
        let mut first = Some(first);
        let mut delays = delays();
        loop {
            let began = Instant::now();
            let turn = async { first.take().unwrap_or_else(|| run(self.0.stop.clone())).await };
            let turn = with_failpoint(name, self.0.failpoints.subscribe(), turn);
            let failure = match AssertUnwindSafe(turn).catch_unwind().await {
                Ok(()) if policy == Policy::Finish || self.0.stop.is_cancelled() => return,
                Ok(()) => "it returned before it was told to stop",
                Err(_) => "it panicked",
            };
            if policy == Policy::Stop {
                error!(task = name, failure, "a background task failed; the process cannot continue without it");
                self.0.stopped_by.send_replace(Some(name));
                return;
            }
            if began.elapsed() >= RECOVERED_AFTER {
                delays = self::delays();
            }
            let delay = delays.next().unwrap_or(LAST_DELAY);
            metrics::counter!("innkeeper_task_restarts_total", "task" => name).increment(1);
            let delay_ms = delay.as_millis() as u64;
            error!(task = name, failure, delay_ms, "a background task failed; it starts again");
            self.failures().insert(name);
            let delayed = self.0.stop.run_until_cancelled(sleep(delay)).await;
            self.failures().remove(name);
            if delayed.is_none() {
                return;
            }
        }
    }

    fn failures(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.0.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn delays() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_DELAY)
        .with_max_delay(LAST_DELAY)
        .without_max_times()
        .with_jitter()
        .build()
}

/// Runs a turn that [`Tasks::inject_panic`] can end.
async fn with_failpoint(
    name: &'static str,
    mut failpoints: broadcast::Receiver<&'static str>,
    turn: impl Future<Output = ()>,
) {
    let injected = async {
        loop {
            match failpoints.recv().await {
                Ok(injected) if injected == name => return,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    };
    tokio::select! {
        () = turn => {}
        () = injected => panic!("injected into {name}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A task that counts its runs and then waits to be stopped.
    fn counting(tasks: &Tasks, policy: Policy) -> Arc<AtomicUsize> {
        let runs = Arc::new(AtomicUsize::new(0));
        let counter = runs.clone();
        tasks.spawn("test", policy, move |stop| {
            counter.fetch_add(1, Ordering::SeqCst);
            async move { stop.cancelled().await }
        });
        runs
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_starts_again_and_is_failing_meanwhile() {
        let tasks = Tasks::default();
        let runs = counting(&tasks, Policy::Restart);
        assert_eq!(runs.load(Ordering::SeqCst), 1, "the first run is made before spawn returns");
        for run in 2..5 {
            tokio::task::yield_now().await;
            assert_eq!(tasks.failing(), None);
            tasks.inject_panic("test");
            while tasks.failing().is_none() {
                tokio::task::yield_now().await;
            }
            tokio::time::sleep(2 * LAST_DELAY).await;
            assert_eq!((runs.load(Ordering::SeqCst), tasks.failing()), (run, None));
        }
        assert!(!tasks.stop(Duration::from_secs(1)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_of_one_task_is_no_other_tasks() {
        let tasks = Tasks::default();
        let runs = counting(&tasks, Policy::Restart);
        tokio::task::yield_now().await;
        tasks.inject_panic("another");
        tokio::time::sleep(2 * LAST_DELAY).await;
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_the_process_needs_names_itself_when_it_panics() {
        let tasks = Tasks::default();
        counting(&tasks, Policy::Stop);
        tokio::task::yield_now().await;
        tasks.inject_panic("test");
        assert_eq!(tasks.stopped_by().await, "test");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_for_the_turn_and_gives_up_at_the_limit() {
        let tasks = Tasks::default();
        let done = Arc::new(AtomicUsize::new(0));
        let counter = done.clone();
        tasks.spawn("slow", Policy::Restart, move |stop| {
            let counter = counter.clone();
            async move {
                stop.cancelled().await;
                sleep(Duration::from_secs(3)).await;
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        assert!(!tasks.stop(Duration::from_secs(5)).await);
        assert_eq!(done.load(Ordering::SeqCst), 1, "the turn was finished");

        let tasks = Tasks::default();
        tasks.spawn("stuck", Policy::Restart, |_| std::future::pending());
        assert!(tasks.stop(Duration::from_secs(5)).await, "a task that never ends is dropped");
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_task_that_may_finish_returns_before_the_stop() {
        let tasks = Tasks::default();
        tasks.spawn("finite", Policy::Finish, |_| std::future::ready(()));
        tokio::time::sleep(2 * LAST_DELAY).await;
        assert_eq!(tasks.failing(), None);
        tasks.spawn("endless", Policy::Restart, |_| std::future::ready(()));
        tokio::task::yield_now().await;
        assert_eq!(tasks.failing(), Some("endless"));
        tasks.spawn("needed", Policy::Stop, |_| std::future::ready(()));
        assert_eq!(tasks.stopped_by().await, "needed");
    }
}
