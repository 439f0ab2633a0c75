//! How a peer compares with this node, as far as its announcement shows.

use uuid::Uuid;

use crate::domain::Timestamp;

/// The order in which nodes started: by their clocks, then by the random ids of their starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    pub started_at: Timestamp,
    pub instance: Uuid,
}

/// A peer, as its announcement shows it to this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerStatus {
    /// It belongs to this cluster.
    Member(Rank),
    /// It works on another database, or on a copy of this one.
    OtherDatabase(Rank),
    /// It does not reach its database, and has not proved yet that it is this one.
    Unproven,
    /// Its database was not compared yet.
    Pending,
    /// Its clock shows this.
    OtherClock { now: Timestamp },
    /// Its announcement has no valid signature.
    Unreadable,
}

impl PeerStatus {
    /// Why the peer does not belong to this cluster.
    pub fn foreign(self) -> Option<&'static str> {
        match self {
            Self::Member(_) | Self::Unproven | Self::Pending => None,
            Self::OtherDatabase(_) => Some("it works on another database, or on a copy of this one"),
            Self::OtherClock { .. } => Some("its clock is more than 30 s apart from this node's"),
            Self::Unreadable => Some("it has another cluster_secret, or its announcement is forged"),
        }
    }
}
