//! What stands between a file and its reader: unpacking with limits on size and ratio, and errors that keep their words.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, Result};

/// Unpacked bytes below which the ratio is not looked at: short files of one letter are no attack.
pub(super) const RATIO_FREE: u64 = 8 * 1024 * 1024;

/// Counts what passes.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Ends the reading at the limits.
struct Guard<R> {
    inner: R,
    packed: Option<Arc<AtomicU64>>,
    unpacked: u64,
    max_bytes: u64,
    max_ratio: u64,
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self.inner.read(buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) if self.packed.is_some() => {
                let words =
                    "The gzip data is damaged or cut short. Check that the file is complete, then import it again.";
                return Err(io::Error::other(Error::new(Code::Invalid, words).caused_by(error)));
            }
            Err(error) => return Err(error),
        };
        self.unpacked += read as u64;
        if self.unpacked > self.max_bytes {
            let words = format!(
                "The file unpacks to more than {} bytes. Split it, or raise import.max_bytes.",
                self.max_bytes
            );
            return Err(io::Error::other(Error::new(Code::TooLarge, words)));
        }
        if let Some(packed) = &self.packed {
            let packed = packed.load(Ordering::Relaxed).max(1);
            if self.unpacked > RATIO_FREE && self.unpacked / packed > self.max_ratio {
                let words = format!(
                    "The file unpacks to more than {} times its size, as no collection does. If it is right, unpack it first, \
                     or raise import.max_ratio.",
                    self.max_ratio
                );
                return Err(io::Error::other(Error::new(Code::TooLarge, words)));
            }
        }
        Ok(read)
    }
}

/// The plain content of a file that may be gzipped, in one member or many; and whether it is.
pub(super) fn unpack(
    input: Box<dyn Read + Send>,
    limits: &Limits,
    count: Arc<AtomicU64>,
) -> Result<(Box<dyn Read + Send>, bool)> {
    let mut input = Counted {
        inner: input,
        count: count.clone(),
    };
    let mut magic = Vec::new();
    input.by_ref().take(2).read_to_end(&mut magic).map_err(from_read)?;
    let packed = magic == [0x1f, 0x8b];
    let whole = Cursor::new(magic).chain(input);
    let (max_bytes, max_ratio) = (limits.max_bytes, limits.max_ratio.max(1));
    if packed {
        let inner = flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(64 * 1024, whole));
        let guard = Guard {
            inner,
            packed: Some(count),
            unpacked: 0,
            max_bytes,
            max_ratio,
        };
        return Ok((Box::new(guard), true));
    }
    let guard = Guard {
        inner: whole,
        packed: None,
        unpacked: 0,
        max_bytes,
        max_ratio,
    };
    Ok((Box::new(guard), false))
}

/// An error of reading, as the guard worded it where it did.
pub(super) fn from_read(error: io::Error) -> Error {
    if error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
        return match error.into_inner().map(|inner| inner.downcast::<Error>()) {
            Some(Ok(ours)) => *ours,
            _ => Error::internal(anyhow::anyhow!("an error of reading lost its cause")),
        };
    }
    Error::from(error)
}
