//! What a file is, by its content: unpacked from gzip, taken out of an archive, told to be text or a workbook; and what
//! is plainly something else is refused with what to do instead.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::archive::{Archive, Member, shown};
use super::look::Entry;
use super::table::listed;
use super::{HEAD, Input, dwca, limit, tar, zip};
use crate::contract::exchange::{Format, Reading};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, Result};

/// Bytes that the table of an archive's inside may have.
const MANIFEST: u64 = 16 * 1024 * 1024;

/// What is inside.
pub(super) enum Content {
    /// The first bytes, which are to be read again, and the rest.
    Text(Vec<u8>, Box<dyn Read + Send>),
    Book(Format, Archive),
    /// A Darwin Core Archive, and the folder in it that holds its descriptor.
    Dwca(Archive, String),
    /// Several files: one has to be chosen.
    Several,
}

/// A file, unpacked.
pub(super) struct Container {
    pub content: Content,
    /// How it was packed, from the outside in.
    pub packed: Vec<String>,
    /// Files of an archive that may be data.
    pub entries: Vec<Entry>,
    pub entry: Option<String>,
    /// The name of what is inside.
    pub name: String,
    /// Bytes read of the file as it came.
    pub read: Arc<AtomicU64>,
}

/// Unpacks a file as far as needed to tell what it is.
///
/// # Errors
/// `UnsupportedMedia` for what is no collection, `Invalid` for what is damaged or protected, `TooLarge`.
pub(super) fn open(input: Input, name: &str, reading: &Reading, limits: &Limits) -> Result<Container> {
    let read = Arc::new(AtomicU64::new(0));
    let mut container = Container {
        content: Content::Several,
        packed: Vec::new(),
        entries: Vec::new(),
        entry: None,
        name: name.to_owned(),
        read,
    };
    let count = container.read.clone();
    let Input { mut stream, spool } = input;
    // Outside, and inside an archive.
    for inside in [false, true] {
        let count = if inside { Arc::default() } else { count.clone() };
        let (mut plain, gzip) = limit::unpack(stream, limits, count.clone())?;
        if gzip {
            container.packed.push("gzip".to_owned());
        }
        let mut head = Vec::new();
        plain
            .by_ref()
            .take(HEAD)
            .read_to_end(&mut head)
            .map_err(limit::from_read)?;
        if head.starts_with(b"\xd0\xcf\x11\xe0") {
            return Err(old_office(&head));
        }
        let tar = tar::is_one(&head);
        if !tar && !head.starts_with(b"PK\x03\x04") && !head.starts_with(b"PK\x05\x06") {
            recognise(&head)?;
            container.content = Content::Text(head, plain);
            return Ok(container);
        }
        let file = spool.keep(std::io::Cursor::new(head).chain(plain))?;
        let archive = if tar {
            // Unpacked bytes are no measure of a packed file.
            tar::open(file, if gzip { Arc::default() } else { count })?
        } else {
            zip::open(file, count)?
        };
        if let Some(format) = book(&archive, limits)? {
            container.content = Content::Book(format, archive);
            return Ok(container);
        }
        if inside {
            break;
        }
        container.packed.push(if tar { "tar" } else { "zip" }.to_owned());
        if reading.entry.as_deref().is_none_or(str::is_empty)
            && let Some(folder) = dwca::folder(&archive)
        {
            container.content = Content::Dwca(archive, folder);
            return Ok(container);
        }
        let Some(member) = choose(&archive, reading, &mut container)? else {
            return Ok(container);
        };
        container.entry = Some(member.name.clone());
        member
            .name
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .clone_into(&mut container.name);
        stream = archive.open_member(&member, limits)?;
    }
    Err(Error::new(
        Code::UnsupportedMedia,
        "The file is an archive inside an archive. Unpack the outer one, then import what is in it.",
    ))
}

/// The kind of workbook that an archive is; `None` for an ordinary archive.
fn book(archive: &Archive, limits: &Limits) -> Result<Option<Format>> {
    let has = |name: &str| archive.find(name).is_some();
    let under = |folder: &str| archive.members.iter().any(|m| m.name.starts_with(folder));
    let refuse = |what: &str| Err(Error::new(Code::UnsupportedMedia, format!("The file is {what}")));
    if has("[Content_Types].xml") {
        if has("xl/workbook.bin") {
            return refuse("a binary workbook (.xlsb). Save it as .xlsx, then import that.");
        }
        if under("word/") {
            return refuse("a text document (.docx). Put its table into a spreadsheet and import that.");
        }
        if under("ppt/") {
            return refuse("a presentation (.pptx). Put its table into a spreadsheet and import that.");
        }
        return Ok(Some(Format::Xlsx));
    }
    if under("Index/") && (has("Index/Document.iwa") || has("Index/Tables/DataList.iwa")) {
        return refuse("a Numbers document. Export it as CSV or Excel, then import that.");
    }
    let Some(kind) = archive.find("mimetype").filter(|m| m.bytes < 200) else {
        return Ok(None);
    };
    let kind = String::from_utf8_lossy(&archive.whole(kind, 200, limits)?).into_owned();
    let Some(kind) = kind.trim().strip_prefix("application/vnd.oasis.opendocument.") else {
        return Ok(None);
    };
    if !kind.starts_with("spreadsheet") {
        return refuse("an OpenDocument file, but no spreadsheet. Put its table into a spreadsheet and import that.");
    }
    let manifest = archive.find("META-INF/manifest.xml");
    let manifest = manifest
        .map(|m| archive.whole(m, MANIFEST, limits))
        .transpose()?
        .unwrap_or_default();
    let protected = manifest.windows(15).any(|w| w == b"encryption-data") || has("encrypted-package");
    if protected {
        return Err(password());
    }
    Ok(Some(Format::Ods))
}

