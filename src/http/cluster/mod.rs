//! `/v1/cluster`, for operators: the nodes of the cluster, and the room types that this node owns. It decides no
//! ownership.

pub mod docs;
pub mod drain;
pub mod read;
pub mod view;
