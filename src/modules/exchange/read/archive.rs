//! Archives, read crosswise from a file; here zip, in [`super::tar`] the other kind: the table of contents and one member at a time, each bounded by what the
//! table says, by the limits, and by its checksum.
//!
//! Names of members are only compared and shown; none is ever a path.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::limit::{self, from_read};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, Result};

/// Members an archive may have.
pub(super) const MAX_MEMBERS: u64 = 10_000;
/// Bytes that the table of contents may have: names of members may be long, and all of them are kept.
const MAX_TABLE: u64 = 16 << 20;
/// The longest end record: with the longest comment.
const END_RECORD: u64 = 22 + 65_535;
/// As it is, without a head of its own or a checksum: how tar packs.
const PLAIN: u16 = u16::MAX;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// A file in an archive.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub name: String,
    pub bytes: u64,
    packed: u64,
    method: u16,
    encrypted: bool,
    checksum: u32,
    at: u64,
}

impl Member {
    /// One that stands in the file as it is.
    pub(super) fn plain(name: String, at: u64, bytes: u64) -> Self {
        Self {
            name,
            bytes,
            packed: bytes,
            method: PLAIN,
            encrypted: false,
            checksum: 0,
            at,
        }
    }
}

/// See the module's text.
pub(super) struct Archive {
    pub(super) file: Arc<File>,
    pub(super) length: u64,
    pub members: Vec<Member>,
    /// What is read of the file is counted here.
    pub(super) count: Arc<AtomicU64>,
}

