//! Workbooks of Excel 2007 and later. Cells come one row at a time straight from the packed file; what has to be known
//! before them (texts that cells share, formats, merged cells) is bounded, and large shared texts lie on the disk.
//!
//! What a cell is: a formula its stored value, a date in ISO form, a percentage its fraction, a boolean `true` or `false`,
//! an error nothing, each told in the notes. Merged cells: the value is repeated downwards, not sideways.

mod parts;
mod sheet;

use std::io::{BufReader, Read};
use std::sync::Arc;

use super::archive::{Archive, Member, shown};
use super::book;
use super::limit::{RATIO_FREE, from_read};
use super::look::Sheet;
use super::notes::Notes;
use super::serial::Kind;
use super::table::Grid;
use super::xml::{Event, Xml};
use super::{Spool, memory};
use crate::contract::exchange::{Decimal, Reading};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, Result};
use parts::Strings;

pub(super) use parts::cell_name;

/// Bytes of the small parts of a workbook.
const PART: u64 = 64 * 1024 * 1024;
const MAX_SHEETS: usize = 1_000;

struct Place {
    sheet: Sheet,
    member: Member,
}

/// A workbook that is open.
pub(super) struct Workbook {
    archive: Archive,
    places: Vec<Place>,
    from_1904: bool,
    styles: Arc<Vec<Kind>>,
    strings: Arc<Strings>,
    /// Unpacked bytes of the texts that cells share.
    shared: u64,
    limits: Limits,
}

impl Workbook {
    pub(super) fn open(archive: Archive, spool: &Spool, limits: &Limits) -> Result<Self> {
        let root = relations(&archive, "_rels/.rels", limits)?;
        let main = root
            .iter()
            .find(|r| r.kind == "officeDocument")
            .map(|r| r.target.as_str());
        let main = main.unwrap_or("xl/workbook.xml").trim_start_matches('/').to_owned();
        let (folder, file) = main
            .rsplit_once('/')
            .map_or(("", main.as_str()), |(folder, file)| (folder, file));
        let relations = relations(&archive, &format!("{folder}/_rels/{file}.rels"), limits)?;
        let part = |kind: &str| {
            let found = relations.iter().find(|r| r.kind == kind)?;
            archive.find(&resolve(folder, &found.target))
        };
        let member = archive.find(&main).ok_or_else(|| without("its list of sheets"))?;
        let (sheets, from_1904) = sheets(&archive.whole(member, PART, limits)?)?;
        let styles = match part("styles") {
            Some(member) => parts::styles(&archive.whole(member, PART, limits)?)?,
            None => Vec::new(),
        };
        let mut shared = 0;
        let strings = match part("sharedStrings") {
            Some(member) => {
                shared = member.bytes;
                let input = BufReader::with_capacity(64 * 1024, archive.open_member(member, limits)?);
                parts::strings(input, member.bytes, spool, limits)?
            }
            None => Strings::default(),
        };
        let mut places = Vec::new();
        for (name, id, hidden) in sheets.into_iter().take(MAX_SHEETS) {
            let target = relations.iter().find(|r| r.id == id && r.kind == "worksheet");
            // Sheets that are one chart have no cells.
            let Some(target) = target else { continue };
            let path = resolve(folder, &target.target);
            let member = archive
                .find(&path)
                .ok_or_else(|| without(&format!("the sheet \"{}\"", shown(&name))))?;
            let (rows, columns) = size(&archive, member, limits).unwrap_or_default();
            let member = member.clone();
            let sheet = Sheet {
                name,
                rows,
                columns,
                hidden,
            };
            places.push(Place { sheet, member });
        }
        Ok(Self {
            archive,
            places,
            from_1904,
            styles: Arc::new(styles),
            strings: Arc::new(strings),
            shared,
            limits: limits.clone(),
        })
    }
}

impl book::Book for Workbook {
    fn sheets(&self) -> Vec<Sheet> {
        self.places.iter().map(|place| place.sheet.clone()).collect()
    }

