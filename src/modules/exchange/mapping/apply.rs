//! A mapping at work: from a row of the file to a document, field by field. What cannot be understood or found stays in its
//! verbatim field, where it has one; else the row is refused, by field. No I/O.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::model::{By, Lookup, Mapping, Rule};
use super::place::{Step, put, take};
use crate::contract::records::{Field, FieldKind, RecordType, Records};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::modules::exchange::lookup::{Answer, Directory, Tally};
use crate::modules::exchange::read::{Source, SourceRow};
use crate::modules::exchange::shape::Understanding;

/// What stands between the steps of a path where nothing is said.
const STEP: &str = ">";
/// Columns that a sentence names.
const NAMED: usize = 12;

/// A rule with where it leads.
#[derive(Debug)]
struct Way {
    rule: Rule,
    field: Field,
    steps: Vec<Step>,
    verbatim: Option<Vec<Step>>,
    /// Its values are found by records themselves: keys of links at the top.
    by_itself: bool,
}

/// See the module's text.
pub struct Applied {
    definition: RecordType,
    ways: Vec<Way>,
    columns: Vec<String>,
    directories: BTreeMap<String, Directory>,
    records: Arc<dyn Records>,
}

impl Applied {
    /// A mapping that was checked, with what it looks up.
    pub fn new(
        mapping: &Mapping,
        definition: RecordType,
        directories: BTreeMap<String, Directory>,
        records: Arc<dyn Records>,
    ) -> Self {
        let leaves = definition.leaves();
        let steps = |path: &str| {
            let leaf = leaves.iter().find(|leaf| leaf.path == path)?;
            let step = |field: &&Field| Step {
                name: field.name.clone(),
                repeated: field.repeated,
            };
            Some(leaf.fields.iter().map(step).collect::<Vec<Step>>())
        };
        let way = |rule: &Rule| {
            let field = leaves.iter().find(|leaf| leaf.path == rule.to)?.field()?.clone();
            let steps_to = steps(&rule.to)?;
            let by_key = rule.lookup.as_ref().is_none_or(|lookup| lookup.by == By::Key);
            Some(Way {
                by_itself: by_key && steps_to.len() == 1,
                steps: steps_to,
                verbatim: rule.verbatim.as_deref().and_then(steps),
                field,
                rule: rule.clone(),
            })
        };
        let ways = mapping.fields.iter().filter_map(way).collect();
        Self {
            ways,
            columns: mapping.columns().into_iter().map(str::to_owned).collect(),
            directories,
            records,
            definition,
        }
    }

    /// How rows are to be understood that were made over: numbers and dates have been read, once.
    pub fn done() -> Understanding {
        Understanding {
            cells: true,
            ..Understanding::default()
        }
    }

    /// Refuses a file that lacks a column.
    pub fn check(&self, source: &Source) -> Result<()> {
        let Some(columns) = &source.columns else {
            return Ok(());
        };
        let names = columns.names();
        let lacking: Vec<&str> = self
            .columns
            .iter()
            .map(String::as_str)
            .filter(|c| !names.iter().any(|n| n == c))
            .collect();
        if lacking.is_empty() {
            return Ok(());
        }
        let has: Vec<&str> = names.iter().map(String::as_str).take(NAMED).collect();
        let more = if names.len() > NAMED { " and others" } else { "" };
        Err(Error::new(
            Code::Invalid,
            format!(
                "The mapping takes the column \"{}\", which the file does not have. It has \"{}\"{more}.",
                lacking.join("\", \""),
                has.join("\", \"")
            ),
        ))
    }

