#!/usr/bin/env bash
# Checks the files that no test can start, because they need Docker: the compose file, the image, the balancer, Prometheus,
# Grafana. Called by run.sh, which installs HAProxy. The other checkers are installed in target/deployment.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$PWD/target/deployment
python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check --requirement .ci/deployment.txt
PATH=$tools/bin:$tools/usr/bin:$PATH

# Unpacked and not installed, because the package would start Prometheus.
if ! command -v promtool >/dev/null; then
    (cd "$tools" && apt-get download -qq prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb | tar x ./usr/bin/promtool)
    rm "$tools"/prometheus_*.deb
fi

yamllint --strict -d '{extends: default, rules: {document-start: disable, line-length: {max: 120}}}' \
    docker-compose.yml .docker
check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
hadolint Dockerfile
promtool check config .docker/prometheus.yml >/dev/null
# Queries of the dashboard are checked as rules, with values for Grafana's variables.
"$tools/bin/python" - <<'PYTHON' >"$tools/queries.json"
import json

panels = json.load(open(".docker/grafana/innkeeper.json"))["panels"]
queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
queries = [query.replace("$__rate_interval", "1m").replace("$__range", "15m") for query in queries]
rules = [{"record": f"query{number}", "expr": query} for number, query in enumerate(queries)]
print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
PYTHON
promtool check rules --lint=none "$tools/queries.json" >/dev/null
# HAProxy warns here, because the names of the nodes cannot be resolved.
checked=$(haproxy -c -f .docker/haproxy.cfg 2>&1) || { echo "$checked"; exit 1; }
