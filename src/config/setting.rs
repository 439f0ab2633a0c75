//! The table of settings. Flags, variables, help, defaults and the list of known keys are made from it.

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// The name in a file. The name in the environment is [`Setting::variable`].
    pub key: &'static str,
    /// The command line flag. A secret's flag is refused, because every user of the machine can read a command line.
    pub flag: &'static str,
    secret: bool,
    /// The default. Empty: not set, or found at run time.
    pub default: &'static str,
    pub help: &'static str,
    /// Whether every command has it. If not, only `serve` has it.
    pub everywhere: bool,
}

impl Setting {
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.key.to_ascii_uppercase())
    }

    pub const fn is_secret(&self) -> bool {
        self.secret
    }

    /// The help text with the variable and the default.
    pub fn explanation(&self) -> String {
        let default = match self.default {
            "" => String::new(),
            default => format!(" [default: {default}]"),
        };
        format!("{}{default} [env: {}]", self.help, self.variable())
    }
}

/// The prefix of every variable.
pub const PREFIX: &str = "INNKEEPER_";
/// The variable that names the configuration file. It is not a setting, because it cannot be in that file.
pub const FILE_VARIABLE: &str = "INNKEEPER_CONFIG";

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    everywhere(
        "database_url",
        "database-url",
        "sqlite://innkeeper.db",
        "The database: sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE",
    ),
    everywhere("database_connections", "database-connections", "16", "Connections to PostgreSQL"),
    everywhere(
        "commit_lanes",
        "commit-lanes",
        "2",
        "How many of these connections only commit, each for a share of the room types",
    ),
    everywhere(
        "lock_wait_secs",
        "lock-wait-secs",
        "5",
        "How long to wait for a database that another program has locked",
    ),
    everywhere(
        "log",
        "log",
        "info,actix_server=warn",
        "The log filter: a level, or target=level pairs separated by commas",
    ),
    everywhere("log_format", "log-format", "text", "The format of log lines on stderr: text or json"),
    serve("access_log", "access-log", "on", "Whether each request is logged, under the target access: on or off"),
    everywhere("threads", "threads", "", "Threads that run room types, 1 to 64 (one per core, at most 8)"),
    everywhere("mailbox", "mailbox", "1024", "Requests that may wait for one room type before it answers 503"),
    everywhere("batch", "batch", "256", "Most facts in one commit, which also ends at 4 MiB"),
    serve("listen", "listen", "127.0.0.1:8080", "Address and port to listen on; port 0 takes a free one"),
    serve(
        "ops_listen",
        "ops-listen",
        "",
        "Separate address and port of /healthz, /readyz and /metrics (the address of listen)",
    ),
    secret(
        "admin_token",
        "admin-token",
        "The administrator's bearer token, at least 16 characters; without one there is no administrator",
    ),
    serve(
        "public_limits",
        "public-limits",
        "on",
        "Whether requests and holds of public callers are limited by address and contact details: on or off",
    ),
    serve(
        "public_hold_percent",
        "public-hold-percent",
        "50",
        "Percentage of a room type's rooms that public holds may take in a night",
    ),
    serve(
        "trusted_proxies",
        "trusted-proxies",
        "",
        "Addresses and networks (CIDR) of proxies whose X-Forwarded-For is trusted, separated by commas",
    ),
    serve("hold_ttl_secs", "hold-ttl-secs", "900", "How long a hold keeps its rooms"),
    serve("idle_secs", "idle-secs", "600", "How long a room type without requests stays in memory"),
    serve("idempotency_ttl_secs", "idempotency-ttl-secs", "86400", "How long an Idempotency-Key is remembered"),
    serve("answer_within_secs", "answer-within-secs", "10", "How long a request may wait for its room type"),
    serve(
        "shutdown_grace_secs",
        "shutdown-grace-secs",
        "30",
        "How long a shutdown may take, including requests in progress",
    ),
    serve("http_workers", "http-workers", "", "Threads that serve HTTP, 1 to 256 (one per core)"),
    serve("max_connections", "max-connections", "20000", "Connections open at the same time, over all threads"),
    serve(
        "request_timeout_secs",
        "request-timeout-secs",
        "10",
        "How long a client may take to send a request or read an answer, plus a second per KiB",
    ),
    serve("keep_alive_secs", "keep-alive-secs", "75", "How long an idle connection stays open"),
    serve(
        "client_buffers_mib",
        "client-buffers-mib",
        "64",
        "Memory for unfinished requests and unread answers of all clients, in MiB",
    ),
    serve("ws_connections", "ws-connections", "10000", "WebSocket connections open at the same time"),
    serve("ws_subscriptions", "ws-subscriptions", "16", "Subscriptions of one WebSocket connection"),
    serve("ws_room_types", "ws-room-types", "64", "Room types that one WebSocket connection watches"),
    serve(
        "ws_room_types_in_all",
        "ws-room-types-in-all",
        "20000",
        "Room types that all connections watch at once, about 20 KiB each",
    ),
    serve("ws_nights", "ws-nights", "366", "Nights of one subscription"),
    serve("ws_frame_bytes", "ws-frame-bytes", "16384", "The largest WebSocket message a client may send"),
    serve("ws_frames_per_sec", "ws-frames-per-sec", "50", "WebSocket frames a client may send in a second"),
    serve("ws_idle_secs", "ws-idle-secs", "60", "How long a WebSocket client may be silent, pongs included"),
    secret(
        "redis_url",
        "redis-url",
        "Redis of the cluster: a redis:// or rediss:// address, or several of a Redis Cluster separated by commas; without it \
         the node is alone",
    ),
    secret("cluster_secret", "cluster-secret", "The shared secret of the cluster's nodes, at least 16 characters"),
    serve("node_id", "node-id", "", "The name of this node in the cluster (the host's name and a random number)"),
    serve("advertise_url", "advertise-url", "", "The URL at which other nodes reach this one (the address of listen)"),
    serve("lease_ttl_secs", "lease-ttl-secs", "10", "After how long other nodes take over from a silent node"),
    serve("event_retention_secs", "event-retention-secs", "2592000", "How long events are kept for /v1/events"),
];

const fn everywhere(key: &'static str, flag: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { key, flag, secret: false, default, help, everywhere: true }
}

const fn serve(key: &'static str, flag: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { key, flag, secret: false, default, help, everywhere: false }
}

const fn secret(key: &'static str, flag: &'static str, help: &'static str) -> Setting {
    Setting { key, flag, secret: true, default: "", help, everywhere: false }
}

/// The setting with this key.
pub fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The known key that is most similar.
pub fn nearest(key: &str) -> &'static str {
    nearest_of(key, SETTINGS.iter().map(|setting| setting.key)).map_or("", |(nearest, _)| nearest)
}

/// The most similar word, and its similarity from 0 to 1.
pub fn nearest_of<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<(&'a str, f64)> {
    let word = word.to_ascii_lowercase();
    let rated = candidates.map(|candidate| (candidate, strsim::jaro_winkler(candidate, &word)));
    rated.max_by(|(_, a), (_, b)| a.total_cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_spelled_like_their_keys() {
        for setting in SETTINGS {
            assert_eq!(setting.flag.replace('-', "_"), setting.key);
        }
    }

    #[test]
    fn a_misspelt_key_is_recognised() {
        assert_eq!(nearest("databse_url"), "database_url");
        assert_eq!(nearest("LISTN"), "listen");
    }
}
