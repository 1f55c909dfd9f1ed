//! The layers of the configuration, what each one sets, and where an unknown key most likely wanted to go.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use config::{FileFormat, Value};
use serde::Serialize;
use toml::{Table, Value as Toml};

use super::Config;
use super::providers;
use super::rules::redacted_url;
use super::secret::{MASK, read_secret};
use crate::kernel::error::{Code, Error, FieldIssue, Result};

/// Every key with its meaning and default, as `app config default` prints it.
pub const DEFAULT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/config/default.toml"));

const PREFIX: &str = "APP__";
/// Keys whose values are never printed as they are, each with the key of a file that may hold it.
const SECRETS: &[(&str, &str)] = &[
    ("database.url", "database.url_file"),
    ("messages.password", "messages.password_file"),
    ("log.traces_header", "log.traces_header_file"),
];
/// The secret that is an address: what is no secret in it is shown.
const SECRET_ADDRESS: &str = "database.url";

/// What the layers above the defaults are made of.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub file: Option<PathBuf>,
    pub environment: Vec<(OsString, OsString)>,
    /// Key, value and the flag that set it.
    pub flags: Vec<(String, String, String)>,
}

impl Sources {
    /// The layers of a command line: the process's environment and nothing else yet.
    #[expect(clippy::disallowed_methods, reason = "this room is where the environment is read")]
    pub fn from_process() -> Self {
        Self {
            environment: std::env::vars_os().collect(),
            ..Self::default()
        }
    }
    /// Sets a key as a flag does.
    #[must_use]
    pub fn flag(mut self, key: &str, value: impl Into<String>, flag: &str) -> Self {
        self.flags.push((key.to_owned(), value.into(), flag.to_owned()));
        self
    }
}

/// One key, its value (secrets masked) and where it came from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    pub key: String,
    pub value: serde_json::Value,
    pub source: String,
}

/// The settings with their origin.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    pub entries: Vec<Entry>,
}

/// A value of one layer; a higher rank wins.
pub(super) struct Set {
    pub value: Toml,
    pub source: String,
    pub rank: u8,
}

/// Reads every layer. Does not judge the values; see [`Config::check`].
///
/// # Errors
/// An unreadable file; unknown keys, all of them at once; values of the wrong kind.
pub fn load(sources: &Sources) -> Result<Loaded> {
    let defaults: Table = DEFAULT.parse().map_err(Error::internal)?;
    let known = flatten(&defaults);
    let mut layers: BTreeMap<String, Set> = BTreeMap::new();
    let mut issues = Vec::new();
    for (key, value) in known.iter().filter(|(key, _)| !providers::explains(key)) {
        layers.insert(
            key.clone(),
            Set {
                value: value.clone(),
                source: "default".to_owned(),
                rank: 0,
            },
        );
    }
    if let Some(path) = &sources.file {
        read_file(path, &known, &mut layers, &mut issues)?;
    }
    read_environment(&sources.environment, &known, &mut layers, &mut issues);
    for (key, value, flag) in &sources.flags {
        let source = format!("flag {flag}");
        set_text(
            key,
            value,
            &source,
            3,
            &|k| k.to_owned(),
            &known,
            &mut layers,
            &mut issues,
        );
    }
    if !issues.is_empty() {
        return Err(Error::invalid_fields(issues));
    }
    let named = providers::named(layers.keys());
    for start in &named {
        fill(start, &known, &mut layers);
    }
    for (key, file_key) in SECRETS {
        read_secret(key, file_key, &mut layers)?;
    }
    for start in &named {
        let key = format!("{start}client_secret");
        read_secret(&key, &format!("{key}_file"), &mut layers)?;
    }
    let mut builder = config::Config::builder().add_source(config::File::from_str(DEFAULT, FileFormat::Toml));
    for (key, set) in layers
        .iter()
        .filter(|(key, set)| set.rank > 0 || providers::is_of_provider(key))
    {
        builder = builder
            .set_override(key, to_config(&set.value))
            .map_err(Error::internal)?;
    }
    let mut config: Config = builder
        .build()
        .and_then(config::Config::try_deserialize)
        .map_err(|e| refused(&e))?;
    providers::drop_explanation(&mut config);
    let entries: Vec<Entry> = layers.into_iter().map(|(key, set)| entry(key, &set)).collect();
    config.origins.clone_from(&entries);
    Ok(Loaded { config, entries })
}

