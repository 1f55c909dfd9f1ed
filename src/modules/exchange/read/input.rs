//! What a file is read from: a stream, and a place where it can be laid down when its reader has to jump about in it.
//!
//! Workbooks and archives have their table of contents at the end. Such a file is written into the data folder under a
//! name that is taken away at once: whatever happens to the process, nothing is left there.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::limit::from_read;
use crate::kernel::data::DataDir;
use crate::kernel::error::Result;
use crate::kernel::id::new_id;

/// Bytes copied at a time.
const CHUNK: usize = 256 * 1024;

/// A folder for files that have no name any more.
#[derive(Clone, Debug)]
pub struct Spool(PathBuf);

impl Spool {
    /// The one of the data folder. What a kill left between making a file and taking its name away is removed.
    ///
    /// # Errors
    /// A folder that cannot be made or read.
    pub fn of(data: &DataDir) -> Result<Self> {
        let folder = data.folder("spool")?;
        for entry in std::fs::read_dir(&folder)? {
            // Another process of a shared folder may be faster.
            let _ = std::fs::remove_file(entry?.path());
        }
        Ok(Self(folder))
    }

    #[cfg(test)]
    pub fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// An empty file without a name.
    pub(in crate::modules::exchange) fn file(&self) -> Result<File> {
        let path = self.0.join(new_id());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        match std::fs::remove_file(&path) {
            // Another process that starts clears the folder up.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(file),
        }
    }

    /// Lays a stream down.
    pub(super) fn keep(&self, mut input: impl Read) -> Result<File> {
        let mut file = self.file()?;
        let mut chunk = vec![0u8; CHUNK];
        loop {
            let read = match input.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(from_read(error)),
            };
            file.write_all(&chunk[..read])?;
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }
}

/// A file to be read, from its beginning.
pub struct Input {
    pub stream: Box<dyn Read + Send>,
    pub spool: Spool,
}
