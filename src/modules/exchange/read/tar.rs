//! Tar archives: their files, found by going from head to head. Names of old and new kinds are understood, none is a path.
//! After POSIX.1-2001 (ustar and pax) and the long names of GNU.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::archive::{Archive, MAX_MEMBERS, Member, damaged};
use crate::kernel::error::{Code, Error, Result};

const BLOCK: u64 = 512;
/// Bytes of a name, or of what else is said of one file.
const MAX_SAID: u64 = 64 * 1024;

/// Does a file begin as tar archives do?
pub(super) fn is_one(head: &[u8]) -> bool {
    head.get(257..262).is_some_and(|magic| magic == b"ustar") && head.first().is_some_and(|first| *first != 0)
}

/// Goes through an archive.
///
/// # Errors
/// `Invalid` for a damaged one, `TooLarge` for one with too many members.
pub(super) fn open(file: File, count: Arc<AtomicU64>) -> Result<Archive> {
    let length = file.metadata()?.len();
    count.store(0, Ordering::Relaxed);
    let mut archive = Archive {
        file: Arc::new(file),
        length,
        members: Vec::new(),
        count,
    };
    let (mut at, mut seen) = (0u64, 0u64);
    let (mut long_name, mut long_size) = (None, None);
    while at.saturating_add(BLOCK) <= length {
        let mut head = [0u8; BLOCK as usize];
        archive.exact(&mut head, at)?;
        // Two empty blocks end an archive; what follows is padding.
        if head.iter().all(|byte| *byte == 0) {
            break;
        }
        if !sound(&head) {
            return Err(damaged());
        }
        seen += 1;
        if seen > MAX_MEMBERS * 2 {
            return Err(Error::new(
                Code::TooLarge,
                format!(
                    "The archive holds more than {MAX_MEMBERS} files. Take the file with the data out of it and import that."
                ),
            ));
        }
        let said = number(&head[124..136]).ok_or_else(damaged)?;
        let start = at + BLOCK;
        let kind = head[156];
        let bytes = match kind {
            0 | b'0' | b'7' => long_size.take().unwrap_or(said),
            _ => said,
        };
        let end = start
            .checked_add(bytes)
            .filter(|end| *end <= length)
            .ok_or_else(damaged)?;
        match kind {
            0 | b'0' | b'7' => {
                let name = long_name.take().unwrap_or_else(|| name(&head));
                archive.members.push(Member::plain(name, start, bytes));
            }
            b'L' | b'x' => {
                if bytes > MAX_SAID {
                    return Err(damaged());
                }
                let mut body = vec![0u8; usize::try_from(bytes).unwrap_or(0)];
                archive.exact(&mut body, start)?;
                if kind == b'L' {
                    long_name = Some(text(&body));
                } else {
                    (long_name, long_size) = extended(&body);
                }
            }
            // Folders, links and what speaks of all files.
            _ => (long_name, long_size) = (None, None),
        }
        at = end.div_ceil(BLOCK).saturating_mul(BLOCK);
    }
    if archive.members.is_empty() {
        return Err(damaged());
    }
    Ok(archive)
}

/// The head's own sum over its bytes, its place taken as spaces.
fn sound(head: &[u8; BLOCK as usize]) -> bool {
    let sum: u64 = head
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
        .sum();
    number(&head[148..156]) == Some(sum)
}

/// An octal number; or, with the highest bit set, a binary one.
fn number(field: &[u8]) -> Option<u64> {
    if field.first().is_some_and(|first| first & 0x80 != 0) {
        let (first, rest) = field.split_first()?;
        let start = u64::from(first & 0x7f);
        return rest.iter().try_fold(start, |sum, byte| {
            sum.checked_mul(256).and_then(|sum| sum.checked_add((*byte).into()))
        });
    }
    let text = std::str::from_utf8(field).ok()?;
    let digits = text.trim_matches(['\0', ' ']);
    if digits.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(digits, 8).ok()
}

fn name(head: &[u8; BLOCK as usize]) -> String {
    let name = text(&head[..100]);
    // GNU keeps other things where ustar keeps the folder.
    let prefix = if &head[257..263] == b"ustar\0" {
        text(&head[345..500])
    } else {
        String::new()
    };
    if prefix.is_empty() {
        name
    } else {
        format!("{prefix}/{name}")
    }
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// Name and size out of `LENGTH KEY=VALUE` lines.
fn extended(body: &[u8]) -> (Option<String>, Option<u64>) {
    let (mut name, mut size) = (None, None);
    for line in body.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let Some((key, value)) = line.split_once(' ').and_then(|(_, rest)| rest.split_once('=')) else {
            continue;
        };
        match key {
            "path" => name = Some(value.to_owned()),
            "size" => size = value.parse().ok(),
            _ => {}
        }
    }
    (name, size)
}
