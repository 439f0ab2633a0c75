//! The composition root: the only place where concrete backends meet.
//!
//! [`start`] serves production and tests; tests use port 0. It must run inside an actix `System` whose runtime has several
//! threads (`cli::run` and `tests/it/support` make one). Connection pools are opened there, never on the thread of an HTTP
//! worker or an actor: a blocked thread must not delay another request.
//!
//! A start goes from the inside to the outside: the store, the engine, the HTTP server, the announcement to the other nodes.
//! If the start fails after the announcement, it ends with a shutdown.
//!
//! A shutdown goes from the outside to the inside. It hands over the room types, accepts no new requests, finishes those in
//! flight, drains the engine, leaves the cluster and closes the store. Together this takes no longer than `grace`.

mod database;
mod grace;
mod listen;
mod operators;
mod ownership;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use tokio::task::JoinHandle;
use tokio::time::timeout_at;

use crate::clock::{Clock, System};
use crate::config::{Config, DatabaseUrl};
use crate::engine::{self, Engine};
use crate::events::{Live, Sources};
use crate::http::Audience;
use crate::http::throttle::Throttle;
use crate::lease::{Membership, SingleNode};
use crate::pulse::Pulse;
use crate::search::{self, Index};
use crate::shutdown::{self, Draining};
use crate::store::sqlite;
use crate::store::{Journal, Store};
use crate::ws::Gate;
use crate::{housekeeping, http, store, telemetry};
use grace::{Grace, Phase};
use operators::Operators;
use ownership::Ownership;

pub use database::{back_up, open_store, open_store_to_read, open_store_to_serve};
pub use listen::{Listeners, bind};

/// PostgreSQL has its own backup tools.
const NO_BACKUP: &str = "PostgreSQL is copied by its own tools, also while nodes run on it: `pg_basebackup -D FOLDER -X stream \
    -d URL` copies the whole server, and with archived WAL it can be restored to any moment; `pg_dump -Fc -f FILE URL` copies \
    this database as it is now; see docs/operations.md";

