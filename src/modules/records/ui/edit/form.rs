//! The form of a type: a control for each field, filled with what was entered. Names begin with `doc/`, so that no field of
//! a type meets one of the form itself.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::access::Level;
use crate::kernel::error::FieldIssue;
use crate::kernel::i18n::Language;
use crate::kernel::ui::form::{self, Name};
use crate::kernel::ui::{label, said};
use crate::modules::records::model::entry::is_enterable;
use crate::modules::records::model::path::Leaf;
use crate::modules::records::ui::fields::level_key;

/// What all names of the document begin with.
pub const ROOT: &str = "doc";
/// Terms that are all in sight; more are typed with suggestions.
const FEW: usize = 40;
/// Characters from which a text gets several lines.
const LINE: usize = 80;

/// What the controls offer beside what was entered.
#[derive(Default)]
pub struct Offer {
    /// Titles of linked records.
    pub titles: HashMap<String, String>,
    /// Values in use, by path.
    pub terms: HashMap<String, Vec<String>>,
    /// Types whose records can be made by their title.
    pub made: Vec<String>,
}

/// Makes the controls of one form.
pub struct Maker<'a> {
    pub definition: &'a RecordType,
    pub offer: &'a Offer,
    pub language: Language,
}

impl Maker<'_> {
    /// The controls in the order of the type. `base` is the document that the form is about.
    pub fn fields(&self, base: &Map<String, Value>, entered: &Map<String, Value>) -> Vec<form::Field> {
        let mut made = self.object(&self.definition.fields, &Name::of(ROOT), "", Some(base), Some(entered));
        // A section begins with the first of its fields that the form shows.
        let mut heading = String::new();
        for field in &self.definition.fields {
            if let Some(text) = said(&field.section, self.language) {
                text.clone_into(&mut heading);
            }
            let path = Name::of(ROOT).field(&field.name);
            if let Some(control) = made.iter_mut().find(|control| control.name == path.wire()) {
                control.section = std::mem::take(&mut heading);
            }
        }
        made
    }

    fn object(
        &self,
        fields: &[Field],
        name: &Name,
        path: &str,
        base: Option<&Map<String, Value>>,
        entered: Option<&Map<String, Value>>,
    ) -> Vec<form::Field> {
        let mut made = Vec::with_capacity(fields.len());
        for field in fields {
            let before = base.and_then(|b| b.get(&field.name));
            if !is_enterable(field, before) {
                continue;
            }
            let given = entered.and_then(|e| e.get(&field.name));
            let path = if path.is_empty() {
                field.name.clone()
            } else {
                format!("{path}.{}", field.name)
            };
            let control = self.field(field, &name.field(&field.name), &path, before, given);
            let east = fields.iter().find(|east| field.is_pair(east) && !field.repeated);
            made.push(match east {
                Some(east) => control.on_map(&name.field(&east.name)),
                None => control,
            });
        }
        made
    }

    fn field(
        &self,
        field: &Field,
        name: &Name,
        path: &str,
        base: Option<&Value>,
        entered: Option<&Value>,
    ) -> form::Field {
        let mut made = if field.repeated {
            let items = entered.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            form::Field::repeated(name, self.label(field), items, |name, item| {
                self.one(field, &name, path, None, item)
            })
        } else {
            self.one(field, name, path, base, entered)
        };
        let mut hint = self.hint(field);
        if let Some(numbering) = &field.number {
            let stands = base.and_then(Value::as_str).is_some_and(|text| !text.is_empty());
            let key = match (stands, numbering.by_hand) {
                (true, _) => "entry.number-stays",
                (false, true) => "entry.number-or-hand",
                (false, false) => "entry.number-given",
            };
            hint = self.language.text(key);
        }
        if !hint.is_empty() {
            made = made.hint(hint);
        }
        if field.required {
            made = made.required();
        }
        match level_key(field.level) {
            Some(key) => made.badge(self.language.text(key)),
            None => made,
        }
    }

    fn label(&self, field: &Field) -> String {
        let label = label(&field.labels, &field.name, self.language);
        match &field.unit {
            Some(unit) if !label.split(|c: char| !c.is_alphanumeric()).any(|word| word == unit) => {
                format!("{label} ({unit})")
            }
            _ => label,
        }
    }

    fn one(
        &self,
        field: &Field,
        name: &Name,
        path: &str,
        base: Option<&Value>,
        entered: Option<&Value>,
    ) -> form::Field {
        let label = self.label(field);
        let text = entered.and_then(Value::as_str).unwrap_or_default();
        match field.kind {
            FieldKind::Group => {
                let base = base.and_then(Value::as_object);
                let entered = entered.and_then(Value::as_object);
                form::Field::group(name, label, self.object(&field.fields, name, path, base, entered))
            }
            FieldKind::Text => {
                if field.rich {
                    return form::Field::long(name, label, text);
                }
                let known = field.facet || field.column || self.definition.title.as_deref() == Some(path);
                let short = known || field.max.is_some_and(|max| max <= LINE as i64);
                if text.contains('\n') || text.chars().count() > LINE || !short {
                    form::Field::long(name, label, text)
                } else {
                    form::Field::text(name, label, text)
                }
            }
            FieldKind::Identifier => form::Field::text(name, label, text),
            FieldKind::Term => self.term(field, name, path, text),
            FieldKind::Integer | FieldKind::Number => form::Field::number(name, label, text),
            FieldKind::Boolean => form::Field::boolean(name, label, text.parse().ok(), self.language),
            FieldKind::Date => form::Field::date(name, label, text),
            FieldKind::Url => form::Field::url(name, label, text),
            FieldKind::Link => {
                let title = self.offer.titles.get(text).cloned().unwrap_or_default();
                let target = field.target.as_deref();
                let made = form::Field::record(name, label, text, title, suggest(target, None));
                match target.filter(|target| self.offer.made.iter().any(|one| one == target)) {
                    Some(target) => made.makes(format!("/types/{target}/quick")),
                    None => made,
                }
            }
        }
    }

    fn term(&self, field: &Field, name: &Name, path: &str, text: &str) -> form::Field {
        let label = self.label(field);
        let given = |mut known: Vec<String>| {
            known.retain(|value| !field.term(value).is_some_and(|term| term.retired));
            known
        };
        if field.values.is_empty() {
            let known = self.offer.terms.get(path).cloned().unwrap_or_default();
            return form::Field::term(name, label, text, given(known), "");
        }
        if field.values.len() > FEW {
            return form::Field::term(name, label, text, given(field.values.clone()), "");
        }
        let tag = self.language.tag();
        let given = field
            .values
            .iter()
            .filter(|v| !field.term(v).is_some_and(|term| term.retired));
        let mut options: Vec<(&str, &str)> = given.map(|v| (v.as_str(), field.called(v, tag))).collect();
        // What stands there but is no term any more is shown as it is: choosing silently would lose it.
        if !text.is_empty() && !options.iter().any(|(value, _)| *value == text) {
            options.push((text, field.called(text, tag)));
        }
        form::Field::select(name, label, text, &options, true)
    }

    /// The type's own words, and the limits that the type sets.
    fn hint(&self, field: &Field) -> String {
        let own = said(&field.hints, self.language);
        let is_number = matches!(field.kind, FieldKind::Integer | FieldKind::Number);
        let [both, least, most] = if is_number {
            ["entry.range.both", "entry.range.min", "entry.range.max"]
        } else {
            ["entry.length.both", "entry.length.min", "entry.length.max"]
        };
        let limits = match (field.min, field.max) {
            (Some(min), Some(max)) => Some(self.language.with(both, &[("min", &min), ("max", &max)])),
            (Some(min), None) => Some(self.language.with(least, &[("min", &min)])),
            (None, Some(max)) => Some(self.language.with(most, &[("max", &max)])),
            (None, None) => None,
        };
        let measured = field
            .unit
            .as_ref()
            .map(|unit| self.language.with("entry.unit", &[("unit", unit)]));
        let place = (is_number && field.is_latitude()).then(|| self.language.text("entry.place"));
        let limits = measured.into_iter().chain(place).chain(limits);
        let rich = field.rich.then(|| self.language.text("entry.rich"));
        let limits = limits.chain(rich);
        let unique = field.unique.then(|| self.language.text("entry.unique"));
        let parts: Vec<String> = own.map(str::to_owned).into_iter().chain(limits).chain(unique).collect();
        parts.join(" ")
    }
}

