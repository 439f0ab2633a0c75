//! The command line: one file per subcommand.
//!
//! Owns the arguments that a person types and the output that a person reads. Called by `main` alone. It decides nothing
//! about bookings: it loads the configuration, lets `app.rs` compose the parts, calls the engine, the store or the
//! [`client`](crate::client), and prints.
//!
//! Results go to stdout. Progress, log lines and errors go to stderr. Exit codes: 0 success, 1 failure, 2 a wrong command
//! line or configuration, 3 `verify` found differences. An error is one line that names the fault and the next step.

mod backup;
pub mod demo;
mod export;
mod import;
mod migrate;
mod openapi;
mod output;
mod progress;
mod ready;
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

/// An actor-based hotel reservation engine. It never sells a room twice and loses no acknowledged booking.
#[derive(Debug, Parser)]
#[command(name = "innkeeper", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    /// Configuration file (TOML, keys as in `serve --help`). Default: innkeeper.toml, if it exists.
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
  innkeeper serve --demo                        a server with demo hotels; prints a curl line that books
  innkeeper serve --database-url sqlite:///var/lib/innkeeper/truth.db --listen 0.0.0.0:8080
  innkeeper verify                              recount every night from the bookings
  innkeeper backup /backup/innkeeper.db         copy the SQLite file, also while a server uses it
  innkeeper export nights --csv > nights.csv
  innkeeper import bookings hotel_bookings.csv --capacity p95 --json
  innkeeper storm http://127.0.0.1:8080 --mix hot --clients 64
  innkeeper watch http://127.0.0.1:8080 --hotel ID

Exit codes: 0 success, 1 failure, 2 a wrong command line or setting, 3 verify found differences.

Settings come from, weakest first: defaults, a TOML file, .env, the environment (INNKEEPER_…), flags.
`innkeeper serve --help` lists them all.";

/// The text in `--help` about settings without a flag.
const SETTINGS_HELP: &str = "\
Every setting can also be given in a TOML file (--config FILE, or innkeeper.toml in the working folder), in .env, or \
in the environment as INNKEEPER_ and its name. A later place overrides an earlier one, and a flag overrides all.";

/// The result of a command that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// `verify` found differences.
    Differences,
}

/// The limit for writing the last log lines, and again for writing the error.
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
            let message = format!("innkeeper: {}\n", without_repetition(&error));
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
    /// For commands that print their result: they log warnings only, unless a setting says otherwise.
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

/// Opens or creates the store for a command that writes, and closes it in every case. A SQLite file that is in use is
/// refused.
async fn with_store<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Arc<dyn Store>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    finish(app::open_store(config, true).await?, work).await
}

/// Opens the store for a command that only reads. It may run while a server uses the store.
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

/// The error and its causes. A cause that is already in the text is left out.
fn without_repetition(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Whether the reader closed the output, as `| head` does. That is no failure.
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
