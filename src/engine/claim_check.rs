//! Claim checks: asks the store whether this node's claim of a room type is still the last one.

use std::collections::HashSet;
use std::sync::Arc;

use super::batch_loader::BatchLoader;
use crate::domain::RoomTypeId;
use crate::lease::Token;
use crate::store::Journal;

/// A room type, and the token under which this node claimed it.
pub(super) type Claimed = (RoomTypeId, Token);

/// Answers `true` while no other owner has claimed the room type.
pub(super) type ClaimCheck = BatchLoader<Claimed, bool>;

pub(super) fn start(journal: Arc<dyn Journal>) -> ClaimCheck {
    BatchLoader::start(move |claims: Arc<[Claimed]>| {
        let journal = journal.clone();
        async move {
            let room_types: HashSet<_> = claims.iter().map(|(room_type, _)| *room_type).collect();
            let tokens = journal.tokens(&Vec::from_iter(room_types)).await?;
            Ok(claims.iter().map(|(room_type, token)| tokens.get(room_type) == Some(token)).collect())
        }
    })
}
