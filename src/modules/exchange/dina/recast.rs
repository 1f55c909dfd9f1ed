//! From a row of DINA to a document: what each import of a set looks up, and the frame in which rows are made over. What has
//! no field is kept in the document, what leads to nothing stays as text and is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::rows::{self, Ordinals, Parts};
use super::take::{Taken, put};
use super::{AGENT, OBJECT, PLACE, STORAGE, Set, SetFile, Step, TAXON, VOCABULARY, places, specimen};
use crate::contract::exchange::{Format, Reading};
use crate::contract::records::{RecordType, Records};
use crate::kernel::Kernel;
use crate::kernel::access::Caller;
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Error, FieldIssue, Result};
use crate::modules::exchange::lookup::{Answer, Directory, Entry, Tally, Terms, fill};
use crate::modules::exchange::read::{self, Input, Source, SourceRow, Spool};

/// See the module's text.
#[derive(Debug)]
pub struct Recaster {
    set: Set,
    directories: BTreeMap<&'static str, Directory>,
    /// Name and rank of a taxon, by its key.
    accepted: Directory,
}

/// One row at work.
pub struct Work<'w> {
    recaster: &'w Recaster,
    tally: &'w mut Tally,
    ordinals: &'w mut Ordinals,
    row: i64,
    left: Map<String, Value>,
    /// Why something could not be looked up.
    failed: Option<Error>,
}

impl Recaster {
    /// Makes rows over, one after another from the first.
    pub fn over(self: Arc<Self>, tally: Arc<Mutex<Tally>>) -> impl FnMut(SourceRow) -> Vec<SourceRow> + Send + 'static {
        let mut ordinals = Ordinals::default();
        move |mut row| {
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            row.content = row
                .content
                .and_then(|content| self.document(content, row.row, &mut tally, &mut ordinals));
            vec![row]
        }
    }

    fn document(
        &self,
        content: Map<String, Value>,
        row: i64,
        tally: &mut Tally,
        ordinals: &mut Ordinals,
    ) -> std::result::Result<Map<String, Value>, Vec<FieldIssue>> {
        let parts = rows::parts(self.set, content)?;
        let mut work = Work {
            recaster: self,
            tally,
            ordinals,
            row,
            left: Map::new(),
            failed: None,
        };
        let Parts {
            data,
            source,
            legacy,
            other,
        } = parts;
        let mut document = match self.set {
            Set::Localities => places::place(&mut work, data)?,
            Set::StorageLocations => places::storage(&mut work, data)?,
            Set::Agents => places::agent(&mut work, data),
            Set::Taxa => places::taxon(&mut work, data)?,
            Set::TaxonNames => places::name(&mut work, data)?,
            Set::PhysicalObjects => specimen::object(&mut work, data, &other),
            Set::Specimens => specimen::specimen(&mut work, data),
            vocabulary => places::term(&mut work, vocabulary, data)?,
        };
        if let Some(error) = work.failed {
            return Err(vec![FieldIssue {
                path: "migrationData".to_owned(),
                message: format!("could not be looked up: {}", error.detail()),
            }]);
        }
        let mut left = work.left;
        if self.set != Set::PhysicalObjects {
            left.extend(Taken::shallow(other).rest());
        }
        if !left.is_empty() {
            tally.count("unmapped", || {
                format!("Row {row} says something that has no field; it is kept in the record (unmapped).")
            });
            document.insert("unmapped".to_owned(), Value::Object(left).to_string().into());
        }
        put(&mut document, "sourceData", source.map(|value| value.to_string()));
        put(&mut document, "legacyData", legacy.map(|value| value.to_string()));
        Ok(document)
    }

    fn directory(&self, type_name: &str) -> Option<&Directory> {
        self.directories.get(type_name)
    }
}

