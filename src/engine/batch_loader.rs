//! Reads from the store, many in one statement.
//!
//! Every request with an idempotency key looks the key up, and most keys are new. An owner with an uncertain lease
//! checks its claim before every answer from memory. A statement costs more than a row, so the loader batches reads as
//! `writer/` batches commits. It waits for one query, takes the others that are queued up to a limit, and asks the
//! store once. A single query waits for no other.
//!
//! Limits: [`QUEUE`] queries wait, [`BATCH`] go into one statement. When the store fails or panics, the whole batch
//! fails, and one log line says so.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;
use tracing::{error, warn};

use super::Error;
use crate::store;

/// Queries that can wait.
const QUEUE: usize = 16_384;
/// Queries per statement, at most.
const BATCH: usize = 256;

/// Receives an answer. It runs on the loader's task and must not block.
type Callback<A> = Box<dyn FnOnce(Result<A, Error>) + Send>;

/// A cheap handle to the task that loads one kind of answer. The task ends with its last handle.
pub(super) struct BatchLoader<Q, A> {
    queue: mpsc::Sender<(Q, Callback<A>)>,
}

impl<Q, A> BatchLoader<Q, A>
where
    Q: Copy + Send + Sync + 'static,
    A: Send + 'static,
{
    /// `load_all` returns one answer per query, in the same order.
    pub fn start<F>(load_all: impl Fn(Arc<[Q]>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Vec<A>, store::Error>> + Send + 'static,
    {
        let (queue, inbox) = mpsc::channel(QUEUE);
        tokio::spawn(run(load_all, inbox));
        Self { queue }
    }

    /// Waits for the answer to a query.
    pub async fn load(&self, query: Q) -> Result<A, Error> {
        let (sender, answer) = oneshot::channel();
        // The send fails only when the caller has stopped waiting.
        self.load_then(query, move |answer| drop(sender.send(answer)));
        answer.await.unwrap_or(Err(Error::Unavailable))
    }

    /// Calls `then` with the answer to a query.
    pub fn load_then(&self, query: Q, then: impl FnOnce(Result<A, Error>) + Send + 'static) {
        match self.queue.try_send((query, Box::new(then))) {
            Ok(()) => {}
            Err(TrySendError::Full((_, then))) => then(Err(Error::Busy)),
            Err(TrySendError::Closed((_, then))) => then(Err(Error::Unavailable)),
        }
    }
}

async fn run<Q: Copy, A, F>(load_all: impl Fn(Arc<[Q]>) -> F, mut inbox: mpsc::Receiver<(Q, Callback<A>)>)
where
    F: Future<Output = Result<Vec<A>, store::Error>>,
{
    let mut waiting = Vec::with_capacity(BATCH);
    while inbox.recv_many(&mut waiting, BATCH).await > 0 {
        let queries = waiting.iter().map(|(query, _)| *query).collect();
        let loaded = AssertUnwindSafe(async { load_all(queries).await }).catch_unwind().await;
        let mut answers = answers_or_log(loaded).into_iter().flatten();
        for (_, then) in waiting.drain(..) {
            then(answers.next().ok_or(Error::Unavailable));
        }
    }
}

/// The store's answers. A failure is logged once for the whole batch.
fn answers_or_log<A>(loaded: std::thread::Result<Result<Vec<A>, store::Error>>) -> Option<Vec<A>> {
    match loaded {
        Ok(Ok(answers)) => return Some(answers),
        Ok(Err(error)) => warn!(error = &error as &dyn std::error::Error, "a batch of reads from the store failed"),
        Err(_) => error!("a batch of reads from the store panicked"),
    }
    None
}
