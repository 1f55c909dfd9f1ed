//! Suggestions while somebody types: which fields are asked for, under which labels, and the titles of records.
//!
//! The index answers under the caller's view; titles come through the port of records, cut as everywhere.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::service::{MAX_TEXT, Service};
use crate::contract::records::{FieldKind, Leaf, RECORDS_READ, StoredType};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::error::{Error, Result};
use crate::kernel::i18n::Language;
use crate::kernel::ledger;
use crate::kernel::search::Begun;
use crate::kernel::ui::label;

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
    pub values: Vec<SuggestedValue>,
    pub records: Vec<SuggestedRecord>,
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
}

impl Service {
    /// Values and records that begin with what has been typed, as far as the caller may see them.
    ///
    /// # Errors
    /// `NotFound` for an unknown type, `Invalid` for a text that is too long, and what the index says.
    pub async fn suggest(&self, caller: &Caller, typed: &Typed) -> Result<Suggestions> {
        if typed.text.len() > MAX_TEXT {
            return Err(Error::invalid("q", format!("A question has at most {MAX_TEXT} bytes.")));
        }
        let types = self.types(caller, typed.type_name.as_deref()).await?;
        let labels = suggestible(&types, typed.language);
        let begun = Begun {
            text: typed.text.clone(),
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
        Ok(Suggestions {
            q: typed.text.clone(),
            values: values.collect(),
            records: self.titled(caller, &types, &found.ids).await?,
        })
    }

    async fn titled(
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
                id: record.id,
                type_name: record.type_name,
            });
        }
        Ok(records)
    }
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
