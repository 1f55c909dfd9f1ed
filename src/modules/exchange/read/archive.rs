//! Archives, read crosswise from a file: one member at a time, each bounded by what the table of contents says, by the limits,
//! and by its checksum. How the table is read [`super::zip`] and [`super::tar`] know.
//!
//! Names of members are only compared and shown; none is ever a path.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::limit::{self, from_read};
use super::zip::u16_at;
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, Result};

/// Members an archive may have.
pub(super) const MAX_MEMBERS: u64 = 10_000;
/// As it is, without a head of its own or a checksum: how tar packs.
const PLAIN: u16 = u16::MAX;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// A file in an archive.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub name: String,
    pub bytes: u64,
    pub(super) packed: u64,
    pub(super) method: u16,
    pub(super) encrypted: bool,
    pub(super) checksum: u32,
    pub(super) at: u64,
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
pub(super) struct Section {
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

    pub(super) fn section(&self, at: u64, end: u64) -> Section {
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
}

/// A name as it can be shown.
pub(super) fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(120).collect()
}
