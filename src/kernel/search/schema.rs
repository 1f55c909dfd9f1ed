//! The one schema for all kinds, and how a document becomes an entry of it.
//!
//! Per level: one JSON text field keyed by record field, one of exact texts, one of values in columns. A new record type
//! is no new schema. Values come only through [`Value`]: nothing is guessed from texts.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, JsonObjectOptions, OwnedValue, Schema, SchemaBuilder, TextFieldIndexing,
    TextOptions,
};
use tantivy::{TantivyDocument, Term};

use super::inside::term_of;
use super::order::Orders;
use super::stem::{marked, unmarked};
use super::text::{MAX_COUNTED, MAX_VALUE, TOKENIZER, beginning, column_term, cut};
use super::types::{Document, IndexedField, Inside, Tongue, Value};
use crate::kernel::access::Level;

/// Counted up when what the index holds changes; another one is rebuilt.
pub(super) const SCHEMA_VERSION: u32 = 10;
/// From here on an older one answers while it is rebuilt: it has the same fields, and only lacks some of the words, counts only
/// columns and has texts in another order.
pub(super) const ANSWERS_FROM: u32 = 7;

/// Key of all texts of a level. No field has it: in a field's key a `%` is always followed by two hex digits.
pub(super) const ALL_KEY: &str = "%a";
/// Key of the title.
pub(super) const TITLE_KEY: &str = "%t";
/// Key under which the names of the fields that have a value stand.
pub(super) const NAMES_KEY: &str = "%x";
/// Key under which the ids stand of what a document is inside of.
pub(super) const INSIDE_KEY: &str = "%i";
/// Key of the folded beginning of the title, as one term: titles in order, for suggestions.
pub(super) const START_KEY: &str = "%s";
/// Added to a field's key: first and last day of a date.
pub(super) const FIRST_DAY: &str = "%f";
pub(super) const LAST_DAY: &str = "%l";
/// Added to a field's key: by what its texts are put in order.
pub(super) const ORDER: &str = "%o";
/// Keys of latitude and longitude of all places of a document.
pub(super) const LATITUDE: &str = "%n";
pub(super) const LONGITUDE: &str = "%e";
/// Key under which the languages stand that texts of a document are written in.
pub(super) const TONGUE_KEY: &str = "%g";

/// The fields by name.
#[derive(Clone)]
pub(super) struct Fields {
    pub schema: Schema,
    pub id: Field,
    pub kind: Field,
    pub type_name: Field,
    pub shape: Field,
    pub visible: [Field; 3],
    pub text: [Field; 3],
    pub exact: [Field; 3],
    pub values: [Field; 3],
    pub created: Field,
    pub updated: Field,
    pub version: Field,
    orders: Arc<Orders>,
}

fn raw() -> TextFieldIndexing {
    TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false)
}

fn per_level(add: &mut SchemaBuilder, prefix: &str, field: &dyn Fn(&mut SchemaBuilder, &str) -> Field) -> [Field; 3] {
    Level::ALL.map(|level| field(add, &format!("{prefix}_{}", level.as_str())))
}

