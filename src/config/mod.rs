//! Configuration: the settings, their layers and their rules.
//!
//! Owns the table of settings ([`setting`]), the layers a value can come from ([`layers`]) and the typed result,
//! [`Config`]. Called by `cli/` at the start. No other module reads the environment.
//!
//! Invariant: a [`Config`] has passed every rule. An unknown key is refused, and the error names the nearest known one. The
//! error for a bad value names its key, its origin and the rule. No error and no debug output contains a secret.
//!
//! To add a setting: a row in [`setting::SETTINGS`], a field in [`Config`], a line with its rule in [`Config::load`].

mod choice;
pub mod cluster;
pub mod database_url;
pub mod flags;
pub mod layers;
pub mod setting;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

pub use cluster::Cluster;
pub use database_url::DatabaseUrl;
pub use layers::Sources;

use crate::domain::holds::HoldShare;
use crate::domain::text;
use crate::http::throttle;
use crate::http::throttle::proxies::TrustedProxies;
use crate::secret::Secret;
use crate::{engine, telemetry, ws};
use layers::Sourced;

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub database_url: DatabaseUrl,
    /// Connections to PostgreSQL.
    pub database_connections: u32,
    /// How many of these connections only commit.
    pub commit_lanes: u32,
    pub lock_wait: Duration,
    pub log: telemetry::Filter,
    pub log_format: LogFormat,
    /// Whether a line is logged for every request.
    pub access_log: bool,
    /// The limits of public callers; `None`: no limits.
    pub throttle: Option<throttle::Options>,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: TrustedProxies,
    pub engine: engine::Options,
    pub listen: SocketAddr,
    /// The address of health and metrics; `None`: the public address.
    pub ops_listen: Option<SocketAddr>,
    pub admin_token: Option<Secret>,
    pub shutdown_grace: Duration,
    pub http_workers: usize,
    pub max_connections: usize,
    pub request_timeout: Duration,
    pub keep_alive: Duration,
    /// Bytes that clients may make the process hold: unfinished requests and unread answers.
    pub client_buffers: u64,
    pub ws: ws::Options,
    /// The settings of a node in a cluster; `None`: a single node.
    pub cluster: Option<Cluster>,
    /// How long events are kept.
    pub event_retention: Duration,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// A setting that is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{name} is not a setting (found in {origin}); did you mean {nearest}? `innkeeper serve --help` lists all")]
    Unknown { name: String, origin: String, nearest: String },
    #[error("{key} {rule} (it comes from {origin})")]
    Invalid { key: String, origin: String, rule: String },
    #[error("{origin} cannot be read: {why}")]
    Unreadable { origin: String, why: String },
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const MIB: u64 = 1024 * 1024;

impl Config {
    /// Merges all layers and checks every rule.
    pub fn load(sources: &Sources) -> Result<Self, Error> {
        let values = Values(layers::gather(sources)?);
        let database_connections = values.small_count("database_connections", 3..=1_000)?;
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let listen = values.listen()?;
        let hold_ttl = values.seconds("hold_ttl_secs", 1..=30 * DAY)?;
        Ok(Self {
            cluster: cluster::read(&values, listen)?,
            database_url: values.required("database_url", "must be a URL", |url| Some(DatabaseUrl::new(url)))?,
            database_connections,
            commit_lanes: values.small_count("commit_lanes", 1..=database_connections - 2)?,
            lock_wait: values.seconds("lock_wait_secs", 0..=MINUTE)?,
            log: choice::log(&values)?,
            log_format: values.choice("log_format", &[("text", LogFormat::Text), ("json", LogFormat::Json)])?,
            access_log: values.choice("access_log", &[("on", true), ("off", false)])?,
            throttle: values.throttle(hold_ttl)?,
            trusted_proxies: values.trusted_proxies()?,
            engine: engine::Options {
                threads: values.number("threads", 1..=64)?.unwrap_or_else(|| cores.min(8)),
                mailbox: values.count("mailbox", 1..=65_536)?,
                hold_ttl,
                idle_after: values.seconds("idle_secs", 1..=DAY)?,
                idempotency_ttl: values.seconds("idempotency_ttl_secs", MINUTE..=30 * DAY)?,
                answer_within: values.seconds("answer_within_secs", 1..=2 * MINUTE)?,
                batch: values.count("batch", 1..=4_096)?,
            },
            listen,
            ops_listen: values.ops_listen()?,
            admin_token: values.secret("admin_token")?,
            shutdown_grace: values.seconds("shutdown_grace_secs", 1..=HOUR)?,
            http_workers: values.number("http_workers", 1..=256)?.unwrap_or(cores),
            max_connections: values.count("max_connections", 1..=1_000_000)?,
            request_timeout: values.seconds("request_timeout_secs", 1..=5 * MINUTE)?,
            keep_alive: values.seconds("keep_alive_secs", 1..=HOUR)?,
            client_buffers: u64::from(values.small_count("client_buffers_mib", 1..=65_536)?) * MIB,
            ws: ws::Options {
                connections: values.count("ws_connections", 1..=1_000_000)?,
                subscriptions: values.count("ws_subscriptions", 1..=1_024)?,
                room_types: values.count("ws_room_types", 1..=1_024)?,
                room_types_in_all: values.count("ws_room_types_in_all", 1..=1_000_000)?,
                nights: values.count("ws_nights", 1..=1_000)?,
                frame_bytes: values.count("ws_frame_bytes", 1_024..=1_048_576)?,
                frames_per_sec: values.count("ws_frames_per_sec", 1..=10_000)?,
                idle: values.seconds("ws_idle_secs", 1..=HOUR)?,
            },
            event_retention: values.seconds("event_retention_secs", HOUR..=3_650 * DAY)?,
        })
    }
}

