//! What of the fields of a type may be changed in a form: what each is called in every language, how it is shown and asked
//! for, its rules, its place among the others. Fields that are added are in [`super::outline_added`]; what moves values is a change
//! of its own.

use serde_json::{Map, Value};

use super::outline::{word, words};
use crate::contract::records::{Field, FieldKind, RecordType, Weight};
use crate::kernel::access::Level;
use crate::kernel::error::FieldIssue;

/// The kinds, in the order in which they are offered.
pub const KINDS: [FieldKind; 10] = [
    FieldKind::Text,
    FieldKind::Term,
    FieldKind::Identifier,
    FieldKind::Date,
    FieldKind::Integer,
    FieldKind::Number,
    FieldKind::Boolean,
    FieldKind::Url,
    FieldKind::Link,
    FieldKind::Group,
];

/// A kind as it is written in a definition.
pub fn kind_name(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "text",
        FieldKind::Term => "term",
        FieldKind::Identifier => "identifier",
        FieldKind::Integer => "integer",
        FieldKind::Number => "number",
        FieldKind::Boolean => "boolean",
        FieldKind::Date => "date",
        FieldKind::Url => "url",
        FieldKind::Link => "link",
        FieldKind::Group => "group",
    }
}

/// A kind by its name.
pub fn kind_of(name: &str) -> Option<FieldKind> {
    KINDS.into_iter().find(|kind| kind_name(*kind) == name)
}

/// Texts and identifiers have a length, numbers a value: both can be limited.
pub fn is_limited(kind: FieldKind) -> bool {
    matches!(
        kind,
        FieldKind::Text | FieldKind::Identifier | FieldKind::Integer | FieldKind::Number
    )
}

/// Puts what was entered into fields; `entered` has it by path.
pub fn enter(
    fields: &mut Vec<Field>,
    above: &str,
    entered: &Map<String, Value>,
    language: &str,
    faults: &mut Vec<FieldIssue>,
) {
    let mut places: Vec<(usize, u8)> = Vec::with_capacity(fields.len());
    let mut gone = Vec::new();
    for (at, field) in fields.iter_mut().enumerate() {
        let path = format!("{above}{}", field.name);
        let mut place = at + 1;
        if let Some(given) = entered.get(&path).and_then(Value::as_object) {
            let given = Given(given);
            shown(field, &given, language);
            if given.text("full").is_some() {
                ruled(field, &given, &path, faults);
            }
            if let Some(text) = given.text("place").filter(|text| !text.is_empty()) {
                match text.parse::<usize>() {
                    Ok(wanted) => place = wanted,
                    Err(_) => faults.push(fault(&path, "place", "is a whole number: 1 stands first.")),
                }
            }
            gone.extend(given.on("remove").then(|| field.name.clone()));
        }
        // What moves up stands before who is there, what moves down behind.
        let side = match place.cmp(&(at + 1)) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Greater => 2,
        };
        places.push((place, side));
        enter(&mut field.fields, &format!("{path}."), entered, language, faults);
    }
    let mut order: Vec<usize> = (0..fields.len()).collect();
    order.sort_by_key(|at| places[*at]);
    *fields = order.into_iter().map(|at| fields[at].clone()).collect();
    fields.retain(|field| !gone.contains(&field.name));
}

fn fault(path: &str, name: &str, message: &str) -> FieldIssue {
    FieldIssue {
        path: format!("fields.{path}.{name}"),
        message: message.to_owned(),
    }
}

/// What a form says of a field.
pub(super) struct Given<'e>(pub(super) &'e Map<String, Value>);

impl Given<'_> {
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .map(|text| text.trim().to_owned())
    }
    /// A switch that is off is not sent.
    pub(super) fn on(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_str) == Some("true")
    }
    /// Given and not empty.
    pub(super) fn some(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty())
    }
}

/// How it is called, shown and asked for.
fn shown(field: &mut Field, given: &Given<'_>, language: &str) {
    word(&mut field.labels, language, given.text("label"));
    word(&mut field.hints, language, given.text("hint"));
    word(&mut field.section, language, given.text("section"));
    words(&mut field.labels, given.0.get("labels"));
    words(&mut field.hints, given.0.get("hints"));
    words(&mut field.section, given.0.get("sections"));
    if let Some(unit) = given.text("unit") {
        field.unit = Some(unit).filter(|unit| !unit.is_empty());
    }
    field.required = given.on("required");
    field.column = given.on("column");
    field.rich = field.kind == FieldKind::Text && given.on("rich");
    field.facet = field.kind != FieldKind::Group && given.on("facet");
    if let Some(level) = given.text("level").and_then(|level| Level::parse(&level)) {
        field.level = level;
    }
    if let Some(name) = given.text("weight") {
        let found = Weight::ALL.into_iter().find(|weight| weight.as_str() == name);
        field.weight = found.unwrap_or(field.weight);
    }
}

