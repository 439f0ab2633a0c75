//! `ready` and `migrate --demo`, which start and watch containers.

use crate::support::port::Port;
use crate::support::program::{Ended, Workplace};

fn url(greeting: &str) -> &str {
    greeting.split_whitespace().find(|word| word.starts_with("http://")).unwrap().trim_end_matches("/v1/hotels")
}

#[test]
fn the_exit_code_of_ready_shows_whether_a_server_takes_requests() {
    let (workplace, port) = (Workplace::new(), Port::keep());
    let (started, greeting) = workplace.demo_at(&port.address());
    let url = url(&greeting);
    // The server builds its index first.
    let told = (0..1_000).map(|_| workplace.run(&["ready", url])).find(|ended| ended.code == Some(0)).unwrap().stdout;
    assert_eq!(told, format!("{url} is ready\n"));
    // No server listens at port 9.
    workplace.run_with(&["ready", url], &[("http_proxy", "http://127.0.0.1:9"), ("no_proxy", "")]).succeeded();
    assert_eq!(started.terminate(), Some(0));
    let message = workplace.run(&["ready", url]).failed(1);
    assert!(message.contains("cannot reach"), "{message}");
}

#[test]
fn ready_uses_the_address_in_the_settings() {
    let workplace = Workplace::new();
    let (started, greeting) = workplace.demo();
    let url = url(&greeting);
    let port = url.rsplit(':').next().unwrap();
    let addresses = ["127.0.0.1", "0.0.0.0"].map(|host| format!("{host}:{port}"));
    let is_ready = |ended: Ended| ended.code == Some(0) && ended.stdout == format!("{url} is ready\n");
    for listen in &addresses {
        let ready = || is_ready(workplace.run_with(&["ready"], &[("INNKEEPER_LISTEN", listen)]));
        assert!((0..1_000).any(|_| ready()), "by the environment: {listen}");
    }
    workplace.file("innkeeper.toml", format!("listen = \"127.0.0.1:{port}\"\n"));
    assert!(is_ready(workplace.run(&["ready"])), "by the file");
    assert_eq!(started.terminate(), Some(0));
    let message = workplace.run_with(&["ready"], &[("INNKEEPER_LISTEN", "somewhere")]).failed(2);
    assert!(message.contains("must be an address and a port"), "{message}");
}

#[test]
fn the_demo_fills_a_database_once() {
    let workplace = Workplace::new();
    let nights = || workplace.run(&["verify"]).succeeded().stdout;
    workplace.run(&["migrate"]).succeeded();
    let empty = nights();
    workplace.run(&["migrate", "--demo"]).succeeded();
    let furnished = nights();
    assert_ne!(furnished, empty);
    workplace.run(&["migrate", "--demo"]).succeeded();
    assert_eq!(nights(), furnished, "a database with hotels keeps exactly those");
    let (started, _) = workplace.demo();
    assert_eq!(started.terminate(), Some(0));
    assert_eq!(nights(), furnished);
}
