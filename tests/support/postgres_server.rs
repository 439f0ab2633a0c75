//! A separate PostgreSQL in a temporary folder, reached through a socket in it. It ends with the process that started
//! it.
//!
//! A shell waits for the end of this process, also after a panic or a kill. Then it stops the server and removes the
//! folder.
//! Nothing is synced to disk unless a test asks for it, because no test cuts the power.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Settings of the server. As many tests as cores may run at once, each with several nodes of 16 connections.
const SETTINGS: &str = "
listen_addresses = ''
max_connections = 1000
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum_naptime = 10s
log_min_messages = warning
";
/// Access through the socket needs no password, except for users with the name of a stranger.
const WHO_MAY_ENTER: &str = "
local all stranger scram-sha-256
local all all trust
host all all 127.0.0.1/32 trust
";
/// Waits for the end of its input, which belongs to the parent. Arguments: the folder, then the command that stops the
/// server.
const WATCH: &str =
    r#"trap '' INT TERM HUP; cat >/dev/null; folder="$1"; shift; "$@" >/dev/null 2>&1; rm -rf "$folder""#;

/// A running server.
pub struct Server {
    folder: PathBuf,
    /// Its input is open as long as this process lives.
    watch: Child,
}

impl Server {
    /// Starts a server with additional settings.
    pub fn start(settings: &str) -> Self {
        Self::start_in(&std::env::temp_dir(), settings, |_| ())
    }

    /// Starts a server in a folder after a test has put files into its data folder. After the start only the server
    /// may read it.
    pub fn start_in(place: &Path, settings: &str, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::Builder::new().prefix("innkeeper-pg-").tempdir_in(place).unwrap().keep();
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&folder));
        }
        let stop = control(&folder, &["stop", "-m", "immediate", "-w"]);
        let mut watch = Command::new("sh");
        watch.args(["-c", WATCH, "sh"]).arg(&folder).arg(stop.get_program()).args(stop.get_args());
        let watch = watch.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { folder, watch };

        let mut initdb = program("initdb");
        initdb.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"]);
        run(initdb.arg(server.data()));
        let own = format!("{SETTINGS}unix_socket_directories = '{}'\n{settings}\n", server.folder.display());
        let file = server.data().join("postgresql.conf");
        fs::write(&file, fs::read_to_string(&file).unwrap() + &own).unwrap();
        fs::write(server.data().join("pg_hba.conf"), WHO_MAY_ENTER).unwrap();
        prepare(&server.data());
        if is_root() {
            run(Command::new("chown").args(["-R", "postgres"]).arg(server.data()));
        }
        server.come_back();
        server
    }

    /// Starts the server again after [`Server::kill`]. It refuses while children of the killed one still exist.
    pub fn come_back(&self) {
        let log = self.folder.join("log");
        for _ in 0..100 {
            let mut start = control(&self.folder, &["start", "-w"]);
            if start.arg("-l").arg(&log).output().unwrap().status.success() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("PostgreSQL does not start:\n{}", fs::read_to_string(log).unwrap_or_default());
    }

    /// Ends the server like a power cut, if the disk keeps its writes.
    pub fn kill(&self) {
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        run(Command::new("kill").args(["-KILL", pid.lines().next().unwrap()]));
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.display())
    }

    /// The folder of its socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

/// `pg_ctl` for the server in a folder.
fn control(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = program("pg_ctl");
    command.arg("-D").arg(folder.join("data")).args(arguments);
    command
}

/// A program of PostgreSQL, run as a user that it allows, which is not root.
fn program(name: &str) -> Command {
    let path = programs().join(name);
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--inh-caps=-all"]).arg(path);
    command.current_dir("/");
    command
}

/// The folder of the newest version in Debian's layout, or else the PATH.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let newest = versions.map(|version| version.path()).max_by_key(number);
    newest.map_or_else(PathBuf::new, |version| version.join("bin"))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; ./tests/run.sh installs it"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
