//! The contest: the same bookings for innkeeper and for the baselines.

pub mod callers;
pub mod contender;
pub mod database;
pub mod handle;
pub mod scoreboard;
pub mod setup;
pub mod web;

use async_trait::async_trait;
use innkeeper::domain::{Order, RoomTypeId};
use innkeeper::engine::Key;

/// A program that sells rooms.
#[async_trait]
pub trait Seller: Send + Sync {
    /// Books; `false` if no room is free. When it returns, the booking is durable.
    async fn book(&self, stay_request: StayRequest) -> bool;
}

/// The stay that a guest wants.
#[derive(Debug, Clone)]
pub struct StayRequest {
    pub room_type: RoomTypeId,
    pub order: Order,
    pub key: Option<Key>,
}
