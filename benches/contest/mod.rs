//! The contest: one task, and whoever can do it.

pub mod callers;
pub mod contender;
pub mod ground;
pub mod handle;
pub mod scoreboard;
pub mod setup;
pub mod web;

use async_trait::async_trait;
use innkeeper::domain::{Order, RoomTypeId};
use innkeeper::engine::Key;

/// Somebody who sells rooms.
#[async_trait]
pub trait Desk: Send + Sync {
    /// Books; `false` if there was no room. When it returns, the booking is durable.
    async fn book(&self, wish: Wish) -> bool;
}

/// What a guest asks for.
#[derive(Debug, Clone)]
pub struct Wish {
    pub room_type: RoomTypeId,
    pub order: Order,
    pub key: Option<Key>,
}
