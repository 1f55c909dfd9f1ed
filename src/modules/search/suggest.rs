//! Suggestions while somebody types: which fields are asked for, under which labels, and the titles of records.
//!
//! The index answers under the caller's view; titles come through the port of records, cut as everywhere.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::service::Service;
use crate::contract::records::{FieldKind, Leaf, RECORDS_READ, StoredType};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::error::Result;
use crate::kernel::i18n::Language;
use crate::kernel::ledger;
use crate::kernel::search::{Begun, MAX_TEXT, fold};
use crate::kernel::ui::label;

/// Letters of a word before fields are suggested, and fields suggested at most.
const BEGUN: usize = 2;
const FIELDS: usize = 4;

/// What has been typed, and where.
pub struct Typed {
    pub type_name: Option<String>,
    pub text: String,
    /// Of values and of records, each at most this many.
    pub limit: usize,
    /// Of the labels.
    pub language: Language,
}

/// What may be meant.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Suggestions {
    /// What was typed.
    #[schema(example = "tea")]
    pub q: String,
    /// Its last word, which a field takes the place of.
    #[schema(example = "tea")]
    pub last: String,
    /// The last word names a field, and values are of that field: they take the place of the last word only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub within: bool,
    pub values: Vec<SuggestedValue>,
    /// Fields that the last word may begin to name.
    pub fields: Vec<SuggestedField>,
    pub records: Vec<SuggestedRecord>,
}

/// A field to ask for.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct SuggestedField {
    /// As it is written before the colon.
    #[schema(example = "creator.full_name")]
    pub field: String,
    #[schema(example = "Maker › Name")]
    pub label: String,
}

/// A value of a field.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestedValue {
    /// Path of the field, as filters name it.
    #[schema(example = "classification")]
    pub field: String,
    /// The field's label, with those of the groups around it.
    #[schema(example = "Classification")]
    pub label: String,
    #[schema(example = "Tea services")]
    pub value: String,
    /// Records the caller may find that have it.
    #[schema(example = 42)]
    pub count: u64,
}

/// A record whose title fits.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestedRecord {
    #[schema(example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    pub id: String,
    #[serde(rename = "type")]
    #[schema(example = "museum-object")]
    pub type_name: String,
    #[schema(example = "Teapot with lid")]
    pub title: String,
    /// In a tree: what it hangs below, from the top down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Europe › Sweden")]
    pub path: Option<String>,
}

impl Service {
    /// Values and records that begin with what has been typed, as far as the caller may see them.
    ///
    /// # Errors
    /// `NotFound` for an unknown type, and what the index says.
    pub async fn suggest(&self, caller: &Caller, typed: &Typed) -> Result<Suggestions> {
        let text = &typed.text[..typed.text.floor_char_boundary(MAX_TEXT)];
        let types = self.types(caller, typed.type_name.as_deref()).await?;
        let mut labels = suggestible(&types, typed.language);
        let last = last_word(text);
        let within = field_begun(last, &types, &labels);
        if let Some((field, _)) = &within {
            labels.retain(|path, _| path == field);
        }
        let begun = Begun {
            text: within
                .as_ref()
                .map_or_else(|| text.to_owned(), |(_, value)| value.clone()),
            kind: Some(ledger::RECORD.to_owned()),
            types: types
                .iter()
                .map(|(stored, _)| stored.definition.name.clone())
                .filter(|_| typed.type_name.is_some())
                .collect(),
            fields: labels.keys().cloned().collect(),
            limit: typed.limit,
            visibility: self.access.filter(caller, RECORDS_READ).await?,
        };
        let asked = begun.visibility.clone();
        let found = self.search.suggest(begun).await?;
        if self.access.filter(caller, RECORDS_READ).await? != asked {
            return Err(super::service::rights_change());
        }
        let values = found.values.into_iter().map(|value| SuggestedValue {
            label: labels.get(&value.field).cloned().unwrap_or_default(),
            field: value.field,
            value: value.value,
            count: value.count,
        });
        let ids = if within.is_some() { &[] } else { found.ids.as_slice() };
        Ok(Suggestions {
            values: values.collect(),
            fields: if within.is_some() {
                Vec::new()
            } else {
                fields_begun(last, &types, typed.language)
            },
            records: self.titled(caller, &types, ids).await?,
            last: last.to_owned(),
            within: within.is_some(),
            q: typed.text.clone(),
        })
    }

