//! The real program in its own folder, without settings of the environment.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::postgres::Database;
use super::test_database::is_postgres_run;

/// The program without the settings and test variables of the environment.
pub fn innkeeper() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_innkeeper"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("INNKEEPER_")) {
        command.env_remove(name);
    }
    command
}

/// The folder and the database of a program.
pub struct Workplace {
    folder: TempDir,
    /// `None`: the file in the folder that is the default of the program.
    database: Option<Database>,
}

/// The end of a program.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Workplace {
    /// An empty folder and an empty database of the kind that this run uses.
    pub fn new() -> Self {
        Self { database: is_postgres_run().then(Database::empty), ..Self::sqlite() }
    }

    /// An empty folder, for a test about the SQLite file.
    pub fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: None }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, contents).unwrap();
        path
    }

    /// The long time-out is for busy machines; a test can change it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = innkeeper();
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env("INNKEEPER_ANSWER_WITHIN_SECS", "60").env("INNKEEPER_PUBLIC_LIMITS", "off");
        command.envs(self.database.iter().map(|database| ("INNKEEPER_DATABASE_URL", database.url())));
        command
    }

    /// Runs to the end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[])
    }

    /// Runs to the end with variables.
    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        let output = self.command(arguments).envs(variables.iter().copied()).output().unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks that there is no database.
    pub fn checks_that_no_database_exists(&self) {
        let message = self.run(&["verify"]).failed(1);
        assert!(message.contains("there is no innkeeper"), "{message}");
    }

    pub fn said(&self) -> PathBuf {
        self.path().join("stderr.log")
    }

    /// Starts the program. Its stdout can be read, and its stderr is appended to a file.
    pub fn start(&self, arguments: &[&str]) -> Started {
        let said = OpenOptions::new().create(true).append(true).open(self.said()).unwrap();
        let child = self.command(arguments).stdout(Stdio::piped()).stderr(said).spawn().unwrap();
        Started(child)
    }
}

impl Workplace {
    /// Starts the demo on a free port and reads its greeting to the end.
    pub fn demo(&self) -> (Started, String) {
        self.demo_at("127.0.0.1:0")
    }

    pub fn demo_at(&self, address: &str) -> (Started, String) {
        self.demo_with(&["--listen", address])
    }

    /// The same with these flags, on a free port unless they name one.
    pub fn demo_with(&self, flags: &[&str]) -> (Started, String) {
        let port: &[&str] = if flags.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let mut started = self.start(&[&["serve", "--demo"], port, flags].concat());
        let mut greeting = String::new();
        let mut stdout = BufReader::new(started.0.stdout.take().unwrap());
        while !greeting.contains("Stop with Ctrl+C") {
            let ended = stdout.read_line(&mut greeting).unwrap() == 0;
            assert!(!ended, "it ended early: {greeting}{}", std::fs::read_to_string(self.said()).unwrap());
        }
        (started, greeting)
    }
}

/// The address in a greeting.
pub fn url(greeting: &str) -> &str {
    greeting.split_whitespace().find_map(|word| word.strip_suffix("/v1/hotels")).unwrap()
}

/// The administrator's token in a greeting.
pub fn token(greeting: &str) -> &str {
    let line = greeting.lines().find(|line| line.contains("Admin token")).unwrap();
    line.split_whitespace().nth(2).unwrap()
}

/// Runs the curl line of a greeting in a shell. Returns the answer with its headers.
pub fn curl(greeting: &str) -> String {
    let line: Vec<_> = greeting.lines().skip_while(|line| !line.contains("curl ")).take(4).collect();
    let output = Command::new("sh").args(["-c", &line.join("\n")]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

impl Ended {
    /// Checks for success, and shows all output otherwise.
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Checks for a failure with this exit code and one message on stderr.
    pub fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("stack backtrace"), "{}", self.stderr);
        self.stderr
    }
}

/// A running program. It is killed at the end of the test at the latest.
pub struct Started(pub Child);

impl Started {
    /// Sends SIGTERM and waits. Returns the exit code.
    pub fn terminate(mut self) -> Option<i32> {
        self.signal("TERM");
        self.0.wait().unwrap().code()
    }

    /// Anonymous memory in MiB.
    pub fn memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }

    pub fn signal(&self, name: &str) {
        let kill = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.0.id())]).status().unwrap();
        assert!(kill.success());
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
