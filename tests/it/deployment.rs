//! The deployment files agree with the program: settings exist, and metrics are recorded.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use innkeeper::config::setting::{PREFIX, SETTINGS};

use crate::support::program::Workplace;

/// Counters of the dashboard that grow every day, so their first step may be missed.
const EVERYDAY: [&str; 6] = [
    "http_requests_total",
    "innkeeper_bookings_total",
    "innkeeper_facts_total",
    "innkeeper_forwards_total",
    "innkeeper_leases_acquired_total",
    "innkeeper_refusals_total",
];

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Every word of a text with this beginning.
fn words<'a>(text: &'a str, beginning: &str) -> BTreeSet<&'a str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with(beginning)).collect()
}

#[test]
fn every_setting_of_the_containers_exists() {
    let known: BTreeSet<String> = SETTINGS.iter().map(|setting| setting.variable()).collect();
    for file in ["Dockerfile", "docker-compose.yml"] {
        let text = read(file);
        let set = words(&text, PREFIX);
        assert!(set.len() > 2, "{file} sets something");
        for variable in set {
            assert!(known.contains(variable), "{file}: {variable} is not a setting");
        }
    }
}

/// The metrics in the queries of the dashboard.
fn on_the_dashboard() -> BTreeSet<String> {
    let dashboard: serde_json::Value = serde_json::from_str(&read(".docker/grafana/innkeeper.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries: Vec<&str> = queries.map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(queries.len() > 20, "there is something to see");
    let metrics = queries.iter().flat_map(|query| [words(query, "innkeeper_"), words(query, "http_")]).flatten();
    metrics.map(str::to_owned).collect()
}

#[test]
fn every_metric_of_the_dashboard_is_recorded() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    for metric in &on_the_dashboard() {
        let name = ["_bucket", "_sum", "_count"].iter().find_map(|part| metric.strip_suffix(part)).unwrap_or(metric);
        assert!(sources.iter().any(|text| text.contains(&format!("!(\"{name}\""))), "{metric} is never recorded");
    }
}

#[test]
fn every_metric_is_described_and_every_alert_uses_a_metric() {
    let explained = read("src/telemetry/described.rs");
    let explained: BTreeSet<&str> = explained.split('"').collect();
    for text in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        for start in ["counter!(\"", "gauge!(\"", "histogram!(\""] {
            for name in text.split(start).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(explained.contains(name), "{name} has no HELP");
            }
        }
    }
    let alerts = read(".docker/alerts.yml");
    let rules = alerts.matches("- alert: ").count();
    assert!(rules > 10, "there is something to hear of");
    for part in ["expr: ", "labels: {severity: ", "summary: ", "description: "] {
        assert_eq!(alerts.matches(part).count(), rules, "{part}");
    }
    let process = ["process_open_fds", "process_max_fds"];
    for expression in alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: ")) {
        for metric in ["innkeeper_", "http_", "process_"].iter().flat_map(|prefix| words(expression, prefix)) {
            let name = metric.strip_suffix("_bucket").unwrap_or(metric);
            assert!(explained.contains(name) || process.contains(&name), "{metric} is never recorded");
        }
    }
    assert!(read(".docker/prometheus.yml").contains("rule_files: [alerts.yml]"));
    let compose = read("docker-compose.yml");
    assert!(compose.contains("file: .docker/alerts.yml") && compose.contains("target: /etc/prometheus/alerts.yml"));
}

/// Prometheus sees a step from 0 to 1, but no step from nothing to 1.
#[test]
fn counters_of_failures_start_at_zero() {
    let place = Workplace::new();
    let (_demo, greeting) = place.demo();
    let url = greeting.split_whitespace().find_map(|word| word.strip_suffix("/v1/hotels")).unwrap();
    let shown = Command::new("curl").args(["-sS", &format!("{url}/metrics")]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let dashboard = on_the_dashboard();
    let rare: Vec<_> = dashboard.iter().filter(|m| m.ends_with("_total") && !EVERYDAY.contains(&m.as_str())).collect();
    assert!(rare.len() > 5, "the dashboard shows troubles");
    for name in shown.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        assert!(shown.contains(&format!("# HELP {name} ")), "{name} is not explained");
    }
    for name in
        ["process_resident_memory_bytes", "process_open_fds", "innkeeper_build_info", "innkeeper_database_bytes"]
    {
        let value = shown.lines().find(|line| line.starts_with(name)).and_then(|line| line.rsplit(' ').next());
        assert!(value.is_some_and(|value| value.parse::<f64>().unwrap() > 0.0), "{name}: {value:?}");
    }
    for metric in rare {
        assert!(words(&shown, metric).contains(metric.as_str()), "{metric} is not there before it has happened");
    }
}

#[test]
fn the_image_is_built_with_the_required_rust() {
    let wanted = concat!("FROM rust:", env!("CARGO_PKG_RUST_VERSION"), "-");
    assert!(read("Dockerfile").starts_with(wanted), "the Dockerfile begins with {wanted}");
}

#[test]
fn the_balancer_and_prometheus_have_exactly_the_nodes() {
    let compose = read("docker-compose.yml");
    let nodes = (1..).take_while(|number| compose.contains(&format!("\n  node-{number}:\n"))).count();
    assert!(nodes > 1, "several nodes are started");
    let (balancer, watch) = (read(".docker/haproxy.cfg"), read(".docker/prometheus.yml"));
    for number in 1..=nodes {
        for line in [
            format!("use-server node-{number} if {{ sc0_get_gpt0 eq {number} }}"),
            format!("sc-set-gpt0(0) {number} if {{ res.hdr(innkeeper-answered-by) node-{number} }}"),
            format!("server node-{number} node-{number}:8080 check"),
            format!("server node-{number} node-{number}:8080 track by_room_type/node-{number}"),
        ] {
            assert!(balancer.contains(&line), "the balancer has no line: {line}");
        }
        assert!(watch.contains(&format!("\"node-{number}:8080\"")), "Prometheus does not watch node-{number}");
        let door = format!("- 127.0.0.1:${{NODE_{number}_PORT:-809{number}}}:8080\n");
        assert!(compose.contains(&door), "node-{number} cannot be drained: it has no port");
    }
    let stranger = format!("node-{}", nodes + 1);
    assert!(!balancer.contains(&stranger) && !watch.contains(&stranger), "{stranger} is not started");
}

/// The text of every file below a folder.
fn sources(folder: &PathBuf) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        match entry.unwrap().path() {
            path if path.is_dir() => texts.extend(sources(&path)),
            path if path.extension().is_some_and(|end| end == "rs") => texts.push(fs::read_to_string(path).unwrap()),
            _ => {}
        }
    }
    texts
}
