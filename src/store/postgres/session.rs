//! What every connection is told, whatever the server's own settings: how durable, and how long to wait for what.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

/// How long one statement of a commit may take.
const COMMIT_STATEMENT: Duration = Duration::from_secs(8);
/// How long it may wait for a lock: whoever writes to another room type waits behind it.
const COMMIT_LOCK: Duration = Duration::from_secs(2);
/// How long any other statement may take: pages of exports, the nights of a whole city.
const STATEMENT: Duration = Duration::from_secs(30);
/// How long what takes its time may take: a step of the schema, a report that reads whole tables. Years of bookings are
/// read in minutes.
const UNHURRIED: Duration = Duration::from_secs(60 * 60);
/// How much longer than the server's own limit we wait for it, before we take it for gone.
const GRACE: Duration = Duration::from_secs(2);
/// How long a transaction of ours may stand still. A node that froze in the middle of one must not keep its room types
/// from their next owner, so this is below every sensible lease.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(4);

/// How long to wait for a server that is to let us in, and to say what it has.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// After this the server is not waited for any more.
pub(super) const COMMIT_WITHIN: Duration = COMMIT_STATEMENT.saturating_add(GRACE);
pub(super) const ANSWER_WITHIN: Duration = STATEMENT.saturating_add(GRACE);
pub(super) const UNHURRIED_WITHIN: Duration = UNHURRIED.saturating_add(GRACE);

/// How connections are opened, and what the server is told then.
#[derive(Clone)]
pub(super) struct Session {
    target: PgConnectOptions,
    settings: Vec<(&'static str, String)>,
}

/// Something between us and the server has dropped what the session was told.
#[derive(Debug, thiserror::Error)]
#[error(
    "the session has {name} = {found} where it was told {wanted}: a pooler drops what a session is told, such as \
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
        self.settings.extend(settings.map(|(name, value)| (name, value.to_owned())));
        self
    }

    /// Connects to a server that can store something, and keeps what it was told.
    pub async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.target.clone().options(self.settings.iter().cloned()).connect().await?;
        must_store(&mut connection).await?;
        self.must_hold(&mut connection).await?;
        Ok(connection)
    }

    /// Refuses a session that was not told everything: on it, what was acknowledged might be lost, and a node that froze
    /// would keep its locks. Keep-alives have no value where there is no network between.
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

/// For connections that commit: their statements are planned once.
pub(super) fn committing(target: PgConnectOptions, lock_wait: Duration) -> Session {
    by_key(limited(target, lock_wait.min(COMMIT_LOCK), COMMIT_STATEMENT))
        .with([("plan_cache_mode", "force_generic_plan")])
}

/// For all others.
pub(super) fn asking(target: PgConnectOptions, lock_wait: Duration) -> Session {
    by_key(limited(target, lock_wait, STATEMENT))
}

/// For steps of the schema, which go through whole tables. They do not queue for a table longer than others do: whoever
/// comes after them would wait as well.
pub(super) fn unhurried(target: PgConnectOptions, lock_wait: Duration) -> Session {
    limited(target, lock_wait, UNHURRIED)
}

/// Nearly everything is looked up by key and read page by page, so the planner is told not to think otherwise where it has
/// no statistics yet.
fn by_key(session: Session) -> Session {
    session.with([("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off")])
}

/// Keep-alives and time-outs are the server's side of them: it must find out that a node has vanished, to let go of its
/// locks.
fn limited(target: PgConnectOptions, lock_wait: Duration, statement: Duration) -> Session {
    // 0 would be for ever.
    let lock_wait = lock_wait.max(Duration::from_millis(1));
    let millis = |duration: Duration| duration.as_millis().to_string();
    Session::new(target).with([
        ("synchronous_commit", "on"),
        // Who has waited for a lock goes on with the row as it is then.
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

/// Refuses a standby. While another server takes over, a name or a balancer may still lead to one: what it reads may be
/// old, and a connection to it would refuse every commit for as long as both live.
pub(super) async fn must_store(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let standby = sqlx::query_scalar("SELECT pg_is_in_recovery()").persistent(false);
    match standby.fetch_one(connection).await? {
        true => Err(sqlx::Error::Io(io::Error::other("the server is a standby, which stores nothing"))),
        false => Ok(()),
    }
}

/// An answer of the server, or the error of a server that keeps silent.
pub(super) async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let silent = |_| sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer"));
    tokio::time::timeout(limit, answer).await.map_err(silent)?
}

/// Opens connections where they are at home.
///
/// A connection belongs to the runtime it was opened on: to the thread of an actor or of an HTTP worker, if one of those
/// had asked first. Such a thread may be busy, and it may die. So they are opened on the runtime that opened the store.
#[derive(Clone)]
pub(super) struct Home(Handle);

impl Home {
    /// This runtime.
    pub fn here() -> Self {
        Self(Handle::current())
    }

    /// Does work that nobody waits for.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(work);
    }

    /// Ends the work when nobody waits for it any more: connections that nobody will use count as well.
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
