//! The layers of the configuration: defaults, file, `.env`, environment, flags. A later layer overrides an earlier one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use config::{FileFormat, Map, Source, Value};

use super::Error;
use super::setting::{self, FILE_VARIABLE, PREFIX, SETTINGS};

/// The inputs of the configuration. Tests fill them in; `main` takes them from the process.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The working folder, which may contain `innkeeper.toml` and `.env`.
    pub folder: PathBuf,
    /// `--config`.
    pub file: Option<PathBuf>,
    /// The environment.
    pub variables: Vec<(OsString, OsString)>,
    /// Flags by key.
    pub flags: BTreeMap<&'static str, String>,
    /// Defaults of the command, which override those of the table.
    pub defaults: &'static [(&'static str, &'static str)],
}

impl Sources {
    /// The inputs of this process.
    pub fn of_process() -> Self {
        Self { variables: std::env::vars_os().collect(), ..Self::default() }
    }
}

/// One value and its origin.
#[derive(Debug, Clone)]
pub struct Sourced {
    pub value: String,
    pub origin: String,
}

/// The value of every key that has one.
pub fn gather(sources: &Sources) -> Result<BTreeMap<String, Sourced>, Error> {
    let mut builder = config::Config::builder().add_source(defaults(sources));
    let environment = environment(&sources.variables)?;
    if let Some(path) = file(sources) {
        builder = builder.add_source(read_file(&path)?);
    }
    builder = builder.add_source(dotenv(&sources.folder.join(".env"))?).add_source(environment);
    let merged = builder.add_source(flags(sources)).build().and_then(|config| config.collect());
    let merged =
        merged.map_err(|error| Error::Unreadable { origin: "configuration".into(), why: error.to_string() })?;
    merged.into_iter().map(scalar).collect()
}

/// Values by key, each with its origin.
#[derive(Debug, Clone, Default)]
struct Layer(Map<String, Value>);

impl Layer {
    fn set(&mut self, key: &str, value: &str, origin: String) {
        self.0.insert(key.to_owned(), Value::new(Some(&origin), value));
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.0.clone())
    }
}

fn defaults(sources: &Sources) -> Layer {
    let mut layer = Layer::default();
    let table = SETTINGS.iter().map(|setting| (setting.key, setting.default));
    for (key, default) in table.chain(sources.defaults.iter().copied()).filter(|(_, default)| !default.is_empty()) {
        layer.set(key, default, "the default".into());
    }
    layer
}

/// The named file, or `innkeeper.toml` in the working folder.
fn file(sources: &Sources) -> Option<PathBuf> {
    let named = || sources.variables.iter().find(|(name, value)| name == FILE_VARIABLE && !value.is_empty());
    let lying_here = || Some(sources.folder.join("innkeeper.toml")).filter(|path| path.exists());
    sources.file.clone().or_else(|| named().map(|(_, value)| value.into())).or_else(lying_here)
}

fn read_file(path: &Path) -> Result<Layer, Error> {
    let origin = path.display().to_string();
    let unreadable = |why: String| Error::Unreadable { origin: origin.clone(), why };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let parsed = config::Config::builder().add_source(config::File::from_str(&text, FileFormat::Toml)).build();
    let values = parsed.and_then(|config| config.collect()).map_err(|error| unreadable(first_line(&error)))?;
    let mut layer = Layer::default();
    for (key, value) in values {
        known(&key, &key, &origin)?;
        layer.0.insert(key, Value::new(Some(&origin), value.kind));
    }
    Ok(layer)
}

/// The mistake and its place, without the line itself, which may contain a secret.
fn first_line(error: &config::ConfigError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn dotenv(path: &Path) -> Result<Layer, Error> {
    let mut layer = Layer::default();
    if !path.exists() {
        return Ok(layer);
    }
    let origin = path.display().to_string();
    let unreadable = |error: dotenvy::Error| {
        let why = match error {
            dotenvy::Error::Io(error) => error.to_string(),
            _ => "a line is not of the form NAME=value".to_owned(),
        };
        Error::Unreadable { origin: origin.clone(), why }
    };
    for pair in dotenvy::from_path_iter(path).map_err(unreadable)? {
        let (name, value) = pair.map_err(unreadable)?;
        if name == FILE_VARIABLE {
            let why = format!("{FILE_VARIABLE} must be set in the environment, or given as --config, not in this file");
            return Err(Error::Unreadable { origin: origin.clone(), why });
        }
        set_variable(&mut layer, &name, &value, format!("{name} in {origin}"))?;
    }
    Ok(layer)
}

fn environment(variables: &[(OsString, OsString)]) -> Result<Layer, Error> {
    let mut layer = Layer::default();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        let Some(value) = value.to_str() else {
            return Err(Error::Unreadable { origin: name.to_owned(), why: "the value is not UTF-8".into() });
        };
        set_variable(&mut layer, name, value, format!("the environment variable {name}"))?;
    }
    Ok(layer)
}

/// Ignores variables of other programs. An empty variable counts as not set, because `docker compose` passes unset ones so.
fn set_variable(layer: &mut Layer, name: &str, value: &str, origin: String) -> Result<(), Error> {
    let Some(key) = name.strip_prefix(PREFIX).filter(|_| name != FILE_VARIABLE) else { return Ok(()) };
    let key = key.to_ascii_lowercase();
    known(&key, name, &origin)?;
    if !value.is_empty() {
        layer.set(&key, value, origin);
    }
    Ok(())
}

fn flags(sources: &Sources) -> Layer {
    let mut layer = Layer::default();
    for (key, value) in &sources.flags {
        layer.set(key, value, format!("--{}", key.replace('_', "-")));
    }
    layer
}

/// Refuses an unknown key. `name` is its spelling in the origin.
fn known(key: &str, name: &str, origin: &str) -> Result<(), Error> {
    if setting::find(key).is_some() {
        return Ok(());
    }
    let nearest = setting::nearest(key);
    let nearest = match name.starts_with(PREFIX) {
        true => format!("{PREFIX}{}", nearest.to_ascii_uppercase()),
        false => nearest.to_owned(),
    };
    Err(Error::Unknown { name: name.to_owned(), origin: origin.to_owned(), nearest })
}

fn scalar((key, value): (String, Value)) -> Result<(String, Sourced), Error> {
    let origin = value.origin().unwrap_or_default().to_owned();
    let value = value.into_string().map_err(|_| Error::Invalid {
        key: key.clone(),
        origin: origin.clone(),
        rule: "must be a single value, not a table or a list".into(),
    })?;
    Ok((key, Sourced { value, origin }))
}
