#!/usr/bin/env bash
# Installs what the tests need, then passes all of them: format, lints, documentation, tests.
#
#   ./tests/run.sh            everything
#   ./tests/run.sh NAME       only the tests whose name contains NAME
#
# Needs Rust (rustup) and, on Debian, the right to install packages. Nothing but crates and packages is downloaded.
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
need curl curl          # the demo's own curl line is tried out
need jq jq              # the script of docs/api.md is run
need openssl openssl    # a certificate for PostgreSQL
need haproxy haproxy    # its configuration is checked and used
python3 -c 'import ensurepip' 2>/dev/null || need python3-venv python3-venv # the checkers of tests/deployment.sh
need pgbouncer pgbouncer # a pooler that drops what sessions are told is refused
[ -d /usr/lib/postgresql ] || need initdb postgresql
need redis-server redis-server # leases are tested against the real one

if [ $# -gt 0 ]; then
    exec cargo test --locked "$@"
fi

say "format";        cargo fmt --check
say "lints";         cargo clippy --locked --all-targets --quiet -- -D warnings
say "documentation"; RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items --quiet
say "deployment";    tests/deployment.sh
say "tests";         cargo test --locked --no-fail-fast
say "generated clients"; tests/clients.sh
# These modules choose their databases themselves, or test nothing of the store: the first run was enough.
once=(leases:: postgres_down:: postgres_lost:: postgres_neighbour:: postgres_read_only:: postgres_refuses::
      postgres_store:: sqlite_files:: sqlite_in_use:: serve_log:: http_connections:: http_docs:: ws_attacks::)
say "tests on PostgreSQL"
INNKEEPER_TEST_STORE=postgres cargo test --locked --test it -- "${once[@]/#/--skip=}"
