#!/usr/bin/env python3
"""A soak test: attackers and guests at the same time, for a given time.

    cargo build --release && python3 tests/soak.py target/release/innkeeper [SECONDS]

Starts the demo, measures `storm --mix churn --clients 32` alone, then the same storm with 20 attacking connections:
WebSocket frames with a huge length, floods of fragments, endless bodies, slow request heads, unread answers, and large
pages of events. Prints both summaries and the memory of the server.

Fails if the p99 with attackers is over three times the p99 alone, if memory grew, or if a night was oversold or a booking
lost. SECONDS is the duration of the attack (default 1200); the storm alone takes a quarter of it. Needs Linux and Python
3.11 with its standard library. All connections are on 127.0.0.1.
"""
import base64, contextlib, json, os, pathlib, signal, socket, struct, subprocess, sys, tempfile, threading, time, urllib.request

TOKEN = "soak-administrator-token-0123456789"
CLIENTS = 32
LIMIT_OF_P99 = 3.0
LIMIT_OF_GROWTH_MIB = 64
CONNECTION_SECONDS = 5  # the time of one connection of an attacker


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 1200
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, serving(binary, folder) as (process, port):
        make_large_events(port)
        alone = storm(binary, port, max(seconds // 4, 10))
        before = resident_mib(process.pid)
        stop, counts, peak = threading.Event(), {}, [before]
        attackers = [threading.Thread(target=attack, args=(index, port, stop, counts), daemon=True) for index in range(20)]
        watcher = threading.Thread(target=watch, args=(process.pid, stop, peak), daemon=True)
        for thread in [*attackers, watcher]:
            thread.start()
        attacked = storm(binary, port, seconds)
        stop.set()
        for thread in attackers:
            thread.join(2 * CONNECTION_SECONDS)
        time.sleep(CONNECTION_SECONDS)
        after = resident_mib(process.pid)
    print("alone:   ", json.dumps(alone))
    print("attacked:", json.dumps(attacked))
    print("attacks: ", ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    print(f"memory:   {before} MiB before, {max(peak)} MiB at most, {after} MiB after")
    ratio = attacked["p99_ms"] / max(alone["p99_ms"], 0.001)
    print(f"p99:      {ratio:.2f} times that of the storm alone")
    faults = []
    if ratio > LIMIT_OF_P99:
        faults.append(f"p99 is over {LIMIT_OF_P99} times that of the storm alone")
    if after - before > LIMIT_OF_GROWTH_MIB:
        faults.append(f"memory grew by more than {LIMIT_OF_GROWTH_MIB} MiB")
    for name, result in (("alone", alone), ("attacked", attacked)):
        if result["oversold"] != 0 or result["lost"] != 0:
            faults.append(f"{name}: oversold {result['oversold']}, lost {result['lost']}")
    print("passed" if not faults else "FAILED: " + "; ".join(faults))
    sys.exit(bool(faults))


@contextlib.contextmanager
def serving(binary, folder):
    """Starts the demo on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {name: value for name, value in os.environ.items() if not name.startswith("INNKEEPER_")} | {
        "INNKEEPER_ADMIN_TOKEN": TOKEN,
        "INNKEEPER_DATABASE_URL": f"sqlite://{folder}/innkeeper.db",
        "INNKEEPER_LISTEN": f"127.0.0.1:{port}",
        "INNKEEPER_PUBLIC_LIMITS": "off",  # All guests of the storm have one address.
    }
    with open(f"{folder}/log", "ab") as log:
        process = subprocess.Popen([binary, "serve", "--demo"], env=settings, stdout=log, stderr=log, cwd=folder)
    try:
        until = time.monotonic() + 60
        while not ready(port):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit("the server is not ready: " + pathlib.Path(f"{folder}/log").read_text()[-500:])
            time.sleep(0.1)
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(40)
        process.kill()


def ready(port):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).status == 200
    except OSError:
        return False


def call(port, method, path, body=None):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method)
    return json.load(urllib.request.urlopen(request, timeout=30))


def make_large_events(port):
    """Changes a year of nights, so that a page of events is large."""
    hotel = call(port, "GET", "/v1/hotels")["items"][0]["id"]
    room_type = call(port, "GET", f"/v1/hotels/{hotel}/room-types")["items"][0]["id"]
    first = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86_400))
    last = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 330 * 86_400))
    for turn in range(50):
        items = [{"from": first, "to": last, "physical": 40 + turn % 2}]
        call(port, "PUT", f"/v1/room-types/{room_type}/nights", {"items": items})


def storm(binary, port, seconds):
    command = [binary, "storm", f"http://127.0.0.1:{port}", "--mix", "churn", "--clients", str(CLIENTS), "--seconds", str(seconds), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout.strip():
        sys.exit(f"storm said nothing: {done.stderr[-500:]}")
    return json.loads(done.stdout)


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return 0


def watch(pid, stop, peak):
    while not stop.wait(1):
        with contextlib.suppress(OSError):
            peak.append(resident_mib(pid))


def attack(index, port, stop, counts):
    """Repeats one attack, each time on a new connection."""
    name, trick = ATTACKS[index % len(ATTACKS)]
    while not stop.is_set():
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", port), timeout=CONNECTION_SECONDS) as connection:
                trick(connection, time.monotonic() + CONNECTION_SECONDS, stop)
        counts[name] = counts.get(name, 0) + 1
        stop.wait(0.05)


def upgraded(connection):
    key = base64.b64encode(os.urandom(16)).decode()
    head = f"GET /v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    connection.sendall(head.encode())
    connection.recv(4096)


def frame(first_byte, payload):
    return bytes([first_byte, 0x80 | len(payload)]) + bytes(4) + payload


def giant_frame(connection, until, stop):
    upgraded(connection)
    connection.sendall(b"\x81\xff" + struct.pack(">Q", 2**63 - 1) + bytes(4))
    while time.monotonic() < until and not stop.is_set():
        connection.sendall(bytes(65_536))


def fragments(connection, until, stop):
    upgraded(connection)
    connection.sendall(frame(0x01, b"x"))
    while time.monotonic() < until and not stop.is_set():
        connection.sendall(frame(0x00, b"x") * 200 + frame(0x00, b"") * 200)


def endless_body(connection, until, stop):
    connection.sendall(b"POST /v1/cluster/drain HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    wait_for_the_end(connection, until, stop)


def dripping_head(connection, until, stop):
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    while time.monotonic() < until and not stop.is_set():
        connection.sendall(b"\r\n")
        time.sleep(0.5)


def unread_answers(connection, until, stop):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sendall(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
    while time.monotonic() < until and not stop.is_set():
        time.sleep(0.5)


def large_pages(connection, until, stop):
    request = f"GET /v1/events?limit=200 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    connection.sendall(request * 20)
    while time.monotonic() < until and not stop.is_set():
        connection.recv(1024)
        time.sleep(0.05)


def wait_for_the_end(connection, until, stop):
    connection.settimeout(0.5)
    while time.monotonic() < until and not stop.is_set():
        with contextlib.suppress(TimeoutError):
            if not connection.recv(65_536):
                return


ATTACKS = [(trick.__name__, trick) for trick in (giant_frame, fragments, endless_body, dripping_head, unread_answers, large_pages)]

if __name__ == "__main__":
    main()
