//! Faults: how each is caused in a cluster, and how it ends.

use super::cluster::Cluster;
use super::link::Mode;

/// A fault. Nodes are given by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// kill -9; later the node is started again.
    NodeKilled(usize),
    /// SIGTERM; after an orderly end the node is started again, as in a rolling upgrade.
    NodeReplaced(usize),
    /// SIGSTOP; later the node continues.
    NodeAsleep(usize),
    /// kill -9; later the server is started again and recovers from its log.
    DatabaseKilled,
    /// FLUSHALL.
    RedisForgets,
    /// kill -9; later the server is started again with no data.
    RedisKilled,
    /// SIGSTOP.
    RedisAsleep,
    /// The link between a node and Redis.
    RedisAway(usize, Mode),
    /// The link between a node and the database.
    DatabaseAway(usize, Mode),
    /// The link from clients and other nodes to a node.
    Unreachable(usize, Mode),
}

impl Fault {
    pub fn strike(self, cluster: &mut Cluster) {
        match self {
            Self::NodeKilled(node) => cluster.nodes[node].kill(),
            Self::NodeReplaced(node) => cluster.nodes[node].signal("TERM"),
            Self::NodeAsleep(node) => cluster.nodes[node].signal("STOP"),
            Self::DatabaseKilled => cluster.postgres.kill(),
            Self::RedisForgets => cluster.redis.run::<()>(&["FLUSHALL"]),
            Self::RedisKilled => cluster.redis.stop(),
            Self::RedisAsleep => cluster.redis.pause(),
            Self::RedisAway(node, mode) => cluster.nodes[node].to_redis.set(mode),
            Self::DatabaseAway(node, mode) => cluster.nodes[node].to_database.set(mode),
            Self::Unreachable(node, mode) => cluster.nodes[node].door.set(mode),
        }
    }

    pub fn heal(self, cluster: &mut Cluster) {
        match self {
            Self::NodeKilled(node) => cluster.nodes[node].start(),
            Self::NodeReplaced(node) => {
                assert!(cluster.nodes[node].ended(), "it did not end in order:\n{}", cluster.last_words());
                cluster.nodes[node].start();
            }
            Self::NodeAsleep(node) => cluster.nodes[node].signal("CONT"),
            Self::DatabaseKilled => cluster.postgres.come_back(),
            Self::RedisForgets => {}
            Self::RedisKilled => cluster.redis.start_again(),
            Self::RedisAsleep => cluster.redis.resume(),
            Self::RedisAway(node, _) => cluster.nodes[node].to_redis.set(Mode::Open),
            Self::DatabaseAway(node, _) => cluster.nodes[node].to_database.set(Mode::Open),
            Self::Unreachable(node, _) => cluster.nodes[node].door.set(Mode::Open),
        }
    }

    /// Whether both faults affect the same process or link. Then one must end before the other begins.
    pub fn is_about_the_same_as(self, other: Self) -> bool {
        self.subject() == other.subject()
    }

    /// Whether a node is started at the end of the fault. That needs all other servers.
    pub const fn ends_with_a_start(self) -> bool {
        matches!(self, Self::NodeKilled(_) | Self::NodeReplaced(_))
    }

    /// The share of room types that must be served during the fault.
    pub const fn leaves(self, all: usize) -> usize {
        match self {
            Self::DatabaseKilled => 0,
            // Owned room types are served, except those of a node that cannot be reached.
            Self::RedisKilled | Self::RedisAsleep | Self::Unreachable(..) => 1,
            // Other nodes take over.
            Self::NodeKilled(_) | Self::NodeReplaced(_) | Self::NodeAsleep(_) | Self::RedisForgets => all,
            Self::RedisAway(..) | Self::DatabaseAway(..) => all,
        }
    }

    const fn subject(self) -> (&'static str, usize) {
        match self {
            Self::NodeKilled(node) | Self::NodeReplaced(node) | Self::NodeAsleep(node) => ("node", node),
            Self::DatabaseKilled => ("database", 0),
            Self::RedisForgets | Self::RedisKilled | Self::RedisAsleep => ("redis", 0),
            Self::RedisAway(node, _) => ("link to redis", node),
            Self::DatabaseAway(node, _) => ("link to the database", node),
            Self::Unreachable(node, _) => ("door", node),
        }
    }

    /// A random fault.
    pub fn any(dice: &mut fastrand::Rng, nodes: usize) -> Self {
        let node = dice.usize(..nodes);
        let mode = if dice.bool() { Mode::Hung } else { Mode::Cut };
        match dice.usize(..10) {
            0 => Self::NodeKilled(node),
            1 => Self::NodeAsleep(node),
            2 => Self::DatabaseKilled,
            3 => Self::RedisForgets,
            4 => Self::RedisKilled,
            5 => Self::RedisAsleep,
            6 => Self::RedisAway(node, mode),
            7 => Self::DatabaseAway(node, mode),
            8 => Self::NodeReplaced(node),
            _ => Self::Unreachable(node, mode),
        }
    }
}
