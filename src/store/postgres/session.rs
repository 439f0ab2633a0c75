//! The settings of every connection, whatever the server's defaults: durability and time limits.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

/// Time limit of one statement of a commit.
const COMMIT_STATEMENT: Duration = Duration::from_secs(8);
/// Time limit of its wait for a lock. Commits of other room types wait behind it.
const COMMIT_LOCK: Duration = Duration::from_secs(2);
/// Time limits of the statement that counts a heartbeat, and of its wait for a lock.
const WATCH_STATEMENT: Duration = Duration::from_secs(2);
const WATCH_LOCK: Duration = Duration::from_millis(500);
/// Time limit of any other statement, such as a page of an export or the nights of a city.
const STATEMENT: Duration = Duration::from_secs(30);
/// Time limit of long statements: a step of the schema, a report that reads whole tables. Years of bookings are read in
/// minutes.
const UNHURRIED: Duration = Duration::from_secs(60 * 60);
/// How long to wait beyond the server's own limit before the server counts as gone.
const GRACE: Duration = Duration::from_secs(2);
/// Time limit of an idle transaction. A node that freezes in a transaction must not keep its room types from their next
/// owner, so this is shorter than any sensible lease.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(4);

/// Time limit of connecting and of inspecting a database.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// After this a silent server counts as gone.
pub(super) const COMMIT_WITHIN: Duration = COMMIT_STATEMENT.saturating_add(GRACE);
pub(super) const ANSWER_WITHIN: Duration = STATEMENT.saturating_add(GRACE);
pub(super) const UNHURRIED_WITHIN: Duration = UNHURRIED.saturating_add(GRACE);

/// How connections are opened, and which settings they get.
#[derive(Clone)]
pub(super) struct Session {
    target: PgConnectOptions,
    settings: Vec<(&'static str, String)>,
}

/// A proxy between this node and the server has dropped a setting.
#[derive(Debug, thiserror::Error)]
#[error(
    "the session has {name} = {found} instead of {wanted}: a pooler drops the settings of sessions, such as \
     PgBouncer with ignore_startup_parameters = options; connect to PostgreSQL directly"
)]
pub struct Dropped {
    name: &'static str,
    wanted: String,
    found: String,
}

impl Session {
    fn new(target: PgConnectOptions) -> Self {
        Self { target, settings: Vec::new() }
    }