impl Work<'_> {
    /// Keeps what nobody took.
    pub fn leave(&mut self, at: &str, rest: Map<String, Value>) {
        if at.is_empty() {
            self.left.extend(rest);
        } else if !rest.is_empty() {
            self.left.insert(at.to_owned(), Value::Object(rest));
        }
    }

    /// Each object of a group, as a group of ours.
    pub fn each(
        &mut self,
        from: &mut Taken,
        name: &str,
        mut make: impl FnMut(&mut Self, &mut Taken) -> Map<String, Value>,
    ) -> Option<Value> {
        let mut groups = Vec::new();
        for (index, object) in from.objects(name).into_iter().enumerate() {
            let mut taken = Taken::of(object);
            let group = make(self, &mut taken);
            self.leave(&format!("{name}.{index}"), taken.rest());
            if !group.is_empty() {
                groups.push(Value::Object(group));
            }
        }
        Some(Value::Array(groups)).filter(|all| all.as_array().is_some_and(|all| !all.is_empty()))
    }

    /// The key of a row; one that stands a second time gets a number behind it.
    pub fn own_key(&mut self, key: String) -> String {
        let shown = key.clone();
        let (key, again) = self.ordinals.apart(key);
        if again {
            let row = self.row;
            self.tally.count("again", || {
                format!("Row {row}: \"{shown}\" stood in this set before; the record is kept apart as \"{key}\".")
            });
        }
        key
    }

    /// Links a field to what a question leads to, else keeps the question as text beside it.
    pub fn link(&mut self, document: &mut Map<String, Value>, at: &str, field: &str, asked: String, answer: Answer) {
        let path = if at.is_empty() {
            field.to_owned()
        } else {
            format!("{at}.{field}")
        };
        self.tally.note(self.row, &path, &asked, &answer);
        match answer {
            Answer::One(id) => put(document, field, Some(id)),
            Answer::Promised => {}
            Answer::Nothing | Answer::Later | Answer::Several(_) => {
                put(document, &format!("{field}Text"), Some(asked));
            }
        }
    }

    pub fn term(&mut self, document: &mut Map<String, Value>, at: &str, field: &str, set: Set, key: Option<String>) {
        if let Some(key) = key {
            let answer = self.by_key(VOCABULARY, &rows::term(set, &key));
            self.link(document, at, field, key, answer);
        }
    }

    pub fn agent(&mut self, document: &mut Map<String, Value>, at: &str, field: &str, from: &mut Taken, name: &str) {
        let said = ["", "_textI", "_textV"]
            .into_iter()
            .find_map(|end| from.text(&format!("{name}{end}")));
        if let Some(asked) = said {
            let answer = self.by_name(AGENT, &asked, None);
            self.link(document, at, field, asked, answer);
        }
    }

    pub fn by_key(&mut self, type_name: &str, key: &str) -> Answer {
        let found = self.recaster.directory(type_name).map(|all| all.by_key(key));
        self.answer(found)
    }

    pub fn by_name(&mut self, type_name: &str, name: &str, rank: Option<&str>) -> Answer {
        let found = self.recaster.directory(type_name).map(|all| all.by_name(name, rank));
        self.answer(found)
    }

    pub fn by_path(&mut self, type_name: &str, path: &[String]) -> Answer {
        let found = self.recaster.directory(type_name).map(|all| all.by_path(path));
        self.answer(found)
    }

    fn answer(&mut self, found: Option<Result<Answer>>) -> Answer {
        match found {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => {
                self.failed = Some(error);
                Answer::Nothing
            }
            None => Answer::Nothing,
        }
    }

    /// What a row of a tree hangs below: its key where the file or the house has it, else its words.
    pub fn parent(&mut self, document: &mut Map<String, Value>, type_name: &str, field: &str, id: Option<String>) {
        let Some(id) = id else { return };
        let key = rows::key(&id);
        // Where nothing is looked up it is only noted who says to hang below whom.
        if self.recaster.directory(type_name).is_none() {
            put(document, field, Some(key));
            return;
        }
        let answer = self.by_key(type_name, &key);
        self.tally.note(self.row, field, &id, &answer);
        match answer {
            Answer::One(_) | Answer::Promised => put(document, field, Some(key)),
            Answer::Nothing | Answer::Later | Answer::Several(_) => put(document, "parentText", Some(id)),
        }
    }

    /// The accepted name of a taxon, and its rank.
    pub fn accepted(&mut self, key: &str) -> Option<(String, String)> {
        match self.recaster.accepted.of_key(key) {
            Ok(entry) => entry.and_then(|entry| Some((entry.names.into_iter().next()?, entry.rank))),
            Err(error) => {
                self.failed = Some(error);
                None
            }
        }
    }
}