/// Where records and values are looked for while somebody types.
fn suggest(type_name: Option<&str>, field: Option<&str>) -> String {
    let pairs: Vec<(&str, &str)> = [("type", type_name), ("field", field)]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
    let query = serde_html_form::to_string(pairs).unwrap_or_default();
    format!("/api/suggest?{query}")
}

/// Labels of the fields that stay as they are, because a form cannot show them.
pub fn left_out(definition: &RecordType, base: &Map<String, Value>, language: Language) -> Vec<String> {
    fn walk(fields: &[Field], base: &Map<String, Value>, above: &str, language: Language, out: &mut Vec<String>) {
        for field in fields {
            let value = base.get(&field.name);
            let name = format!("{above}{}", label(&field.labels, &field.name, language));
            if !is_enterable(field, value) {
                out.push(name);
            } else if let (FieldKind::Group, Some(Value::Object(map))) = (field.kind, value) {
                walk(&field.fields, map, &format!("{name} › "), language, out);
            }
        }
    }
    let mut out = Vec::new();
    walk(&definition.fields, base, "", language, &mut out);
    out
}

/// The control of one value of a field, under a name of its own.
pub fn value(definition: &RecordType, leaf: &Leaf<'_>, text: &str, offer: &Offer, language: Language) -> form::Field {
    let maker = Maker {
        definition,
        offer,
        language,
    };
    let entered = Value::String(text.to_owned());
    let made = maker.one(leaf.field, &Name::of("value"), &leaf.path, None, Some(&entered));
    let hint = maker.hint(leaf.field);
    if hint.is_empty() { made } else { made.hint(hint) }
}

