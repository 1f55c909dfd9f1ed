//! A record as others cite it: a sentence, BibTeX, RIS; and what it is in the words of schema.org (JSON-LD).

use serde_json::{Map, Value, json};

use super::about::{credit, licence};
use super::names::title;
use crate::kernel::clock::rfc3339;
use crate::kernel::error::Result;
use crate::kernel::i18n::Language;
use crate::kernel::ui::{label, plain, texts};
use crate::modules::records::model::path;
use crate::modules::records::service::Seen;

/// What a citation is made of.
pub struct Citation {
    id: String,
    title: String,
    collection: String,
    house: String,
    /// The title between quotation marks.
    quoted: String,
    /// The value of the type's key.
    number: Option<String>,
    credit: Option<String>,
    licence: Option<String>,
    address: String,
    version: i64,
    /// `2026-11-21`
    day: String,
}

impl Citation {
    /// Of a record that people reach at `address`.
    pub fn of(seen: &Seen, address: String, language: Language) -> Self {
        let (definition, record) = (&seen.stored_type.definition, &seen.record);
        let key = definition
            .key
            .as_deref()
            .and_then(|key| path::find(&definition.fields, key));
        let number = key.filter(|leaf| leaf.level <= seen.level);
        let number = number.and_then(|leaf| {
            let value = path::values(&record.document, &leaf.steps).into_iter().next()?;
            plain(value, language)
        });
        let title = title(seen);
        Self {
            id: record.id.clone(),
            collection: label(&definition.labels, &definition.name, language),
            house: language.text("site.name"),
            number: number.filter(|number| *number != title),
            credit: credit(definition, &record.document, language),
            licence: licence(definition).map(|l| l.text),
            version: record.version,
            day: rfc3339(record.updated_at).chars().take(10).collect(),
            address,
            quoted: language.quoted(&title),
            title,
        }
    }

    /// One sentence.
    pub fn sentence(&self) -> String {
        let mut parts = vec![self.quoted.clone(), self.collection.clone()];
        parts.extend(self.number.clone());
        parts.extend(self.credit.clone());
        parts.push(self.house.clone());
        format!(
            "{}. {} ({}, v{})",
            parts.join(", "),
            self.address,
            self.day,
            self.version
        )
    }

    pub fn bibtex(&self) -> String {
        let year = self.day.get(..4).unwrap_or_default();
        let end = self.id.get(self.id.len().saturating_sub(12)..).unwrap_or(&self.id);
        let mut lines = vec![
            ("title", format!("{{{}}}", tex(&self.title))),
            ("howpublished", tex(&format!("{}, {}", self.collection, self.house))),
        ];
        lines.extend(self.number.iter().map(|number| ("number", tex(number))));
        let note: Vec<String> = self.credit.iter().chain(&self.licence).map(|text| tex(text)).collect();
        if !note.is_empty() {
            lines.push(("note", note.join(". ")));
        }
        lines.push(("year", year.to_owned()));
        lines.push(("version", self.version.to_string()));
        lines.push(("url", self.address.clone()));
        let lines: Vec<String> = lines
            .iter()
            .map(|(key, value)| format!("  {key} = {{{value}}}"))
            .collect();
        format!("@misc{{record-{end},\n{}\n}}\n", lines.join(",\n"))
    }

    pub fn ris(&self) -> String {
        let mut lines = vec![
            ("TY", "GEN".to_owned()),
            ("ID", self.id.clone()),
            ("TI", line(&self.title)),
        ];
        lines.push(("T2", line(&self.collection)));
        lines.extend(self.number.iter().map(|number| ("AN", line(number))));
        lines.extend(self.credit.iter().map(|text| ("N1", line(text))));
        lines.extend(self.licence.iter().map(|text| ("C1", line(text))));
        lines.push(("PB", line(&self.house)));
        lines.push(("DA", self.day.replace('-', "/")));
        lines.push(("ET", self.version.to_string()));
        lines.push(("UR", self.address.clone()));
        let lines: String = lines
            .iter()
            .map(|(tag, value)| format!("{tag}  - {value}\r\n"))
            .collect();
        format!("{lines}ER  - \r\n")
    }
}

/// A text on one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text on one line that TeX takes for nothing else.
fn tex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        match c {
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '{' | '}' | '$' | '&' | '#' | '%' | '_' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// The record for machines that read schema.org.
pub fn json_ld(seen: &Seen, address: &str, collection: &str) -> Result<String> {
    let language = Language::default();
    let (definition, record) = (&seen.stored_type.definition, &seen.record);
    let mut thing = Map::new();
    thing.insert("@context".to_owned(), json!("https://schema.org"));
    thing.insert("@type".to_owned(), json!("CreativeWork"));
    for (key, value) in [("@id", address), ("url", address), ("identifier", record.id.as_str())] {
        thing.insert(key.to_owned(), json!(value));
    }
    thing.insert("name".to_owned(), json!(title(seen)));
    thing.insert("dateModified".to_owned(), json!(rfc3339(record.updated_at)));
    thing.insert("version".to_owned(), json!(record.version));
    let label_of_type = label(&definition.labels, &definition.name, language);
    let part_of = json!({ "@type": "Collection", "name": label_of_type, "url": collection });
    thing.insert("isPartOf".to_owned(), part_of);
    if let Some(licence) = licence(definition) {
        thing.insert("license".to_owned(), json!(licence.href.unwrap_or(licence.text)));
    }
    if let Some(credit) = credit(definition, &record.document, language) {
        thing.insert("creditText".to_owned(), json!(credit));
    }
    if let Some(image) = super::about::image(definition, &record.document, &[]) {
        thing.insert("image".to_owned(), json!(image.href));
    }
    let leaves = definition.leaves();
    let visible = leaves.iter().filter(|leaf| leaf.level <= seen.level);
    let properties = visible.filter_map(|leaf| {
        let values = texts(&record.document, &leaf.path, language);
        let value = match values.as_slice() {
            [] => return None,
            [one] => json!(one),
            many => json!(many),
        };
        let name = super::names::path_label(definition, &leaf.path, language);
        Some(json!({ "@type": "PropertyValue", "propertyID": leaf.path, "name": name, "value": value }))
    });
    let properties: Vec<Value> = properties.collect();
    thing.insert("additionalProperty".to_owned(), json!(properties));
    Ok(serde_json::to_string_pretty(&thing)? + "\n")
}
