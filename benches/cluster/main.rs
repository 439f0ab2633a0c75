//! What a cluster costs: real nodes on PostgreSQL and Redis, all on this machine, with fsync on.
//!
//! ```text
//! cargo bench --bench cluster                 both questions
//! cargo bench --bench cluster -- nodes        three nodes against one, 64 room types, 64 connections
//! INNKEEPER_BENCH_GUESTS=256 …                the same with so many connections
//! cargo bench --bench cluster -- forward      one request at the owner, and at another node
//! ```
//!
//! How to read it: `benches/README.md`.

#[expect(dead_code, reason = "nobody competes here")]
#[path = "../baselines/mod.rs"]
mod baselines;
#[expect(dead_code, reason = "nobody competes here")]
#[path = "../contest/mod.rs"]
mod contest;
mod cpu;
mod fleet;
mod forward;
mod nodes;

use tokio::runtime::Runtime;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Of each contender in turn, because a machine is not the same for long.
    turns: usize,
    /// In one turn.
    bookings: u32,
    /// Requests of each kind at each door.
    requests: usize,
}

const WHOLE: Size = Size { turns: 8, bookings: 10_000, requests: 2_000 };
/// `cargo test --benches`, which does not say `--bench`, only tries whether it works.
const TRIAL: Size = Size { turns: 1, bookings: 200, requests: 20 };

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size = if arguments.iter().any(|argument| argument == "--bench") { WHOLE } else { TRIAL };
    let named: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |question: &str| named.is_empty() || named.iter().any(|name| *name == question);
    // Processes are killed when the thread that started them ends: so this one starts them.
    Runtime::new().unwrap().block_on(async {
        if wanted("nodes") {
            nodes::measure(size).await;
        }
        if wanted("forward") {
            forward::measure(size).await;
        }
    });
}