/// Gives a provider that is named somewhere the defaults of the keys that nobody has set.
fn fill(start: &str, known: &BTreeMap<String, Toml>, layers: &mut BTreeMap<String, Set>) {
    for (key, value) in known {
        if let Some(key) = providers::for_one(key, start) {
            layers.entry(key).or_insert_with(|| Set {
                value: value.clone(),
                source: "default".to_owned(),
                rank: 0,
            });
        }
    }
}

/// What stands for a key in the file of defaults.
fn default_of<'k>(key: &str, known: &'k BTreeMap<String, Toml>) -> Option<&'k Toml> {
    known
        .get(&providers::explained_as(key))
        .filter(|_| !providers::explains(key))
}

fn refused(error: &config::ConfigError) -> Error {
    Error::new(
        Code::Invalid,
        format!("The settings cannot be used: {error}. `app config default` explains each key."),
    )
}

/// Leaf keys with their values: `http.bind`.
fn flatten(table: &Table) -> BTreeMap<String, Toml> {
    let mut leaves = BTreeMap::new();
    let mut open: Vec<(String, &Table)> = vec![(String::new(), table)];
    while let Some((prefix, table)) = open.pop() {
        for (name, value) in table {
            let key = if prefix.is_empty() {
                name.clone()
            } else {
                format!("{prefix}.{name}")
            };
            match value {
                Toml::Table(inner) => open.push((key, inner)),
                leaf => {
                    leaves.insert(key, leaf.clone());
                }
            }
        }
    }
    leaves
}

fn read_file(
    path: &Path,
    known: &BTreeMap<String, Toml>,
    layers: &mut BTreeMap<String, Set>,
    issues: &mut Vec<FieldIssue>,
) -> Result<()> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| {
        Error::new(
            Code::BadRequest,
            format!("The configuration file {shown} cannot be read: {e}."),
        )
        .caused_by(e)
    })?;
    let table: Table = text.parse().map_err(|e: toml::de::Error| {
        Error::new(
            Code::BadRequest,
            format!(
                "The configuration file {shown} is not TOML: {}",
                e.to_string().trim_end()
            ),
        )
    })?;
    let source = format!("file {shown}");
    // A file that was begun from `app config default` still holds the explanation.
    for (key, value) in flatten(&table).into_iter().filter(|(key, _)| !providers::explains(key)) {
        match default_of(&key, known) {
            None => issues.push(unknown(&key, &source, known, &|k| k.to_owned())),
            Some(default) if !same_kind(default, &value) => issues.push(wrong_kind(&key, &source, default)),
            Some(_) => {
                layers.insert(
                    key,
                    Set {
                        value,
                        source: source.clone(),
                        rank: 1,
                    },
                );
            }
        }
    }
    // A section that was written as a plain value would otherwise vanish: `http = 3` flattens to the unknown key "http",
    // and an empty section of an unknown name flattens to nothing.
    for (name, value) in &table {
        if value.is_table() && !known.keys().any(|k| k.starts_with(&format!("{name}."))) && flatten_is_empty(value) {
            issues.push(unknown(name, &source, known, &|k| k.to_owned()));
        }
    }
    Ok(())
}

