//! A batch looked at beforehand: what would change in which record, what would stay as it is and why. Nothing is written.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::consider::{Case, Verdict};
use super::write::Step;
use super::{Batch, Batches, store};
use crate::contract::records::RecordType;
use crate::kernel::access::{Caller, Level};
use crate::kernel::db::Write;
use crate::kernel::error::Result;
use crate::kernel::ui::{Difference, differences};
use crate::modules::records::model::named::named;
use crate::modules::records::model::rule::Rule;
use crate::modules::records::model::shape;
use crate::modules::records::service::restore::Put;

/// Records looked at, in steps, and how long that may take; and those that are told in full.
const MOST: i64 = 10_000;
const STEP: i64 = 500;
const LONG: Duration = Duration::from_secs(8);
const TOLD: usize = 100;

/// A record that would change.
#[derive(Clone, Debug)]
pub struct Told {
    pub id: String,
    pub title: String,
    pub differences: Vec<Difference>,
}

/// A record that would stay as it is.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub id: String,
    pub title: String,
    pub why: String,
}

/// What a batch would do.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    pub changed: i64,
    pub unchanged: i64,
    pub refused: i64,
    /// Records looked at.
    pub looked: i64,
    /// There are more than were looked at.
    pub is_cut: bool,
    /// The first of them.
    pub told: Vec<Told>,
    pub refusals: Vec<Refusal>,
}

impl Batches {
    /// What records are called that the changes to be told lead to, as far as the caller sees both.
    async fn led_to(
        &self,
        caller: &Caller,
        definition: &RecordType,
        cases: &[Case],
        preview: &Preview,
    ) -> Result<HashMap<String, String>> {
        let left = TOLD.saturating_sub(preview.told.len());
        let puts = cases.iter().filter_map(|case| match &case.verdict {
            Verdict::Put(put) => Some(put),
            _ => None,
        });
        let mut documents = Vec::new();
        for put in puts.take(left) {
            documents.extend(put.was.as_ref());
            documents.push(&put.state.document);
        }
        self.service.called(caller, definition, &documents).await
    }

    /// Looks at what was decided; nothing where nothing was. `label` names the path of a field; in words, links are told by
    /// what they lead to.
    ///
    /// # Errors
    /// `Invalid` where the type has changed so that the action does not fit any more.
    pub async fn preview(
        &self,
        caller: &Caller,
        batch: &Batch,
        (in_words, label): (bool, &(dyn Fn(&str) -> String + Send + Sync)),
    ) -> Result<Option<Preview>> {
        let Some(action) = batch.action()? else { return Ok(None) };
        let (stored, rule) = self.rule(caller, batch, &action).await?;
        let (mut preview, mut after) = (Preview::default(), 0);
        let started = Instant::now();
        loop {
            let items = store::page(&self.service.db, &batch.id, after, STEP).await?;
            let Some(last) = items.last() else {
                return Ok(Some(preview));
            };
            if preview.looked >= MOST || started.elapsed() > LONG {
                preview.is_cut = true;
                return Ok(Some(preview));
            }
            after = last.place;
            let cases = self.service.consider(caller, &rule, &stored, items).await?;
            let step = &Step {
                caller,
                rule: &rule,
                stored: &stored,
                cases: &cases,
            };
            // Nothing is written: only a transaction sees who owns what.
            let write = self.service.db.write(Write::bulk("records.batch-look"), |tx| {
                Box::pin(async move { self.service.barred(tx, step).await })
            });
            let barred = write.await?;
            let called = if in_words {
                self.led_to(caller, &stored.definition, &cases, &preview).await?
            } else {
                HashMap::new()
            };
            let reader = Reader {
                definition: &stored.definition,
                rule: &rule,
                called: &called,
                label,
            };
            for case in &cases {
                let why = barred.get(&case.item.record_id).map(|barred| barred.why.as_str());
                preview.add(&reader, case, why);
            }
        }
    }
}

/// How changes are told.
struct Reader<'a> {
    definition: &'a RecordType,
    rule: &'a Rule,
    /// What records are called that links lead to.
    called: &'a HashMap<String, String>,
    label: &'a (dyn Fn(&str) -> String + Send + Sync),
}

impl Preview {
    fn add(&mut self, reader: &Reader<'_>, case: &Case, barred: Option<&str>) {
        let definition = reader.definition;
        self.looked += 1;
        let level = case.level.unwrap_or_default();
        let id = case.item.record_id.clone();
        let (document, why) = match (&case.verdict, barred) {
            (Verdict::Unchanged, _) => {
                self.unchanged += 1;
                return;
            }
            (Verdict::Refused(why), _) => (None, Some(why.clone())),
            (Verdict::Put(put), why) => (put.was.clone(), why.map(str::to_owned)),
            (Verdict::Remove(row), why) => {
                let document = row.clone().record().map(|record| record.document).ok();
                (document, why.map(str::to_owned))
            }
        };
        let document = shape::cut(&definition.fields, level, document.unwrap_or_default());
        let title = shape::title(definition, &document);
        if let Some(why) = why {
            self.refused += 1;
            if self.refusals.len() < TOLD {
                self.refusals.push(Refusal { id, title, why });
            }
            return;
        }
        self.changed += 1;
        if self.told.len() < TOLD {
            let differences = match &case.verdict {
                Verdict::Put(put) => reader.differs(put, &document, level),
                _ => Vec::new(),
            };
            self.told.push(Told { id, title, differences });
        }
    }
}

impl Reader<'_> {
    fn differs(&self, put: &Put, before: &Map<String, Value>, level: Level) -> Vec<Difference> {
        if let Rule::Visibility(to) = self.rule {
            return vec![Difference {
                label: (self.label)("visibility"),
                before: Some(put.row.visibility.clone()),
                after: Some(to.as_str().to_owned()),
            }];
        }
        let fields = &self.definition.fields;
        let after = shape::cut(fields, level, put.state.document.clone());
        let told = |document: &Map<String, Value>| named(fields, document, self.called);
        differences(&told(before), &told(&after), self.label)
    }
}