/// The file in an archive that is read; `None` where one has to be chosen.
fn choose(archive: &Archive, reading: &Reading, container: &mut Container) -> Result<Option<Member>> {
    let files: Vec<&Member> = archive.members.iter().filter(|m| is_file(&m.name)).collect();
    let data: Vec<&Member> = files.iter().copied().filter(|m| is_data(&m.name)).collect();
    let candidates = if data.is_empty() && files.len() == 1 {
        files.clone()
    } else {
        data
    };
    container.entries = candidates
        .iter()
        .map(|m| Entry {
            name: m.name.clone(),
            bytes: m.bytes,
        })
        .collect();
    let names: Vec<String> = candidates.iter().map(|m| shown(&m.name)).collect();
    if let Some(wanted) = reading.entry.as_deref().filter(|w| !w.is_empty()) {
        let found = archive.members.iter().find(|m| m.name == wanted);
        return found.cloned().map(Some).ok_or_else(|| {
            let words = format!(
                "The archive has no file \"{}\". It has: {}.",
                shown(wanted),
                listed(&names)
            );
            Error::invalid("entry", words)
        });
    }
    match candidates.as_slice() {
        [] => {
            let all: Vec<String> = files.iter().map(|m| shown(&m.name)).collect();
            let all = if all.is_empty() {
                "nothing at all".to_owned()
            } else {
                listed(&all)
            };
            Err(Error::new(
                Code::UnsupportedMedia,
                format!(
                    "The archive holds no file that can be read, but {all}. A table (CSV, .xlsx, .ods) or JSON is needed."
                ),
            ))
        }
        [one] => Ok(Some((*one).clone())),
        _ => Ok(None),
    }
}

/// The sentence for an archive of which one file has to be chosen.
pub(super) fn several(entries: &[Entry]) -> Error {
    let names: Vec<String> = entries.iter().map(|e| shown(&e.name)).collect();
    Error::invalid(
        "entry",
        format!(
            "The archive holds several files: {}. Say which one to read (entry).",
            listed(&names)
        ),
    )
}

fn is_file(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    !last.is_empty() && !last.starts_with('.') && !name.starts_with("__MACOSX/")
}

fn is_data(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    const ENDS: [&str; 9] = [
        ".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".xlsx", ".ods",
    ];
    ENDS.iter().any(|end| name.ends_with(end))
}

fn password() -> Error {
    Error::new(
        Code::Invalid,
        "The workbook is protected with a password. Open it, save it without one, then import it again.",
    )
}

/// What an old office document is, by the names in its directory.
fn old_office(head: &[u8]) -> Error {
    let has = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        head.windows(wide.len()).any(|w| w == wide)
    };
    if has("EncryptedPackage") || has("EncryptionInfo") {
        return password();
    }
    let what = if has("WordDocument") {
        "a text document (.doc). Put its table into a spreadsheet and import that."
    } else {
        "a workbook of the old kind (.xls). Open it in Excel or LibreOffice and save it as .xlsx or .ods; if it has a password, \
         without one. Then import that."
    };
    Error::new(Code::UnsupportedMedia, format!("The file is {what}"))
}

/// Refuses what is plainly something else.
fn recognise(head: &[u8]) -> Result<()> {
    let known: [(&[u8], &str); 22] = [
        (b"%PDF", "a PDF document. Export the data itself as CSV or JSON"),
        (b"\x89PNG", "an image. Give the file that describes the objects"),
        (b"\xff\xd8\xff", "an image. Give the file that describes the objects"),
        (b"GIF8", "an image. Give the file that describes the objects"),
        (b"II*\0", "an image. Give the file that describes the objects"),
        (b"MM\0*", "an image. Give the file that describes the objects"),
        (b"SQLite format 3", "a database. Export its table as CSV"),
        (
            b"\0\x01\0\0Standard ",
            "an Access database. Export its table as CSV or .xlsx",
        ),
        (b"\x1f\x8b", "packed with gzip twice. Unpack it once"),
        (b"\x28\xb5\x2f\xfd", "packed with zstd. Unpack it, or pack it with gzip"),
        (b"BZh", "packed with bzip2. Unpack it, or pack it with gzip"),
        (b"\xfd7zXZ", "packed with xz. Unpack it, or pack it with gzip"),
        (b"7z\xbc\xaf", "packed with 7-Zip. Unpack it, or pack it as zip"),
        (b"Rar!", "packed with RAR. Unpack it, or pack it as zip"),
        (b"PAR1", "a Parquet file. Export it as CSV or JSON lines"),
        (b"{\\rtf", "a text document (RTF). Put its table into a spreadsheet"),
        (
            b"<!DOCTYPE html",
            "a web page. Open it in a spreadsheet program and save it as .xlsx",
        ),
        (
            b"<html",
            "a web page. Open it in a spreadsheet program and save it as .xlsx",
        ),
        (
            b"<table",
            "a web page. Open it in a spreadsheet program and save it as .xlsx",
        ),
        (b"<?xml", "an XML document. Export the data as CSV or JSON"),
        (b"\x7fELF", "a program. Give the file that describes the objects"),
        (b"MZ\x90\0", "a program. Give the file that describes the objects"),
    ];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let starts = |magic: &[u8]| head.get(..magic.len()).is_some_and(|h| h.eq_ignore_ascii_case(magic));
    match known.iter().find(|(magic, _)| starts(magic)) {
        Some((_, what)) => Err(Error::new(
            Code::UnsupportedMedia,
            format!("The file is {what}, then import that."),
        )),
        None => Ok(()),
    }
}