/// What its values must be.
fn ruled(field: &mut Field, given: &Given<'_>, path: &str, faults: &mut Vec<FieldIssue>) {
    let may_be_unique = !matches!(field.kind, FieldKind::Group | FieldKind::Boolean);
    field.unique = may_be_unique && given.on("unique");
    if let Some(tag) = given.text("language") {
        field.language = Some(tag).filter(|tag| !tag.is_empty());
    }
    for (name, limit) in [("min", &mut field.min), ("max", &mut field.max)] {
        let Some(text) = given.text(name) else { continue };
        if text.is_empty() {
            *limit = None;
        } else if let Ok(number) = text.parse() {
            *limit = Some(number);
        } else {
            faults.push(fault(path, name, "is a whole number; leave it empty for none."));
        }
    }
    if let Some(lines) = given.text("values").filter(|_| field.kind == FieldKind::Term) {
        let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
        field.values = lines.map(str::to_owned).collect();
        if !field.values.is_empty() {
            let values = &field.values;
            field.terms.retain(|term| values.contains(&term.value));
        }
    }
    // Only where no record has a value yet.
    if let Some(kind) = given.text("kind").and_then(|name| kind_of(&name)) {
        let repeated = given.on("repeated");
        if kind != field.kind || repeated != field.repeated {
            let target = given.some("target");
            let inner = std::mem::take(&mut field.fields);
            *field = super::reshape::as_kind(field, kind, repeated);
            field.fields = if kind == FieldKind::Group { inner } else { Vec::new() };
            field.target = target.filter(|_| kind == FieldKind::Link);
        }
    }
    if let Some(target) = given.some("target").filter(|_| field.kind == FieldKind::Link) {
        field.target = Some(target);
    }
}

/// An issue about a definition, with fields named instead of counted: `fields.3.values` is `fields.material.values`.
pub fn by_name(definition: &RecordType, issue: &FieldIssue) -> FieldIssue {
    let mut steps = issue.path.split('.').peekable();
    let (mut path, mut fields) = (Vec::new(), definition.fields.as_slice());
    while steps.peek() == Some(&"fields") {
        let mut ahead = steps.clone();
        ahead.next();
        let field = ahead
            .next()
            .and_then(|at| at.parse::<usize>().ok())
            .and_then(|at| fields.get(at));
        let Some(field) = field else { break };
        path.push(field.name.as_str());
        fields = &field.fields;
        steps = ahead;
    }
    if path.is_empty() {
        return issue.clone();
    }
    let rest: Vec<&str> = steps.collect();
    let named = format!("fields.{}", path.join("."));
    FieldIssue {
        path: if rest.is_empty() {
            named
        } else {
            format!("{named}.{}", rest.join("."))
        },
        message: issue.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::modules::records::model::outline;

    fn vase() -> RecordType {
        let vase = json!({ "name": "vase", "fields": [
            { "name": "a", "kind": "text" }, { "name": "b", "kind": "term" }, { "name": "c", "kind": "number" },
            { "name": "d", "kind": "group", "fields": [{ "name": "x", "kind": "text" }] },
        ] });
        serde_json::from_value(vase).unwrap()
    }

    #[test]
    fn a_form_says_everything_of_a_field() {
        let entered = json!({ "labels": { "sv": "Vas" }, "fields": {
            "a": { "label": "First", "labels": { "sv": "Första" }, "section": "Begin", "place": "3", "full": "1",
                "unique": "true", "max": "20" },
            "b": { "full": "1", "values": "clay\n\nglass", "level": "members", "weight": "more" },
            "c": { "full": "1", "min": "few", "place": "1" },
            "d.x": { "hint": "An x" },
        } });
        let mut faults = Vec::new();
        let new = outline::apply(&vase(), entered.as_object().unwrap(), "en", &mut faults);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].path, "fields.c.min");
        let names: Vec<&str> = new.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["c", "b", "a", "d"]);
        let a = &new.fields[2];
        assert_eq!((&a.labels["en"], &a.labels["sv"]), (&json!("First"), &json!("Första")));
        assert!(a.unique && a.max == Some(20) && a.section["en"] == "Begin" && new.labels["sv"] == "Vas");
        assert_eq!(new.fields[1].values, ["clay", "glass"]);
        assert_eq!(new.fields[1].weight, Weight::More);
        assert_eq!(new.fields[3].fields[0].hints["en"], "An x");
        // Without what says that the form has its rules, they stay.
        let brief = json!({ "fields": { "a": { "label": "Second" } } });
        assert!(outline::apply(&new, brief.as_object().unwrap(), "en", &mut faults).fields[2].unique);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_field() {
        let issue = |path: &str| FieldIssue {
            path: path.to_owned(),
            message: String::new(),
        };
        assert_eq!(by_name(&vase(), &issue("fields.3.fields.0.min")).path, "fields.d.x.min");
        assert_eq!(by_name(&vase(), &issue("title")).path, "title");
        assert_eq!(by_name(&vase(), &issue("fields.1")).path, "fields.b");
    }
}
