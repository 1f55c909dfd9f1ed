//! A draft of an import: what was found in the file, what a person chose, and the type that follows from both. No I/O.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::naming::{file_label, slug};
use crate::contract::exchange::{DateOrder, Decimal, Reading};
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::access::Level;
use crate::modules::exchange::mapping::Mapping;
use crate::modules::exchange::read::dwca::taxa;

/// What a person says about a file. What is not said is taken as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Choices {
    /// How the file is read.
    pub reading: Reading,
    /// A collection that exists, by the name of its type. Without it the file makes a new one; the empty text says so
    /// where one was found that fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
    /// What the words of a new collection are written in, as a tag; English where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What a new collection is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The name of a new type, as addresses have it; made from the label where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The field that is the title of each record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The field by which a row is recognised when it comes again; the empty text for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The field that holds the address of the main image; the empty text for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The terms under which the records may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Whom to thank: a field, or a text for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit: Option<String>,
    /// Who sees the records of a new collection; members where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub visibility: Option<Level>,
    /// Cells that say "no value", such as `NA`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What is different from what was found, by the path of the field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Correction>,
    /// Which column goes into which field of a type that is there. Then nothing else is said of the collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Mapping>)]
    pub mapping: Option<Box<Mapping>>,
    /// Why; kept with the change set.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What is different about a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Correction {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub kind: Option<FieldKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facet: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub level: Option<Level>,
    /// The column is not imported. The row of the file stays readable as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave_out: Option<bool>,
}

/// What was found by reading the whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The type that loses nothing of the file.
    pub definition: RecordType,
    pub rows: i64,
    /// Rows that cannot be read, and what is wrong with the first.
    pub unreadable: i64,
    pub first_fault: Option<String>,
    /// The columns of a table, or the first names of objects.
    pub columns: Vec<Column>,
    /// A type that has all of these columns.
    pub fits: Option<String>,
}

/// What was found of one column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Column {
    pub name: String,
    /// Rows with a value in it.
    pub filled: i64,
    /// The first different values.
    pub examples: Vec<String>,
    /// It holds numbers, if they are written in one of these ways.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(inline)]
    pub numbers: Vec<Decimal>,
    /// It holds dates, if they are written in one of these orders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(inline)]
    pub dates: Vec<DateOrder>,
    /// Dates in it are written in more than one order.
    #[serde(default)]
    pub mixed_dates: bool,
}

/// A question that the file leaves open: which columns ask it, and what they allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Doubt<T> {
    pub columns: Vec<String>,
    pub examples: Vec<String>,
    pub allowed: Vec<T>,
}

impl Found {
    /// Is there a column whose numbers need to be told how they are written?
    pub fn decimal_doubt(&self) -> Option<Doubt<Decimal>> {
        doubt(&self.columns, |c| &c.numbers)
    }
    /// The same for dates.
    pub fn date_doubt(&self) -> Option<Doubt<DateOrder>> {
        doubt(&self.columns, |c| &c.dates)
    }
}

fn doubt<T: Clone + PartialEq>(columns: &[Column], of: impl Fn(&Column) -> &Vec<T>) -> Option<Doubt<T>> {
    let asking: Vec<&Column> = columns.iter().filter(|c| !of(c).is_empty()).collect();
    let first = asking.first()?;
    let everywhere = |answer: &&T| asking.iter().all(|c| of(c).contains(answer));
    let mut allowed: Vec<T> = of(first).iter().filter(everywhere).cloned().collect();
    if allowed.is_empty() {
        // Columns disagree: each answer serves some of them.
        for answer in asking.iter().flat_map(|c| of(c)) {
            if !allowed.contains(answer) {
                allowed.push(answer.clone());
            }
        }
    }
    Some(Doubt {
        columns: asking.iter().map(|c| c.name.clone()).collect(),
        examples: asking
            .iter()
            .flat_map(|c| c.examples.iter().take(2).cloned())
            .take(4)
            .collect(),
        allowed,
    })
}

/// The type that an import will write, and what goes with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub definition: RecordType,
    pub left_out: Vec<String>,
    /// How the file is read, doubts answered.
    pub reading: Reading,
}

/// What follows from the file and the choices. `existing`: the type that the records go into, where there is one.
pub fn plan(found: &Found, choices: &Choices, existing: Option<&RecordType>, file: &str) -> Plan {
    let reading = answered(found, &choices.reading);
    let language = choices.language.as_deref().unwrap_or("en");
    let mut definition = found.definition.clone();
    for field in &mut definition.fields {
        if let Some(column) = found.columns.iter().find(|c| c.name == field.name) {
            understand(field, column, &reading);
        }
    }
    for field in definition.fields.iter_mut().filter(|f| is_written_for_people(&f.name)) {
        field.labels.insert(language.to_owned(), field.name.clone().into());
    }
    let left_out: Vec<String> = definition
        .fields
        .iter()
        .filter(|field| is_left_out(found, choices, &field.name))
        .map(|field| field.name.clone())
        .collect();
    definition.fields.retain(|field| !left_out.contains(&field.name));
    correct(&mut definition.fields, "", &choices.fields, language);
    head(&mut definition, choices, file);
    taxa::rename(&mut definition, &found.definition.name);
    if let Some(existing) = existing {
        definition = crate::modules::exchange::shape::merge(existing, definition).0;
    }
    Plan {
        definition,
        left_out,
        reading,
    }
}

