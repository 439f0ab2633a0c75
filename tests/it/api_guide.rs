//! The script of docs/api.md, run as a reader runs it.

use std::process::Command;

use crate::support::program::{Workplace, token, url};

#[test]
fn the_script_of_the_guide_leads_from_search_to_check_out() {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api.md")).unwrap();
    let (_, story) = guide.split_once("## From search to check-out").unwrap();
    let script = story.split("```").nth(1).unwrap().strip_prefix("sh\n").unwrap();
    let workplace = Workplace::new();
    let (started, greeting) = workplace.demo();
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", script]).env("BASE", url(&greeting));
    let output = bash.env("INNKEEPER_ADMIN_TOKEN", token(&greeting)).output().unwrap();
    let (said, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{complaint}");
    let lines: Vec<_> = said.lines().collect();
    let [confirmed, total, fee, in_house, checked_out] = lines[..] else { panic!("{said}") };
    assert_eq!([confirmed, in_house, checked_out], ["\"confirmed\"", "\"in_house\"", "\"checked_out\""]);
    assert!(total.parse::<i64>().unwrap() > 0 && fee.parse::<i64>().is_ok(), "{said}");
    assert_eq!(started.terminate(), Some(0));
}