    pub(super) async fn titled(
        &self,
        caller: &Caller,
        types: &[(Arc<StoredType>, Level)],
        ids: &[String],
    ) -> Result<Vec<SuggestedRecord>> {
        let by_name: HashMap<&str, &StoredType> = types
            .iter()
            .map(|(stored, _)| (stored.definition.name.as_str(), stored.as_ref()))
            .collect();
        let mut records = Vec::with_capacity(ids.len());
        let paths = self.records.paths(caller, ids).await?;
        let written = |path: &Vec<(String, String)>| {
            let titles: Vec<&str> = path.iter().map(|(_, title)| title.as_str()).collect();
            titles.join(" › ")
        };
        for record in self.records.get_many(caller, ids).await? {
            let Some(stored) = by_name.get(record.type_name.as_str()) else {
                continue;
            };
            let object = Object::Record {
                id: &record.id,
                type_name: &record.type_name,
                visibility: record.visibility,
            };
            let Some(level) = self.access.level(caller, &object).await? else {
                continue;
            };
            let document = self.records.cut(&stored.definition, level, record.document);
            records.push(SuggestedRecord {
                title: self.records.title(&stored.definition, &document),
                path: paths.get(&record.id).map(written),
                id: record.id,
                type_name: record.type_name,
            });
        }
        Ok(records)
    }
}

/// What stands after the last space that no quotation holds.
fn last_word(text: &str) -> &str {
    let mut start = 0;
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        quoted ^= c == '"';
        if c.is_whitespace() && !quoted {
            start = at + c.len_utf8();
        }
    }
    text[start..].trim_start_matches(['-', '(', '+'])
}

/// `maker:wed` as the field and what is begun of its value, where values of that field are suggested.
fn field_begun(
    last: &str,
    types: &[(Arc<StoredType>, Level)],
    labels: &BTreeMap<String, String>,
) -> Option<(String, String)> {
    let (name, value) = last.split_once(':')?;
    let value = value.trim_start_matches(['"', '=']);
    let name = fold(name.trim_matches('"'));
    let meant = |leaf: &Leaf<'_>| is_called(leaf, &name) && labels.contains_key(&leaf.path);
    let found = types.iter().find_map(|(stored, level)| {
        let leaves = stored.definition.leaves();
        let leaf = leaves.iter().find(|leaf| leaf.level <= *level && meant(leaf))?;
        Some(leaf.path.clone())
    });
    found.filter(|_| !value.is_empty()).map(|path| (path, value.to_owned()))
}

fn is_called(leaf: &Leaf<'_>, name: &str) -> bool {
    names_of(leaf).any(|called| called == name)
}

/// What a field may be called in a question, folded.
fn names_of<'a>(leaf: &'a Leaf<'_>) -> impl Iterator<Item = String> + 'a {
    let labels = leaf.field().into_iter().flat_map(|field| field.labels.values());
    let labels = labels.filter_map(serde_json::Value::as_str).map(fold);
    let name = leaf.field().map(|field| fold(&field.name));
    std::iter::once(fold(&leaf.path)).chain(name).chain(labels)
}

/// The fields that the last word may begin to name, each as it is written before the colon.
fn fields_begun(last: &str, types: &[(Arc<StoredType>, Level)], language: Language) -> Vec<SuggestedField> {
    let begun = fold(last.trim_start_matches('"'));
    let mut found: Vec<SuggestedField> = Vec::new();
    if begun.chars().count() < BEGUN {
        return found;
    }
    for (stored, level) in types {
        for leaf in stored.definition.leaves() {
            let fits = leaf.level <= *level && names_of(&leaf).any(|name| name.starts_with(&begun));
            let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
            let field = if leaf.path.chars().all(plain) {
                leaf.path.clone()
            } else {
                format!("\"{}\"", leaf.path)
            };
            if fits && found.len() < FIELDS && !found.iter().any(|known| known.field == field) {
                let label = leaf_label(&leaf, language);
                found.push(SuggestedField { field, label });
            }
        }
    }
    found
}

/// The fields whose values are suggested, by path, with their labels: what is counted or stands in tables and is made of
/// words. A type's title is not among them, since its records are suggested themselves.
fn suggestible(types: &[(Arc<StoredType>, Level)], language: Language) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (stored, level) in types {
        let definition = &stored.definition;
        for leaf in definition.leaves() {
            let Some(field) = leaf.field() else { continue };
            let words = matches!(
                field.kind,
                FieldKind::Text | FieldKind::Term | FieldKind::Identifier | FieldKind::Date
            );
            let is_title = definition.title.as_deref() == Some(leaf.path.as_str());
            if words && (field.facet || field.column) && leaf.level <= *level && !is_title {
                labels
                    .entry(leaf.path.clone())
                    .or_insert_with(|| leaf_label(&leaf, language));
            }
        }
    }
    labels
}

/// The labels on the way to a field: `Creator › Nationality`.
pub fn leaf_label(leaf: &Leaf<'_>, language: Language) -> String {
    let labels: Vec<String> = leaf
        .fields
        .iter()
        .map(|field| label(&field.labels, &field.name, language))
        .collect();
    labels.join(" › ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_what_is_being_typed() {
        for (text, last) in [
            ("tea po", "po"),
            ("tea maker:\"Émile G", "maker:\"Émile G"),
            ("", ""),
            ("a ", ""),
            ("-(ma", "ma"),
            ("\"a b\" c", "c"),
        ] {
            assert_eq!(last_word(text), last, "{text}");
        }
    }
}
