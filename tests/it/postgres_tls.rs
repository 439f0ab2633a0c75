//! TLS to PostgreSQL: with `sslmode=verify-full` a server without a trusted certificate is refused.

use crate::support::certificate::certify;
use crate::support::port::Port;
use crate::support::postgres::Server;
use crate::support::program::Workplace;

#[test]
fn only_a_server_with_a_trusted_certificate_is_used() {
    let port = Port::keep();
    let settings = format!("listen_addresses = '127.0.0.1'\nport = {}\nssl = on", port.number());
    let server = Server::start_in(&std::env::temp_dir(), &settings, certify);
    let workplace = Workplace::new();
    let certificate = std::fs::read(server.data().join("server.crt")).unwrap();
    let trusted = workplace.file("trusted.crt", certificate).display().to_string();
    let url = format!("postgres://postgres@{}/postgres?sslmode=verify-full", port.address());

    let stranger = workplace.run(&["migrate", "--database-url", &url]).failed(1);
    assert!(stranger.contains("certificate"), "{stranger}");
    workplace.run(&["migrate", "--database-url", &format!("{url}&sslrootcert={trusted}")]).succeeded();
}
