//! Outsiders: nodes that reach Redis but must not own room types, because they do not belong to its cluster.

use crate::domain::Timestamp;

/// Why a node is no member of the cluster. Each message says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Outsider {
    /// No announcement of a live node has a valid signature.
    #[error(
        "the nodes that live in Redis use another cluster_secret; set the same on all nodes, or give this node another \
         Redis"
    )]
    Secret,
    /// Most live nodes have another time, or the only other one has and Redis agrees with it.
    #[error("the clock of this node is {} the other nodes'; synchronise it (NTP)", apart(*ahead_secs))]
    Clock { ahead_secs: i64 },
    /// The node that started first works on another database, or no live node has proved that it works on this one.
    #[error(
        "the nodes that live in Redis work on another database, which this one may be a copy of, or cannot reach theirs \
         now; point all nodes at the same database, or stop the others and wait for lease_ttl_secs"
    )]
    Database,
    /// The database is not the one that this node started on.
    #[error("the database was replaced by another one while this node ran; restart the node")]
    Replaced,
}

impl Outsider {
    /// Whether this node may read other data than the members.
    pub fn reads_another_database(self) -> bool {
        matches!(self, Self::Database | Self::Replaced)
    }

    /// The difference of two clocks.
    pub(super) fn clock(mine: Timestamp, theirs: Timestamp) -> Self {
        Self::Clock { ahead_secs: mine.duration_since(theirs).as_secs() }
    }
}

fn apart(ahead_secs: i64) -> String {
    match ahead_secs {
        0.. => format!("{ahead_secs} s ahead of"),
        _ => format!("{} s behind", ahead_secs.unsigned_abs()),
    }
}
