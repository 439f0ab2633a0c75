//! What `/openapi.json` says about the cluster.

use super::view::ClusterView;
use crate::http::openapi::operation::{Doc, get, post};

const READ: &str = "Every node that lives, as the heartbeats tell, and the room types that the node owns which answers. \
                    Clients need not know any of this: every node answers every request, and asks the owner where it \
                    is not the owner itself.";
const DRAIN: &str = "What was begun is finished, then every room type is given back, and `/readyz` answers 503 from now \
                     on. Requests are still answered, by the other nodes, and each answer closes its connection. There \
                     is no way back but to start the node again. Answers when everything has been given back.";

pub fn docs() -> Vec<Doc> {
    let docs = [
        get("/v1/cluster", "read_cluster")
            .says("See the nodes, and what this one owns", READ)
            .administrator()
            .paged()
            .answers::<ClusterView>(200, "The cluster.", &[]),
        post("/v1/cluster/drain", "drain_node")
            .says("Let the other nodes have everything that this one owns", DRAIN)
            .administrator()
            .without_key()
            .answers::<ClusterView>(200, "The cluster, as it is now.", &[]),
    ];
    docs.into_iter().map(|doc| doc.tag("operation")).collect()
}