/// Names such as `Inv.-Nr` or `Gekauft am` are labels already; made readable they would lose their marks.
fn is_written_for_people(name: &str) -> bool {
    name.starts_with(char::is_uppercase) && name.contains([' ', '.', '(', '/', '-'])
}

/// A column without a single value is left out unless somebody wants it.
pub fn is_left_out(found: &Found, choices: &Choices, name: &str) -> bool {
    let said = choices.fields.get(name).and_then(|c| c.leave_out);
    said.unwrap_or_else(|| found.columns.iter().any(|c| c.name == name && c.filled == 0))
}

/// Doubts that have one possible answer are answered.
fn answered(found: &Found, reading: &Reading) -> Reading {
    let mut reading = reading.clone();
    if reading.decimal.is_none()
        && let Some(doubt) = found.decimal_doubt()
        && let [only] = doubt.allowed.as_slice()
    {
        reading.decimal = Some(*only);
    }
    if reading.date_order.is_none()
        && let Some(doubt) = found.date_doubt()
        && let [only] = doubt.allowed.as_slice()
    {
        reading.date_order = Some(*only);
    }
    reading
}

/// A column that was text for its way of writing becomes what it is, once that way is known.
fn understand(field: &mut Field, column: &Column, reading: &Reading) {
    let kind = if reading.decimal.is_some_and(|d| column.numbers.contains(&d)) {
        FieldKind::Number
    } else if reading.date_order.is_some_and(|o| column.dates.contains(&o)) {
        FieldKind::Date
    } else {
        return;
    };
    if matches!(field.kind, FieldKind::Text | FieldKind::Term | FieldKind::Identifier) && !field.unique {
        (field.kind, field.facet) = (kind, false);
    }
}

fn correct(fields: &mut [Field], above: &str, corrections: &BTreeMap<String, Correction>, language: &str) {
    for field in fields {
        let path = join(above, &field.name);
        if let Some(wanted) = corrections.get(&path) {
            apply(field, wanted, language);
        }
        correct(&mut field.fields, &path, corrections, language);
    }
}

/// The path of a field below a group.
pub fn join(above: &str, name: &str) -> String {
    if above.is_empty() {
        name.to_owned()
    } else {
        format!("{above}.{name}")
    }
}

fn apply(field: &mut Field, wanted: &Correction, language: &str) {
    if let Some(label) = &wanted.label {
        field.labels.shift_remove(language);
        if !label.trim().is_empty() {
            field.labels.insert(language.to_owned(), label.trim().into());
        }
    }
    let group = field.kind == FieldKind::Group;
    if let Some(kind) = wanted.kind
        && !group
        && kind != FieldKind::Group
    {
        field.kind = kind;
    }
    field.column = wanted.column.unwrap_or(field.column);
    field.level = wanted.level.unwrap_or(field.level);
    if !group {
        field.facet = wanted.facet.unwrap_or(field.facet);
    }
}

/// Name, label, title, key, image, licence, credit and visibility.
fn head(definition: &mut RecordType, choices: &Choices, file: &str) {
    let label = choices.label.clone().filter(|l| !l.trim().is_empty());
    let label = label.unwrap_or_else(|| file_label(file));
    definition.name = choices
        .name
        .clone()
        .filter(|n| !n.is_empty())
        .unwrap_or_else(|| slug(&label));
    let language = choices.language.as_deref().unwrap_or("en");
    definition.labels.insert(language.to_owned(), label.trim().into());
    definition.visibility = choices.visibility.unwrap_or(Level::Members);
    let known = |name: &String| definition.fields.iter().any(|f| f.name == *name);
    let chosen = |choice: &Option<String>, found: Option<String>| match choice {
        Some(name) if name.is_empty() => None,
        Some(name) => Some(name.clone()),
        None => found.filter(known),
    };
    let title = chosen(&choices.title, definition.title.clone());
    let key = chosen(&choices.key, definition.key.clone());
    let image = chosen(&choices.image, guess_image(&definition.fields));
    (definition.title, definition.key, definition.image) = (title, key, image);
    definition.licence = choices.licence.clone().filter(|t| !t.trim().is_empty());
    definition.credit = choices.credit.clone().filter(|t| !t.trim().is_empty());
    for field in &mut definition.fields {
        let is_key = definition.key.as_deref() == Some(field.name.as_str());
        (field.unique, field.required) = (is_key, is_key);
        if is_key {
            field.facet = false;
            if matches!(field.kind, FieldKind::Text | FieldKind::Term) {
                field.kind = FieldKind::Identifier;
            }
        }
    }
}

/// A web address whose name speaks of an image.
fn guess_image(fields: &[Field]) -> Option<String> {
    const WORDS: [&str; 8] = ["image", "photo", "picture", "thumb", "img", "bild", "foto", "media"];
    let speaks = |name: &str| WORDS.iter().any(|word| name.to_lowercase().contains(word));
    fields
        .iter()
        .find(|f| f.kind == FieldKind::Url && !f.repeated && speaks(&f.name))
        .map(|f| f.name.clone())
}