fn flatten_is_empty(value: &Toml) -> bool {
    value.as_table().is_some_and(|table| flatten(table).is_empty())
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

fn read_environment(
    environment: &[(OsString, OsString)],
    known: &BTreeMap<String, Toml>,
    layers: &mut BTreeMap<String, Set>,
    issues: &mut Vec<FieldIssue>,
) {
    for (name, value) in environment {
        let Some(name) = name.to_str() else { continue };
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let key = rest.to_lowercase().replace("__", ".");
        let source = format!("environment {name}");
        match value.to_str() {
            Some(value) => set_text(&key, value, &source, 2, &variable, known, layers, issues),
            None => issues.push(FieldIssue {
                path: key,
                message: format!("the value is not UTF-8 ({source})"),
            }),
        }
    }
}

/// Sets a key from text, in the kind that the default has.
#[expect(
    clippy::too_many_arguments,
    reason = "one layer's value and the books it is entered in"
)]
fn set_text(
    key: &str,
    text: &str,
    source: &str,
    rank: u8,
    spell: &dyn Fn(&str) -> String,
    known: &BTreeMap<String, Toml>,
    layers: &mut BTreeMap<String, Set>,
    issues: &mut Vec<FieldIssue>,
) {
    let Some(default) = default_of(key, known) else {
        issues.push(unknown(key, source, known, spell));
        return;
    };
    let value = match default {
        Toml::Integer(_) => text.trim().parse().ok().map(Toml::Integer),
        Toml::Float(_) => text.trim().parse().ok().map(Toml::Float),
        Toml::Boolean(_) => text.trim().parse().ok().map(Toml::Boolean),
        Toml::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Toml::Array(items.map(|item| Toml::String(item.to_owned())).collect()))
        }
        _ => Some(Toml::String(text.to_owned())),
    };
    match value {
        Some(value) => {
            layers.insert(
                key.to_owned(),
                Set {
                    value,
                    source: source.to_owned(),
                    rank,
                },
            );
        }
        None => issues.push(wrong_kind(key, source, default)),
    }
}

fn same_kind(default: &Toml, value: &Toml) -> bool {
    match (default, value) {
        (Toml::Array(_), Toml::Array(items)) => items.iter().all(Toml::is_str),
        (Toml::Float(_), Toml::Integer(_)) => true,
        _ => default.same_type(value),
    }
}

fn wrong_kind(key: &str, source: &str, default: &Toml) -> FieldIssue {
    let kind = match default {
        Toml::Integer(_) => "a whole number",
        Toml::Float(_) => "a number",
        Toml::Boolean(_) => "true or false",
        Toml::Array(_) => "a list of texts",
        _ => "a text",
    };
    FieldIssue {
        path: key.to_owned(),
        message: format!("must be {kind} ({source})"),
    }
}

fn unknown(key: &str, source: &str, known: &BTreeMap<String, Toml>, spell: &dyn Fn(&str) -> String) -> FieldIssue {
    let nearest = known
        .keys()
        .max_by(|a, b| likeness(key, a).total_cmp(&likeness(key, b)));
    let hint = nearest
        .map(|n| format!("; the nearest is {}", spell(n)))
        .unwrap_or_default();
    FieldIssue {
        path: key.to_owned(),
        message: format!("there is no such setting ({source}){hint}"),
    }
}

/// How much alike two keys are. The last part alone counts too: it may stand in the wrong section.
fn likeness(wrong: &str, key: &str) -> f64 {
    let last = |k: &str| k.rsplit('.').next().unwrap_or_default().to_owned();
    let whole = strsim::normalized_damerau_levenshtein(wrong, key);
    whole.max(strsim::normalized_damerau_levenshtein(&last(wrong), &last(key)) * 0.9)
}

fn to_config(value: &Toml) -> Value {
    match value {
        Toml::Integer(v) => Value::from(*v),
        Toml::Float(v) => Value::from(*v),
        Toml::Boolean(v) => Value::from(*v),
        Toml::Array(items) => Value::from(items.iter().map(to_config).collect::<Vec<_>>()),
        other => Value::from(other.as_str().unwrap_or_default()),
    }
}

fn entry(key: String, set: &Set) -> Entry {
    let secret = SECRETS.iter().any(|(secret, _)| *secret == key);
    let value = match set.value.as_str() {
        Some(text) if key == SECRET_ADDRESS => serde_json::Value::String(redacted_url(text)),
        Some(text)
            if (secret || (providers::is_of_provider(&key) && key.ends_with(".client_secret"))) && !text.is_empty() =>
        {
            serde_json::Value::String(MASK.to_owned())
        }
        _ => serde_json::to_value(&set.value).unwrap_or_default(),
    };
    Entry {
        key,
        value,
        source: set.source.clone(),
    }
}