impl Fields {
    pub fn new() -> Self {
        let mut b = Schema::builder();
        let term = TextOptions::default().set_indexing_options(raw());
        let words = TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions)
            .set_fieldnorms(false);
        let text = JsonObjectOptions::default().set_indexing_options(words);
        let exact = JsonObjectOptions::default().set_indexing_options(raw());
        let values = JsonObjectOptions::default().set_fast("raw");
        let id = b.add_text_field("id", term.clone().set_fast("raw"));
        let kind = b.add_text_field("kind", term.clone().set_fast("raw"));
        let type_name = b.add_text_field("type", term.clone().set_fast("raw"));
        let shape = b.add_text_field("shape", term.clone());
        let visible = per_level(&mut b, "visible", &|b, name| b.add_text_field(name, term.clone()));
        let text = per_level(&mut b, "text_und", &|b, name| b.add_json_field(name, text.clone()));
        let exact = per_level(&mut b, "exact", &|b, name| b.add_json_field(name, exact.clone()));
        let values = per_level(&mut b, "value", &|b, name| b.add_json_field(name, values.clone()));
        let created = b.add_i64_field("created", FAST);
        let updated = b.add_i64_field("updated", FAST);
        let version = b.add_i64_field("version", FAST | INDEXED);
        Self {
            schema: b.build(),
            id,
            kind,
            type_name,
            shape,
            visible,
            text,
            exact,
            values,
            created,
            updated,
            version,
            orders: Arc::new(Orders::new()),
        }
    }

    /// A term of a JSON field. `key` is encoded already.
    pub fn json_term(field: Field, key: &str, value: &str) -> Term {
        let mut term = Term::from_field_json_path(field, key, false);
        term.append_type_and_str(value);
        term
    }

    /// The name by which tantivy finds a column of a level.
    pub fn column(level: Level, key: &str) -> String {
        format!("value_{}.{key}", level.as_str())
    }

    /// The entry of a document, and roughly how large it is.
    pub fn entry(&self, document: &Document) -> (TantivyDocument, usize) {
        let mut entry = TantivyDocument::new();
        entry.add_text(self.id, &document.id);
        entry.add_text(self.kind, document.kind);
        entry.add_text(self.type_name, &document.type_name);
        entry.add_text(self.shape, &document.shape);
        entry.add_i64(self.created, document.created_at);
        entry.add_i64(self.updated, document.updated_at);
        entry.add_i64(self.version, document.version);
        let mut size = 200;
        for level in Level::ALL {
            let at = level as usize;
            for term in &document.visible[at] {
                entry.add_text(self.visible[at], term);
            }
            let mut parts = Parts::default();
            for field in document.fields.iter().filter(|f| f.level == level) {
                parts.add(field, &self.orders);
            }
            for inside in document.inside.iter().filter(|inside| inside.level == level) {
                parts.inside(inside);
            }
            if document.title_level == level {
                parts.title(&document.title, tongue_of_title(document));
            }
            size += parts.size;
            for (field, map) in [
                (self.text[at], parts.text),
                (self.exact[at], parts.exact),
                (self.values[at], parts.values),
            ] {
                if !map.is_empty() {
                    let map = map.into_iter().map(|(key, values)| (key, OwnedValue::Array(values)));
                    entry.add_object(field, map.collect());
                }
            }
        }
        (entry, size)
    }
}

/// The language of the field that the title comes from.
fn tongue_of_title(document: &Document) -> Option<Tongue> {
    let is_title = |value: &Value| matches!(value, Value::Text(text) | Value::Keyword(text) if *text == document.title);
    let field = document.fields.iter().find(|field| field.values.iter().any(is_title));
    field.and_then(|field| field.tongue)
}

/// A field's name as a key: what tantivy reads as a path or an end is escaped, and so is `%`, our own mark.
pub(super) fn key(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '.' | '\\' | '%') || c.is_control() {
            let _ = write!(out, "%{:02x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether records are put in order by a text: every one that is found by words. The id that a link holds says nothing, the title
/// it leads to stands beside it; dates have their days.
fn is_ordered(field: &IndexedField, value: &Value) -> bool {
    match value {
        Value::Text(_) => field.searchable || field.column,
        Value::Keyword(_) | Value::Shown(_) => field.searchable,
        _ => false,
    }
}

/// Under what a text is counted: as a whole in a column, else by its beginning.
fn counted<'t>(field: &IndexedField, value: &Value, whole: &'t str) -> Option<&'t str> {
    match value {
        Value::Shown(_) => None,
        _ if field.column => Some(whole),
        Value::Text(_) | Value::Keyword(_) if field.searchable => Some(cut(whole, MAX_COUNTED)),
        _ => None,
    }
}

/// What one level of a document holds.
#[derive(Default)]
struct Parts {
    text: BTreeMap<String, Vec<OwnedValue>>,
    exact: BTreeMap<String, Vec<OwnedValue>>,
    values: BTreeMap<String, Vec<OwnedValue>>,
    size: usize,
}

impl Parts {
    fn words(&mut self, key: &str, text: &str, tongue: Option<Tongue>) {
        self.size += 2 * text.len();
        let text = marked(text, tongue);
        for key in [key, ALL_KEY] {
            self.text
                .entry(key.to_owned())
                .or_default()
                .push(OwnedValue::Str(text.clone()));
        }
    }

