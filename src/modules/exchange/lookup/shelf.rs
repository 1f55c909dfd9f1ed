//! Entries of a directory, and where they stand by their hashes. The first of them stay in memory; what is more is laid down
//! in files without a name, so that a million records and ten take the same memory: some megabytes.

use std::fs::File;
use std::os::unix::fs::FileExt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::kernel::error::{Error, Result};
use crate::modules::exchange::read::Spool;

/// Bytes of entries that stay in memory.
const BYTES: usize = 8 << 20;
/// Places of a directory that are put in order at once.
pub const RUN: usize = 1 << 18;
/// Places that are read at once.
const BLOCK: usize = 256;
const PLACE: usize = 16;
/// Bytes that most entries do not have.
const SHORT: usize = 512;

/// Entries one behind the other, each found by where it begins.
#[derive(Debug)]
pub struct Shelf {
    spool: Spool,
    file: Option<File>,
    /// Bytes in the file.
    laid: u64,
    fresh: Vec<u8>,
    most: usize,
}

impl Shelf {
    pub fn new(spool: &Spool) -> Self {
        Self {
            spool: spool.clone(),
            file: None,
            laid: 0,
            fresh: Vec::new(),
            most: BYTES,
        }
    }

    /// Keeps an entry; answers where it stands.
    pub fn put(&mut self, entry: &impl Serialize) -> Result<u64> {
        if self.fresh.len() >= self.most {
            self.lay()?;
        }
        let at = self.laid + self.fresh.len() as u64;
        let body = serde_json::to_vec(entry)?;
        let length = u32::try_from(body.len()).map_err(Error::internal)?;
        self.fresh.extend_from_slice(&length.to_le_bytes());
        self.fresh.extend_from_slice(&body);
        Ok(at)
    }

    fn lay(&mut self) -> Result<()> {
        let file = opened(&mut self.file, &self.spool)?;
        file.write_all_at(&self.fresh, self.laid)?;
        self.laid += self.fresh.len() as u64;
        self.fresh.clear();
        Ok(())
    }

    /// The entry that stands there.
    pub fn get<E: DeserializeOwned>(&self, at: u64) -> Result<E> {
        if let (Some(file), true) = (&self.file, at < self.laid) {
            let mut head = [0u8; SHORT];
            let read = file.read_at(&mut head, at)?;
            let length = length(&head[..read])?;
            if let Some(body) = head[..read].get(4..4 + length) {
                return Ok(serde_json::from_slice(body)?);
            }
            let mut body = vec![0u8; length];
            file.read_exact_at(&mut body, at + 4)?;
            return Ok(serde_json::from_slice(&body)?);
        }
        let at = usize::try_from(at.saturating_sub(self.laid)).map_err(Error::internal)?;
        let rest = self.fresh.get(at..).unwrap_or_default();
        let body = rest.get(4..4 + length(rest)?).ok_or_else(short)?;
        Ok(serde_json::from_slice(body)?)
    }
}

fn length(bytes: &[u8]) -> Result<usize> {
    let head = bytes.get(..4).and_then(|head| <[u8; 4]>::try_from(head).ok());
    usize::try_from(u32::from_le_bytes(head.ok_or_else(short)?)).map_err(Error::internal)
}

fn short() -> Error {
    Error::from(std::io::Error::from(std::io::ErrorKind::UnexpectedEof))
}

fn opened<'f>(file: &'f mut Option<File>, spool: &Spool) -> Result<&'f File> {
    let standing = match file.take() {
        Some(standing) => standing,
        None => spool.file()?,
    };
    Ok(file.insert(standing))
}

/// Where things stand, by their hash. What was put in first comes first.
#[derive(Debug)]
pub struct Places {
    spool: Spool,
    file: Option<File>,
    runs: Vec<Run>,
    fresh: Vec<(u64, u64)>,
    most: usize,
}

/// Places in the file, in order.
#[derive(Debug)]
struct Run {
    start: u64,
    count: usize,
    /// The first hash of each block.
    fences: Vec<u64>,
}