    fn grid(&self, index: usize, reading: &Reading, notes: &Notes) -> Result<Box<dyn Grid>> {
        let place = &self.places[index];
        let open = || -> Result<_> {
            Ok(BufReader::with_capacity(
                64 * 1024,
                self.archive.open_member(&place.member, &self.limits)?,
            ))
        };
        let merged = parts::merged(open()?, notes)?;
        let max_cell = memory(self.limits.max_cell_bytes);
        let size = place.member.bytes.saturating_add(self.shared);
        let most = size.saturating_mul(self.limits.max_ratio.max(1)).max(RATIO_FREE);
        Ok(Box::new(sheet::Cells::new(
            Xml::new(open()?, max_cell.saturating_add(1)),
            sheet::Context {
                strings: self.strings.clone(),
                styles: self.styles.clone(),
                from_1904: self.from_1904,
                comma: reading.decimal == Some(Decimal::Comma),
                max_cell,
                most,
                notes: notes.clone(),
            },
            merged,
        )))
    }
}

fn without(what: &str) -> Error {
    Error::new(
        Code::Invalid,
        format!("The workbook lacks {what}. Open it in a spreadsheet program and save it again."),
    )
}

struct Relation {
    id: String,
    /// The last part of its type.
    kind: String,
    target: String,
}

fn relations(archive: &Archive, name: &str, limits: &Limits) -> Result<Vec<Relation>> {
    let Some(member) = archive.find(name.trim_start_matches('/')) else {
        return Ok(Vec::new());
    };
    let content = archive.whole(member, PART, limits)?;
    let mut xml = Xml::new(content.as_slice(), 0);
    let mut found = Vec::new();
    loop {
        match xml.next()? {
            Event::Start if xml.name() == b"Relationship" => found.push(Relation {
                id: xml.attribute("Id").unwrap_or_default(),
                kind: xml
                    .attribute("Type")
                    .and_then(|t| t.rsplit('/').next().map(str::to_owned))
                    .unwrap_or_default(),
                target: xml.attribute("Target").unwrap_or_default(),
            }),
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

/// Name, relation and hiddenness of a sheet.
type Named = (String, String, bool);

/// The sheets; and whether days are counted from 1904.
fn sheets(content: &[u8]) -> Result<(Vec<Named>, bool)> {
    let mut xml = Xml::new(content, 0);
    let (mut found, mut from_1904) = (Vec::new(), false);
    loop {
        match xml.next()? {
            Event::Start if xml.name() == b"sheet" => {
                let id = xml
                    .attribute("r:id")
                    .or_else(|| xml.attribute("id"))
                    .unwrap_or_default();
                let hidden = xml.attribute("state").is_some_and(|state| state != "visible");
                found.push((xml.attribute("name").unwrap_or_default(), id, hidden));
            }
            Event::Start if xml.name() == b"workbookPr" => {
                from_1904 = xml.attribute("date1904").is_some_and(|v| v == "1" || v == "true");
            }
            Event::Eof => return Ok((found, from_1904)),
            _ => {}
        }
    }
}

/// A name in the archive as another part refers to it. It never leaves the archive.
fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = if target.starts_with('/') {
        Vec::new()
    } else {
        folder.split('/').filter(|p| !p.is_empty()).collect()
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Rows and columns as a sheet says at its beginning; not everyone writes it, or writes it right.
fn size(archive: &Archive, member: &Member, limits: &Limits) -> Option<(Option<u64>, Option<u64>)> {
    let mut head = Vec::new();
    let input = archive.open_member(member, limits).ok()?;
    input.take(8 * 1024).read_to_end(&mut head).map_err(from_read).ok()?;
    let mut xml = Xml::new(head.as_slice(), 0);
    while let Ok(event) = xml.next() {
        match event {
            Event::Start if xml.name() == b"dimension" => {
                let range = xml.attribute("ref")?;
                let (column, row) = parts::reference(range.rsplit(':').next()?)?;
                return Some((Some(row.into()), Some(u64::from(column) + 1)));
            }
            Event::Start if xml.name() == b"sheetData" => return None,
            Event::Eof => return None,
            _ => {}
        }
    }
    None
}
