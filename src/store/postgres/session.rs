//! What every connection is told, whatever the server's own settings: how durable, and how long to wait for what.

use std::future::Future;
use std::io;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

/// How long one statement of a commit may take.
const COMMIT_STATEMENT: Duration = Duration::from_secs(8);
/// How long any other statement may take: pages of exports, the nights of a whole city.
const STATEMENT: Duration = Duration::from_secs(30);
/// How much longer than the server's own limit we wait for it, before we take it for gone.
const GRACE: Duration = Duration::from_secs(2);
/// How long a transaction of ours may stand still. A node that froze in the middle of one must not keep its room types
/// from their next owner, so this is below every sensible lease.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(4);

/// After this the server is not waited for any more.
pub(super) const COMMIT_WITHIN: Duration = COMMIT_STATEMENT.saturating_add(GRACE);
pub(super) const ANSWER_WITHIN: Duration = STATEMENT.saturating_add(GRACE);

/// For connections that commit. A batch looks its rows up by key, however few there are and whatever the statistics
/// say, and its statements are planned once.
pub(super) fn committing(options: PgConnectOptions, lock_wait: Duration) -> PgConnectOptions {
    let options = common(options, lock_wait, COMMIT_STATEMENT);
    options.options([
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
    ])
}

/// For all others.
pub(super) fn asking(options: PgConnectOptions, lock_wait: Duration) -> PgConnectOptions {
    common(options, lock_wait, STATEMENT)
}

/// The server's side of keep-alives and time-outs: it must find out that a node has vanished, to let go of its locks.
fn common(options: PgConnectOptions, lock_wait: Duration, statement: Duration) -> PgConnectOptions {
    // 0 would be for ever.
    let lock_wait = lock_wait.max(Duration::from_millis(1));
    let millis = |duration: Duration| duration.as_millis().to_string();
    options.options([
        ("synchronous_commit", "on".to_owned()),
        ("jit", "off".to_owned()),
        ("statement_timeout", millis(statement)),
        ("lock_timeout", millis(lock_wait)),
        ("idle_in_transaction_session_timeout", millis(IDLE_IN_TRANSACTION)),
        ("tcp_keepalives_idle", "5".to_owned()),
        ("tcp_keepalives_interval", "2".to_owned()),
        ("tcp_keepalives_count", "3".to_owned()),
        ("tcp_user_timeout", millis(IDLE_IN_TRANSACTION)),
    ])
}

/// An answer of the server, or the error of a server that keeps silent.
pub(super) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let silent = |_| sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer"));
    tokio::time::timeout(limit, answer).await.map_err(silent)?
}
