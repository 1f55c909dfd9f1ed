//! What a type's definition must be, and how it may change. Every wrong place is named by its path in the definition:
//! `fields.3.values`.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{hint, shorten};
use super::{number, path, tree};
use crate::contract::records::{Field, FieldKind, RecordType, Weight};
use crate::kernel::error::FieldIssue;

/// Groups in groups.
const MAX_DEPTH: usize = 5;
const MAX_FIELDS: usize = 2_000;
const MAX_NAME: usize = 200;
const MAX_TERMS: usize = 5_000;
/// Bytes of a label, of a licence or credit, and of a description or hint.
const MAX_LABEL: usize = 500;
const MAX_LINE: usize = 1_000;
const MAX_WORDS: usize = 5_000;
const MAX_UNIT: usize = 40;
/// Lines of words that mean the same, and words of one.
const MAX_SYNONYMS: usize = 1_000;
const MAX_SAME: usize = 20;

/// What is wrong with a definition; empty if nothing.
pub fn check(definition: &RecordType) -> Vec<FieldIssue> {
    let mut check = Check {
        issues: Vec::new(),
        fields: 0,
        paths: HashSet::new(),
    };
    if !is_kebab(&definition.name) {
        check.say("name", "is singular and kebab-case: small letters, digits and single hyphens, at most 64, such as \"museum-object\".");
    }
    check.labels("labels", &definition.labels, MAX_LABEL);
    check.labels("description", &definition.description, MAX_WORDS);
    if definition.fields.is_empty() {
        check.say("fields", "is empty; a type has at least one field.");
    }
    check.fields("fields", "", &definition.fields, 1);
    check.title(definition);
    check.key(definition);
    check.image(definition);
    check.line("licence", definition.licence.as_deref());
    check.line("credit", definition.credit.as_deref());
    check.language("language", definition.language.as_deref());
    check.synonyms(&definition.synonyms);
    check.issues.extend(tree::check(definition));
    for issue in number::check(definition) {
        check.say(issue.path, issue.message);
    }
    check.issues
}

/// `museum-object`
fn is_kebab(name: &str) -> bool {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(letters)
        && !name.ends_with('-')
        && !name.contains("--")
}

struct Check {
    issues: Vec<FieldIssue>,
    fields: usize,
    paths: HashSet<String>,
}

impl Check {
    fn say(&mut self, path: impl Into<String>, message: impl Into<String>) {
        if self.issues.len() < 100 {
            self.issues.push(FieldIssue {
                path: path.into(),
                message: message.into(),
            });
        }
    }

    fn labels(&mut self, at: &str, labels: &Map<String, Value>, most: usize) {
        for (language, label) in labels {
            let fits = label
                .as_str()
                .is_some_and(|l| !l.trim().is_empty() && l.len() <= most && !l.contains('\0'));
            if !fits {
                self.say(
                    format!("{at}.{language}"),
                    format!("is a text of at most {most} bytes."),
                );
            }
        }
    }

    fn line(&mut self, at: &str, text: Option<&str>) {
        let fits = |t: &str| !t.trim().is_empty() && t.len() <= MAX_LINE && !t.chars().any(char::is_control);
        if !text.is_none_or(fits) {
            self.say(
                at,
                format!("is one line of 1 to {MAX_LINE} bytes; leave it out for none."),
            );
        }
    }