impl Places {
    /// `most` of them are put in order at once, sixteen bytes each, and stay in memory until then.
    pub fn new(spool: &Spool, most: usize) -> Self {
        Self {
            spool: spool.clone(),
            file: None,
            runs: Vec::new(),
            fresh: Vec::new(),
            most,
        }
    }

    pub fn put(&mut self, hash: u64, at: u64) -> Result<()> {
        self.fresh.push((hash, at));
        if self.fresh.len() >= self.most {
            self.lay()?;
        }
        Ok(())
    }

    /// Puts what stays in memory in order; nothing is found before.
    pub fn settle(&mut self) {
        self.fresh.sort_unstable();
    }

    /// Lays what stays in memory down.
    pub fn lay(&mut self) -> Result<()> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        self.fresh.sort_unstable();
        let start = self.runs.last().map_or(0, |run| run.start + (run.count * PLACE) as u64);
        let mut bytes = Vec::with_capacity(self.fresh.len() * PLACE);
        for (hash, at) in &self.fresh {
            bytes.extend_from_slice(&hash.to_le_bytes());
            bytes.extend_from_slice(&at.to_le_bytes());
        }
        opened(&mut self.file, &self.spool)?.write_all_at(&bytes, start)?;
        let fences = self.fresh.chunks(BLOCK).map(|block| block[0].0).collect();
        self.runs.push(Run {
            start,
            count: self.fresh.len(),
            fences,
        });
        self.fresh.clear();
        Ok(())
    }

    /// Everything that was put there under a hash, in the order in which it was.
    pub fn find(&self, hash: u64) -> Result<Vec<u64>> {
        let mut found = Vec::new();
        if let Some(file) = &self.file {
            for run in &self.runs {
                run.find(file, hash, &mut found)?;
            }
        }
        take(&self.fresh, hash, &mut found);
        Ok(found)
    }
}

/// Those of a hash among places in order.
fn take(places: &[(u64, u64)], hash: u64, found: &mut Vec<u64>) {
    let from = places.partition_point(|(other, _)| *other < hash);
    let same = places[from..].iter().take_while(|(other, _)| *other == hash);
    found.extend(same.map(|(_, at)| *at));
}

impl Run {
    fn find(&self, file: &File, hash: u64, found: &mut Vec<u64>) -> Result<()> {
        // The block before the first that begins with the hash or behind it may end with it.
        let first = self.fences.partition_point(|fence| *fence < hash).saturating_sub(1);
        for (block, fence) in self.fences.iter().enumerate().skip(first) {
            if *fence > hash {
                break;
            }
            let count = BLOCK.min(self.count - block * BLOCK);
            let mut bytes = vec![0u8; count * PLACE];
            file.read_exact_at(&mut bytes, self.start + (block * BLOCK * PLACE) as u64)?;
            let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).unwrap_or_default();
            let places: Vec<(u64, u64)> = bytes
                .chunks_exact(PLACE)
                .map(|place| (number(&place[..8]), number(&place[8..])))
                .collect();
            take(&places, hash, found);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_laid_down_is_found_as_what_was_not() {
        let spool = Spool::at(std::env::temp_dir());
        let mut shelf = Shelf {
            most: 200,
            ..Shelf::new(&spool)
        };
        let mut places = Places::new(&spool, 700);
        let text = |n: u64| format!("{n} {}", "x".repeat(if n.is_multiple_of(50) { 2_000 } else { 7 }));
        let mut starts = Vec::new();
        for n in 0..5_000u64 {
            let at = shelf.put(&text(n)).unwrap();
            starts.push(at);
            // Some hashes have very many, over blocks and runs.
            places.put(if n % 3 == 0 { 3_000 } else { n }, at).unwrap();
        }
        places.settle();
        assert!(shelf.file.is_some() && places.runs.len() == 7);
        for (n, at) in (0..).zip(&starts) {
            assert_eq!(shelf.get::<String>(*at).unwrap(), text(n));
            if n % 3 != 0 {
                assert_eq!(places.find(n).unwrap(), [*at], "{n}");
            }
        }
        let many: Vec<u64> = starts.iter().step_by(3).copied().collect();
        assert_eq!(places.find(3_000).unwrap(), many);
        assert!(places.find(6_000).unwrap().is_empty() && places.find(3).unwrap().is_empty());
    }
}
