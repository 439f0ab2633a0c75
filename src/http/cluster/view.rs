//! The JSON of the cluster.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Clock;
use crate::domain::{RoomTypeId, Timestamp};
use crate::engine::Engine;
use crate::http::page::List;
use crate::lease::{Holding, Membership, Node};
use crate::shutdown::Draining;
use crate::store::Page;

/// What describes this node.
pub struct ThisNode {
    pub engine: Data<Engine>,
    pub membership: Data<dyn Membership>,
    pub draining: Data<Draining>,
    clock: Data<dyn Clock>,
}

impl FromRequest for ThisNode {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let node = || {
            Ok(Self {
                engine: Data::extract(request).into_inner()?,
                membership: Data::extract(request).into_inner()?,
                draining: Data::extract(request).into_inner()?,
                clock: Data::extract(request).into_inner()?,
            })
        };
        ready(node())
    }
}

/// The nodes, and the room types that the answering node owns.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cluster)]
pub struct ClusterView {
    /// The name of the answering node.
    node: String,
    /// Whether the answering node drains.
    draining: bool,
    /// Every live node. Null while Redis does not answer.
    nodes: Option<Vec<NodeView>>,
    /// The room types that the answering node owns, by id.
    owned: Vec<OwnedRoomType>,
    /// Send it as `cursor` to get the next page of `owned`. Null on the last page.
    next_cursor: Option<String>,
    /// The commit lanes of the node. The facts of a room type always take the same lane.
    lanes: Vec<LaneView>,
}

/// A node of the cluster.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Node)]
pub struct NodeView {
    id: String,
    /// The URL under which other nodes reach it.
    url: String,
    /// When the node started.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_heartbeat: Timestamp,
    draining: bool,
    /// Whether the node could not reach the database at its last heartbeat. Other nodes then own its room types.
    cut_off: bool,
    /// The number of room types that the node owned at its last heartbeat.
    owned: usize,
}

/// A room type that the answering node owns.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnedRoomType {
    #[schema(value_type = uuid::Uuid)]
    room_type_id: RoomTypeId,
    /// The fencing token. The store accepts facts with the highest token only.
    token: i64,
    /// For how long the node has owned the room type with this token.
    owned_for_secs: u64,
    /// The age of the lease: seconds since the last successful renewal was sent. It grows while Redis does not answer.
    /// Null if Redis did not grant the lease: on a node without a cluster, or with a token that the node made itself.
    renewed_secs_ago: Option<u64>,
}

/// A commit lane.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lane)]
pub struct LaneView {
    /// The number of facts and answers that wait for the next commit.
    waiting: usize,
}

impl ClusterView {
    /// The current state of the cluster, with one page of owned room types.
    pub async fn of(this: &ThisNode, page: Page<RoomTypeId>, limit: u32) -> Self {
        let (membership, now) = (&this.membership, this.clock.now());
        let nodes = membership
            .nodes()
            .await
            .inspect_err(|error| tracing::warn!(%error, "the nodes of the cluster cannot be listed"));
        let held = membership.holdings(page.after, page.limit as usize);
        let List { items: owned, next_cursor } = List::of(held, limit, |holding: &Holding| holding.room_type.0);
        Self {
            node: membership.me().node.to_string(),
            draining: this.draining.has_begun(),
            nodes: nodes.ok().map(|nodes| nodes.iter().map(|node| NodeView::of(node, now)).collect()),
            owned,
            next_cursor,
            lanes: this.engine.lanes().into_iter().map(|waiting| LaneView { waiting }).collect(),
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
