#!/usr/bin/env bash
# Installs what the tests need, then runs all checks: format, lints, documentation, tests.
#
#   ./tests/run.sh            everything
#   ./tests/run.sh NAME       only the tests whose name contains NAME
#
# Needs Rust (rustup) and, on Debian, permission to install packages. It downloads crates and packages only.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
need() { # need COMMAND PACKAGE
    command -v "$1" >/dev/null && return
    say "installing $2"
    local sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

need cc build-essential # the bundled SQLite is C
need curl curl          # runs the curl line of the demo
need jq jq              # for the script of docs/api.md
need openssl openssl    # a certificate for PostgreSQL
need haproxy haproxy    # checks and runs its configuration
python3 -c 'import ensurepip' 2>/dev/null || need python3-venv python3-venv # the checkers of tests/deployment.sh
need pgbouncer pgbouncer # for the test of a pooler that drops session settings
[ -d /usr/lib/postgresql ] || need initdb postgresql
need redis-server redis-server # leases are tested with a real Redis

if [ $# -gt 0 ]; then
    exec cargo test --locked "$@"
fi

say "format";        cargo fmt --check
say "lints";         cargo clippy --locked --all-targets --quiet -- -D warnings
say "documentation"; RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items --quiet
say "deployment";    tests/deployment.sh
say "tests";         cargo test --locked --no-fail-fast
say "generated clients"; tests/clients.sh
# These modules choose their databases by themselves, or do not use the store: one run is enough.
once=(leases:: postgres_down:: postgres_lost:: postgres_neighbour:: postgres_read_only:: postgres_refuses::
      postgres_store:: sqlite_files:: sqlite_in_use:: serve_log:: http_connections:: http_docs:: ws_attacks::)
say "tests on PostgreSQL"
INNKEEPER_TEST_STORE=postgres cargo test --locked --test it -- "${once[@]/#/--skip=}"
