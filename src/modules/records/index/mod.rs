//! What the search index holds of records: every field under its path without positions, at the level of the strictest of
//! itself and its groups, in its own kind.

mod links;
mod places;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use super::model::path::{self, Leaf};
use super::model::shape;
use super::model::tree::Tree;
use super::service::Service;
use super::service::trees::{Above, Shown};
use crate::contract::records::{Field, FieldKind, Record, RecordType, StoredType, Weight};
use crate::kernel::access::{Access, Level};
use crate::kernel::civil;
use crate::kernel::error::Result;
use crate::kernel::ledger;
use crate::kernel::search::{
    Document, IndexSource, IndexedField, Lexicon, NamedField, NamedType, Reached, Shape, Synonyms, Tongue, Types, Unit,
    Value, fold,
};
use crate::kernel::ui::rich;

/// See the module's text.
pub struct RecordIndex {
    pub service: Arc<Service>,
    pub access: Access,
    /// Of texts whose type names none.
    pub language: Option<Tongue>,
    /// What is said of the types, kept until one of them changes.
    pub kept: Kept,
}

/// The versions of all types, and what was said of them then.
pub type Kept = Mutex<(Vec<(String, i64)>, Types)>;

#[async_trait]
impl IndexSource for RecordIndex {
    fn kind(&self) -> &'static str {
        ledger::RECORD
    }

    async fn load(&self, ids: &[String]) -> Result<Vec<Document>> {
        let records = self.service.live_with_types(ids).await?;
        let types: HashMap<String, Arc<StoredType>> = records
            .iter()
            .map(|(_, stored)| (stored.id.clone(), stored.clone()))
            .collect();
        let leaves: HashMap<&str, Vec<Leaf<'_>>> = types
            .iter()
            .map(|(id, stored)| (id.as_str(), path::leaves(&stored.definition.fields)))
            .collect();
        let shapes: HashMap<&str, String> = types
            .iter()
            .map(|(id, stored)| (id.as_str(), shape(&stored.definition).term))
            .collect();
        let nothing = Vec::new();
        let (above, shown) = (self.service.above(&records).await?, self.service.shown(&records).await?);
        let documents = records.into_iter().map(|(record, stored)| Document {
            shape: shapes.get(stored.id.as_str()).cloned().unwrap_or_default(),
            ..document(
                &self.access,
                &stored,
                self.language,
                leaves.get(stored.id.as_str()).unwrap_or(&nothing),
                record,
                (&above, &shown),
            )
        });
        Ok(documents.collect())
    }

    async fn page(&self, after: Option<&str>, limit: i64) -> Result<Vec<String>> {
        self.service.live_ids(after, limit).await
    }

    async fn reached(&self, changes: &[(String, i64)]) -> Result<Vec<Reached>> {
        self.service.reached(changes).await
    }

    async fn pointing(&self, id: &str, after: &str, limit: i64) -> Result<Vec<(String, bool)>> {
        self.service.pointing(id, after, limit).await
    }

    async fn types(&self) -> Result<Types> {
        let types = self.service.all_types().await?;
        let versions = types.iter().map(|stored| (stored.id.clone(), stored.version));
        let versions: Vec<(String, i64)> = versions.collect();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != versions {
            let shapes = types.iter().map(|stored| shape(&stored.definition)).collect();
            let types = types
                .iter()
                .map(|stored| named(&self.access, &stored.definition))
                .collect();
            let lexicon = Arc::new(Lexicon { types });
            *kept = (versions, Types { shapes, lexicon });
        }
        Ok(kept.1.clone())
    }
}

/// What a type and its fields are called: by path, by the last part of it, and by their labels.
fn named(access: &Access, definition: &RecordType) -> NamedType {
    let name = &definition.name;
    // What is seen of a tree at a level is seen by who sees such records of it with such fields.
    let levels = || Level::ALL.map(|level| access.terms(name, level)[level as usize].clone());
    let labels = |labels: &Map<String, Json>| -> Vec<String> {
        let texts = labels.values().filter_map(Json::as_str);
        texts.map(|label| fold(label.trim())).collect()
    };
    let field = |leaf: &Leaf<'_>| {
        let mut called = labels(&leaf.field.labels);
        called.extend([fold(&leaf.path), fold(&leaf.field.name)]);
        // What a person writes for `creation_date` is "creation date".
        called.extend(called.clone().iter().map(|name| name.replace('_', " ")));
        called.sort();
        called.dedup();
        let texts = leaf.field.labels.values().filter_map(Json::as_str);
        let own = leaf.field.unit.as_deref().and_then(Unit::find);
        let mut said = std::iter::once(leaf.field.name.as_str()).chain(texts);
        let unit = own.or_else(|| said.find_map(Unit::of_name));
        NamedField {
            path: leaf.path.clone(),
            level: leaf.level,
            called,
            unit: unit.filter(|_| matches!(leaf.field.kind, FieldKind::Integer | FieldKind::Number)),
            weight: weight_of(leaf.field.weight),
        }
    };
    NamedType {
        name: definition.name.clone(),
        called: labels(&definition.labels),
        fields: path::leaves(&definition.fields).iter().map(field).collect(),
        tree: Tree::of(definition).map(|_| levels()),
        synonyms: Synonyms::new(definition.synonyms.iter().map(|line| line.split(',').collect())),
    }
}

