//! Faults: what is done to a cluster, and how it is undone.

use super::cluster::Cluster;
use super::link::Mode;

/// Something that goes wrong. Nodes are told apart by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// kill -9; later it is started again.
    NodeKilled(usize),
    /// SIGTERM; later, when it has ended in order, it is started again, as in a rolling upgrade.
    NodeReplaced(usize),
    /// SIGSTOP; later it goes on as if nothing had happened.
    NodeAsleep(usize),
    /// kill -9; later it is started again, and reads its log.
    DatabaseKilled,
    /// FLUSHALL.
    RedisForgets,
    /// kill -9; later it is started again, empty.
    RedisKilled,
    /// SIGSTOP.
    RedisAsleep,
    /// A node's wire to Redis.
    RedisAway(usize, Mode),
    /// A node's wire to the database.
    DatabaseAway(usize, Mode),
    /// The wire by which guests and other nodes reach a node.
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

    /// Whether both happen to the same thing: one of them must be over before the other begins.
    pub fn is_about_the_same_as(self, other: Self) -> bool {
        self.subject() == other.subject()
    }

    /// Whether a node is started when it is over, which only works where the node finds everything it needs.
    pub const fn ends_with_a_start(self) -> bool {
        matches!(self, Self::NodeKilled(_) | Self::NodeReplaced(_))
    }

    /// In how many of all room types guests must be served while it lasts.
    pub const fn leaves(self, all: usize) -> usize {
        match self {
            Self::DatabaseKilled => 0,
            // What is owned goes on; what is owned by a node that nobody can come to waits for that.
            Self::RedisKilled | Self::RedisAsleep | Self::Unreachable(..) => 1,
            // Others take over.
            Self::NodeKilled(_) | Self::NodeReplaced(_) | Self::NodeAsleep(_) | Self::RedisForgets => all,
            Self::RedisAway(..) | Self::DatabaseAway(..) => all,
        }
    }

    const fn subject(self) -> (&'static str, usize) {
        match self {
            Self::NodeKilled(node) | Self::NodeReplaced(node) | Self::NodeAsleep(node) => ("node", node),
            Self::DatabaseKilled => ("database", 0),
            Self::RedisForgets | Self::RedisKilled | Self::RedisAsleep => ("redis", 0),
            Self::RedisAway(node, _) => ("wire to redis", node),
            Self::DatabaseAway(node, _) => ("wire to the database", node),
            Self::Unreachable(node, _) => ("door", node),
        }
    }

    /// One of all there are.
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
