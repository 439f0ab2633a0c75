//! The descriptions of the metrics, as `/metrics` shows them. A metric without a line here fails a test.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Counters.
const COUNTERS: &[(&str, &str)] = &[
    ("http_requests_total", "HTTP requests answered, by route pattern, method and status."),
    ("innkeeper_actor_restarts_total", "Room types whose actor started again from the store, by cause."),
    ("innkeeper_announcements_refused_total", "Announcements in Redis of nodes that do not belong to this cluster."),
    ("innkeeper_bookings_total", "Requests to book or hold rooms, by outcome."),
    ("innkeeper_connections_closed_total", "Connections closed by the server, by reason."),
    ("innkeeper_connections_refused_total", "Connections refused because the server was full."),
    ("innkeeper_facts_total", "Facts made durable, by cause."),
    ("innkeeper_failed_commits_total", "Commits that failed, by outcome: rolled_back or unknown_outcome."),
    ("innkeeper_fenced_commits_total", "Facts refused by the store because another owner has claimed the room type."),
    ("innkeeper_forwards_refused_total", "Forwarded requests refused because their signature is not of this cluster."),
    ("innkeeper_forwards_total", "Requests forwarded to other nodes, by outcome."),
    ("innkeeper_heartbeats_failed_total", "Heartbeats of this node that did not reach Redis."),
    ("innkeeper_lease_renewals_failed_total", "Leases that could not be renewed in Redis."),
    ("innkeeper_leases_acquired_total", "Leases acquired from Redis."),
    ("innkeeper_leases_lost_total", "Leases lost to another node, or already released."),
    (
        "innkeeper_live_conflations_total",
        "Snapshots sent to dashboards that read too slowly, instead of the changes that they missed.",
    ),
    ("innkeeper_log_lines_dropped_total", "Log lines dropped because stderr was not read fast enough."),
    ("innkeeper_log_lines_suppressed_total", "Log lines suppressed because the same place in the code repeats them."),
    ("innkeeper_panics_total", "Panics caught anywhere in the process. Each is a bug."),
    ("innkeeper_rate_limited_total", "Requests of public callers refused with 429, by limit."),
    ("innkeeper_refusals_total", "Requests refused by a rule of the domain, by rule."),
    ("innkeeper_requests_expired_total", "Requests never decided, because they were too old or their client was gone."),
    ("innkeeper_task_restarts_total", "Background tasks that failed and started again, by task."),
    ("innkeeper_takeovers_total", "Room types taken over from another node or an earlier run."),
    ("innkeeper_untrusted_proxy_requests_total", "Requests with X-Forwarded-For from an address that is not trusted."),
];

/// Gauges.
const GAUGES: &[(&str, Unit, &str)] = &[
    ("innkeeper_build_info", Unit::Count, "1, with the version of this program as a label."),
    ("innkeeper_client_buffers_bytes", Unit::Bytes, "Bytes kept for clients that have not read them yet."),
    ("innkeeper_cluster_member", Unit::Count, "Whether this node is a member of its cluster: 1 or 0."),
    ("innkeeper_connections", Unit::Count, "Connections that are open."),
    ("innkeeper_dashboards", Unit::Count, "WebSocket connections that are open."),
    ("innkeeper_database_bytes", Unit::Bytes, "Size of the database: the SQLite file, or PostgreSQL's database."),
    ("innkeeper_database_wal_bytes", Unit::Bytes, "Size of SQLite's write-ahead log. Always 0 on PostgreSQL."),
    ("innkeeper_leases_owned", Unit::Count, "Room types that this node owns by a lease."),
    ("innkeeper_live_actors", Unit::Count, "Room types in memory."),
    ("innkeeper_mailbox_depth", Unit::Count, "Requests that wait for their room type."),
    ("innkeeper_watched_room_types", Unit::Count, "Room types that dashboards watch."),
];

/// Histograms.
const HISTOGRAMS: &[(&str, Unit, &str)] = &[
    (
        "http_request_duration_seconds",
        Unit::Seconds,
        "Time from a request's head to its answer's, by route pattern and method.",
    ),
    ("innkeeper_commit_batch_size", Unit::Count, "Facts in one commit."),
    ("innkeeper_commit_seconds", Unit::Seconds, "Time of a commit."),
    ("innkeeper_decide_seconds", Unit::Seconds, "Time of one decision of a room type, without the commit."),
];

/// Registers them with the recorder.
pub fn describe() {
    COUNTERS.iter().for_each(|(name, what)| describe_counter!(*name, *what));
    GAUGES.iter().for_each(|(name, unit, what)| describe_gauge!(*name, *unit, *what));
    HISTOGRAMS.iter().for_each(|(name, unit, what)| describe_histogram!(*name, *unit, *what));
    metrics::gauge!("innkeeper_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}
