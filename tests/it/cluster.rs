//! Several nodes, each of which answers everything: by itself, or by the node that owns what is asked for.

mod balancer;
mod failures;
mod following;
mod forwarding;
mod headers;
mod moving;
mod strangers;
mod trust;
