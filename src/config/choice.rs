//! Settings whose values are words of a closed set. Another word is refused, and the error names the nearest one.

use super::{Error, Values, setting};
use crate::telemetry::Filter;
use crate::telemetry::filter::Wrong;

const LOG: &str = "must be a level (off, error, warn, info, debug, trace) or target=level pairs separated by commas";

impl Values {
    /// The value of the configured word.
    pub(super) fn choice<T: Copy>(&self, key: &str, choices: &[(&'static str, T)]) -> Result<T, Error> {
        let word = self.required(key, "must be set", |value| Some(value.to_owned()))?;
        let found = choices.iter().find(|(name, _)| *name == word);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            let hint = did_you_mean(&word, &names);
            self.refuse(key, &format!("must be {}, not {word:?}{hint}", names.join(" or ")))
        })
    }
}

/// The filter of log lines.
pub(super) fn log(values: &Values) -> Result<Filter, Error> {
    let text = values.required("log", LOG, |value| Some(value.to_owned()))?;
    text.parse().map_err(|wrong: Wrong| {
        let hint = did_you_mean(wrong.word(), &wrong.candidates());
        let rule = match &wrong {
            Wrong::Level(word) => format!("{LOG}, and {word:?} is not a level{hint}"),
            Wrong::Target(word) => format!("{LOG}, and {word:?} is not a target that logs anything{hint}"),
        };
        values.refuse("log", &rule)
    })
}

/// A question that names the nearest candidate, if one is similar enough.
fn did_you_mean(word: &str, candidates: &[impl AsRef<str>]) -> String {
    match setting::nearest_of(word, candidates.iter().map(AsRef::as_ref)) {
        Some((nearest, similarity)) if similarity >= NEAR => format!("; did you mean {nearest}?"),
        _ => String::new(),
    }
}

/// The least similarity of a typing mistake, from 0 to 1.
const NEAR: f64 = 0.7;