/// The types that a set leads to.
fn needs(set: Set) -> &'static [&'static str] {
    match set {
        Set::Localities => &[PLACE],
        Set::StorageLocations => &[STORAGE],
        Set::Taxa | Set::TaxonNames => &[TAXON],
        Set::PhysicalObjects => &[VOCABULARY, STORAGE],
        Set::Specimens => &[VOCABULARY, PLACE, AGENT, TAXON, OBJECT],
        _ => &[],
    }
}

/// Who imports what.
pub struct Asked<'a> {
    pub kernel: &'a Kernel,
    pub records: &'a dyn Records,
    pub spool: &'a Spool,
    pub caller: &'a Caller,
    pub step: &'a Step,
    pub dry_run: bool,
}

/// Looks everything up that the rows of a set may lead to. In a rehearsal also what the other files would bring.
pub async fn prepare(asked: Asked<'_>, go_on: &(dyn Fn() -> Result<()> + Send + Sync)) -> Result<Recaster> {
    let set = asked.step.set;
    let mut recaster = Recaster {
        set,
        directories: BTreeMap::new(),
        accepted: Directory::new(asked.spool),
    };
    for type_name in needs(set) {
        let terms = terms(asked.records, type_name);
        let mut directory = Directory::new(asked.spool);
        let of = (*type_name, &terms);
        fill(&mut directory, asked.records, asked.caller, of, None, go_on).await?;
        recaster.directories.insert(type_name, directory);
    }
    let taxa = set == Set::Taxa || (asked.dry_run && needs(set).contains(&TAXON));
    if taxa {
        recaster.accepted = accepted(&asked, go_on).await?;
    }
    for type_name in needs(set) {
        // What the set itself brings will be there; of the others only in a rehearsal nothing is there yet.
        if asked.dry_run || *type_name == set.type_name() {
            promise(&asked, &mut recaster, type_name).await?;
        }
        if let Some(directory) = recaster.directories.get_mut(type_name) {
            directory.settle();
        }
    }
    Ok(recaster)
}

fn terms(records: &dyn Records, type_name: &str) -> Terms {
    records
        .shipped_type(type_name)
        .map_or_else(Terms::default, |definition: RecordType| Terms::of(&definition))
}