    /// Makes rows over.
    pub fn over(
        self: Arc<Self>,
        reading: Understanding,
        found: Arc<Mutex<Tally>>,
    ) -> impl FnMut(SourceRow) -> Vec<SourceRow> + Send + 'static {
        move |mut row| {
            let mut tally = found.lock().unwrap_or_else(PoisonError::into_inner);
            row.content = row.content.and_then(|content| {
                let plain = reading.plain(content);
                let mut document = self.document(&plain.document, row.row, &reading, &mut tally)?;
                if let Some(id) = plain.id {
                    document.insert(crate::modules::exchange::marks::RECORD_ID.to_owned(), id.into());
                }
                Ok(document)
            });
            vec![row]
        }
    }

    fn document(
        &self,
        row: &Map<String, Value>,
        number: i64,
        reading: &Understanding,
        tally: &mut Tally,
    ) -> std::result::Result<Map<String, Value>, Vec<FieldIssue>> {
        let mut document = Map::new();
        let mut issues = Vec::new();
        for way in &self.ways {
            match self.values(way, row, number, reading, tally) {
                Ok((values, words)) => {
                    if let (Some(steps), Some(words)) = (&way.verbatim, words) {
                        put(&mut document, steps, vec![words.into()]);
                    }
                    if !values.is_empty() {
                        put(&mut document, &way.steps, values);
                    }
                }
                Err(message) => issues.push(FieldIssue {
                    path: way.rule.to.clone(),
                    message,
                }),
            }
        }
        if !issues.is_empty() {
            return Err(issues);
        }
        if self.ways.iter().any(|way| way.verbatim.is_some()) {
            self.only_verbatim(&mut document, number, tally);
        }
        Ok(document)
    }

    /// What a rule makes of a row: the values of its field, and the words that stand there.
    fn values(
        &self,
        way: &Way,
        row: &Map<String, Value>,
        number: i64,
        reading: &Understanding,
        tally: &mut Tally,
    ) -> std::result::Result<(Vec<Value>, Option<String>), String> {
        let rule = &way.rule;
        if let [column] = rule.from.as_slice()
            && let Some(value @ (Value::Array(_) | Value::Object(_) | Value::Number(_) | Value::Bool(_))) =
                row.get(column)
            && rule.split.is_none()
            && rule.values.is_empty()
            && rule.lookup.is_none()
            && rule.verbatim.is_none()
        {
            // Of a file of objects: it is what it is.
            return Ok(match value {
                Value::Array(items) if way.field.repeated => (items.clone(), None),
                other => (vec![other.clone()], None),
            });
        }
        let parts: Vec<String> = rule.from.iter().filter_map(|column| said(row.get(column))).collect();
        let words = (!parts.is_empty()).then(|| parts.join(rule.join.as_deref().unwrap_or(" ")));
        let Some(text) = words.clone().or_else(|| rule.constant.clone()) else {
            return Ok((Vec::new(), None));
        };
        let texts: Vec<String> = match rule.split.as_deref().filter(|sign| !sign.is_empty()) {
            Some(sign) => text
                .split(sign)
                .map(|one| one.trim().to_owned())
                .filter(|one| !one.is_empty())
                .collect(),
            None => vec![text],
        };
        let mapped = |text: String| match rule.values.get(text.trim()) {
            Some(other) => other.clone(),
            None => text,
        };
        let texts = texts.into_iter().map(mapped).filter(|text| !text.is_empty());
        let mut values = Vec::new();
        for text in texts {
            match &rule.lookup {
                Some(lookup) if !way.by_itself => {
                    let steps = if parts.len() > 1 { Some(parts.as_slice()) } else { None };
                    values.extend(self.found(way, lookup, &text, steps, row, number, tally)?);
                }
                _ => values.push(Value::String(reading.read(&way.field, text))),
            }
        }
        Ok((values, words))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a question with all that it is asked by, each once"
    )]
    fn found(
        &self,
        way: &Way,
        lookup: &Lookup,
        text: &str,
        steps: Option<&[String]>,
        row: &Map<String, Value>,
        number: i64,
        tally: &mut Tally,
    ) -> std::result::Result<Option<Value>, String> {
        let target = way.field.target.as_deref().unwrap_or_default();
        let all = self.directories.get(target);
        let answer = match lookup.by {
            By::Key => all.map(|all| all.by_key(text)),
            By::Name => {
                let column = lookup.rank.as_ref().and_then(|column| said(row.get(column)));
                let rank = column.or_else(|| lookup.rank_is.clone());
                all.map(|all| all.by_name(text, rank.as_deref()))
            }
            By::Path => {
                let sign = lookup.step.as_deref().filter(|sign| !sign.is_empty()).unwrap_or(STEP);
                let own = || {
                    text.split(sign)
                        .map(|step| step.trim().to_owned())
                        .filter(|step| !step.is_empty())
                };
                let path: Vec<String> = steps.map_or_else(|| own().collect(), <[String]>::to_vec);
                all.map(|all| all.by_path(&path))
            }
        };
        let answer = answer.unwrap_or(Ok(Answer::Nothing));
        let answer =
            answer.map_err(|error| format!("\"{}\" could not be looked up: {}", short(text), error.detail()))?;
        if let Answer::One(id) = &answer {
            tally.note(number, &way.rule.to, text, &answer);
            return Ok(Some(id.as_str().into()));
        }
        if way.verbatim.is_some() {
            tally.note(number, &way.rule.to, text, &answer);
            return Ok(None);
        }
        Err(match answer {
            Answer::Several(all) => format!(
                "\"{}\" has several answers among the records of \"{target}\": {}. Say more of it (a path, a rank), or keep it as \
                 text in a field beside it (verbatim).",
                short(text),
                all.join("; ")
            ),
            Answer::Later => format!(
                "\"{}\" is looked up when the file is imported: the type \"{target}\" has more records than are read for this look at \
                 the first rows.",
                short(text)
            ),
            _ => format!(
                "\"{}\" leads to no record of \"{target}\". Bring that first, or keep it as text in a field beside it (verbatim).",
                short(text)
            ),
        })
    }

    /// Takes away what is no value of its field, where the words are kept beside it.
    fn only_verbatim(&self, document: &mut Map<String, Value>, number: i64, tally: &mut Tally) {
        let shaped = Self::done().shape(&self.definition, document.clone()).document;
        for issue in self.records.validate(&self.definition, &shaped) {
            let steps = issue.path.split('.').filter(|step| step.parse::<usize>().is_err());
            let path: Vec<&str> = steps.collect();
            let path = path.join(".");
            let way = self
                .ways
                .iter()
                .find(|way| way.rule.to == path && way.verbatim.is_some());
            if let Some(way) = way {
                take(document, &way.steps);
                let field = &way.rule.to;
                tally.count("verbatim", || {
                    format!(
                        "Row {number}, {field}: {} It stays as it is written, beside the field.",
                        issue.message
                    )
                });
            }
        }
    }
}

/// What a cell says.
fn said(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::Null => return None,
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    Some(text).filter(|text| !text.is_empty())
}

fn short(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    shown
}

/// The types that a mapping looks records up in.
pub fn targets(mapping: &Mapping, definition: &RecordType) -> Vec<String> {
    let leaves = definition.leaves();
    let mut found = Vec::new();
    for rule in mapping.fields.iter().filter(|rule| rule.lookup.is_some()) {
        let field = leaves
            .iter()
            .find(|leaf| leaf.path == rule.to)
            .and_then(|leaf| leaf.field().cloned());
        let target = field
            .filter(|field| field.kind == FieldKind::Link)
            .and_then(|field| field.target);
        if let Some(target) = target
            && !found.contains(&target)
        {
            found.push(target);
        }
    }
    found
}
