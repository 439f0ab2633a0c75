//! The numbers of this process, as `/metrics` shows them.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

use super::described;
use crate::tasks::{Policy, Tasks};

/// From 50 µs, a decision, over a commit of a few ms, to a client that waited for 10 s.
const LATENCIES: &[f64] =
    &[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Sizes of batches and queues, in powers of two.
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0, 4_096.0];
/// Numbers of what should not happen.
const TROUBLES: &[&str] = &[
    "innkeeper_announcements_refused_total",
    "innkeeper_connections_refused_total",
    "innkeeper_fenced_commits_total",
    "innkeeper_forwards_refused_total",
    "innkeeper_heartbeats_failed_total",
    "innkeeper_lease_renewals_failed_total",
    "innkeeper_leases_lost_total",
    "innkeeper_live_conflations_total",
    "innkeeper_log_lines_dropped_total",
    "innkeeper_log_lines_suppressed_total",
    "innkeeper_panics_total",
    "innkeeper_takeovers_total",
];
/// The same by a label, with its values.
const TROUBLES_BY: &[(&str, &str, &[&str])] = &[
    (
        "innkeeper_actor_restarts_total",
        "cause",
        &[
            "clock_set_back",
            "cut_off",
            "unknown_outcome",
            "lease_lost",
            "lost_commit",
            "overtaken",
            "panic",
            "replaced",
        ],
    ),
    (
        "innkeeper_connections_closed_total",
        "reason",
        &["idle", "slow_head", "slow_body", "endless_body", "unread", "memory", "full"],
    ),
    ("innkeeper_failed_commits_total", "outcome", &["unknown_outcome", "rolled_back"]),
    ("innkeeper_requests_expired_total", "place", &["door", "mailbox", "queue", "way"]),
];
/// How often histograms are condensed, so that they stay small when nobody asks for them.
const UPKEEP: Duration = Duration::from_secs(5);

/// The numbers of this process, in Prometheus' text format.
#[derive(Clone)]
pub struct Metrics {
    recorded: PrometheusHandle,
    /// Looks at the process itself when it is asked: memory, threads, open files.
    process: Collector,
}

/// Starts recording, the first time it is called in a process.
pub fn metrics() -> Result<Metrics, BuildError> {
    static RECORDING: OnceLock<PrometheusHandle> = OnceLock::new();
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), LATENCIES)?
        .set_buckets(SIZES)?;
    let handle = RECORDING.get_or_init(|| {
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder was there first; /metrics stays empty");
        }
        Collector::default().describe();
        described::describe();
        show_zeros();
        handle
    });
    Ok(Metrics { recorded: handle.clone(), process: Collector::default() })
}

/// Shows what should not happen before it has: a dashboard sees a step from 0 to 1, but none from nothing to 1.
fn show_zeros() {
    for name in TROUBLES {
        metrics::counter!(*name).increment(0);
    }
    for (name, label, values) in TROUBLES_BY {
        for value in *values {
            metrics::counter!(*name, *label => *value).increment(0);
        }
    }
}

impl Metrics {
    pub fn render(&self) -> String {
        self.process.collect();
        self.recorded.render()
    }

    /// Starts the task that condenses histograms.
    pub fn keep_small(&self, tasks: &Tasks) {
        let handle = self.recorded.clone();
        tasks.spawn("metrics", Policy::Restart, move |stop| {
            let handle = handle.clone();
            async move {
                let mut ticks = tokio::time::interval(UPKEEP);
                while stop.run_until_cancelled(ticks.tick()).await.is_some() {
                    handle.run_upkeep();
                }
            }
        });
    }
}
