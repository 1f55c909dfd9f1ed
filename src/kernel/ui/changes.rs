//! Changes as people read them: who, what kind of change, and what differs between two states.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::page::Page;
use super::value::shorten;
use super::words::{Stretch, compare};
use crate::kernel::access::{Access, Caller, Subject};
use crate::kernel::i18n::Language;
use crate::kernel::ledger::{Operation, Version};

/// Differences shown of one state; the rest is in the machine's form.
const MOST: usize = 100;
/// Characters shown of one value.
const LONGEST: usize = 600;
/// Characters shown of a token's id.
const TOKEN: usize = 8;

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub label: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Difference {
    /// Both texts in stretches with what differs marked; none where one of them is missing.
    pub fn words(&self) -> Option<(Vec<Stretch>, Vec<Stretch>)> {
        Some(compare(self.before.as_deref()?, self.after.as_deref()?))
    }
}

/// One state of an entity, for `kernel/ui/templates/history.html`.
#[derive(Clone, Debug)]
pub struct HistoryEntry {
    pub version: i64,
    /// Key of what happened.
    pub what: &'static str,
    pub at: i64,
    pub actor: String,
    pub reason: String,
    pub set_href: Option<String>,
    /// Where this state can be looked at.
    pub href: Option<String>,
    /// The file it was brought with, and where its row can be looked at.
    pub origin: Option<(String, Option<String>)>,
    pub differences: Vec<Difference>,
}

impl HistoryEntry {
    /// A state of the ledger with what is different from the one before. Whether the set may be opened says `sets`.
    pub fn new(language: Language, version: &Version, differences: Vec<Difference>, sets: bool) -> Self {
        Self {
            version: version.version,
            what: operation(version.operation),
            at: version.set.created_at,
            actor: actor(language, &version.set.actor),
            reason: version.set.reason.clone(),
            set_href: sets.then(|| format!("/changes/{}", version.set.id)),
            href: None,
            origin: None,
            differences,
        }
    }
}

/// Key of what happened.
pub fn operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "operation.create",
        Operation::Update => "operation.update",
        Operation::Delete => "operation.delete",
        Operation::Restore => "operation.restore",
    }
}

/// Who, from the ledger's short form.
pub fn actor(language: Language, actor: &str) -> String {
    match actor.split_once(':') {
        // The end of an id tells tokens apart as well as all of it, and fits a line.
        Some(("token", id)) => {
            let end = id.char_indices().rev().nth(TOKEN - 1).map_or(0, |(at, _)| at);
            language.with("actor.token", &[("id", &&id[end..])])
        }
        Some(("account", _)) => language.text("actor.account"),
        _ => language.get(&format!("actor.{actor}")).unwrap_or(actor).to_owned(),
    }
}

/// Who, with the name of an account for readers who have signed in: the public learns that somebody did it.
pub async fn who(page: &Page, access: &Access, by: &str) -> String {
    if let Some(id) = by.strip_prefix("account:")
        && !page.caller.is_anonymous()
        && let Ok(mut found) = access.people(&[id.to_owned()]).await
        && let Some(person) = found.remove(id)
    {
        // The name of a deleted account is the house's word for it.
        return page.language.sentence(&person.name);
    }
    actor(page.language, by)
}

/// Who asked for something, by the name it had then.
pub fn asker(language: Language, caller: &Caller) -> String {
    match &caller.subject {
        Subject::Account { name, .. } => name.clone(),
        _ => actor(language, &caller.actor()),
    }
}

/// What kind of change set it is, in words; an unknown kind is made readable.
pub fn set_name(language: Language, kind: &str) -> String {
    let known = language.get(&format!("set.{kind}"));
    known.map_or_else(|| super::readable(kind), str::to_owned)
}

/// The fields that differ between two documents, in the order of the newer one. `label` names a dotted path.
pub fn differences(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    label: impl Fn(&str) -> String,
) -> Vec<Difference> {
    let (mut old, mut new) = (Flat::default(), Flat::default());
    old.object("", before);
    new.object("", after);
    let removed = old.order.iter().filter(|path| !new.values.contains_key(*path));
    let paths = new.order.iter().chain(removed);
    let differing = paths.filter(|path| old.values.get(*path) != new.values.get(*path));
    let shown = |flat: &Flat, path: &String| flat.values.get(path).map(|texts| shorten(&texts.join("\n"), LONGEST));
    differing
        .take(MOST)
        .map(|path| Difference {
            label: label(path),
            before: shown(&old, path),
            after: shown(&new, path),
        })
        .collect()
}

/// A document as texts by dotted path. Lists of plain values are one path; groups in lists are told apart by place.
#[derive(Default)]
struct Flat {
    order: Vec<String>,
    values: BTreeMap<String, Vec<String>>,
}

impl Flat {
    fn object(&mut self, prefix: &str, object: &Map<String, Value>) {
        for (name, value) in object {
            let path = if prefix.is_empty() {
                name.clone()
            } else {
                format!("{prefix}.{name}")
            };
            self.value(&path, value);
        }
    }
    fn value(&mut self, path: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Object(inner) => self.object(path, inner),
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    match item {
                        Value::Object(inner) => self.object(&format!("{path}.{}", at + 1), inner),
                        item => self.value(path, item),
                    }
                }
            }
            Value::String(text) => self.push(path, text.clone()),
            other => self.push(path, other.to_string()),
        }
    }
    fn push(&mut self, path: &str, text: String) {
        if !self.values.contains_key(path) {
            self.order.push(path.to_owned());
        }
        self.values.entry(path.to_owned()).or_default().push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, after: &str, want: &[(&str, Option<&str>, Option<&str>)]) {
        let (before, after) = (
            serde_json::from_str(before).unwrap(),
            serde_json::from_str(after).unwrap(),
        );
        let got = differences(&before, &after, str::to_owned);
        let got: Vec<_> = got
            .iter()
            .map(|d| (d.label.as_str(), d.before.as_deref(), d.after.as_deref()))
            .collect();
        assert_eq!(got, want);
    }

    #[test]
    fn only_what_differs_is_told() {
        check(
            r#"{"a":"x","b":1}"#,
            r#"{"b":1,"a":"y"}"#,
            &[("a", Some("x"), Some("y"))],
        );
        check(r#"{"a":null}"#, r#"{"b":["p","q"]}"#, &[("b", None, Some("p\nq"))]);
        check(
            r#"{"c":[{"n":"A"},{"n":"B"}],"gone":true}"#,
            r#"{"c":[{"n":"A"},{"n":"C"}]}"#,
            &[("c.2.n", Some("B"), Some("C")), ("gone", Some("true"), None)],
        );
    }

    #[test]
    fn actors_and_sets_have_names() {
        let en = Language::default();
        assert_eq!(actor(en, "operator"), "Operator");
        assert_eq!(actor(en, "somebody"), "somebody");
        assert_eq!(set_name(en, "import"), "Import");
        assert_eq!(set_name(en, "odd.kind"), "Odd kind");
    }
}
