//! The numbers of /metrics. They belong to the whole process, so other tests count too. A test can only check the
//! least growth.

use innkeeper::telemetry;

/// The sum of all lines that begin with a counter's name, with or without labels. 0 if there is none yet.
pub fn counted(beginning: &str) -> f64 {
    let page = telemetry::metrics().unwrap().render();
    let lines = page.lines().filter(|line| line.starts_with(beginning));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}
