//! Several nodes: each answers every request, by itself or through the owner.

mod balancer;
mod failures;
mod following;
mod forwarding;
mod headers;
mod moving;
mod strangers;
mod trust;
