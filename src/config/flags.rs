//! The settings as flags of a command, made from the table.

use std::collections::BTreeMap;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::setting::{SETTINGS, Setting};

/// The flags that were given, by key: of every setting for `serve`, else of those that every command has.
#[derive(Debug, Clone, Default)]
pub struct Flags<const SERVE: bool>(pub BTreeMap<&'static str, String>);

/// All settings.
pub type ServeFlags = Flags<true>;
/// The settings of commands that do not listen.
pub type CommonFlags = Flags<false>;

impl<const SERVE: bool> Flags<SERVE> {
    fn settings() -> impl Iterator<Item = (&'static Setting, &'static str)> {
        let offered = SETTINGS.iter().filter(|setting| SERVE || setting.everywhere);
        offered.filter_map(|setting| Some((setting, setting.flag?)))
    }
}

impl<const SERVE: bool> Args for Flags<SERVE> {
    fn augment_args(command: Command) -> Command {
        let arg = |(setting, flag): (&'static Setting, &'static str)| {
            Arg::new(setting.key).long(flag).value_name("VALUE").help(setting.explanation()).help_heading("Settings")
        };
        command.args(Self::settings().map(arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const SERVE: bool> FromArgMatches for Flags<SERVE> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given =
            |(setting, _): (&'static Setting, _)| Some((setting.key, matches.get_one::<String>(setting.key)?.clone()));
        Ok(Self(Self::settings().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}
