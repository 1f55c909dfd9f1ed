//! Zip archives: the table of contents at their end, also the long one of archives beyond 4 GB. After PKWARE's APPNOTE 6.3.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::archive::{Archive, MAX_MEMBERS, Member, damaged};
use crate::kernel::error::{Code, Error, Result};

/// Bytes that the table of contents may have: names of members may be long, and all of them are kept.
const MAX_TABLE: u64 = 16 << 20;
/// The longest end record: with the longest comment.
const END_RECORD: u64 = 22 + 65_535;

/// Reads the table of contents.
///
/// # Errors
/// `Invalid` for a damaged one, `TooLarge` for one with too many members.
pub(super) fn open(file: File, count: Arc<AtomicU64>) -> Result<Archive> {
    let length = file.metadata()?.len();
    let mut archive = Archive {
        file: Arc::new(file),
        length,
        members: Vec::new(),
        count,
    };
    // The file was counted while it was laid down; what is read now is the measure of progress.
    archive.count.store(0, Ordering::Relaxed);
    let end = end(&archive)?;
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

/// Finds the end record, also the long one of archives beyond 4 GB.
fn end(archive: &Archive) -> Result<End> {
    let missing = || {
        Error::new(
            Code::Invalid,
            "The file is cut short: the table of contents at its end is missing. Copy or download it again, to the end.",
        )
    };
    let from = archive.length.saturating_sub(END_RECORD);
    let mut tail = vec![0u8; usize::try_from(archive.length - from).unwrap_or(0)];
    archive.exact(&mut tail, from)?;
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
        archive.exact(&mut locator, at)?;
        if locator.starts_with(b"PK\x06\x07") {
            let mut record = [0u8; 56];
            place = u64_at(&locator, 8);
            archive.exact(&mut record, place)?;
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

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