/// The address of `/readyz` of a server with these settings. Works also where other settings are wrong.
pub fn health(sources: &Sources) -> Result<SocketAddr, Error> {
    let values = Values(layers::gather(sources)?);
    values.ops_listen()?.map_or_else(|| values.listen(), Ok)
}

/// The merged values. Each is read with its rule.
struct Values(BTreeMap<String, Sourced>);

impl Values {
    fn listen(&self) -> Result<SocketAddr, Error> {
        self.parse("listen", "must be an address and a port such as 127.0.0.1:8080")
    }

    fn ops_listen(&self) -> Result<Option<SocketAddr>, Error> {
        self.optional("ops_listen", "must be an address and a port such as 127.0.0.1:9100", |value| value.parse().ok())
    }

    fn throttle(&self, hold_ttl: Duration) -> Result<Option<throttle::Options>, Error> {
        let is_on = self.choice("public_limits", &[("on", true), ("off", false)])?;
        let percent = "must be a whole number from 1 to 100";
        let hold_share =
            self.required("public_hold_percent", percent, |text| text.parse().ok().and_then(HoldShare::percent))?;
        Ok(is_on.then_some(throttle::Options { hold_share, hold_ttl }))
    }

    fn trusted_proxies(&self) -> Result<TrustedProxies, Error> {
        let rule = "must be addresses and networks such as 10.0.0.0/8, separated by commas";
        Ok(self.optional("trusted_proxies", rule, |text| text.parse().ok())?.unwrap_or_default())
    }

    /// The error for a value that does not fit another value.
    fn refuse(&self, key: &str, rule: &str) -> Error {
        let origin = self.0.get(key).map_or_else(|| "nowhere".into(), |sourced| sourced.origin.clone());
        Error::Invalid { key: key.to_owned(), origin, rule: rule.to_owned() }
    }

    fn optional<T>(&self, key: &str, rule: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Error> {
        let Some(Sourced { value, origin }) = self.0.get(key) else { return Ok(None) };
        let is_text = text::check(value);
        let rule = is_text.map_or_else(|broken| broken.message, |()| rule);
        let Some(parsed) = is_text.ok().and_then(|()| read(value)) else {
            let secret = setting::find(key).is_none_or(setting::Setting::is_secret);
            let rule = if secret { rule.to_owned() } else { format!("{rule}, not {value:?}") };
            return Err(Error::Invalid { key: key.to_owned(), origin: origin.clone(), rule });
        };
        Ok(Some(parsed))
    }

    fn required<T>(&self, key: &str, rule: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
        let missing = || Error::Invalid { key: key.to_owned(), origin: "nowhere".into(), rule: rule.to_owned() };
        self.optional(key, rule, read)?.ok_or_else(missing)
    }

    fn parse<T: FromStr>(&self, key: &str, rule: &str) -> Result<T, Error> {
        self.required(key, rule, |value| value.parse().ok())
    }

    fn number(&self, key: &str, range: RangeInclusive<usize>) -> Result<Option<usize>, Error> {
        let rule = format!("must be a whole number from {} to {}", range.start(), range.end());
        self.optional(key, &rule, |value| value.parse().ok().filter(|number| range.contains(number)))
    }

    fn count(&self, key: &str, range: RangeInclusive<usize>) -> Result<usize, Error> {
        let rule = format!("must be a whole number from {} to {}", range.start(), range.end());
        self.required(key, &rule, |value| value.parse().ok().filter(|number| range.contains(number)))
    }

    fn small_count(&self, key: &str, range: RangeInclusive<u32>) -> Result<u32, Error> {
        let rule = format!("must be a whole number from {} to {}", range.start(), range.end());
        self.required(key, &rule, |value| value.parse().ok().filter(|number| range.contains(number)))
    }

    fn seconds(&self, key: &str, range: RangeInclusive<u64>) -> Result<Duration, Error> {
        let rule = format!("must be a number of seconds from {} to {}", range.start(), range.end());
        let read = |value: &str| value.parse().ok().filter(|secs| range.contains(secs)).map(Duration::from_secs);
        self.required(key, &rule, read)
    }

    fn secret(&self, key: &str) -> Result<Option<Secret>, Error> {
        let (least, most) = (Secret::LENGTHS.start(), Secret::LENGTHS.end());
        let rule = format!("must be {least} to {most} visible ASCII characters");
        let visible =
            |value: &str| Secret::LENGTHS.contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic());
        self.optional(key, &rule, |value| visible(value).then(|| Secret::new(value)))
    }
}

#[cfg(test)]
mod tests;
