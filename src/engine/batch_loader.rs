//! Questions to the store, many at once.
//!
//! Every request with a key asks whether it has been used before, and almost always the answer is no; an owner that is
//! not certain asks before every answer from memory whether it still is one. A statement costs more than a row, so this
//! does with reads what `writer/` does with commits: wait for one, take what else is there up to a limit, ask once, tell
//! everybody. Alone, a question waits for nobody.
//!
//! Limits: [`QUEUE`] questions wait, [`BATCH`] are asked at once. A store that cannot be asked, or panics, fails its whole
//! batch, and the log says so.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;
use tracing::{error, warn};

use super::Error;
use crate::store;

/// Questions that can wait to be asked.
const QUEUE: usize = 16_384;
/// Questions per statement, at most.
const BATCH: usize = 256;

/// Who is told an answer. Called on the task that asks: it must not wait.
type Tell<A> = Box<dyn FnOnce(Result<A, Error>) + Send>;

/// A cheap handle to the task that asks one kind of question; the task ends when the last handle is gone.
pub(super) struct BatchLoader<Q, A> {
    queue: mpsc::Sender<(Q, Tell<A>)>,
}

impl<Q, A> BatchLoader<Q, A>
where
    Q: Copy + Send + Sync + 'static,
    A: Send + 'static,
{
    /// `ask` answers all questions it is given, in their order.
    pub fn start<F>(ask: impl Fn(Arc<[Q]>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Vec<A>, store::Error>> + Send + 'static,
    {
        let (queue, inbox) = mpsc::channel(QUEUE);
        tokio::spawn(run(ask, inbox));
        Self { queue }
    }

    /// What the store answers.
    pub async fn ask(&self, question: Q) -> Result<A, Error> {
        let (tell, answer) = oneshot::channel();
        // Somebody who has stopped waiting does not mind.
        self.tell(question, move |answered| drop(tell.send(answered)));
        answer.await.unwrap_or(Err(Error::Unavailable))
    }

    /// Tells somebody what the store answers.
    pub fn tell(&self, question: Q, tell: impl FnOnce(Result<A, Error>) + Send + 'static) {
        match self.queue.try_send((question, Box::new(tell))) {
            Ok(()) => {}
            Err(TrySendError::Full((_, tell))) => tell(Err(Error::Busy)),
            Err(TrySendError::Closed((_, tell))) => tell(Err(Error::Unavailable)),
        }
    }
}

async fn run<Q: Copy, A, F>(ask: impl Fn(Arc<[Q]>) -> F, mut inbox: mpsc::Receiver<(Q, Tell<A>)>)
where
    F: Future<Output = Result<Vec<A>, store::Error>>,
{
    let mut waiting = Vec::with_capacity(BATCH);
    while inbox.recv_many(&mut waiting, BATCH).await > 0 {
        let questions = waiting.iter().map(|(question, _)| *question).collect();
        let answers = AssertUnwindSafe(async { ask(questions).await }).catch_unwind().await;
        let mut answers = heard(answers).into_iter().flatten();
        for (_, tell) in waiting.drain(..) {
            tell(answers.next().ok_or(Error::Unavailable));
        }
    }
}

/// What the store said, if it did; else the log says once, for the whole batch, why everybody is told that it did not.
fn heard<A>(answers: std::thread::Result<Result<Vec<A>, store::Error>>) -> Option<Vec<A>> {
    match answers {
        Ok(Ok(answers)) => return Some(answers),
        Ok(Err(error)) => warn!(error = &error as &dyn std::error::Error, "the store cannot be asked"),
        Err(_) => error!("asking the store panicked"),
    }
    None
}
