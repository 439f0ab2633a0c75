//! Endpoints for operators: liveness, readiness and metrics.

pub mod docs;
pub mod health;
pub mod metrics;

use std::time::Duration;

pub use health::StorePing;
pub use metrics::MetricsPage;

/// How long the results of expensive checks are reused.
const GOOD_FOR: Duration = Duration::from_millis(100);