/// A stretch of a file.
struct Section {
    file: Arc<File>,
    at: u64,
    end: u64,
    count: Arc<AtomicU64>,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let read = self.file.read_at(&mut buffer[..most], self.at)?;
        self.at += read as u64;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// A member as it comes out: no byte more or less than the table says, and none changed.
struct Checked<R> {
    inner: R,
    left: u64,
    sum: flate2::Crc,
    checksum: u32,
    done: bool,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.done || buffer.is_empty() {
            return Ok(0);
        }
        let read = match self.inner.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(io::Error::other(damaged().caused_by(error))),
            Ok(read) => read,
        };
        let sound = if read == 0 {
            self.done = true;
            self.left == 0 && self.sum.sum() == self.checksum
        } else {
            self.sum.update(&buffer[..read]);
            self.left >= read as u64
        };
        if !sound {
            return Err(io::Error::other(damaged()));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

pub(super) fn damaged() -> Error {
    Error::new(
        Code::Invalid,
        "The file is damaged or cut short: what is packed in it does not agree with its own table of contents. Check that \
         it was copied to the end, then import it again.",
    )
}

impl Archive {
    /// Reads the table of contents.
    ///
    /// # Errors
    /// `Invalid` for a damaged one, `TooLarge` for one with too many members.
    pub(super) fn open(file: File, count: Arc<AtomicU64>) -> Result<Self> {
        let length = file.metadata()?.len();
        let mut archive = Self {
            file: Arc::new(file),
            length,
            members: Vec::new(),
            count,
        };
        // The file was counted while it was laid down; what is read now is the measure of progress.
        archive.count.store(0, Ordering::Relaxed);
        let end = archive.end()?;
        if end.members > MAX_MEMBERS {
            return Err(Error::new(
                Code::TooLarge,
                format!(
                    "The archive holds {} files; at most {MAX_MEMBERS} are looked through. Take the file with the data out of it \
                     and import that.",
                    end.members
                ),
            ));
        }
        if end.bytes > MAX_TABLE {
            let words = format!(
                "The archive's table of contents has {} bytes, as no packing program writes. Pack the file with the data again.",
                end.bytes
            );
            return Err(Error::new(Code::TooLarge, words));
        }
        let mut table = BufReader::new(archive.section(end.table, end.table.saturating_add(end.bytes)));
        for _ in 0..end.members {
            let member = member(&mut table, end.shift)?;
            archive.members.push(member);
        }
        Ok(archive)
    }

    pub(super) fn find(&self, name: &str) -> Option<&Member> {
        self.members
            .iter()
            .find(|m| m.name == name)
            .or_else(|| self.members.iter().find(|m| m.name.eq_ignore_ascii_case(name)))
    }

    /// Opens a member. Its sizes are checked before the first byte is unpacked.
    ///
    /// # Errors
    /// `TooLarge` above the limits, `Invalid` for one that is protected, damaged or packed in an uncommon way.
    pub(super) fn open_member(&self, member: &Member, limits: &Limits) -> Result<Box<dyn Read + Send>> {
        let name = shown(&member.name);
        let refuse = |code, words: String| Err(Error::new(code, words));
        if member.encrypted {
            let words = format!(
                "\"{name}\" in the archive is protected with a password. Unpack it with the password, then import the file."
            );
            return refuse(Code::Invalid, words);
        }
        if member.bytes > limits.max_bytes {
            let words = format!(
                "\"{name}\" in the archive unpacks to {} bytes; at most {} are taken. Split it, or raise import.max_bytes.",
                member.bytes, limits.max_bytes
            );
            return refuse(Code::TooLarge, words);
        }
        let ratio = limits.max_ratio.max(1);
        if member.bytes > limit::RATIO_FREE && member.bytes / member.packed.max(1) > ratio {
            let words = format!(
                "\"{name}\" in the archive unpacks to more than {ratio} times its size, as no collection does. If it is right, \
                 unpack it first, or raise import.max_ratio."
            );
            return refuse(Code::TooLarge, words);
        }
        if member.method == PLAIN {
            let section = self.section(member.at, member.at.saturating_add(member.bytes));
            return Ok(Box::new(BufReader::with_capacity(64 * 1024, section)));
        }
        let mut head = [0u8; 30];
        self.exact(&mut head, member.at)?;
        if !head.starts_with(b"PK\x03\x04") {
            return Err(damaged());
        }
        let start = member.at + 30 + u64::from(u16_at(&head, 26)) + u64::from(u16_at(&head, 28));
        let end = start.saturating_add(member.packed);
        if end > self.length {
            return Err(damaged());
        }
        let section = BufReader::with_capacity(64 * 1024, self.section(start, end));
        let checked = |inner: Box<dyn Read + Send>| Checked {
            inner,
            left: member.bytes,
            sum: flate2::Crc::new(),
            checksum: member.checksum,
            done: false,
        };
        match member.method {
            STORED => Ok(Box::new(checked(Box::new(section)))),
            DEFLATED => Ok(Box::new(checked(Box::new(flate2::bufread::DeflateDecoder::new(
                section,
            ))))),
            other => refuse(
                Code::UnsupportedMedia,
                format!(
                    "\"{name}\" in the archive is packed in an uncommon way (method {other}). Unpack it and import the file, or pack \
                     it as an ordinary zip."
                ),
            ),
        }
    }

    /// The whole of a member that has to be small.
    ///
    /// # Errors
    /// As [`Archive::open_member`], and `TooLarge` above `most` bytes.
    pub(super) fn whole(&self, member: &Member, most: u64, limits: &Limits) -> Result<Vec<u8>> {
        if member.bytes > most {
            let words = format!(
                "\"{}\" in the file has {} bytes, as no program writes. Look at what it holds.",
                shown(&member.name),
                member.bytes
            );
            return Err(Error::new(Code::TooLarge, words));
        }
        let mut content = Vec::new();
        self.open_member(member, limits)?
            .read_to_end(&mut content)
            .map_err(from_read)?;
        Ok(content)
    }

    fn section(&self, at: u64, end: u64) -> Section {
        Section {
            file: self.file.clone(),
            at,
            end: end.min(self.length),
            count: self.count.clone(),
        }
    }

    pub(super) fn exact(&self, buffer: &mut [u8], at: u64) -> Result<()> {
        // A place that the file does not have may be one that no file can have.
        if at > self.length {
            return Err(damaged());
        }
        match self.file.read_exact_at(buffer, at) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(damaged()),
            other => Ok(other?),
        }
    }

    /// Finds the end record, also the long one of archives beyond 4 GB.
    fn end(&self) -> Result<End> {
        let missing = || {
            Error::new(
                Code::Invalid,
                "The file is cut short: the table of contents at its end is missing. Copy or download it again, to the end.",
            )
        };
        let from = self.length.saturating_sub(END_RECORD);
        let mut tail = vec![0u8; usize::try_from(self.length - from).unwrap_or(0)];
        self.exact(&mut tail, from)?;
        let found = tail
            .windows(22)
            .rposition(|w| w.starts_with(b"PK\x05\x06"))
            .ok_or_else(missing)?;
        let record = &tail[found..];
        let mut place = from + found as u64;
        let mut end = End {
            members: u16_at(record, 10).into(),
            bytes: u32_at(record, 12).into(),
            table: u32_at(record, 16).into(),
            shift: 0,
        };
        let long = end.members == 0xffff || end.bytes == 0xffff_ffff || end.table == 0xffff_ffff;
        if long && let Some(at) = place.checked_sub(20) {
            let mut locator = [0u8; 20];
            self.exact(&mut locator, at)?;
            if locator.starts_with(b"PK\x06\x07") {
                let mut record = [0u8; 56];
                place = u64_at(&locator, 8);
                self.exact(&mut record, place)?;
                if !record.starts_with(b"PK\x06\x06") {
                    return Err(damaged());
                }
                end = End {
                    members: u64_at(&record, 32),
                    bytes: u64_at(&record, 40),
                    table: u64_at(&record, 48),
                    shift: 0,
                };
            }
        }
        // What stands before the archive, such as a program that unpacks it, shifts every place.
        let actual = place.checked_sub(end.bytes).ok_or_else(damaged)?;
        end.shift = actual.checked_sub(end.table).ok_or_else(damaged)?;
        end.table = actual;
        if end.members > end.bytes / 46 {
            return Err(damaged());
        }
        Ok(end)
    }
}

struct End {
    members: u64,
    bytes: u64,
    table: u64,
    shift: u64,
}

fn member(table: &mut impl BufRead, shift: u64) -> Result<Member> {
    let mut take = |bytes: usize| {
        let mut buffer = vec![0u8; bytes];
        table
            .read_exact(&mut buffer)
            .map_err(|error| damaged().caused_by(error))?;
        Ok::<_, Error>(buffer)
    };
    let head = take(46)?;
    if !head.starts_with(b"PK\x01\x02") {
        return Err(damaged());
    }
    let name = take(u16_at(&head, 28).into())?;
    let extra = take(u16_at(&head, 30).into())?;
    take(u16_at(&head, 32).into())?;
    let mut member = Member {
        name: String::from_utf8_lossy(&name).into_owned(),
        packed: u32_at(&head, 20).into(),
        bytes: u32_at(&head, 24).into(),
        method: u16_at(&head, 10),
        encrypted: u16_at(&head, 8) & 1 != 0,
        checksum: u32_at(&head, 16),
        at: u32_at(&head, 42).into(),
    };
    long_sizes(&mut member, &extra);
    member.at = member.at.checked_add(shift).ok_or_else(damaged)?;
    Ok(member)
}

/// Sizes beyond 4 GB stand in an extra field, in this order, each only where it is needed.
fn long_sizes(member: &mut Member, mut extra: &[u8]) {
    while extra.len() >= 4 {
        let (kind, size) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let Some(field) = extra.get(4..4 + size) else { return };
        if kind == 1 {
            let mut numbers = field.chunks_exact(8).map(|chunk| u64_at(chunk, 0));
            for value in [&mut member.bytes, &mut member.packed, &mut member.at] {
                if *value == 0xffff_ffff
                    && let Some(number) = numbers.next()
                {
                    *value = number;
                }
            }
            return;
        }
        extra = &extra[4 + size..];
    }
}

/// A name as it can be shown.
pub(super) fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(120).collect()
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