/// Why a command could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "database_url must be like sqlite:///path/innkeeper.db or postgres://user:password@host/database, not {scheme}:…"
    )]
    UnknownBackend { scheme: String },
    #[error("cannot open {url}")]
    Open {
        url: DatabaseUrl,
        #[source]
        source: anyhow::Error,
    },
    #[error("cannot bring {url} up to date")]
    Migrate {
        url: DatabaseUrl,
        #[source]
        source: store::Error,
    },
    #[error("{address} is in use: stop the other program, or choose another address with --listen or --ops-listen")]
    PortInUse { address: SocketAddr },
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("the HTTP server failed")]
    Http(#[source] io::Error),
    #[error("the background task {0} failed, and the process cannot continue without it")]
    Task(&'static str),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Backup(#[from] sqlite::BackupError),
    #[error("{NO_BACKUP}")]
    NoBackup,
    #[error("redis_url cannot be used")]
    Redis(#[source] crate::redis::BadAddress),
    #[error("the client for requests to other nodes cannot be created")]
    Peers(#[source] reqwest::Error),
    #[error("the operating system gives no random numbers")]
    Random(#[from] getrandom::Error),
    #[error("cannot start the thread that notices standstills")]
    Pulse(#[source] io::Error),
    #[error("cannot record metrics")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// Starts an engine on a store. Fencing tokens use the machine's clock, also where `clock` replays the past.
pub fn start_engine(options: &engine::Options, journal: Arc<dyn Journal>, clock: Arc<dyn Clock>) -> Engine {
    let lease = Arc::new(SingleNode::new(Arc::new(System)));
    Engine::start(options.clone(), journal, lease, clock, Arc::new(System))
}

/// A running innkeeper.
pub struct Running {
    pub engine: Engine,
    pub store: Arc<dyn Store>,
    pub search: Index,
    pub membership: Arc<dyn Membership>,
    address: SocketAddr,
    grace: Duration,
    draining: Draining,
    http: ServerHandle,
    serving: JoinHandle<io::Result<()>>,
    operators: Option<Operators>,
}

/// The URL at which this machine reaches a server with that listening address.
pub fn url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// Starts the store, the engine, the search index and HTTP. When it returns, requests are answered. The search index of a
/// large catalogue may still be building.
pub async fn start(config: &Config, listener: TcpListener, clock: Arc<dyn Clock>) -> Result<Running, Error> {
    let listeners = Listeners::with(listener, config)?;
    let store = open_store_to_serve(config, listeners.address()?).await?;
    start_on(config, listeners, clock, store.clone(), store).await
}

/// Like [`start`], on an open store. The engine writes through `journal`: the store, or a wrapper of it.
pub async fn start_on(
    config: &Config,
    listeners: Listeners,
    clock: Arc<dyn Clock>,
    store: Arc<dyn Store>,
    journal: Arc<dyn Journal>,
) -> Result<Running, Error> {
    let address = listeners.address()?;
    let metrics = telemetry::metrics()?;
    // The id of the database depends on it.
    installation_secret(&store).await?;
    let ownership = Ownership::begin(config, &url(address), &store, clock.clone()).await?;
    let engine =
        Engine::start(config.engine.clone(), journal, ownership.lease.clone(), clock.clone(), Arc::new(System));
    let tail = ownership.tail(&store, &engine).await?;

    let tasks = engine.tasks();
    let sources = Sources { journal: store.clone(), feed: store.clone(), clock: clock.clone() };
    let live = Live::start(engine.hub(), sources, config.ws.room_types_in_all, tasks);
    let search = Index::default();
    search::follow(search.clone(), engine.hub().clone(), store.clone(), clock.clone(), tasks);
    let gate = Gate::new(live, config.ws.clone());
    let dependencies = http_dependencies(config, &store, &engine, &search, clock.clone(), gate, &ownership).await?;
    let http::Dependencies { draining, throttle, .. } = dependencies.clone();
    let audience = if listeners.operators.is_some() { Audience::Public } else { Audience::Everybody };
    let serve_operators = |listener| Operators::serve(listener, config, dependencies.clone(), clock.clone(), tasks);
    let operators = listeners.operators.map(serve_operators).transpose()?;
    let connections = http::Connections::new("public", limits(config), clock.clone());
    let application = http::configure(dependencies, audience);
    let server = http::server(listeners.everybody, config.http_workers, connections.clone(), application);
    let server = server.map_err(Error::Http)?;
    let http = server.handle();
    connections.supervise("connections", tasks);
    metrics.keep_small(tasks);
    housekeeping::forget_callers(tasks, throttle, clock.clone());
    housekeeping::delete_old(tasks, &store, &clock, config.event_retention);
    housekeeping::watch_holds(tasks, engine.clone());
    housekeeping::measure(tasks, store.clone());
    let serving = tokio::spawn(server);
    ownership.keep(engine.hub(), tasks);
    if let Some(tail) = tail {
        tail.follow(tasks);
    }
    let (grace, membership) = (config.shutdown_grace, ownership.membership);
    let running = Running { engine, store, search, membership, address, grace, draining, http, serving, operators };
    if let Err(error) = running.join().await {
        running.shutdown().await;
        return Err(error.into());
    }
    Ok(running)
}

/// The secret of the installation. The first call creates it.
async fn installation_secret(store: &Arc<dyn Store>) -> Result<[u8; 32], Error> {
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh)?;
    Ok(store.installation_secret(fresh).await?)
}

async fn http_dependencies(
    config: &Config,
    store: &Arc<dyn Store>,
    engine: &Engine,
    search: &Index,
    clock: Arc<dyn Clock>,
    gate: Gate,
    ownership: &Ownership,
) -> Result<http::Dependencies, Error> {
    let secret = installation_secret(store).await?;
    let (metrics, measured) = (telemetry::metrics()?, (engine.clone(), gate.clone()));
    let render = move || {
        measured.0.measure();
        measured.1.measure();
        metrics.render()
    };
    Ok(http::Dependencies {
        engine: engine.clone(),
        store: store.clone(),
        search: search.clone(),
        clock,
        ids: Arc::new(System),
        access: http::Access::new(config.admin_token.as_ref().map(|token| token.expose()), secret),
        metrics: http::system::MetricsPage::new(render),
        store_ping: http::system::StorePing::default(),
        pages: http::openapi::Pages::default(),
        gate,
        access_log: http::edge::AccessLog::new(config.access_log),
        throttle: Throttle::new(config.throttle.clone(), config.trusted_proxies.clone()),
        draining: Draining::default(),
        membership: ownership.membership.clone(),
        pulse: Pulse::start().map_err(Error::Pulse)?,
        peers: ownership.peers.clone(),
    })
}

fn limits(config: &Config) -> http::Limits {
    http::Limits {
        connections: config.max_connections,
        request_timeout: config.request_timeout,
        keep_alive: config.keep_alive,
        buffered: config.client_buffers,
        grace: config.shutdown_grace,
    }
}

impl Running {
    /// The URL at which this machine reaches the API.
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// The URL at which this machine reaches health and metrics.
    pub fn ops_url(&self) -> String {
        url(self.operators.as_ref().map_or(self.address, |operators| operators.address))
    }

    /// Joins the cluster, now that requests are answered, and starts actors for open holds.
    async fn join(&self) -> Result<(), store::Error> {
        self.membership.join().await;
        self.engine.recover().await.map(drop)
    }

    /// Waits until the process cannot continue: an HTTP server, the writer or an essential task has ended.
    pub async fn failed(&mut self) -> Error {
        let ended = tokio::select! {
            ended = &mut self.serving => ended,
            ended = Operators::ended(&mut self.operators) => ended,
            task = self.engine.tasks().stopped_by() => return Error::Task(task),
            () = self.engine.writer_ended() => return Error::Task("writer"),
        };
        match ended {
            Ok(Err(error)) => Error::Http(error),
            Ok(Ok(())) => Error::Http(io::Error::other("it stopped without being told to")),
            Err(error) => Error::Http(io::Error::other(error)),
        }
    }

    /// Announces the shutdown: `/readyz` answers 503 and dashboards are disconnected. Requests are still answered.
    pub fn begin_draining(&self) {
        self.draining.begin();
    }

    /// Stops like a crash: nothing is finished, announced or released.
    pub async fn abort(self) {
        self.engine.tasks().abandon();
        self.http.stop(false).await;
        self.serving.abort();
        if let Some(operators) = self.operators {
            operators.stop().await;
        }
    }

    /// Stops in the order of the module doc.
    pub async fn shutdown(self) {
        let Self { engine, store, membership, grace, draining, http, serving, operators, .. } = self;
        tracing::info!(grace_secs = grace.as_secs(), "shutting down: finishing the requests in flight");
        let grace = Grace::begin(grace);
        let handed_over = async {
            shutdown::drain(&draining, &*membership, &engine).await;
            membership.known_to_drain().await;
        };
        if timeout_at(grace.end(Phase::HandOver), handed_over).await.is_err() {
            tracing::warn!("some room types were not handed over; other nodes take them over when their leases end");
        }
        if timeout_at(grace.end(Phase::Requests), http.stop(true)).await.is_err() {
            tracing::warn!("requests in flight did not finish within the grace and were dropped");
        }
        serving.abort();
        if engine.tasks().stop(grace.left(Phase::Tasks)).await {
            tracing::warn!("background tasks did not finish within the grace and were dropped");
        }
        // A store that hangs must not keep the process alive. Neither its last commit nor its closing may take longer.
        let drained = async {
            engine.shutdown().await;
            membership.leave().await;
            store.close().await
        };
        match timeout_at(grace.end(Phase::Store), drained).await {
            Ok(Ok(())) => tracing::info!("shut down: everything acknowledged is durable"),
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "shut down, but the store was not closed");
            }
            Err(_) => tracing::error!(
                "shut down before the store had answered; requests that were not acknowledged may be lost"
            ),
        }
        if let Some(operators) = operators {
            operators.stop().await;
        }
    }
}
