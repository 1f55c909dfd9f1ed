//! Darwin Core Archives: a core of taxa, occurrences or events, with what its extensions say of each row in it as lists of
//! groups. Whatever archives bring is read: a folder around them, what an operating system left beside, several files to a
//! table, defaults, any encoding. What describes the data set may be broken; that is said and nothing more.

pub(super) mod descriptor;
mod joined;
pub(super) mod metadata;
mod rows;
pub(in super::super) mod taxa;

use std::sync::Arc;

use serde_json::{Map, Value};

use super::archive::Archive;
use super::header::Taken;
use super::notes::Notes;
use super::{SourceRow, Spool, issue};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, Result};
use descriptor::{Descriptor, MAX_DESCRIPTOR, group_name, last_part};
use joined::{Gathering, Joined};
use rows::Rows;

const DESCRIPTOR: &str = "meta.xml";

/// The folder in an archive that holds a descriptor, with its slash; `None` where the archive has none.
pub(super) fn folder(archive: &Archive) -> Option<String> {
    let holds = |name: &str| {
        let folder = name.strip_suffix(DESCRIPTOR)?;
        let own = folder.is_empty() || folder.ends_with('/');
        (own && !folder.starts_with("__MACOSX/")).then(|| folder.to_owned())
    };
    let mut folders: Vec<String> = archive.members.iter().filter_map(|m| holds(&m.name)).collect();
    folders.sort_by_key(String::len);
    folders.into_iter().next()
}

/// An archive that is open: its rows are those of the core.
pub(super) struct Dwca {
    core: Rows,
    /// What the rows of each extension are called in a record.
    groups: Vec<String>,
    joined: Option<Joined>,
    notes: Notes,
    row: i64,
    done: bool,
}

/// What an archive is.
pub(super) struct About {
    /// What a row of the core is: `Taxon`, `Occurrence`, `Event`.
    pub core: String,
    /// The field that holds the core's id.
    pub id: Option<String>,
}

impl Dwca {
    /// Opens an archive: reads its descriptor, and the extensions to their end unless it is only looked at.
    ///
    /// # Errors
    /// `Invalid` for a descriptor that cannot be used, or a file that is missing.
    pub(super) fn open(
        archive: Archive,
        folder: &str,
        spool: &Spool,
        limits: &Limits,
        notes: &Notes,
    ) -> Result<(Self, About)> {
        let member = archive.find(&format!("{folder}{DESCRIPTOR}")).cloned();
        let member = member.ok_or_else(|| Error::internal(anyhow::anyhow!("the descriptor is gone")))?;
        let Descriptor {
            metadata,
            core,
            extensions,
        } = descriptor::parse(&archive.whole(&member, MAX_DESCRIPTOR, limits)?)?;
        if let Some(name) = metadata {
            metadata::tell(&archive, folder, &name, limits, notes);
        }
        let about = About {
            core: last_part(&core.row_type).to_owned(),
            id: taxa::key(&core).or_else(|| core.id_field().map(|field| field.name.clone())),
        };
        let archive = Arc::new(archive);
        let core = Rows::open(&archive, folder, core, limits, notes)?;
        let names = core.table.names();
        let mut taken = Taken::of(names.into_iter());
        let mut groups = Vec::new();
        let mut gathering = None;
        for (number, table) in extensions.into_iter().enumerate() {
            let number = u16::try_from(number).unwrap_or(u16::MAX);
            groups.push(taken.unique(&group_name(&table.row_type), usize::from(number)));
            let id = table.id_field().map(|field| field.name.clone());
            let mut rows = Rows::open(&archive, folder, table, limits, notes)?;
            let gathering = match &mut gathering {
                Some(gathering) => gathering,
                none => none.insert(Gathering::new(spool)?),
            };
            gather(gathering, number, &mut rows, id.as_deref(), notes)?;
        }
        let joined = gathering.map(Gathering::done).transpose()?;
        let open = Self {
            core,
            groups,
            joined,
            notes: notes.clone(),
            row: 0,
            done: false,
        };
        Ok((open, about))
    }

    fn read(&mut self) -> Result<Option<SourceRow>> {
        let Some(row) = self.core.next()? else {
            self.tell_left();
            return Ok(None);
        };
        self.row += 1;
        let mut content = row.content;
        if let (Ok(map), Some(id), Some(joined)) = (&mut content, &row.id, &mut self.joined) {
            match joined.of(id)? {
                Ok(rows) => hang(map, &self.groups, rows),
                Err(words) => content = Err(issue("", words)),
            }
        }
        Ok(Some(SourceRow {
            row: self.row,
            line: row.line,
            bytes: row.bytes,
            content,
        }))
    }

    fn tell_left(&self) {
        let left = self.joined.as_ref().map_or(0, Joined::left);
        if left > 0 {
            self.notes.add("extension-rows-left", || {
                format!(
                    "{left} rows of the extensions refer to no row of the core and are left out. Import their file by itself (entry) \
                     if they are wanted."
                )
            });
        }
    }
}

/// Lays the rows of an extension down. Rows that say nothing of whom they speak, or cannot be read, are told and left out.
fn gather(to: &mut Gathering, number: u16, rows: &mut Rows, id: Option<&str>, notes: &Notes) -> Result<()> {
    let kind = last_part(&rows.table.row_type).to_owned();
    while let Some(row) = rows.next()? {
        match (row.id, row.content) {
            (Some(of), Ok(mut map)) => {
                if let Some(id) = id {
                    map.shift_remove(id);
                }
                to.add(number, &of, &map)?;
            }
            (None, Ok(_)) => notes.add("extension-rows-nameless", || {
                format!(
                    "Line {} of {kind} does not say which row of the core it belongs to, and is left out.",
                    row.line
                )
            }),
            (_, Err(issues)) => notes.add("extension-rows-refused", || {
                let words = issues.first().map_or("", |issue| &issue.message);
                format!("Line {} of {kind} cannot be read and is left out: {words}", row.line)
            }),
        }
    }
    Ok(())
}

/// Puts rows of extensions into the record they belong to.
fn hang(map: &mut Map<String, Value>, groups: &[String], rows: Vec<(u16, Value)>) {
    for (number, row) in rows {
        let Some(name) = groups.get(usize::from(number)) else {
            continue;
        };
        match map.get_mut(name) {
            Some(Value::Array(items)) => items.push(row),
            _ => {
                map.insert(name.clone(), Value::Array(vec![row]));
            }
        }
    }
}

impl Iterator for Dwca {
    type Item = Result<SourceRow>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let row = self.read().transpose();
        self.done = !matches!(row, Some(Ok(_)));
        row
    }
}

/// The name a type may have for what an archive's core holds: `material-sample` for `MaterialSample`.
pub(super) fn type_name(core: &str) -> Option<String> {
    let mut name = String::new();
    for letter in core.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    let sound = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && name.len() <= 60;
    sound.then_some(name)
}

/// Says that nothing of this kind is written, only read.
pub(super) fn no_text() -> Error {
    Error::new(
        Code::UnsupportedMedia,
        "The file is no Darwin Core Archive: that is a zip or tar.gz with a descriptor (meta.xml). Leave the format open, or name \
         the right one.",
    )
}