    fn language(&mut self, at: &str, tag: Option<&str>) {
        let fits =
            |tag: &str| (2..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !tag.is_none_or(fits) {
            self.say(
                at,
                "is a language tag such as \"en\" or \"de\"; leave it out for the usual one.",
            );
        }
    }

    fn synonyms(&mut self, groups: &[String]) {
        if groups.len() > MAX_SYNONYMS {
            self.say("synonyms", format!("has at most {MAX_SYNONYMS} lines."));
        }
        for (at, group) in groups.iter().enumerate().take(MAX_SYNONYMS) {
            let words = group.split(',').filter(|word| !word.trim().is_empty()).count();
            if !(2..=MAX_SAME).contains(&words) || group.len() > MAX_LINE || group.chars().any(char::is_control) {
                self.say(
                    format!("synonyms.{at}"),
                    format!(
                        "is one line of 2 to {MAX_SAME} words separated by commas, such as \"sofa, couch, settee\"."
                    ),
                );
            }
        }
    }

    fn image(&mut self, definition: &RecordType) {
        let Some(image) = &definition.image else { return };
        let shown = shorten(image, 60);
        match path::find(&definition.fields, image) {
            None => {
                let hint = hint(image, path::leaves(&definition.fields).iter().map(|l| l.path.as_str()));
                self.say("image", format!("\"{shown}\" is not a field of this type.{hint}"));
            }
            Some(leaf) if leaf.field.kind != FieldKind::Url => {
                self.say(
                    "image",
                    format!("\"{shown}\" cannot be the main image: that is a field of the kind url."),
                );
            }
            Some(_) => {}
        }
    }

    fn fields(&mut self, at: &str, above: &str, fields: &[Field], depth: usize) {
        if depth > MAX_DEPTH {
            return self.say(at, format!("stands more than {MAX_DEPTH} groups deep."));
        }
        let mut names = HashSet::new();
        for (index, field) in fields.iter().enumerate() {
            self.fields += 1;
            if self.fields > MAX_FIELDS {
                return self.say(at, format!("A type has at most {MAX_FIELDS} fields."));
            }
            let at = format!("{at}.{index}");
            self.name(&at, field);
            let path = if above.is_empty() {
                field.name.clone()
            } else {
                format!("{above}.{}", field.name)
            };
            if !names.insert(field.name.as_str()) {
                self.say(
                    format!("{at}.name"),
                    format!(
                        "\"{}\" stands already in this list; names are unique.",
                        shorten(&field.name, 60)
                    ),
                );
            } else if !self.paths.insert(path.clone()) {
                self.say(
                    format!("{at}.name"),
                    format!("\"{}\" is the path of another field already.", shorten(&path, 60)),
                );
            }
            self.labels(&format!("{at}.labels"), &field.labels, MAX_LABEL);
            self.labels(&format!("{at}.hints"), &field.hints, MAX_WORDS);
            self.labels(&format!("{at}.section"), &field.section, MAX_LABEL);
            if depth > 1 && !field.section.is_empty() {
                self.say(format!("{at}.section"), "belongs to fields that are in no group.");
            }
            self.language(&format!("{at}.language"), field.language.as_deref());
            self.options(&at, field);
            if field.kind == FieldKind::Group {
                self.fields(&format!("{at}.fields"), &path, &field.fields, depth + 1);
            }
        }
    }

    fn name(&mut self, at: &str, field: &Field) {
        let name = &field.name;
        let wrong = if name.trim().is_empty() {
            "is empty."
        } else if name.len() > MAX_NAME {
            "is longer than 200 bytes."
        } else if name.chars().any(char::is_control) {
            "holds control characters."
        } else if name.starts_with('.') || name.ends_with('.') {
            "begins or ends with a dot; dots join the names of a path."
        } else {
            return;
        };
        self.say(format!("{at}.name"), wrong);
    }

    fn options(&mut self, at: &str, field: &Field) {
        let kind = field.kind;
        let is_group = kind == FieldKind::Group;
        if is_group && field.fields.is_empty() {
            self.say(format!("{at}.fields"), "is empty; a group has fields of its own.");
        }
        if !is_group && !field.fields.is_empty() {
            self.say(format!("{at}.fields"), "belongs to the kind group only.");
        }
        if is_group && (field.unique || field.facet) {
            self.say(at, "A group itself can be neither unique nor a facet; its fields can.");
        }
        if field.unique && kind == FieldKind::Boolean {
            self.say(
                format!("{at}.unique"),
                "allows only two records when the field is true or false.",
            );
        }
        match (kind, &field.target) {
            (FieldKind::Link, None) => {
                self.say(format!("{at}.target"), "is missing; a link names the type it leads to.")
            }
            (FieldKind::Link, Some(target)) if !is_kebab(target) => {
                self.say(format!("{at}.target"), "is not the name of a type.")
            }
            (FieldKind::Link, Some(_)) | (_, None) => {}
            (_, Some(_)) => self.say(format!("{at}.target"), "belongs to the kind link only."),
        }
        self.terms(at, field);
        self.called(at, field);
        self.unit(at, field);
        if field.rich && kind != FieldKind::Text {
            self.say(format!("{at}.rich"), "belongs to the kind text only.");
        }
        if field.weight != Weight::Usual && !field.has_words() {
            self.say(
                format!("{at}.weight"),
                "belongs to fields that are found by their words; numbers, yes or no and groups are not.",
            );
        }
        let measured = matches!(
            kind,
            FieldKind::Text | FieldKind::Identifier | FieldKind::Integer | FieldKind::Number
        );
        if !measured && (field.min.is_some() || field.max.is_some()) {
            self.say(
                at,
                "min and max belong to numbers (their value) and to text and identifier (their length).",
            );
        }
        if let (Some(min), Some(max)) = (field.min, field.max)
            && min > max
        {
            self.say(format!("{at}.min"), "is larger than max.");
        }
    }

    fn unit(&mut self, at: &str, field: &Field) {
        let Some(unit) = &field.unit else { return };
        if !matches!(field.kind, FieldKind::Integer | FieldKind::Number) {
            self.say(format!("{at}.unit"), "belongs to numbers and whole numbers only.");
        } else if unit.trim().is_empty() || unit.len() > MAX_UNIT || unit.chars().any(char::is_control) {
            self.say(
                format!("{at}.unit"),
                format!("is a text of 1 to {MAX_UNIT} bytes such as \"kg\"; leave it out for none."),
            );
        }
    }

    /// What is said of single terms.
    fn called(&mut self, at: &str, field: &Field) {
        if field.terms.is_empty() {
            return;
        }
        if field.kind != FieldKind::Term {
            return self.say(format!("{at}.terms"), "belongs to the kind term only.");
        }
        if field.terms.len() > MAX_TERMS {
            return self.say(format!("{at}.terms"), format!("holds more than {MAX_TERMS} terms."));
        }
        let mut seen = HashSet::new();
        for (index, term) in field.terms.iter().enumerate() {
            let at = format!("{at}.terms.{index}");
            let value = &term.value;
            if value.trim().is_empty() || value.contains('\0') || value.len() > 500 {
                self.say(format!("{at}.value"), "is a text of 1 to 500 bytes.");
            } else if !seen.insert(value) {
                let shown = shorten(value, 60);
                self.say(format!("{at}.value"), format!("\"{shown}\" is listed already."));
            } else if !field.values.is_empty() && !field.values.contains(value) {
                let shown = shorten(value, 60);
                self.say(
                    format!("{at}.value"),
                    format!("\"{shown}\" is not among the values of this field."),
                );
            }
            self.labels(&format!("{at}.labels"), &term.labels, MAX_LABEL);
        }
    }

    fn terms(&mut self, at: &str, field: &Field) {
        if field.values.is_empty() {
            return;
        }
        let at = format!("{at}.values");
        if field.kind != FieldKind::Term {
            return self.say(at, "belongs to the kind term only.");
        }
        if field.values.len() > MAX_TERMS {
            return self.say(
                at,
                format!("holds more than {MAX_TERMS} terms; leave it empty to allow any."),
            );
        }
        let mut seen = HashSet::new();
        for (index, term) in field.values.iter().enumerate() {
            if term.trim().is_empty() || term.contains('\0') || term.len() > 500 {
                self.say(format!("{at}.{index}"), "is a text of 1 to 500 bytes.");
            } else if !seen.insert(term) {
                self.say(
                    format!("{at}.{index}"),
                    format!("\"{}\" is listed already.", shorten(term, 60)),
                );
            }
        }
    }

    fn title(&mut self, definition: &RecordType) {
        let Some(title) = &definition.title else { return };
        if path::find(&definition.fields, title).is_none() {
            let hint = hint(title, path::leaves(&definition.fields).iter().map(|l| l.path.as_str()));
            self.say(
                "title",
                format!("\"{}\" is not a field of this type.{hint}", shorten(title, 60)),
            );
        }
    }

    fn key(&mut self, definition: &RecordType) {
        let Some(key) = &definition.key else { return };
        let Some(leaf) = path::find(&definition.fields, key) else {
            let hint = hint(key, path::leaves(&definition.fields).iter().map(|l| l.path.as_str()));
            return self.say(
                "key",
                format!("\"{}\" is not a field of this type.{hint}", shorten(key, 60)),
            );
        };
        let kinds = [
            FieldKind::Identifier,
            FieldKind::Text,
            FieldKind::Term,
            FieldKind::Integer,
            FieldKind::Url,
        ];
        if leaf.repeated || !kinds.contains(&leaf.field.kind) {
            self.say(
                "key",
                format!(
                    "\"{}\" cannot be the key: a key is one identifier, text, term, whole number or address.",
                    shorten(key, 60)
                ),
            );
        }
    }
}

/// What stands in the way of a change while the type has records; empty if it loses nothing.
pub fn check_change(old: &RecordType, new: &RecordType) -> Vec<FieldIssue> {
    let mut issues = Vec::new();
    compare("fields", &old.fields, &new.fields, &mut issues);
    issues
}

/// The fields that records may have values in already and that become unique or the key.
pub fn newly_identifying(old: &RecordType, new: &RecordType) -> Vec<String> {
    let before: HashSet<String> = path::identifying(old).into_iter().map(|l| l.path).collect();
    let new = path::identifying(new).into_iter().map(|leaf| leaf.path);
    new.filter(|path| !before.contains(path) && path::find(&old.fields, path).is_some())
        .collect()
}

fn compare(at: &str, old: &[Field], new: &[Field], issues: &mut Vec<FieldIssue>) {
    for before in old {
        let name = shorten(&before.name, 60);
        let Some((index, after)) = new.iter().enumerate().find(|(_, f)| f.name == before.name) else {
            let message =
                format!("\"{name}\" is missing: removing a field would lose the values that records have in it.");
            issues.push(FieldIssue {
                path: at.to_owned(),
                message,
            });
            continue;
        };
        let at = format!("{at}.{index}");
        if after.kind != before.kind {
            let message = format!(
                "The kind of \"{name}\" cannot change by itself while the type has records: its values have to move along, by \"Change fields and their values\"."
            );
            issues.push(FieldIssue {
                path: format!("{at}.kind"),
                message,
            });
        } else if after.repeated != before.repeated {
            let message = format!("\"{name}\" cannot change between one value and a list while the type has records.");
            issues.push(FieldIssue {
                path: format!("{at}.repeated"),
                message,
            });
        } else if before.unit.is_some() && after.unit != before.unit {
            let message = format!(
                "\"{name}\" cannot be measured in something else while the type has records: their numbers would mean something else."
            );
            issues.push(FieldIssue {
                path: format!("{at}.unit"),
                message,
            });
        } else if after.target != before.target {
            let message = format!("\"{name}\" cannot lead to another type while the type has records.");
            issues.push(FieldIssue {
                path: format!("{at}.target"),
                message,
            });
        } else {
            compare(&format!("{at}.fields"), &before.fields, &after.fields, issues);
        }
    }
}
