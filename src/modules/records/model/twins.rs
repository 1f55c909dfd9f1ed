//! Records that may be one and the same: what of a record is compared, which are alike, and the reasons, which people can
//! judge. No I/O; records come one after another, and memory grows with what is compared, not with what they hold.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::{path, shape};
use crate::contract::records::{FieldKind, RecordType};
use crate::kernel::search::fold;

/// Groups that are told, records of one, and values of one field that are compared.
const MOST_GROUPS: usize = 200;
const MOST_ALIKE: usize = 20;
const MOST_VALUES: usize = 20;
/// Characters that a value needs to say something.
const LEAST: usize = 2;

/// Why records may be one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A field of identifiers says the same.
    Identifier { field: String, value: String },
    /// The same title in words, and so many other fields that say the same.
    Title { fields: Vec<String> },
}

/// Records that may be one, with their titles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    pub records: Vec<(String, String)>,
    pub reasons: Vec<Reason>,
}

/// What of a record is compared.
struct Kept {
    id: String,
    title: String,
    /// Place of a field among the compared ones, and what it says, folded.
    values: Vec<(usize, String)>,
}

/// Looks at records of one type, one after another.
pub struct Twins<'a> {
    codes: Vec<path::Leaf<'a>>,
    others: Vec<path::Leaf<'a>>,
    definition: &'a RecordType,
    records: Vec<Kept>,
    by_code: HashMap<(usize, String), Vec<usize>>,
    by_title: HashMap<String, Vec<usize>>,
}

impl<'a> Twins<'a> {
    /// `definition` as the asker sees it.
    pub fn of(definition: &'a RecordType) -> Self {
        let leaves = path::leaves(&definition.fields);
        let is_title = |leaf: &path::Leaf<'_>| definition.title.as_deref() == Some(leaf.path.as_str());
        let is_code = |leaf: &path::Leaf<'_>| leaf.field.kind == FieldKind::Identifier;
        let codes = leaves.iter().filter(|leaf| is_code(leaf)).cloned().collect();
        let others = leaves.into_iter().filter(|leaf| !is_code(leaf) && !is_title(leaf));
        Self {
            codes,
            others: others.filter(|leaf| leaf.field.kind != FieldKind::Boolean).collect(),
            definition,
            records: Vec::new(),
            by_code: HashMap::new(),
            by_title: HashMap::new(),
        }
    }

    /// Takes a record, cut to what the asker sees.
    pub fn take(&mut self, id: String, document: &Map<String, Value>) {
        let at = self.records.len();
        for (field, leaf) in self.codes.iter().enumerate() {
            for code in said(document, leaf).into_iter().map(|text| letters(&text)) {
                if code.chars().count() >= LEAST {
                    self.by_code.entry((field, code)).or_default().push(at);
                }
            }
        }
        let title = shape::title(self.definition, document);
        let words = words(&title);
        if words.chars().count() >= LEAST {
            self.by_title.entry(words).or_default().push(at);
        }
        let values = self.others.iter().enumerate().filter_map(|(field, leaf)| {
            let mut texts: Vec<String> = said(document, leaf).iter().map(|text| fold(text.trim())).collect();
            texts.sort_unstable();
            (!texts.is_empty()).then(|| (field, texts.join("\u{1}")))
        });
        let values = values.collect();
        self.records.push(Kept { id, title, values });
    }

    /// Records that are alike, the surest first; and whether there are more than are told.
    pub fn found(self) -> (Vec<Alike>, bool) {
        let mut groups: BTreeMap<Vec<usize>, Vec<Reason>> = BTreeMap::new();
        for ((field, code), at) in &self.by_code {
            let mut at = at.clone();
            at.dedup();
            if at.len() > 1 {
                let (field, value) = (self.codes[*field].path.clone(), code.clone());
                groups.entry(at).or_default().push(Reason::Identifier { field, value });
            }
        }
        for at in self.by_title.values().filter(|at| at.len() > 1) {
            for (group, fields) in self.alike(at) {
                groups.entry(group).or_default().push(Reason::Title { fields });
            }
        }
        let mut found: Vec<(Vec<usize>, Vec<Reason>)> = groups.into_iter().collect();
        for (_, reasons) in &mut found {
            reasons.sort();
        }
        let sureness = |reasons: &[Reason]| {
            let equal = reasons.iter().map(|reason| match reason {
                Reason::Identifier { .. } => 100,
                Reason::Title { fields } => fields.len(),
            });
            std::cmp::Reverse(equal.sum::<usize>())
        };
        found.sort_by_key(|(at, reasons)| (sureness(reasons), at.clone()));
        let is_cut = found.len() > MOST_GROUPS;
        let told = found.into_iter().take(MOST_GROUPS).map(|(at, reasons)| Alike {
            records: at
                .iter()
                .take(MOST_ALIKE)
                .map(|at| (self.records[*at].id.clone(), self.records[*at].title.clone()))
                .collect(),
            reasons,
        });
        (told.collect(), is_cut)
    }

