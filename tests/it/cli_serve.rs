//! `serve` with the real program: the demo's curl line books, and a signal ends it in order.

use std::io::{BufRead, BufReader};
use std::process::Command;

use crate::support::program::{Started, Workplace};

/// Starts the demo and reads its greeting to the end.
fn demo(workplace: &Workplace) -> (Started, String) {
    let mut started = workplace.start(&["serve", "--demo", "--listen", "127.0.0.1:0"]);
    let mut greeting = String::new();
    let mut stdout = BufReader::new(started.0.stdout.take().unwrap());
    while !greeting.contains("Stop with Ctrl+C") {
        assert_ne!(stdout.read_line(&mut greeting).unwrap(), 0, "it ended early: {greeting}");
    }
    (started, greeting)
}

/// Runs the curl line of a greeting in a shell, as somebody would who copies it.
fn curl(greeting: &str) -> String {
    let line: Vec<_> = greeting.lines().skip_while(|line| !line.contains("curl ")).take(4).collect();
    let output = Command::new("sh").args(["-c", &line.join("\n")]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn token(greeting: &str) -> &str {
    let line = greeting.lines().find(|line| line.contains("Admin token")).unwrap();
    line.split_whitespace().nth(2).unwrap()
}

#[test]
fn the_curl_line_of_the_demo_books_a_room() {
    let workplace = Workplace::new();
    let (started, greeting) = demo(&workplace);
    let answer = curl(&greeting);
    assert!(answer.starts_with("HTTP/1.1 201"), "{greeting}\n{answer}");
    let again = curl(&greeting);
    assert_eq!(again.lines().last(), answer.lines().last(), "the same key gets the same answer");
    assert_eq!(started.terminate(), Some(0));
    assert!(!workplace.path().join("innkeeper.db-wal").exists(), "an orderly end leaves one file");
    workplace.run(&["verify"]).succeeded();
    let elsewhere = Workplace::new();
    std::fs::copy(workplace.path().join("innkeeper.db"), elsewhere.path().join("innkeeper.db")).unwrap();
    let counted = elsewhere.run(&["verify"]).succeeded().stdout;
    assert_eq!(counted, workplace.run(&["verify"]).succeeded().stdout, "the one file is everything");
}

#[test]
fn a_token_that_was_set_is_not_shown() {
    let workplace = Workplace::new();
    workplace.file(".env", "INNKEEPER_ADMIN_TOKEN=known-to-its-owner");
    let (started, greeting) = demo(&workplace);
    assert!(greeting.contains("Admin token  the one that was set") && !greeting.contains("known-to"), "{greeting}");
    assert_eq!(started.terminate(), Some(0));
}

#[test]
fn a_second_demo_keeps_the_hotels_and_still_books() {
    let workplace = Workplace::new();
    let (started, first) = demo(&workplace);
    assert_eq!(started.terminate(), Some(0));
    let counted = workplace.run(&["verify"]).succeeded().stdout;
    let (started, second) = demo(&workplace);
    assert!(curl(&second).starts_with("HTTP/1.1 201"), "{second}");
    assert_ne!(token(&first), token(&second));
    assert_eq!(started.terminate(), Some(0));
    assert_eq!(workplace.run(&["verify"]).succeeded().stdout, counted);
}
