//! Looking up idempotency keys in the store, many at once.
//!
//! Every request with a key asks whether it has been used before, and almost always the answer is no. A statement costs
//! more than a row, so this does with reads what `writer/` does with commits: wait for one, take what else is there up
//! to a limit, ask once, tell everybody. Alone, a key waits for nobody.
//!
//! Limits: [`QUEUE`] keys wait, [`BATCH`] are asked for at once. A store that cannot be asked, or panics, fails its whole
//! batch.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::Error;
use crate::clock::Clock;
use crate::store::{Attempt, KeyDigest, Ledger};

/// Keys that can wait to be looked up.
const QUEUE: usize = 16_384;
/// Keys per statement, at most.
const BATCH: usize = 256;

type Question = (KeyDigest, oneshot::Sender<Answer>);
type Answer = Result<Option<Attempt>, Error>;

/// A cheap handle to the task that asks; the task ends when the last handle is gone.
pub(super) struct Recall {
    queue: mpsc::Sender<Question>,
}

impl Recall {
    pub fn start(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>) -> Self {
        let (queue, inbox) = mpsc::channel(QUEUE);
        tokio::spawn(run(ledger, clock, inbox));
        Self { queue }
    }

    /// What is stored under a key.
    pub async fn ask(&self, key: KeyDigest) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send((key, reply)).map_err(|_| Error::Busy)?;
        answer.await.unwrap_or(Err(Error::Unavailable))
    }
}

async fn run(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>, mut inbox: mpsc::Receiver<Question>) {
    let mut asked = Vec::with_capacity(BATCH);
    while inbox.recv_many(&mut asked, BATCH).await > 0 {
        let keys: Vec<KeyDigest> = asked.iter().map(|(key, _)| *key).collect();
        let found = AssertUnwindSafe(ledger.recall(&keys, clock.now())).catch_unwind().await;
        for (key, reply) in asked.drain(..) {
            // Somebody who has stopped waiting does not mind.
            let _ = reply.send(match &found {
                Ok(Ok(found)) => Ok(found.get(&key).cloned()),
                Ok(Err(_)) | Err(_) => Err(Error::Unavailable),
            });
        }
    }
}
