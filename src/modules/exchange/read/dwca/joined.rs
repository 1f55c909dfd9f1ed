//! The rows of the extensions, laid down so that those of one core row are found at once: one file without a name, and in
//! memory sixteen bytes a row.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;

use serde_json::{Map, Value};

use super::super::Spool;
use crate::kernel::error::{Code, Error, Result};

/// Rows of all extensions together.
const MAX_ROWS: usize = 10_000_000;
/// Rows that belong to one row of the core.
const MAX_OF_ONE: usize = 10_000;

/// Rows that are being laid down.
pub(super) struct Gathering {
    file: BufWriter<File>,
    at: u64,
    hasher: RandomState,
    /// Of the id, and where the row stands.
    places: Vec<(u64, u64)>,
}

impl Gathering {
    pub(super) fn new(spool: &Spool) -> Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(256 * 1024, spool.file()?),
            at: 0,
            hasher: RandomState::new(),
            places: Vec::new(),
        })
    }

    /// Lays a row of the extension with this number down.
    pub(super) fn add(&mut self, extension: u16, id: &str, row: &Map<String, Value>) -> Result<()> {
        if self.places.len() >= MAX_ROWS {
            let words = format!(
                "The extensions of the archive have more than {MAX_ROWS} rows together. Import them one by one: say which file (entry)."
            );
            return Err(Error::new(Code::TooLarge, words));
        }
        let mut body = Vec::with_capacity(256);
        body.extend_from_slice(&extension.to_le_bytes());
        body.extend_from_slice(&(id.len() as u32).to_le_bytes());
        body.extend_from_slice(id.as_bytes());
        serde_json::to_writer(&mut body, row)?;
        self.places.push((self.hasher.hash_one(id), self.at));
        self.file.write_all(&(body.len() as u64).to_le_bytes())?;
        self.file.write_all(&body)?;
        self.at += 8 + body.len() as u64;
        Ok(())
    }

    pub(super) fn done(mut self) -> Result<Joined> {
        self.file.flush()?;
        let file = self
            .file
            .into_inner()
            .map_err(|error| Error::from(error.into_error()))?;
        self.places.sort_unstable();
        Ok(Joined {
            file,
            hasher: self.hasher,
            asked: vec![false; self.places.len()],
            places: self.places,
        })
    }
}

/// Rows that can be asked for.
pub(super) struct Joined {
    file: File,
    hasher: RandomState,
    places: Vec<(u64, u64)>,
    asked: Vec<bool>,
}

impl Joined {
    /// The rows of a core row, as they stood, each with the number of its extension; `Err` with words where there are too
    /// many for one record.
    pub(super) fn of(&mut self, id: &str) -> Result<std::result::Result<Vec<(u16, Value)>, String>> {
        let hash = self.hasher.hash_one(id);
        let first = self.places.partition_point(|(other, _)| *other < hash);
        let mut rows = Vec::new();
        for index in first..self.places.len() {
            let (other, at) = self.places[index];
            if other != hash {
                break;
            }
            let (extension, of, body) = self.read(at)?;
            if of != id {
                continue;
            }
            self.asked[index] = true;
            if rows.len() == MAX_OF_ONE {
                return Ok(Err(format!(
                    "More than {MAX_OF_ONE} rows of the extensions belong to it. Import them by themselves: say which file (entry)."
                )));
            }
            rows.push((extension, serde_json::from_slice(&body)?));
        }
        Ok(Ok(rows))
    }

    fn read(&self, at: u64) -> Result<(u16, String, Vec<u8>)> {
        let mut length = [0u8; 8];
        self.file.read_exact_at(&mut length, at)?;
        let mut body = vec![0u8; usize::try_from(u64::from_le_bytes(length)).unwrap_or(0)];
        self.file.read_exact_at(&mut body, at + 8)?;
        let torn = || Error::internal(anyhow::anyhow!("a row that was laid down is torn"));
        let (extension, rest) = body.split_first_chunk::<2>().ok_or_else(torn)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(torn)?;
        let (id, json) = rest
            .split_at_checked(u32::from_le_bytes(*length) as usize)
            .ok_or_else(torn)?;
        let id = String::from_utf8_lossy(id).into_owned();
        Ok((u16::from_le_bytes(*extension), id, json.to_vec()))
    }

    /// Rows that nobody asked for.
    pub(super) fn left(&self) -> usize {
        self.asked.iter().filter(|asked| !**asked).count()
    }
}
