//! The nodes that share a database, as they count in it: the proof that two nodes work on the same one.
//!
//! Called by [`crate::lease`], which compares the counters with what the nodes announce in Redis.

use std::collections::HashMap;

use async_trait::async_trait;
use uuid::Uuid;

use super::{DatabaseId, Error};

/// The table of the nodes. The default is that of a store which only one node can use.
#[async_trait]
pub trait Members: Send + Sync + 'static {
    /// The id of this database.
    async fn database(&self) -> Result<DatabaseId, Error> {
        Ok(DatabaseId::unshared())
    }

    /// Commits the next beat of `me`, then reads the beats of `peers`. Answers also where the store is busy.
    async fn heartbeat(&self, me: &Instance, peers: &[Uuid]) -> Result<Roster, Error> {
        let _ = (me, peers);
        Ok(Roster { database: self.database().await?, committed: None, beats: HashMap::new() })
    }
}

/// One start of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// A random id of this start: a node that starts again has another one.
    pub id: Uuid,
    /// The node's name, for people who read the table.
    pub node: String,
}

/// What the table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    pub database: DatabaseId,
    /// The caller's own beat, just committed. `None`: the database answers, but takes no write.
    pub committed: Option<i64>,
    /// The committed beats of those peers that have a row.
    pub beats: HashMap<Uuid, i64>,
}