    fn title(&mut self, title: &str, tongue: Option<Tongue>) {
        if title.is_empty() {
            return;
        }
        let text = OwnedValue::Str(marked(title, tongue));
        self.text.entry(TITLE_KEY.to_owned()).or_default().push(text.clone());
        // All words stand under one key, so that a word is one look-up; a title that is a field's value is there already.
        let all = self.text.entry(ALL_KEY.to_owned()).or_default();
        if !all
            .iter()
            .any(|value| matches!(value, OwnedValue::Str(text) if unmarked(text).1 == title))
        {
            all.push(text);
        }
        let start = beginning(title);
        if !start.is_empty() {
            self.exact
                .entry(START_KEY.to_owned())
                .or_default()
                .push(OwnedValue::Str(start));
        }
    }

    fn inside(&mut self, inside: &Inside) {
        let term = term_of(inside);
        self.size += term.len();
        self.exact
            .entry(INSIDE_KEY.to_owned())
            .or_default()
            .push(OwnedValue::Str(term));
    }

    fn column(&mut self, key: &str, mark: &str, value: OwnedValue) {
        self.size += 16;
        self.values.entry(format!("{key}{mark}")).or_default().push(value);
    }

    fn add(&mut self, field: &IndexedField, orders: &Orders) {
        if field.values.is_empty() {
            return;
        }
        let key = key(&field.name);
        self.exact
            .entry(NAMES_KEY.to_owned())
            .or_default()
            .push(OwnedValue::Str(cut(&field.name, MAX_VALUE).to_owned()));
        if let Some(tongue) = field
            .tongue
            .filter(|tongue| field.searchable && tongue.stemmed().is_some())
        {
            let known = self.exact.entry(TONGUE_KEY.to_owned()).or_default();
            let tag = OwnedValue::Str(tongue.tag().to_owned());
            if !known.contains(&tag) {
                known.push(tag);
            }
        }
        // A record counts once per distinct value.
        let (mut texts, mut columns) = (HashSet::new(), HashSet::new());
        let mut numbers = HashSet::new();
        for value in &field.values {
            match value {
                Value::Text(text) | Value::Keyword(text) | Value::Shown(text) | Value::Days { verbatim: text, .. } => {
                    if field.searchable {
                        self.words(&key, text, field.tongue);
                    }
                    let whole = cut(text, MAX_VALUE);
                    let is_new = texts.insert(whole);
                    let is_whole = field.column || matches!(value, Value::Keyword(_) | Value::Days { .. });
                    if is_new && is_whole {
                        self.size += whole.len();
                        self.exact
                            .entry(key.clone())
                            .or_default()
                            .push(OwnedValue::Str(whole.to_owned()));
                    }
                    if let Some(text) = counted(field, value, whole)
                        && columns.insert(text)
                    {
                        self.size += text.len();
                        self.column(&key, "", OwnedValue::Str(column_term(text)));
                    }
                    if is_new && is_ordered(field, value) {
                        let place = orders.key(whole, field.tongue);
                        self.size += place.len();
                        self.column(&key, ORDER, OwnedValue::Str(place));
                    }
                    if let (true, Value::Days { from, to, .. }) = (field.column, value) {
                        self.column(&key, FIRST_DAY, OwnedValue::I64(*from));
                        self.column(&key, LAST_DAY, OwnedValue::I64(*to));
                    }
                }
                Value::Integer(number) => {
                    if field.searchable {
                        self.words(&key, &number.to_string(), None);
                    }
                    if field.column && numbers.insert(number.cast_unsigned()) {
                        self.column(&key, "", OwnedValue::I64(*number));
                    }
                }
                Value::Real(number) => {
                    if field.searchable {
                        self.words(&key, &number.to_string(), None);
                    }
                    if field.column && number.is_finite() && numbers.insert(number.to_bits()) {
                        self.column(&key, "", OwnedValue::F64(*number));
                    }
                }
                Value::Boolean(yes) => {
                    if field.column && numbers.insert(u64::from(*yes)) {
                        self.column(&key, "", OwnedValue::Bool(*yes));
                    }
                }
                Value::Place { latitude, longitude } => {
                    // Latitudes and longitudes of one document stand in the same order.
                    self.column("", LATITUDE, OwnedValue::F64(*latitude));
                    self.column("", LONGITUDE, OwnedValue::F64(*longitude));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_escaped() {
        assert_eq!(key("creator.nationality"), "creator%2enationality");
        assert_eq!(key("100%f\u{0}\\"), "100%25f%00%5c");
        assert_eq!(key("Größe (cm)"), "Größe (cm)");
    }
}