/// How much more a word in such a field weighs than in another.
fn weight_of(weight: Weight) -> f32 {
    match weight {
        Weight::Usual => 0.0,
        Weight::More => 1.5,
        Weight::Most => 5.0,
    }
}

/// Says which of a type's fields stand at which level.
fn shape(definition: &RecordType) -> Shape {
    let mut digest = Sha256::new();
    let mut strictest = Level::Public;
    for leaf in path::leaves(&definition.fields) {
        strictest = strictest.max(leaf.level);
        if leaf.level > Level::Public {
            // No path and no level has such a byte.
            digest.update([leaf.path.as_bytes(), &[0], leaf.level.as_str().as_bytes(), &[0]].concat());
        }
    }
    Shape {
        type_name: definition.name.clone(),
        term: format!("{}@{}", definition.name, hex::encode(&digest.finalize()[..8])),
        strictest,
    }
}

fn document(
    access: &Access,
    stored: &StoredType,
    usual: Option<Tongue>,
    leaves: &[Leaf<'_>],
    record: Record,
    (above, shown): (&Above, &Shown),
) -> Document {
    let (title, title_level) = shape::title_with_level(&stored.definition, &record.document);
    let language = match &stored.definition.language {
        Some(tag) => Tongue::find(tag),
        None => usual,
    };
    let mut fields = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        let found = path::values(&record.document, &leaf.steps);
        let values: Vec<Value> = found
            .into_iter()
            .filter_map(|value| match value.as_str().filter(|_| leaf.field.rich) {
                Some(text) => value_of(leaf.field.kind, &Json::String(rich::words(text))),
                None => value_of(leaf.field.kind, value),
            })
            .collect();
        if !values.is_empty() {
            let (column, searchable) = (is_column(leaf.field), is_searchable(leaf.field));
            fields.push(IndexedField {
                name: leaf.path.clone(),
                level: leaf.level,
                column,
                searchable,
                tongue: tongue(leaf.field, language),
                values,
            });
        }
    }
    fields.extend(places::of(leaves, &record.document));
    fields.extend(links::words(leaves, &record.document, shown));
    Document {
        inside: links::inside(&record.id, leaves, &record.document, above),
        visible: access.terms(&record.type_name, record.visibility),
        id: record.id,
        version: record.version,
        kind: ledger::RECORD,
        type_name: record.type_name,
        title,
        title_level,
        fields,
        shape: String::new(),
        created_at: record.created_at,
        updated_at: record.updated_at,
    }
}

/// Fields to count, sort or range over. Numbers and dates always are: a question such as `date:1850..1900` needs them.
fn is_column(field: &Field) -> bool {
    let ranged = matches!(
        field.kind,
        FieldKind::Integer | FieldKind::Number | FieldKind::Boolean | FieldKind::Date
    );
    field.facet || field.column || ranged
}

/// What a field's words are written in; codes and addresses are in no language.
fn tongue(field: &Field, of_type: Option<Tongue>) -> Option<Tongue> {
    match (&field.language, field.kind) {
        (_, FieldKind::Identifier | FieldKind::Url | FieldKind::Link) => None,
        (Some(tag), _) => Tongue::find(tag),
        (None, FieldKind::Text | FieldKind::Term) => of_type,
        (None, _) => None,
    }
}

/// Found by its own words; those of a link are the ones of what it leads to.
fn is_searchable(field: &Field) -> bool {
    field.has_words() && field.kind != FieldKind::Link
}

/// A value in its kind. One that does not fit its field any more (an old state under a newer type) is taken as words.
fn value_of(kind: FieldKind, value: &Json) -> Option<Value> {
    Some(match (kind, value) {
        (_, Json::String(text)) if text.is_empty() => return None,
        (FieldKind::Date, Json::String(text)) => match civil::span(text) {
            Some((from, to)) => Value::Days {
                from,
                to,
                verbatim: text.clone(),
            },
            None => Value::Keyword(text.clone()),
        },
        (FieldKind::Term | FieldKind::Identifier | FieldKind::Url | FieldKind::Link, Json::String(text)) => {
            Value::Keyword(text.clone())
        }
        (FieldKind::Integer, Json::Number(number)) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Real(number.as_f64()?),
        },
        (FieldKind::Number, Json::Number(number)) => Value::Real(number.as_f64()?),
        (FieldKind::Boolean, Json::Bool(flag)) => Value::Boolean(*flag),
        (_, other) => Value::Text(path::text(other)?),
    })
}
