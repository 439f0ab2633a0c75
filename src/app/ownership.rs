//! The lease: this node alone owns every room type, or the nodes of a cluster share them.

use std::sync::Arc;

use gethostname::gethostname;

use super::Error;
use crate::clock::Clock;
use crate::config::{Cluster, Config};
use crate::engine::Engine;
use crate::events::{Hub, Tail, wake};
use crate::http::Peers;
use crate::lease::redis::RedisWake;
use crate::lease::{Lease, Membership, NodeId, Peer, RedisLease, SingleNode};
use crate::store::{DatabaseId, Store};
use crate::tasks::Tasks;

/// The leases of this node, and its membership in the cluster.
pub(super) struct Ownership {
    pub lease: Arc<dyn Lease>,
    pub membership: Arc<dyn Membership>,
    pub peers: Option<Peers>,
    others: Option<Others>,
}

/// The parts that only a node in a cluster has.
struct Others {
    lease: Arc<RedisLease>,
    wake: Arc<RedisWake>,
}

impl Ownership {
    /// Begins as configured, for a node with that URL.
    pub async fn begin(
        config: &Config,
        url: &str,
        store: &Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        match &config.cluster {
            Some(cluster) => Self::among_others(config, cluster, url, store, store.database().await?, clock),
            None => Ok(Self::alone(url)),
        }
    }

    /// Fencing tokens use the machine's clock, also where another clock replays the past.
    fn alone(url: &str) -> Self {
        let me = Peer { node: NodeId::single(), url: url.into() };
        let lease = Arc::new(SingleNode::named(me, Arc::new(crate::clock::System)));
        Self { lease: lease.clone(), membership: lease, peers: None, others: None }
    }

    /// Does not announce this node yet: [`Membership::join`] does.
    fn among_others(
        config: &Config,
        cluster: &Cluster,
        url: &str,
        store: &Arc<dyn Store>,
        database: DatabaseId,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let node = match &cluster.node {
            Some(node) => node.clone(),
            None => random_name()?,
        };
        let url = cluster.advertise_url.as_deref().unwrap_or(url);
        let me = Peer { node: node.clone(), url: url.into() };
        let lease =
            RedisLease::new(&cluster.leases, me, store.clone(), database.clone(), clock).map_err(Error::Redis)?;
        let peers = Peers::new(node, &cluster.leases.secret, config.keep_alive);
        // An error is found now, not by the first request.
        peers.forwarder().map_err(Error::Peers)?;
        tracing::info!(node = %lease.me().node, url, %database, "this node works in a cluster");
        Ok(Self {
            lease: lease.clone(),
            membership: lease.clone(),
            peers: Some(peers),
            others: Some(Others { wake: lease.wake(), lease }),
        })
    }

    /// Where this node begins to read the events of the other nodes, in a cluster. Call it before the first subscription to
    /// the engine's hub.
    pub async fn tail(&self, store: &Arc<dyn Store>, engine: &Engine) -> Result<Option<Tail>, Error> {
        let Some(Others { wake, .. }) = &self.others else { return Ok(None) };
        let (hub, tenants) = (engine.hub().clone(), Arc::new(engine.clone()));
        Ok(Some(Tail::begin(store.clone(), hub, wake.clone(), tenants).await?))
    }

    /// Starts the tasks that keep leases, check the store, and send and receive wake-ups.
    pub fn keep(&self, hub: &Hub, tasks: &Tasks) {
        let Some(Others { lease, wake }) = &self.others else { return };
        lease.keep(tasks);
        lease.watch_store(tasks);
        wake.listen(tasks);
        wake::announce(hub.clone(), wake.clone(), tasks);
    }
}

/// A node name: the host's name and a random number, so that two nodes on one host differ.
fn random_name() -> Result<NodeId, Error> {
    let mut random = [0; 4];
    getrandom::fill(&mut random)?;
    let host = gethostname().to_string_lossy().into_owned();
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let host: String = host.chars().map(plain).take(48).collect();
    let name = format!("{host}-{}", data_encoding::HEXLOWER.encode(&random));
    Ok(name.parse().unwrap_or_else(|()| NodeId::single()))
}
