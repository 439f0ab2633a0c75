//! Whether a claim still stands, by the word of the store.

use std::collections::HashSet;
use std::sync::Arc;

use super::inquiry::Inquiry;
use crate::domain::RoomTypeId;
use crate::lease::Token;
use crate::store::Ledger;

/// A room type, and the token under which somebody believes to own it.
pub(super) type Claimed = (RoomTypeId, Token);

/// Where owners ask who are not certain: `true` if nobody has claimed the room type since.
pub(super) type Standing = Inquiry<Claimed, bool>;

pub(super) fn start(ledger: Arc<dyn Ledger>) -> Standing {
    Inquiry::start(move |claims: Arc<[Claimed]>| {
        let ledger = ledger.clone();
        async move {
            let room_types: HashSet<_> = claims.iter().map(|(room_type, _)| *room_type).collect();
            let tokens = ledger.tokens(&Vec::from_iter(room_types)).await?;
            Ok(claims.iter().map(|(room_type, token)| tokens.get(room_type) == Some(token)).collect())
        }
    })
}
