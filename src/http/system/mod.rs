//! Endpoints for operators: liveness, readiness and metrics.

pub mod docs;
pub mod health;
pub mod metrics;

pub use metrics::MetricsPage;
