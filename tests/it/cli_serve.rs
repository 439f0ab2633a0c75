//! `serve` with the real program: the demo's curl line books, and a signal ends it in order.

use crate::support::program::{Workplace, curl};

fn token(greeting: &str) -> &str {
    let line = greeting.lines().find(|line| line.contains("Admin token")).unwrap();
    line.split_whitespace().nth(2).unwrap()
}

#[test]
fn the_curl_line_of_the_demo_books_a_room() {
    let workplace = Workplace::new();
    let (started, greeting) = workplace.demo();
    let answer = curl(&greeting);
    assert!(answer.starts_with("HTTP/1.1 201"), "{greeting}\n{answer}");
    let again = curl(&greeting);
    assert_eq!(again.lines().last(), answer.lines().last(), "the same key gets the same answer");
    assert_eq!(started.terminate(), Some(0));
    workplace.run(&["verify"]).succeeded();
}

#[test]
fn an_orderly_end_leaves_one_file_that_is_everything() {
    let workplace = Workplace::sqlite();
    let (started, greeting) = workplace.demo();
    assert!(curl(&greeting).starts_with("HTTP/1.1 201"), "{greeting}");
    assert_eq!(started.terminate(), Some(0));
    assert!(!workplace.path().join("innkeeper.db-wal").exists());
    let elsewhere = Workplace::sqlite();
    std::fs::copy(workplace.path().join("innkeeper.db"), elsewhere.path().join("innkeeper.db")).unwrap();
    let counted = elsewhere.run(&["verify"]).succeeded().stdout;
    assert_eq!(counted, workplace.run(&["verify"]).succeeded().stdout);
}

#[test]
fn a_token_that_was_set_is_not_shown() {
    let workplace = Workplace::new();
    workplace.file(".env", "INNKEEPER_ADMIN_TOKEN=known-to-its-owner");
    let (started, greeting) = workplace.demo();
    assert!(greeting.contains("Admin token  the one that was set") && !greeting.contains("known-to"), "{greeting}");
    assert_eq!(started.terminate(), Some(0));
}

#[test]
fn a_second_demo_keeps_the_hotels_and_still_books() {
    let workplace = Workplace::new();
    let (started, first) = workplace.demo();
    assert_eq!(started.terminate(), Some(0));
    let counted = workplace.run(&["verify"]).succeeded().stdout;
    let (started, second) = workplace.demo();
    assert!(curl(&second).starts_with("HTTP/1.1 201"), "{second}");
    assert_ne!(token(&first), token(&second));
    assert_eq!(started.terminate(), Some(0));
    assert_eq!(workplace.run(&["verify"]).succeeded().stdout, counted);
}
