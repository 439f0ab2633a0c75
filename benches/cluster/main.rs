//! The cost of a cluster: real nodes, PostgreSQL with fsync and Redis on this machine.
//!
//! ```text
//! cargo bench --bench cluster                 both parts
//! cargo bench --bench cluster -- nodes        three nodes and one node, 64 room types, 64 connections
//! INNKEEPER_BENCH_GUESTS=256 …                the same with 256 connections
//! cargo bench --bench cluster -- forward      one request to the owner and to another node
//! ```
//!
//! How to read it: `benches/README.md`.

#[expect(dead_code, reason = "this bench has no baselines")]
#[path = "../baselines/mod.rs"]
mod baselines;
#[expect(dead_code, reason = "this bench has no baselines")]
#[path = "../contest/mod.rs"]
mod contest;
mod cpu;
mod fleet;
mod forward;
mod nodes;

use tokio::runtime::Runtime;

/// The size of the measurement.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Turns of each contender, because the load of a machine changes.
    turns: usize,
    /// Bookings of one turn.
    bookings: u32,
    /// Requests of each kind to each node.
    requests: usize,
}

const WHOLE: Size = Size { turns: 8, bookings: 10_000, requests: 2_000 };
/// `cargo test --benches` runs without `--bench`: then the bench only checks that it works.
const TRIAL: Size = Size { turns: 1, bookings: 200, requests: 20 };

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size = if arguments.iter().any(|argument| argument == "--bench") { WHOLE } else { TRIAL };
    let named: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |question: &str| named.is_empty() || named.iter().any(|name| *name == question);
    // A child process is killed when the thread that started it ends. So this thread starts them.
    Runtime::new().unwrap().block_on(async {
        if wanted("nodes") {
            nodes::measure(size).await;
        }
        if wanted("forward") {
            forward::measure(size).await;
        }
    });
}