/// Notes what the files would bring of a type.
async fn promise(asked: &Asked<'_>, recaster: &mut Recaster, type_name: &'static str) -> Result<()> {
    let sets = asked.step.files.iter();
    let brings = sets.filter(|(set, _)| set.type_name() == type_name);
    let mut files: Vec<(Set, SetFile)> = brings.map(|(set, file)| (*set, file.clone())).collect();
    if type_name == OBJECT {
        // They stand within specimens.
        let within = asked.step.files.get(&Set::Specimens);
        files.extend(within.map(|file| (Set::PhysicalObjects, file.clone())));
    }
    let terms = terms(asked.records, type_name);
    for (set, file) in files {
        let source = File::of(asked, &file).await?;
        let Some(mut directory) = recaster.directories.remove(type_name) else {
            return Ok(());
        };
        let bare = Recaster {
            set,
            directories: BTreeMap::new(),
            accepted: std::mem::replace(&mut recaster.accepted, Directory::new(asked.spool)),
        };
        let (bare, terms) = (Arc::new(bare), terms.clone());
        let read = {
            let bare = bare.clone();
            tokio::task::spawn_blocking(move || {
                let source = source.open()?;
                let source = if set == Set::PhysicalObjects {
                    rows::pieces(source)
                } else {
                    source
                };
                for row in source.change(bare.over(Arc::default())) {
                    // What cannot be read is told where its rows are taken.
                    let Ok(row) = row else { break };
                    if let Ok(document) = row.content {
                        directory.add(&terms.entry(None, &document))?;
                    }
                }
                Ok::<_, Error>(directory)
            })
        };
        recaster
            .directories
            .insert(type_name, read.await.map_err(Error::internal)??);
        if let Ok(bare) = Arc::try_unwrap(bare) {
            recaster.accepted = bare.accepted;
        }
    }
    Ok(())
}

/// The accepted name and rank of each taxon: as the names say that came along, else as the house knows them.
async fn accepted(asked: &Asked<'_>, go_on: &(dyn Fn() -> Result<()> + Send + Sync)) -> Result<Directory> {
    let mut found = Directory::new(asked.spool);
    if let Some(file) = asked.step.files.get(&Set::TaxonNames) {
        let source = File::of(asked, file).await?;
        let read = tokio::task::spawn_blocking(move || names_of(source.open()?, found));
        found = read.await.map_err(Error::internal)??;
    }
    // Taxa that come without their names keep those they have.
    if found.len() == 0 && asked.records.record_type(TAXON).await?.is_some() {
        let mut after: Option<String> = None;
        loop {
            go_on()?;
            let page = asked.records.page(asked.caller, TAXON, after.as_deref(), 1_000).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for record in &page {
                let text = |field: &str| record.document.get(field).and_then(Value::as_str).map(str::to_owned);
                if let (Some(key), Some(name)) = (text("taxonID"), text("scientificName")) {
                    found.add(&named(key, name, text("taxonRank")))?;
                }
            }
        }
    }
    found.settle();
    Ok(found)
}

fn named(key: String, name: String, rank: Option<String>) -> Entry {
    Entry {
        key: Some(key),
        names: vec![name],
        rank: rank.unwrap_or_default(),
        ..Entry::default()
    }
}

fn names_of(source: Source, mut found: Directory) -> Result<Directory> {
    for row in source {
        let Ok(row) = row else { break };
        let Ok(content) = row.content else { continue };
        let Ok(parts) = rows::parts(Set::TaxonNames, content) else {
            continue;
        };
        let mut taken = Taken::of(parts.data);
        let scientific = taken.text("type").is_none_or(|kind| kind == "scientific");
        if let (true, Some(id), Some(name)) = (scientific, taken.text("acceptedToTaxonId"), taken.text("name")) {
            // Of several the first one counts.
            found.add(&named(rows::key(&id), name, taken.text("rank")))?;
        }
    }
    Ok(found)
}

/// A stored file that is read beside the import.
struct File {
    input: Input,
    name: String,
    entry: Option<String>,
    limits: Limits,
}

impl File {
    async fn of(asked: &Asked<'_>, file: &SetFile) -> Result<Self> {
        Ok(Self {
            input: Input {
                stream: asked.kernel.blobs.open(&file.blob).await?,
                spool: asked.spool.clone(),
            },
            name: file.name.clone(),
            entry: file.entry.clone(),
            limits: asked.kernel.config.import.clone(),
        })
    }

    fn open(self) -> Result<Source> {
        let reading = Reading {
            entry: self.entry,
            ..Reading::default()
        };
        let named = |error: Error| Error::new(error.code(), format!("{}: {}", self.name, error.detail()));
        read::open(self.input, &self.name, Some(Format::Json), &reading, &self.limits).map_err(named)
    }
}
