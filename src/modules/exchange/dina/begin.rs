//! Beginning to import sets that came together: which file is which set, and one import after another, each begun in the
//! transaction that ends the one before it.

use std::collections::BTreeMap;

use super::{Set, SetFile, Step};
use crate::contract::exchange::{Format, Reading};
use crate::kernel::access::Caller;
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::{self, State};
use crate::modules::exchange::draft::service::Draft;
use crate::modules::exchange::model::{Import, Options};
use crate::modules::exchange::read::{self, Input};
use crate::modules::exchange::service::{Seen, Service};

/// Imports that follow each other.
const MOST: usize = 20;

/// How sets are to be imported.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub dry_run: bool,
    pub reason: String,
}

/// What was begun.
pub struct Begun {
    /// The job of the first set.
    pub job: String,
    pub files: BTreeMap<Set, SetFile>,
}

impl Service {
    /// Begins to import the sets in these drafts.
    pub async fn begin_sets(&self, caller: &Caller, drafts: &[Draft], wanted: &Wanted) -> Result<Begun> {
        let mut files: BTreeMap<Set, SetFile> = BTreeMap::new();
        for draft in drafts {
            for (set, file) in self.sets_of(draft).await? {
                let name = file.entry.clone().unwrap_or_else(|| file.name.clone());
                if let Some(other) = files.insert(set, file) {
                    let other = other.entry.unwrap_or(other.name);
                    let words = format!(
                        "{other} and {name} are both the set \"{}\". Leave one of them out, or import them one after the other.",
                        set.as_str()
                    );
                    return Err(Error::invalid("drafts", words));
                }
            }
        }
        let Some(first) = steps(&files).first().copied() else {
            return Err(Error::invalid(
                "drafts",
                "Bring the files of the sets first; there is none.",
            ));
        };
        for set in steps(&files) {
            let import = import_of(set, &files, wanted);
            self.admit(caller, &import.options).await?;
        }
        let job = &self.import_job(caller, &import_of(first, &files, wanted)).await?;
        let job = self.kernel.db.write(Write::interactive("exchange.import"), |tx| {
            Box::pin(async move { jobs::enqueue(tx, caller, job.clone()).await })
        });
        Ok(Begun { job: job.await?, files })
    }

    /// The sets that a file holds: it is one by its name, or an archive of such.
    async fn sets_of(&self, draft: &Draft) -> Result<Vec<(Set, SetFile)>> {
        let row = &draft.row;
        let file = |entry: Option<String>| SetFile {
            blob: row.blob.clone(),
            bytes: u64::try_from(row.bytes).unwrap_or(0),
            name: row.name.clone(),
            entry,
        };
        if let Some(set) = Set::of_file(&row.name) {
            return Ok(vec![(set, file(None))]);
        }
        let input = Input {
            stream: self.kernel.blobs.open(&row.blob).await?,
            spool: self.spool.clone(),
        };
        let (name, limits) = (row.name.clone(), self.kernel.config.import.clone());
        let read = tokio::task::spawn_blocking(move || read::entries(input, &name, &limits));
        let entries = read.await.map_err(Error::internal)??;
        let named = entries
            .into_iter()
            .filter_map(|(name, _)| Some((Set::of_file(&name)?, file(Some(name)))));
        let found: Vec<(Set, SetFile)> = named.collect();
        if found.is_empty() {
            let words = format!(
                "{} is no set of DINA Collections and holds none. A set is called by what it is, such as mine.specimens.json.",
                row.name
            );
            return Err(Error::invalid("drafts", words));
        }
        Ok(found)
    }

    /// The imports of sets from the first on, as far as they have begun.
    pub async fn sets_seen(&self, caller: &Caller, first: &str) -> Result<Vec<(Import, Seen)>> {
        let mut found = Vec::new();
        let mut next = Some(first.to_owned());
        while let Some(id) = next.take().filter(|_| found.len() < MOST) {
            let seen = match self.look(caller, &id, std::time::Duration::ZERO).await {
                // Jobs are forgotten after a while.
                Err(error) if error.code() == Code::NotFound && !found.is_empty() => break,
                other => other?,
            };
            let import: Import = serde_json::from_value(seen.job.payload.clone())?;
            if import.options.dina.is_none() {
                return Err(Error::not_found("import", &id));
            }
            if seen.job.state == State::Done {
                next = seen.report.as_ref().and_then(|report| report.next.clone());
            }
            found.push((import, seen));
        }
        Ok(found)
    }
}

/// The sets in the order in which they come in.
pub fn steps(files: &BTreeMap<Set, SetFile>) -> Vec<Set> {
    let mut sets: Vec<Set> = files.keys().copied().collect();
    if files.contains_key(&Set::Specimens) {
        sets.push(Set::PhysicalObjects);
    }
    sets.sort_unstable();
    sets.dedup();
    sets
}

/// The import of one of the sets.
fn import_of(set: Set, files: &BTreeMap<Set, SetFile>, wanted: &Wanted) -> Import {
    let from = if set == Set::PhysicalObjects {
        Set::Specimens
    } else {
        set
    };
    let file = files.get(&from).cloned();
    let options = Options {
        type_name: set.type_name().to_owned(),
        key: Some(set.key().to_owned()),
        dry_run: wanted.dry_run,
        format: Some(Format::Json),
        reason: wanted.reason.clone(),
        reading: Reading {
            entry: file.as_ref().and_then(|file| file.entry.clone()),
            ..Reading::default()
        },
        dina: Some(Step {
            set,
            files: files.clone(),
        }),
        ..Options::default()
    };
    let (blob, bytes, name) = file.map_or_else(Default::default, |file| (file.blob, file.bytes, file.name));
    Import {
        blob,
        bytes,
        name,
        options,
    }
}

/// The import after this one.
pub fn next(import: &Import) -> Option<Import> {
    let step = import.options.dina.as_ref()?;
    let set = steps(&step.files).into_iter().find(|set| *set > step.set)?;
    let wanted = Wanted {
        dry_run: import.options.dry_run,
        reason: import.options.reason.clone(),
    };
    Some(import_of(set, &step.files, &wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_follow_each_other_whatever_their_files_are_called() {
        let file = |name: &str| SetFile {
            blob: format!("blob-{name}"),
            bytes: 1,
            name: format!("{name}.json"),
            entry: None,
        };
        let names = ["specimens", "agents", "localities", "identifierTypes"];
        let files: BTreeMap<Set, SetFile> = names
            .iter()
            .filter_map(|name| Some((Set::of_file(&format!("{name}.json"))?, file(name))))
            .collect();
        let mut import = Some(import_of(Set::IdentifierTypes, &files, &Wanted::default()));
        let mut came = Vec::new();
        while let Some(at) = import {
            came.push((at.options.type_name.clone(), at.name.clone()));
            import = next(&at);
        }
        let came: Vec<(&str, &str)> = came.iter().map(|(kind, name)| (kind.as_str(), name.as_str())).collect();
        assert_eq!(
            came,
            [
                ("vocabulary-term", "identifierTypes.json"),
                ("place", "localities.json"),
                ("agent", "agents.json"),
                ("physical-object", "specimens.json"),
                ("specimen", "specimens.json"),
            ]
        );
    }
}
