//! The cluster as it is answered.

use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{RoomTypeId, Timestamp};
use crate::http::page::List;
use crate::http::state::State;
use crate::lease::{Holding, Node};
use crate::store::Page;

/// The nodes, and what the one that answers owns.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cluster)]
pub struct ClusterView {
    /// The name of the node that answers.
    node: String,
    /// Whether it lets the others have everything.
    draining: bool,
    /// Every node that lives; null while nobody can say.
    nodes: Option<Vec<NodeView>>,
    /// The room types that this node owns, by id.
    owned: Vec<OwnedRoomType>,
    /// Send it as `cursor` to get the next of them; null on the last page.
    next_cursor: Option<String>,
    /// Its ways into the store: a room type's facts always take the same one.
    lanes: Vec<LaneView>,
}

/// A node of the cluster.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Node)]
pub struct NodeView {
    id: String,
    /// Where the other nodes reach it.
    url: String,
    /// When it started.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_heartbeat: Timestamp,
    draining: bool,
    /// Whether it could not reach the database at its last heartbeat: the others have its room types.
    cut_off: bool,
    /// Room types that it owned at its last heartbeat.
    owned: usize,
}

/// A room type that this node owns.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnedRoomType {
    #[schema(value_type = uuid::Uuid)]
    room_type_id: RoomTypeId,
    /// The fencing token: the store takes facts under the highest one only.
    token: i64,
    /// For how long it has been owned under this token.
    owned_for_secs: u64,
    /// How long ago Redis was asked when it last said that it is this node's: the age of the lease. It grows while Redis is
    /// away. Null where Redis has not said so: on a node that is alone, or under a token of the node's own making.
    renewed_secs_ago: Option<u64>,
}

/// A way into the store.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lane)]
pub struct LaneView {
    /// Facts and answers that wait for the next commit.
    waiting: usize,
}

impl ClusterView {
    /// What is so now, with a page of what is owned.
    pub async fn of(state: &State, page: Page<RoomTypeId>, limit: u32) -> Self {
        let (membership, now) = (&state.membership, state.clock.now());
        let nodes = membership.nodes().await.inspect_err(|error| tracing::warn!(%error, "the nodes are unknown"));
        let held = membership.holdings(page.after, page.limit as usize);
        let List { items: owned, next_cursor } = List::of(held, limit, |holding: &Holding| holding.room_type.0);
        Self {
            node: membership.me().node.to_string(),
            draining: state.draining.has_begun(),
            nodes: nodes.ok().map(|nodes| nodes.iter().map(|node| NodeView::of(node, now)).collect()),
            owned,
            next_cursor,
            lanes: state.engine.lanes().into_iter().map(|waiting| LaneView { waiting }).collect(),
        }
    }
}

impl NodeView {
    fn of(node: &Node, now: Timestamp) -> Self {
        let silent_for = SignedDuration::try_from(node.silent_for).unwrap_or_default();
        Self {
            id: node.peer.node.to_string(),
            url: node.peer.url.to_string(),
            since: node.since,
            last_heartbeat: now.saturating_sub(silent_for).unwrap_or(now),
            draining: node.draining,
            cut_off: node.cut_off,
            owned: node.owned,
        }
    }
}

impl From<&Holding> for OwnedRoomType {
    fn from(holding: &Holding) -> Self {
        Self {
            room_type_id: holding.room_type,
            token: holding.token.0,
            owned_for_secs: holding.age.as_secs(),
            renewed_secs_ago: holding.renewed_ago.map(|ago| ago.as_secs()),
        }
    }
}
