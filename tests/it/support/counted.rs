//! What /metrics shows. The numbers are of the whole process: other tests count as well, so that a test can only say by
//! how much one has grown at least.

use innkeeper::telemetry;

/// The sum of all lines that begin so: with a counter's name, or with some of its labels too. 0 if there is none yet.
pub fn counted(beginning: &str) -> f64 {
    let page = telemetry::metrics().unwrap().render();
    let lines = page.lines().filter(|line| line.starts_with(beginning));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}
