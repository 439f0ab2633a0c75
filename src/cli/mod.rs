//! The command line: one file per subcommand.
//!
//! Owns what a person types and reads. Called by `main` alone. It decides nothing about bookings: it loads the
//! configuration, lets `app.rs` compose what is needed, calls the engine and the store like everybody else, and prints.
//!
//! Results go to stdout, everything else (progress, log lines, errors) to stderr. Exit codes: 0 done, 1 it failed, 2 the
//! command line or the configuration is wrong, 3 `verify` found differences. An error is one line that names what is
//! wrong and, where there is something to do, what.

mod backup;
pub mod demo;
mod export;
mod import;
mod migrate;
mod openapi;
mod output;
mod progress;
mod ready;
mod remote;
mod serve;
mod storm;
mod verify;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::config::{self, Config, Sources};
use crate::store::Store;
use crate::{app, telemetry};

/// An actor-based hotel reservation engine: answers at once, never sells a room twice, loses nothing.
#[derive(Debug, Parser)]
#[command(name = "innkeeper", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    /// Configuration file (TOML, keys as in `serve --help`). Default: innkeeper.toml, if it is there.
    /// [env: INNKEEPER_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Migrate(migrate::Migrate),
    Openapi(openapi::Openapi),
    Ready(ready::Ready),
    Verify(verify::Verify),
    Backup(backup::Backup),
    Export(export::Export),
    Import(import::Import),
    Storm(storm::Storm),
    Watch(watch::Watch),
}

const EXAMPLES: &str = "\
Examples:
  innkeeper serve --demo                        try it: demo hotels, a token, a curl line that books
  innkeeper serve --database-url sqlite:///var/lib/innkeeper/truth.db --listen 0.0.0.0:8080
  innkeeper verify                              recount every night from the bookings
  innkeeper backup /backup/innkeeper.db         a copy of the SQLite file, also while a server runs on it
  innkeeper export nights --csv > nights.csv
  innkeeper import bookings hotel_bookings.csv --capacity p95 --json
  innkeeper storm http://127.0.0.1:8080 --mix hot --clients 64
  innkeeper watch http://127.0.0.1:8080 --hotel ID

Exit codes: 0 done, 1 it failed, 2 the command line or a setting is wrong, 3 verify found differences.

Settings come from (weakest first) their defaults, a TOML file, .env, the environment (INNKEEPER_…) and flags.
`innkeeper serve --help` lists them all.";

/// What `--help` of a command says about settings that it has no flag for.
const SETTINGS_HELP: &str = "\
Every setting can also stand in a TOML file (--config FILE, or innkeeper.toml in the working folder), in .env, or in \
the environment as INNKEEPER_ and its name; the later of these is stronger, and a flag is the strongest.";

/// How a command ended, if it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// What was looked at is not as it should be.
    Differences,
}

/// How long the end of the program waits for whoever reads the log, and then the reason why it failed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs the program with the arguments of this process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let ended = dispatch(cli);
    telemetry::flush_log(LAST_WORDS);
    match ended {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Differences) => ExitCode::from(3),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let message = format!("innkeeper: {}\n", told_once(&error));
            output::within(LAST_WORDS, || output::remark(message));
            ExitCode::from(if error.is::<config::Error>() { 2 } else { 1 })
        }
    }
}

fn dispatch(Cli { config, command }: Cli) -> anyhow::Result<Outcome> {
    let process = Sources { file: config, ..Sources::of_process() };
    match command {
        Command::Openapi(openapi) => openapi.run(),
        Command::Ready(ready) => in_system(ready.run(&process)),
        Command::Serve(serve) => {
            let config = configure(Sources { flags: serve.settings.0.clone(), defaults: serve.defaults(), ..process })?;
            in_system(serve.run(config))
        }
        Command::Migrate(migrate) => in_system(migrate.run(configure(process.quiet(&migrate.settings))?)),
        Command::Verify(verify) => in_system(verify.run(configure(process.quiet(&verify.settings))?)),
        Command::Backup(backup) => in_system(backup.run(configure(process.quiet(&backup.settings))?)),
        Command::Export(export) => in_system(export.run(configure(process.quiet(export.settings()))?)),
        Command::Storm(storm) => in_system(storm.run()),
        Command::Watch(watch) => in_system(watch.run()),
        Command::Import(import) => in_system(import.run(configure(process.quiet(import.settings()))?)),
    }
}

impl Sources {
    /// For commands whose result is what they print: they log warnings only, unless told otherwise.
    fn quiet(self, flags: &config::flags::CommonFlags) -> Self {
        Self { flags: flags.0.clone(), defaults: &[("log", "warn")], ..self }
    }
}

fn configure(sources: Sources) -> anyhow::Result<Config> {
    let config = Config::load(&sources)?;
    telemetry::start_logging(&config.log, config.log_format).context("cannot start the thread that writes the log")?;
    Ok(config)
}

/// Runs a command inside an actix system on a runtime with several threads.
fn in_system(command: impl Future<Output = anyhow::Result<Outcome>>) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("innkeeper").enable_all().build()?;
    actix_rt::System::with_tokio_rt(move || runtime).block_on(command)
}

/// Opens the store, or makes it, for a command that changes it, and closes it again, whatever came of that. A SQLite file
/// must not be in use.
async fn with_store<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Arc<dyn Store>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    finish(app::open_store(config, true).await?, work).await
}

/// The same for a command that only reads: it may run beside a server.
async fn with_store_to_read<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Arc<dyn Store>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    finish(app::open_store_to_read(config).await?, work).await
}

async fn finish<T>(
    store: Arc<dyn Store>,
    work: impl AsyncFnOnce(&Arc<dyn Store>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let done = work(&store).await;
    let closed = store.close().await;
    let done = done?;
    closed?;
    Ok(done)
}

/// The error and its causes, without causes that the words before them have told already.
fn told_once(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// Whether the reader of our output went away, as `| head` does: no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io_kind = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref::<std::io::Error>() {
        Some(error) => Some(error.kind()),
        None => match cause.downcast_ref::<csv::Error>()?.kind() {
            csv::ErrorKind::Io(error) => Some(error.kind()),
            _ => None,
        },
    };
    error.chain().any(|cause| io_kind(cause) == Some(std::io::ErrorKind::BrokenPipe))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::config::setting::SETTINGS;

    fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from([&["innkeeper"], arguments].concat())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_of_serve_names_every_setting_with_its_variable_and_default() {
        let help = parse(&["serve", "--help"]).unwrap_err().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for setting in SETTINGS {
            assert!(help.contains(&setting.variable()), "{}", setting.key);
            assert!(setting.default.is_empty() || help.contains(&format!("[default: {}]", setting.default)));
        }
    }

    #[test]
    fn a_wrong_command_line_is_refused() {
        for arguments in [&["serv"][..], &["serve", "--port", "1"], &["import", "bookings"], &["export", "rooms"]] {
            assert_eq!(parse(arguments).unwrap_err().exit_code(), 2, "{arguments:?}");
        }
        assert!(parse(&["import", "bookings", "x.csv", "--capacity", "p99"]).is_err());
    }
}
