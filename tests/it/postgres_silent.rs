//! A server that does not answer, and a lock that is never released: every start and every report ends with an error
//! that names the next step.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;

use innkeeper::store::Reports;
use innkeeper::store::postgres::{Options, Postgres};
use rstest::rstest;
use sqlx::migrate::Migrate;
use sqlx::{Connection, PgConnection};

use crate::support::postgres::Database;
use crate::support::program::Workplace;
use crate::support::wire::{Fate, Wire};

#[rstest]
#[case::serve(&["serve", "--listen", "127.0.0.1:0"])]
#[case::verify(&["verify"])]
fn no_command_waits_forever_for_a_silent_server(#[case] command: &[&str]) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Connections are accepted and kept open.
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    let url = format!("postgres://me:hush@{address}/inn");
    let message = Workplace::new().run(&[command, &["--database-url", &url]].concat()).failed(1);
    assert!(
        message.contains(&format!("no server answers at {address}; check that PostgreSQL runs there")),
        "{message}"
    );
}

#[test]
fn a_signal_during_the_start_stops_the_program() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://me:hush@{}/inn", listener.local_addr().unwrap());
    let workplace = Workplace::new();
    let mut serve = workplace.command(&["serve", "--listen", "127.0.0.1:0", "--database-url", &url]);
    let serve = serve.stderr(Stdio::piped()).spawn().unwrap();
    let _connection = listener.accept().unwrap();
    assert!(Command::new("kill").arg(serve.id().to_string()).status().unwrap().success());
    let said = String::from_utf8(serve.wait_with_output().unwrap().stderr).unwrap();
    assert!(said.contains("stopped by SIGTERM during the start"), "{said}");
}

#[rstest]
#[case::at_the_first_look("server_version_num")]
#[case::in_the_middle_of_it("to_regclass")]
#[tokio::test]
async fn a_server_that_stops_answering_during_the_check_is_given_up(#[case] words: &'static str) {
    let database = Database::new();
    let wire = Wire::to(&database.url()).await;
    wire.when(words, Fate::Silence);
    let opened = Postgres::open(wire.url(), false, Options::default()).await;
    let why = opened.err().unwrap().to_string();
    assert!(why.contains("check that PostgreSQL runs there and can be reached"), "{why}");
}

#[rstest]
#[case::before_it_lets_us_in("user\0")]
#[case::when_it_is_our_turn("pg_advisory_lock")]
#[case::when_it_is_asked_what_was_done("_sqlx_migrations")]
#[tokio::test]
async fn a_server_that_stops_answering_during_a_migration_is_given_up(#[case] words: &'static str) {
    let database = Database::new();
    let wire = Wire::to(&database.url()).await;
    let store = Postgres::open(wire.url(), false, Options::default()).await.unwrap();
    wire.when(words, Fate::Silence);
    let why = format!("{:?}", store.migrate().await.unwrap_err());
    assert!(why.contains("check that it runs and can be reached"), "{why}");
}

#[tokio::test]
async fn a_server_that_stops_answering_during_a_report_is_given_up() {
    let database = Database::new();
    let wire = Wire::to(&database.url()).await;
    let store = Postgres::open(wire.url(), false, Options::default()).await.unwrap();
    wire.when("FROM idempotency_records", Fate::Silence);
    let why = format!("{:?}", store.stray_idempotency_records(1).await.unwrap_err());
    assert!(why.contains("the server does not answer"), "{why}");
}

/// The shortest possible time-out.
#[test]
fn another_program_with_an_endless_migration_is_named() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = Database::new();
    let mut other = runtime.block_on(PgConnection::connect(&database.url())).unwrap();
    runtime.block_on(other.lock()).unwrap();
    let url = database.url();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"]] {
        let arguments = [command, &["--database-url", &url, "--lock-wait-secs", "0"]].concat();
        let message = Workplace::new().run(&arguments).failed(1);
        assert!(message.contains("another program"), "{message}");
        assert!(message.contains("start again when it has finished"), "{message}");
    }
    // It only reads, and leaves the schema as it is.
    Workplace::new().run(&["verify", "--database-url", &url, "--lock-wait-secs", "0"]).succeeded();
    runtime.block_on(other.unlock()).unwrap();
    Workplace::new().run(&["migrate", "--database-url", &url, "--lock-wait-secs", "0"]).succeeded();
}
