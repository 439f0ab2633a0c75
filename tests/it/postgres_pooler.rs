//! PgBouncer between innkeeper and PostgreSQL. A pooler that drops session settings is refused by name, because
//! commits would not be durable with the server's defaults.

use std::fs;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::eventually::eventually;
use crate::support::postgres::{Database, server};
use crate::support::program::Workplace;
use crate::support::watched::Watched;

/// A PgBouncer in front of the test server, with additional configuration.
struct Pooler {
    _process: Watched,
    folder: TempDir,
}

impl Pooler {
    async fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (place, config) = (folder.path().display(), folder.path().join("pgbouncer.ini"));
        let text = format!(
            "[databases]\n* = host={}\n[pgbouncer]\nlisten_port = 6432\nunix_socket_dir = {place}\nauth_type = trust\n\
             auth_file = {place}/users\n{settings}\n",
            server().folder().display()
        );
        fs::write(&config, text).unwrap();
        fs::write(folder.path().join("users"), "\"postgres\" \"\"\n").unwrap();
        let mut command = Command::new("pgbouncer");
        // It refuses to run as root, and needs its own folder.
        if Command::new("chown")
            .args(["-R", "postgres"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
        {
            command.args(["-u", "postgres"]);
        }
        let process = command.arg("-q").arg(&config).stdin(Stdio::null()).spawn().expect("pgbouncer is installed");
        let pooler = Self { _process: Watched::new(process), folder };
        eventually("it listens", async || pooler.folder.path().join(".s.PGSQL.6432").exists()).await;
        pooler
    }

    /// A database behind the pooler.
    fn url(&self, database: &Database) -> String {
        let (before, _) = database.url().split_once("?host=").map(|(url, _)| (url.to_owned(), ())).unwrap();
        format!("{before}?host={}&port=6432", self.folder.path().display())
    }
}

#[tokio::test]
async fn a_pooler_that_drops_session_settings_is_refused_and_nothing_is_changed() {
    let (pooler, database) =
        (Pooler::start("ignore_startup_parameters = options, extra_float_digits").await, Database::empty());
    let url = pooler.url(&database);
    for command in [&["migrate"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let arguments = [command, &["--database-url", &url]].concat();
        let message = Workplace::new().run(&arguments).failed(1);
        assert!(message.contains("a pooler drops the settings of sessions"), "{message}");
        assert!(message.contains("connect to PostgreSQL directly"), "{message}");
    }
    let untouched = Workplace::new().run(&["verify", "--database-url", &database.url()]).failed(1);
    assert!(untouched.contains("there is no innkeeper in the database"), "{untouched}");
}
