//! An error is one clear message with the next step, and nothing is changed.

use std::net::TcpListener;

use crate::support::program::Workplace;

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let workplace = Workplace::new();
    let message = workplace.run(&["serve", "--listen", &address]).failed(1);
    assert!(message.contains(&format!("innkeeper: {address} is in use:")), "{message}");
    workplace.checks_that_no_database_exists();
}

#[test]
fn an_unsupported_database_is_refused() {
    let message = Workplace::new().run(&["migrate", "--database-url", "mysql://me:hush@db/inn"]).failed(1);
    assert!(message.contains("not mysql:"), "{message}");
    assert!(!message.contains("hush"), "{message}");
}

#[test]
fn a_foreign_file_is_not_changed() {
    let workplace = Workplace::new();
    let path = workplace.file("notes.db", "dear diary");
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"], &["verify"]] {
        let arguments = [command, &["--database-url", "sqlite://notes.db"]].concat();
        let message = workplace.run(&arguments).failed(1);
        assert!(message.contains("notes.db") && message.contains("not a SQLite file"), "{message}");
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), "dear diary");
}

#[test]
fn a_missing_folder_is_named() {
    let message = Workplace::new().run(&["migrate", "--database-url", "sqlite:///nowhere/at/all.db"]).failed(1);
    assert!(message.contains("/nowhere/at/all.db"), "{message}");
}

#[test]
fn commands_that_read_create_nothing() {
    let workplace = Workplace::sqlite();
    for command in [&["verify"][..], &["export", "nights", "--csv"], &["export", "bookings", "--csv"]] {
        let message = workplace.run(command).failed(1);
        assert!(message.contains("innkeeper.db") && message.contains("innkeeper migrate"), "{message}");
    }
    assert!(!workplace.path().join("innkeeper.db").exists());
}

#[test]
fn a_missing_import_file_is_named() {
    let message = Workplace::new().run(&["import", "bookings", "gone.csv"]).failed(1);
    assert!(message.starts_with("innkeeper: cannot open gone.csv:"), "{message}");
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let workplace = Workplace::new();
    workplace.run(&["serve", "--port", "80"]).failed(2);
    let message = workplace.run(&["import", "bookings", "x.csv", "--capacity", "p99"]).failed(2);
    assert!(message.contains("must be peak, p95, or a number of rooms"), "{message}");
}
