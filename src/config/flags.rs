//! The command line flags, made from the table of settings.

use std::collections::BTreeMap;

use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::setting::{SETTINGS, Setting};

/// The given flags by key: all settings for `serve`, and the common settings for other commands.
#[derive(Debug, Clone, Default)]
pub struct Flags<const SERVE: bool>(pub BTreeMap<&'static str, String>);

/// All settings.
pub type ServeFlags = Flags<true>;
/// The settings that every command has.
pub type CommonFlags = Flags<false>;

impl<const SERVE: bool> Flags<SERVE> {
    fn settings() -> impl Iterator<Item = &'static Setting> {
        SETTINGS.iter().filter(|setting| (SERVE || setting.everywhere) && !setting.is_secret())
    }
}

/// The settings whose flags are refused with an explanation.
fn secrets() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.is_secret())
}

/// Does not repeat the value, because it is a secret.
fn no_flag(setting: &Setting) -> String {
    let (flag, variable) = (setting.flag, setting.variable());
    format!(
        "--{flag} does not exist, because every user of this machine can read a command line: set the environment \
         variable {variable}, or {} in innkeeper.toml. If the value was a real one, replace it.\n",
        setting.key
    )
}

impl<const SERVE: bool> Args for Flags<SERVE> {
    fn augment_args(command: Command) -> Command {
        let arg = |setting: &'static Setting| {
            Arg::new(setting.key)
                .long(setting.flag)
                .value_name("VALUE")
                .help(setting.explanation())
                .help_heading("Settings")
        };
        command.args(Self::settings().map(arg)).args(secrets().map(|setting| {
            Arg::new(setting.key)
                .long(setting.flag)
                .alias(setting.key)
                .num_args(0..)
                .value_parser(ValueParser::os_string())
                .hide(true)
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const SERVE: bool> FromArgMatches for Flags<SERVE> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        if let Some(setting) = secrets().find(|setting| matches.contains_id(setting.key)) {
            return Err(clap::Error::raw(ErrorKind::UnknownArgument, no_flag(setting)));
        }
        let given = |setting: &'static Setting| Some((setting.key, matches.get_one::<String>(setting.key)?.clone()));
        Ok(Self(Self::settings().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}
