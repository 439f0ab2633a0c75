//! TLS to PostgreSQL: with `sslmode=verify-full` only a server whose certificate is trusted is spoken to.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::support::postgres::Server;
use crate::support::program::Workplace;

/// A certificate for this machine, good for a day, and its key, in a folder.
fn certify(folder: &Path) {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "server.key", "-out", "server.crt"]);
    let made = openssl.current_dir(folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn only_a_server_with_a_trusted_certificate_is_spoken_to() {
    let port = free_port();
    let settings = format!("listen_addresses = '127.0.0.1'\nport = {port}\nssl = on");
    let server = Server::start_in(&std::env::temp_dir(), &settings, certify);
    let workplace = Workplace::new();
    let certificate = std::fs::read(server.data().join("server.crt")).unwrap();
    let trusted = workplace.file("trusted.crt", certificate).display().to_string();
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=verify-full");

    let stranger = workplace.run(&["migrate", "--database-url", &url]).failed(1);
    assert!(stranger.contains("certificate"), "{stranger}");
    workplace.run(&["migrate", "--database-url", &format!("{url}&sslrootcert={trusted}")]).succeeded();
}
