//! Endpoints for operators: liveness, readiness and metrics.

pub mod docs;
pub mod health;
pub mod metrics;

use std::time::Duration;

pub use health::StorePing;
pub use metrics::MetricsPage;

/// How long an answer that costs something is given again.
const GOOD_FOR: Duration = Duration::from_millis(250);
