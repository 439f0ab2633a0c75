//! `/v1/cluster`: the nodes, and what this one owns. For operators; nothing here decides who owns what.

pub mod docs;
pub mod drain;
pub mod read;
pub mod view;
