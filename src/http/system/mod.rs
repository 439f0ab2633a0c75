//! Addresses for operators: health, metrics, and the description of the API.

pub mod docs;
pub mod health;
pub mod metrics;
pub mod pages;

pub use pages::Pages;
