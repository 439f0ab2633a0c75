//! The filter of log lines: a default level, and levels for targets. A target is the path of a module, or [`ACCESS`] for
//! the access log.

use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

/// The target of the access log.
pub const ACCESS: &str = "access";
/// The level of targets that the filter does not name.
const DEFAULT_LEVEL: LevelFilter = LevelFilter::ERROR;
pub(crate) const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
/// Modules of innkeeper, which can be targets. The path below a module is not checked.
const OWN: [&str; 21] = [
    "app",
    "cli",
    "client",
    "clock",
    "config",
    "domain",
    "engine",
    "events",
    "housekeeping",
    "http",
    "lease",
    "pulse",
    "redis",
    "search",
    "secret",
    "shutdown",
    "store",
    "tasks",
    "telemetry",
    "writer",
    "ws",
];
/// Libraries that log.
const LIBRARIES: &[&str] = &[
    "actix",
    "actix_http",
    "actix_rt",
    "actix_server",
    "actix_web",
    "h2",
    "hyper",
    "hyper_util",
    "mio",
    "redis",
    "reqwest",
    "rustls",
    "sqlx",
    "tokio_tungstenite",
    "tungstenite",
];
/// Libraries whose warnings and errors any client can cause, by a malformed request or a broken connection. They are
/// logged with DEBUG only, unless the filter names them.
const CLIENT_CAUSED: [&str; 2] = ["actix_http", "h2"];

/// A filter, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    unless_said: LevelFilter,
    targets: Vec<(String, LevelFilter)>,
}

impl Filter {
    pub fn targets(&self) -> Targets {
        let names = |library: &str| self.targets.iter().any(|(target, _)| target.starts_with(library));
        let quiet = CLIENT_CAUSED.into_iter().filter(|it| self.unless_said < LevelFilter::DEBUG && !names(it));
        let quiet = quiet.map(|library| (library, LevelFilter::OFF));
        Targets::new().with_default(self.unless_said).with_targets(self.targets.clone()).with_targets(quiet)
    }
}

/// Why a word of a filter is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// The word is not a level.
    Level(String),
    /// The word is not a module that logs.
    Target(String),
}

impl Wrong {
    pub fn word(&self) -> &str {
        match self {
            Self::Level(word) | Self::Target(word) => word,
        }
    }

    /// Candidates for a suggestion.
    pub fn candidates(&self) -> Vec<String> {
        match self {
            Self::Level(_) => LEVELS.map(str::to_owned).into(),
            Self::Target(word) if word.contains("::") => OWN.iter().map(|own| format!("innkeeper::{own}")).collect(),
            Self::Target(_) => ["innkeeper", ACCESS].iter().chain(LIBRARIES).map(|&it| it.to_owned()).collect(),
        }
    }
}

impl FromStr for Filter {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let mut filter = Self { unless_said: DEFAULT_LEVEL, targets: Vec::new() };
        let words: Vec<_> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Err(Wrong::Level(text.to_owned()));
        }
        for word in words {
            match word.split_once('=') {
                None => filter.unless_said = level(word)?,
                Some((target, word)) => filter.targets.push((self::target(target.trim())?, level(word.trim())?)),
            }
        }
        Ok(filter)
    }
}

fn level(word: &str) -> Result<LevelFilter, Wrong> {
    let known = LEVELS.contains(&word.to_ascii_lowercase().as_str());
    word.parse().ok().filter(|_| known).ok_or_else(|| Wrong::Level(word.to_owned()))
}

fn target(word: &str) -> Result<String, Wrong> {
    let (first, rest) = word.split_once("::").map_or((word, None), |(first, rest)| (first, Some(rest)));
    let known = match (first, rest) {
        ("innkeeper", Some(rest)) => OWN.contains(&rest.split("::").next().unwrap_or_default()),
        (ACCESS, rest) => rest.is_none(),
        ("innkeeper", None) => true,
        (library, _) => LIBRARIES.contains(&library),
    };
    known.then(|| word.to_owned()).ok_or_else(|| Wrong::Target(word.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rstest::rstest;
    use tracing::Level;

    use super::*;

    fn writes(filter: &str, target: &str, level: Level) -> bool {
        filter.parse::<Filter>().unwrap().targets().would_enable(target, &level)
    }

    #[test]
    fn the_longest_target_decides() {
        let filter = "warn, innkeeper=info,innkeeper::store=debug";
        assert!(writes(filter, "innkeeper::http", Level::INFO) && !writes(filter, "innkeeper::http", Level::DEBUG));
        assert!(writes(filter, "innkeeper::store::sqlite", Level::DEBUG) && !writes(filter, "actix_web", Level::INFO));
    }

    #[test]
    fn what_any_stranger_can_cause_is_a_detail() {
        for (filter, heard) in [("info", false), ("warn,actix_server=info", false), ("debug", true)] {
            assert_eq!(writes(filter, "actix_http::h1::dispatcher", Level::ERROR), heard, "{filter}");
        }
        assert!(writes("info,actix_http=error", "actix_http::h1", Level::ERROR));
    }

    #[rstest]
    #[case("inof", Wrong::Level("inof".into()))]
    #[case("info,sqlx=wran", Wrong::Level("wran".into()))]
    #[case("info,actx_server=warn", Wrong::Target("actx_server".into()))]
    #[case("innkeeper::engin=debug", Wrong::Target("innkeeper::engin".into()))]
    #[case("innkeeper", Wrong::Level("innkeeper".into()))]
    #[case("access::x=info", Wrong::Target("access::x".into()))]
    #[case("3", Wrong::Level("3".into()))]
    #[case(" , ", Wrong::Level(" , ".into()))]
    fn a_word_that_means_nothing_is_refused(#[case] filter: &str, #[case] wrong: Wrong) {
        assert_eq!(filter.parse::<Filter>().unwrap_err(), wrong);
    }

    /// A library that is no longer a dependency would be a target without log lines.
    #[test]
    fn every_library_is_a_dependency_and_every_module_exists() {
        let lock = include_str!("../../Cargo.lock");
        let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        let names: BTreeSet<String> = names.map(|name| name.replace('-', "_")).collect();
        assert!(LIBRARIES.iter().all(|library| names.contains(*library)));
        let lines = include_str!("../lib.rs").lines();
        let modules: Vec<_> = lines.filter_map(|line| line.split_once("mod ")?.1.strip_suffix(';')).collect();
        assert_eq!(BTreeSet::from(OWN), BTreeSet::from_iter(modules));
    }
}