    pub(super) fn with<const N: usize>(mut self, settings: [(&'static str, &str); N]) -> Self {
        self.settings.retain(|(old, _)| settings.iter().all(|(name, _)| name != old));
        self.settings.extend(settings.map(|(name, value)| (name, value.to_owned())));
        self
    }

    /// Connects to a server that accepts writes and keeps the settings.
    pub async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.target.clone().options(self.settings.iter().cloned()).connect().await?;
        must_store(&mut connection).await?;
        self.must_hold(&mut connection).await?;
        Ok(connection)
    }

    /// Refuses a session without all settings: acknowledged commits might be lost on it, and a frozen node would keep
    /// its locks. Keep-alives are not checked, because a local socket has none.
    async fn must_hold(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let told = || self.settings.iter().filter(|(name, _)| !name.starts_with("tcp_"));
        let names: Vec<&str> = told().map(|(name, _)| *name).collect();
        let found = sqlx::query_as::<_, (String, String)>("SELECT name, setting FROM pg_settings WHERE name = ANY($1)");
        let found: HashMap<_, _> =
            found.bind(names).persistent(false).fetch_all(connection).await?.into_iter().collect();
        let dropped = told().find(|(name, value)| found.get(*name) != Some(value));
        dropped.map_or(Ok(()), |(name, wanted)| {
            let found = found.get(*name).cloned().unwrap_or_default();
            Err(sqlx::Error::Configuration(Dropped { name, wanted: wanted.clone(), found }.into()))
        })
    }
}

/// Connections that commit: their statements are planned once.
pub(super) fn committing(target: PgConnectOptions, lock_wait: Duration) -> Session {
    by_key(limited(target, lock_wait.min(COMMIT_LOCK), COMMIT_STATEMENT))
        .with([("plan_cache_mode", "force_generic_plan")])
}

/// The connection that counts heartbeats. Its commits do not wait for a standby, which may be away.
pub(super) fn watching(target: PgConnectOptions, lock_wait: Duration) -> Session {
    by_key(limited(target, lock_wait.min(WATCH_LOCK), WATCH_STATEMENT)).with([("synchronous_commit", "local")])
}

/// All other connections.
pub(super) fn asking(target: PgConnectOptions, lock_wait: Duration) -> Session {
    by_key(limited(target, lock_wait, STATEMENT))
}

/// Connections for steps of the schema, which read whole tables. They wait for a lock no longer than others, because
/// later statements would queue behind them.
pub(super) fn unhurried(target: PgConnectOptions, lock_wait: Duration) -> Session {
    limited(target, lock_wait, UNHURRIED)
}

/// Nearly all statements look up rows by key and read page by page. The planner is told so, because it may have no
/// statistics yet.
fn by_key(session: Session) -> Session {
    session.with([("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off")])
}

/// Keep-alives and time-outs apply on the server: it must notice that a node has vanished, and release its locks.
fn limited(target: PgConnectOptions, lock_wait: Duration, statement: Duration) -> Session {
    // 0 means no limit.
    let lock_wait = lock_wait.max(Duration::from_millis(1));
    let millis = |duration: Duration| duration.as_millis().to_string();
    Session::new(target).with([
        ("synchronous_commit", "on"),
        // After a wait for a lock, a statement reads the row as it is then.
        ("default_transaction_isolation", "read committed"),
        ("jit", "off"),
        ("statement_timeout", &millis(statement)),
        ("lock_timeout", &millis(lock_wait)),
        ("idle_in_transaction_session_timeout", &millis(IDLE_IN_TRANSACTION)),
        ("tcp_keepalives_idle", "5"),
        ("tcp_keepalives_interval", "2"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", &millis(IDLE_IN_TRANSACTION)),
    ])
}

/// Refuses a standby. During a failover a name or a balancer may still lead to one. Its rows may be old, and it refuses
/// every commit.
pub(super) async fn must_store(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let standby = sqlx::query_scalar("SELECT pg_is_in_recovery()").persistent(false);
    match standby.fetch_one(connection).await? {
        true => Err(sqlx::Error::Io(io::Error::other("the server is a standby, which stores nothing"))),
        false => Ok(()),
    }
}

/// The answer of the server, or an error when it stays silent.
pub(super) async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let silent = |_| sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer"));
    tokio::time::timeout(limit, answer).await.map_err(silent)?
}

/// The runtime on which connections are opened.
///
/// A connection belongs to the runtime that opened it. That must not be the thread of an actor or of an HTTP worker,
/// which may be busy or end. So connections are opened on the runtime that opened the store.
#[derive(Clone)]
pub(super) struct Home(Handle);

impl Home {
    /// This runtime.
    pub fn here() -> Self {
        Self(Handle::current())
    }

    /// Runs detached work.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(work);
    }

    /// Runs work, and cancels it when the caller is cancelled: unused connections count as well.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    ) -> Result<T, sqlx::Error> {
        AbortOnDropHandle::new(self.0.spawn(work)).await.map_err(|_| sqlx::Error::PoolClosed)?
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_nobody_waits_for_any_more_is_not_gone_on_with() {
        let (at_work, over) = oneshot::channel::<()>();
        let work = async move {
            let _at_work = at_work;
            pending::<Result<(), sqlx::Error>>().await
        };
        assert!(Home::here().run(work).now_or_never().is_none());
        let over = tokio::time::timeout(Duration::from_secs(60), over).await;
        assert!(over.expect("the work goes on").is_err());
    }
}