    /// Of records with the same title those that go with the first of them: other fields that say the same, or nothing that
    /// speaks against it.
    fn alike(&self, at: &[usize]) -> Vec<(Vec<usize>, Vec<String>)> {
        let mut left: Vec<usize> = at.to_vec();
        let mut found = Vec::new();
        while left.len() > 1 {
            let first = left.remove(0);
            let mut group = vec![first];
            let mut fields: Option<Vec<usize>> = None;
            left.retain(|other| {
                let (equal, against) = self.compared(first, *other);
                let goes = !equal.is_empty() || against == 0;
                if goes {
                    fields = Some(match fields.take() {
                        Some(before) => before.into_iter().filter(|field| equal.contains(field)).collect(),
                        None => equal,
                    });
                    group.push(*other);
                }
                !goes
            });
            if group.len() > 1 {
                let fields = fields.unwrap_or_default().into_iter().take(MOST_VALUES);
                found.push((group, fields.map(|field| self.others[field].path.clone()).collect()));
            }
        }
        found
    }

    /// Fields in which two records say the same, and how many say something else.
    fn compared(&self, one: usize, other: usize) -> (Vec<usize>, usize) {
        let other = &self.records[other].values;
        let (mut equal, mut against) = (Vec::new(), 0);
        for (field, text) in &self.records[one].values {
            match other.iter().find(|(same, _)| same == field) {
                Some((_, same)) if same == text => equal.push(*field),
                Some(_) => against += 1,
                None => {}
            }
        }
        (equal, against)
    }
}

fn said(document: &Map<String, Value>, leaf: &path::Leaf<'_>) -> Vec<String> {
    let values = path::values(document, &leaf.steps).into_iter().take(MOST_VALUES);
    values
        .filter_map(path::text)
        .filter(|text| !text.trim().is_empty())
        .collect()
}

/// `B-12 a` and `b12A` are the same code.
fn letters(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// `Smith, Jane` and `Jane  SMITH` are the same words.
pub fn words(text: &str) -> String {
    let folded = fold(text);
    let mut words: Vec<&str> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.sort_unstable();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(records: &[Value]) -> Vec<(Vec<&'static str>, Vec<Reason>)> {
        let text = json!({"name": "person", "title": "name", "fields": [
            {"name": "name", "kind": "text"}, {"name": "code", "kind": "identifier"},
            {"name": "born", "kind": "date"}, {"name": "town", "kind": "term", "repeated": true}]});
        let definition: RecordType = serde_json::from_value(text).unwrap();
        let mut twins = Twins::of(&definition);
        for (at, record) in records.iter().enumerate() {
            twins.take(["a", "b", "c", "d"][at].to_owned(), record.as_object().unwrap());
        }
        let (found, _) = twins.found();
        let named = |alike: Alike| {
            let ids = alike
                .records
                .iter()
                .map(|(id, _)| ["a", "b", "c", "d"].into_iter().find(|name| name == id).unwrap());
            (ids.collect(), alike.reasons)
        };
        found.into_iter().map(named).collect()
    }

    #[test]
    fn reasons_are_told_and_what_speaks_against_them_counts() {
        let same_code = found(&[
            json!({"name": "x", "code": "B-12 a"}),
            json!({"name": "y", "code": "b12A"}),
        ]);
        let reason = Reason::Identifier {
            field: "code".to_owned(),
            value: "b12a".to_owned(),
        };
        assert_eq!(same_code, [(vec!["a", "b"], vec![reason])]);
        let title = |fields: &[&str]| Reason::Title {
            fields: fields.iter().map(|f| (*f).to_owned()).collect(),
        };
        let same_words = found(&[
            json!({"name": "Smith, Jane", "born": "1888", "town": ["Bern", "Köln"]}),
            json!({"name": "Jane SMITH", "born": "1888", "town": ["koln", "bern"]}),
            json!({"name": "Jane Smith", "born": "1932"}),
            json!({"name": "Jane Smyth", "born": "1888"}),
        ]);
        assert_eq!(same_words, [(vec!["a", "b"], vec![title(&["born", "town"])])]);
        // Nothing else is known of either.
        assert_eq!(
            found(&[json!({"name": "Ann Ray"}), json!({"name": "ann ray"})]),
            [(vec!["a", "b"], vec![title(&[])])]
        );
        assert!(found(&[json!({"name": "-"}), json!({"name": "-"}), json!({}), json!({})]).is_empty());
    }
}
