//! The OpenAPI text of the cluster.

use super::view::ClusterView;
use crate::http::describe::operation::{Doc, get, post};

const READ: &str = "Lists every live node, and the room types that the answering node owns. Clients do not need this: \
                    every node answers every request, and forwards it to the owner if necessary.";
const DRAIN: &str = "The node finishes the requests in progress and gives every room type back. `/readyz` answers 503 \
                     from now on. The node still answers requests, which other nodes then decide, and closes each \
                     connection after its answer. Only a restart ends the drain. The answer comes when all room types \
                     are given back.";

pub fn docs() -> Vec<Doc> {
    let docs = [
        get("/v1/cluster", "read_cluster")
            .says("Get the cluster", READ)
            .administrator()
            .paged()
            .answers::<ClusterView>(200, "The cluster.", &[]),
        post("/v1/cluster/drain", "drain_node")
            .says("Drain a node", DRAIN)
            .administrator()
            .without_key()
            .answers::<ClusterView>(200, "The cluster after the drain.", &[]),
    ];
    docs.into_iter().map(|doc| doc.tag("operation")).collect()
}
