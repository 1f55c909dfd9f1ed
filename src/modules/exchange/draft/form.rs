//! What the forms of the wizard send, as choices. A value that is as it was found is no choice, so that a later answer
//! (a decimal comma) still counts.

use super::model::{Choices, Correction, Found, Plan, is_left_out, join};
use crate::contract::exchange::{DateOrder, Decimal, Quote, Reading};
use crate::contract::records::{Field, FieldKind};
use crate::kernel::access::Level;
use crate::kernel::error::{Error, Result};
use crate::kernel::i18n::Language;

/// The pairs of a form.
pub struct Sent(pub Vec<(String, String)>);

/// Texts that stand for a missing value.
const MOST_MISSING: usize = 20;

impl Sent {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// What is not empty.
    fn said(&self, name: &str) -> Option<String> {
        self.get(name)
            .map(str::trim)
            .filter(|v| !v.is_empty())
            .map(str::to_owned)
    }

    /// What is there, also empty: "none".
    fn given(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.trim().to_owned())
    }

    /// How the file is to be read. Signs of numbers and dates are asked on the next page and stay.
    pub fn reading(&self, before: &Reading) -> Result<Reading> {
        let quote = match self.said("quote").as_deref() {
            None => None,
            Some("double") => Some(Quote::Double),
            Some("single") => Some(Quote::Single),
            Some("none") => Some(Quote::None),
            Some(_) => return Err(Error::invalid("quote", "Choose one of the list.")),
        };
        let header_row = match self.said("header_row") {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| {
                Error::invalid(
                    "header_row",
                    "is the number of a row, or 0 where no row names the columns",
                )
            })?),
        };
        let mut delimiter = self.get("delimiter").unwrap_or_default().chars();
        Ok(Reading {
            encoding: self.said("encoding"),
            delimiter: delimiter.next(),
            quote,
            header_row,
            sheet: self.given("sheet").filter(|s| !s.is_empty()),
            entry: self.given("entry").filter(|s| !s.is_empty()),
            ..before.clone()
        })
    }

    /// Texts that mean "no value", one after another.
    pub fn missing(&self) -> Result<Vec<String>> {
        let mut missing: Vec<String> = Vec::new();
        for text in self.get("missing").unwrap_or_default().split(',').map(str::trim) {
            if !text.is_empty() && !missing.iter().any(|m| m == text) {
                missing.push(text.to_owned());
            }
        }
        if missing.len() > MOST_MISSING {
            return Err(Error::invalid(
                "missing",
                format!("At most {MOST_MISSING} texts can stand for a missing value."),
            ));
        }
        Ok(missing)
    }

    /// The choices about the collection. `shown`: what the form was filled with, without corrections of fields.
    pub fn collection(&self, before: &Choices, found: &Found, shown: &Plan, new_type: bool) -> Result<Choices> {
        let mut choices = before.clone();
        choices.mapping = None;
        choices.reading.decimal = match self.get("decimal") {
            Some(",") => Some(Decimal::Comma),
            Some(".") => Some(Decimal::Point),
            _ => None,
        };
        choices.reading.date_order = match self.get("date_order") {
            Some("dmy") => Some(DateOrder::Dmy),
            Some("mdy") => Some(DateOrder::Mdy),
            Some("ymd") => Some(DateOrder::Ymd),
            _ => None,
        };
        if new_type {
            let definition = &shown.definition;
            choices.label = self.said("label");
            choices.title = self.given("title").filter(|t| Some(t) != definition.title.as_ref());
            choices.key = self
                .given("key")
                .filter(|k| *k != definition.key.clone().unwrap_or_default());
            choices.image = self
                .given("image")
                .filter(|i| *i != definition.image.clone().unwrap_or_default());
            choices.licence = self.said("licence");
            choices.credit = self.said("credit");
            choices.visibility = match self.get("visibility") {
                None => None,
                Some(level) => Some(
                    Level::parse(level).ok_or_else(|| Error::invalid("visibility", "Choose who sees the records."))?,
                ),
            };
        }
        choices.fields = self.corrections(before, found, shown)?;
        Ok(choices)
    }

    fn corrections(
        &self,
        before: &Choices,
        found: &Found,
        shown: &Plan,
    ) -> Result<std::collections::BTreeMap<String, Correction>> {
        let mut corrections = std::collections::BTreeMap::new();
        let plain = Choices {
            fields: std::collections::BTreeMap::new(),
            ..before.clone()
        };
        for index in 0.. {
            let Some(path) = self.get(&format!("f.{index}.path")) else {
                break;
            };
            let value = |name: &str| self.get(&format!("f.{index}.{name}"));
            let on = |name: &str| value(name).is_some();
            let mut correction = Correction::default();
            if !path_is_nested(found, path) {
                let leave_out = !on("keep");
                if leave_out != is_left_out(found, &plain, path) {
                    correction.leave_out = Some(leave_out);
                }
            }
            let fields = if shown.left_out.iter().any(|l| l == path) {
                &found.definition.fields
            } else {
                &shown.definition.fields
            };
            if let (Some(field), Some(label)) = (at(fields, "", path), value("label")) {
                self.differences(index, field, label, &mut correction)?;
            }
            if correction != Correction::default() {
                corrections.insert(path.to_owned(), correction);
            }
        }
        Ok(corrections)
    }

    fn differences(&self, index: usize, field: &Field, label: &str, correction: &mut Correction) -> Result<()> {
        let value = |name: &str| self.get(&format!("f.{index}.{name}"));
        let label = label.trim();
        // Whoever reads another language by now has changed nothing by that.
        let shown = Language::all().any(|language| label == shown_label(field, language));
        if !label.is_empty() && !shown {
            correction.label = Some(label.to_owned());
        }
        if let Some(kind) = value("kind") {
            let kind: FieldKind = serde_json::from_value(kind.into())
                .map_err(|_| Error::invalid(format!("{}.kind", field.name), "Choose one of the list."))?;
            correction.kind = Some(kind).filter(|kind| *kind != field.kind);
        }
        if let Some(level) = value("level") {
            let level = Level::parse(level)
                .ok_or_else(|| Error::invalid(format!("{}.level", field.name), "Choose one of the list."))?;
            correction.level = Some(level).filter(|level| *level != field.level);
        }
        let on = |name: &str| value(name).is_some();
        correction.column = Some(on("column")).filter(|is| *is != field.column);
        if field.kind != FieldKind::Group {
            correction.facet = Some(on("facet")).filter(|is| *is != field.facet);
        }
        Ok(())
    }
}

/// How a field is called in the form.
pub fn shown_label(field: &Field, language: Language) -> String {
    crate::kernel::ui::label(&field.labels, &field.name, language)
}

fn path_is_nested(found: &Found, path: &str) -> bool {
    !found.definition.fields.iter().any(|f| f.name == path)
}

/// The field at a path whose names may themselves hold dots.
fn at<'f>(fields: &'f [Field], above: &str, path: &str) -> Option<&'f Field> {
    fields.iter().find_map(|field| {
        let here = join(above, &field.name);
        if here == path {
            return Some(field);
        }
        path.strip_prefix(here.as_str())?.strip_prefix('.')?;
        at(&field.fields, &here, path)
    })
}
