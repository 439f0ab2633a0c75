//! Why a node that reaches Redis may still own nothing: it is not one of the nodes that Redis knows.

use crate::domain::Timestamp;

/// Why a node is no member of the cluster whose nodes live in Redis. Each says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Outsider {
    /// None of the living nodes can be understood.
    #[error(
        "the nodes that live in Redis use another cluster_secret; set the same on all nodes, or give this node another \
         Redis"
    )]
    Secret,
    /// Most of the living nodes have another time, or the only other one has and Redis agrees with it.
    #[error("the clock of this node is {} the other nodes'; synchronise it (NTP)", apart(*ahead_secs))]
    Clock { ahead_secs: i64 },
    /// The node that started first works on another database, or no living node has shown that it works on this one.
    #[error(
        "the nodes that live in Redis work on another database, which this one may be a copy of, or cannot reach theirs \
         now; point all nodes at the same database, or stop the others and wait for lease_ttl_secs"
    )]
    Database,
    /// The database under this node is not the one that it started on.
    #[error("the database was replaced by another one while this node ran; restart the node")]
    Replaced,
}

impl Outsider {
    /// Whether what this node reads may be something else than what the other nodes read.
    pub fn reads_another_database(self) -> bool {
        matches!(self, Self::Database | Self::Replaced)
    }

    /// By how much a clock is ahead of another one.
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
