#!/usr/bin/env bash
# Lints the OpenAPI document and generates a TypeScript and a Python client from it. Both are type-checked, and then book a
# room, follow the events and cancel. Called by run.sh. All files are in target/clients; Node comes from PyPI.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

tools=$root/target/clients
rm -rf "$tools/work"
mkdir -p "$tools/work"
cp tests/clients/* "$tools/work"

python3 -m venv "$tools/venv"
export PATH=$tools/venv/bin:$PATH
pip install --quiet --disable-pip-version-check --requirement tests/clients/requirements.txt
# Packages stay for the next run. Their install scripts are not needed.
cp tests/clients/package*.json "$tools"
npm ci --prefix "$tools" --ignore-scripts --no-audit --no-fund --prefer-offline --silent
export PATH=$tools/node_modules/.bin:$PATH

cargo test --locked --quiet --no-run --test tidy # builds the program of the tests
"$root/target/debug/innkeeper" openapi >"$tools/work/openapi.json"

cd "$tools/work"
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
redocly lint openapi.json >lint.log 2>&1 || { cat lint.log; exit 1; }

openapi-typescript openapi.json --output api.d.ts >/dev/null
tsc --project tsconfig.json

openapi-python-client generate --path openapi.json --config python.yml --meta none --output-path innkeeper_client \
    --fail-on-warning >python.log || { cat python.log; exit 1; }
mypy --strict innkeeper_client book.py >mypy.log || { cat mypy.log; exit 1; }

export INNKEEPER_ADMIN_TOKEN=the-token-of-the-generated-clients
unset "${!INNKEEPER_TEST_@}"
mkfifo greeting
"$root/target/debug/innkeeper" serve --listen 127.0.0.1:0 --database-url "sqlite://$tools/work/clients.db" \
    >greeting 2>server.log &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true' EXIT
read -r _ _ _ _ INNKEEPER_URL _ <greeting || { cat server.log; exit 1; } # "innkeeper is open at URL (…"
export INNKEEPER_URL

node book.js
python book.py
echo "two generated clients booked a room, followed the events and cancelled"
