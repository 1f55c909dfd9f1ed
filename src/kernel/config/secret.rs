//! A value of the settings that is never shown: no message, no listing, no `Debug` holds it; and where it is read from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use toml::Value as Toml;

use super::layers::Set;
use crate::kernel::error::{Error, Result};

/// What stands in its place.
pub(super) const MASK: &str = "***";

/// See the module's text.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// The value itself, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "" } else { MASK })
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0.is_empty() { "" } else { MASK })
    }
}

/// Puts the content of a secret's file in the place of the secret, when the file was named by the same layer or a later one.
pub(super) fn read_secret(key: &str, file_key: &str, layers: &mut BTreeMap<String, Set>) -> Result<()> {
    let (Some(plain), Some(file)) = (layers.get(key), layers.get(file_key)) else {
        return Ok(());
    };
    let Some(path) = file.value.as_str().filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    if plain.rank > file.rank {
        return Ok(());
    }
    if plain.rank == file.rank {
        return Err(Error::invalid(
            key,
            format!("{key} and {file_key} are both set ({}); keep one of them", file.source),
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|e| {
        Error::invalid(
            file_key,
            format!("the file {path} cannot be read: {e} ({})", file.source),
        )
    })?;
    let set = Set {
        value: Toml::String(text.trim().to_owned()),
        source: format!("{path}, named by {}", file.source),
        rank: file.rank,
    };
    layers.insert(key.to_owned(), set);
    Ok(())
}