/// The control of a cell in a table: one line, one list or one picker, for one value or for several with bars between.
pub fn editor(
    definition: &RecordType,
    leaf: &Leaf<'_>,
    (number, makes): (usize, &[String]),
    language: Language,
) -> form::Field {
    let offer = Offer {
        made: makes.to_vec(),
        ..Offer::default()
    };
    let maker = Maker {
        definition,
        offer: &offer,
        language,
    };
    let (name, label) = (Name::of(&format!("cell-{number}")), maker.label(leaf.field));
    let open = leaf.field.kind == FieldKind::Term && leaf.field.values.is_empty();
    match leaf.field.kind {
        _ if leaf.field.repeated => form::Field::text(&name, label, ""),
        FieldKind::Text => form::Field::long(&name, label, ""),
        FieldKind::Boolean => {
            let (yes, no) = (language.text("value.yes"), language.text("value.no"));
            let options = [("true", yes.as_str()), ("false", no.as_str())];
            form::Field::select(&name, label, "", &options, true)
        }
        FieldKind::Term if open => form::Field::term(
            &name,
            label,
            "",
            Vec::new(),
            suggest(Some(&definition.name), Some(&leaf.path)),
        ),
        _ => {
            let made = maker.one(leaf.field, &name, &leaf.path, None, None);
            let single = matches!(
                made.control,
                form::Control::Line(_) | form::Control::Long(..) | form::Control::Select(..) | form::Control::Record(_)
            );
            if single {
                made
            } else {
                form::Field::text(&name, made.label, "")
            }
        }
    }
}

/// Puts a refusal's messages at their controls. What is about none of them is answered, named by its label.
pub fn mark(fields: &mut [form::Field], issues: &[FieldIssue]) -> Vec<FieldIssue> {
    let rooted: Vec<FieldIssue> = issues
        .iter()
        .map(|issue| FieldIssue {
            path: format!("{ROOT}.{}", issue.path),
            message: issue.message.clone(),
        })
        .collect();
    let mut homeless = form::mark(fields, &rooted);
    for issue in &mut homeless {
        issue.path = issue.path.split_off((ROOT.len() + 1).min(issue.path.len()));
    }
    homeless
}

/// Puts what is worth another look at the controls.
pub fn warn(fields: &mut [form::Field], found: &[FieldIssue]) {
    let rooted = found.iter().map(|issue| FieldIssue {
        path: format!("{ROOT}.{}", issue.path),
        message: issue.message.clone(),
    });
    form::warn(fields, &rooted.collect::<Vec<_>>());
}

/// Who sees the record, as a control.
pub fn visibility(chosen: Level, language: Language) -> form::Field {
    let labels = Level::ALL.map(|level| {
        (
            level.as_str(),
            language.text(&format!("level.of-record.{}", level.as_str())),
        )
    });
    let options: Vec<(&str, &str)> = labels.iter().map(|(value, label)| (*value, label.as_str())).collect();
    form::Field::radios(
        &Name::of("visibility"),
        language.text("entry.visibility"),
        chosen.as_str(),
        &options,
    )
}

/// The entered texts as hidden fields: name and value.
pub fn hidden(entered: &Map<String, Value>) -> Vec<(String, String)> {
    fn walk(name: &Name, value: &Value, out: &mut Vec<(String, String)>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(step, inner)| walk(&name.field(step), inner, out)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(at, item)| walk(&name.item(at), item, out)),
            Value::String(text) => out.push((name.wire().to_owned(), text.clone())),
            _ => {}
        }
    }
    let mut out = Vec::new();
    let root = Name::of(ROOT);
    entered
        .iter()
        .for_each(|(step, value)| walk(&root.field(step), value, &mut out));
    out
}
