//! Blobs: imported files, reports, exports, snapshots. Kept once by the SHA-256 of their content, zstd-compressed, in a
//! folder (later: S3).
//!
//! A blob is written under a temporary name and gets its own only when it is whole and on the disk: nobody ever sees half
//! of one. It goes only through [`Blobs::release`], when nobody holds it. Knows nothing of what the bytes mean.

mod keep;
mod sweep;
#[cfg(test)]
mod tests;

use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use object_store::path::Path as Key;
use object_store::{GetResultPayload, MultipartUpload, ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::error::{Code, Error, Result};
use super::id::new_id;

pub use keep::{Holder, Swept};
pub use sweep::{handler, schedule, sweep};

/// Bytes hashed and compressed in one go, short enough not to hold up other tasks.
const CHUNK: usize = 64 * 1024;
/// Bytes per part of an upload; S3 takes no smaller ones but the last.
const PART: usize = 5 * 1024 * 1024;
/// Left-overs of writers that were killed are removed after this time.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// The blob store. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    root: PathBuf,
    holders: Arc<RwLock<Vec<Arc<dyn Holder>>>>,
}

/// A stored blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    /// The SHA-256 of the content as 64 hexadecimal digits.
    pub id: String,
    /// Bytes of the content, before compression.
    pub bytes: u64,
}

impl Blobs {
    /// Blobs in a local folder.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn local(folder: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(folder.join("tmp"))?;
        clear_left_overs(&folder.join("tmp"))?;
        keep::bring_back(&folder)?;
        let store = object_store::local::LocalFileSystem::new_with_prefix(&folder)
            .map_err(from_store)?
            .with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            root: folder,
            holders: Arc::default(),
        })
    }

    /// Starts a blob. Nothing is left of it unless it is finished.
    ///
    /// # Errors
    /// What the store says.
    pub async fn writer(&self) -> Result<BlobWriter> {
        let key = Key::from_iter(["tmp", &new_id()]);
        let upload = self.store.put_multipart(&key).await.map_err(from_store)?;
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3)?;
        encoder.include_checksum(true)?;
        Ok(BlobWriter {
            blobs: self.clone(),
            key,
            upload,
            encoder,
            hasher: Sha256::new(),
            bytes: 0,
        })
    }

    /// Stores all that `reader` gives, at most `limit` bytes.
    ///
    /// # Errors
    /// `TooLarge` above the limit, `DiskFull`, what the reader says. Nothing is kept then.
    pub async fn put_stream(&self, mut reader: impl AsyncRead + Send + Unpin, limit: u64) -> Result<BlobInfo> {
        let mut writer = self.writer().await?;
        let mut chunk = vec![0u8; CHUNK];
        loop {
            let read = reader.read(&mut chunk).await?;
            if read == 0 {
                return writer.finish().await;
            }
            if writer.bytes + read as u64 > limit {
                writer.abandon().await?;
                return Err(Error::new(
                    Code::TooLarge,
                    format!("This is larger than {limit} bytes, the most that is taken."),
                ));
            }
            writer.write(&chunk[..read]).await?;
        }
    }

    /// Opens a blob for reading its content. The reader blocks: use it on a thread of its own.
    ///
    /// # Errors
    /// `NotFound`, or what the store says.
    pub async fn open(&self, id: &str) -> Result<Box<dyn Read + Send>> {
        let place = key(id)?;
        let mut found = self.store.get(&place).await;
        if matches!(found, Err(object_store::Error::NotFound { .. })) && self.fetch_back(id, &place).await? {
            found = self.store.get(&place).await;
        }
        let result = match found {
            Err(object_store::Error::NotFound { .. }) => return Err(Error::not_found("blob", id)),
            other => other.map_err(from_store)?,
        };
        let packed: Box<dyn Read + Send> = match result.payload {
            GetResultPayload::File(file, _) => Box::new(file),
            GetResultPayload::Stream(stream) => Box::new(SyncIoBridge::new(StreamReader::new(Box::pin(
                futures_util::TryStreamExt::map_err(stream, io::Error::other),
            )))),
        };
        Ok(Box::new(zstd::stream::read::Decoder::new(packed)?))
    }

    /// The content in pieces, for an answer's body.
    ///
    /// # Errors
    /// As [`Blobs::open`].
    pub async fn stream(&self, id: &str) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>> {
        let mut reader = self.open(id).await?;
        let (sender, receiver) = tokio::sync::mpsc::channel(4);
        tokio::task::spawn_blocking(move || {
            loop {
                let mut chunk = vec![0u8; CHUNK];
                let piece = match reader.read(&mut chunk) {
                    Ok(0) => return,
                    Ok(read) => {
                        chunk.truncate(read);
                        Ok(Bytes::from(chunk))
                    }
                    Err(error) => Err(error),
                };
                let failed = piece.is_err();
                if sender.blocking_send(piece).is_err() || failed {
                    return;
                }
            }
        });
        Ok(futures_util::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|p| (p, receiver))
        }))
    }

    /// True if there is such a blob.
    ///
    /// # Errors
    /// What the store says.
    pub async fn exists(&self, id: &str) -> Result<bool> {
        let Ok(key) = key(id) else { return Ok(false) };
        match self.store.head(&key).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(from_store(error)),
        }
    }

    /// Bytes that a blob takes in the store, compressed.
    ///
    /// # Errors
    /// `NotFound`, or what the store says.
    pub async fn stored_bytes(&self, id: &str) -> Result<u64> {
        match self.store.head(&key(id)?).await {
            Err(object_store::Error::NotFound { .. }) => Err(Error::not_found("blob", id)),
            other => Ok(other.map_err(from_store)?.size),
        }
    }

    /// Where a blob lies, for reports. The file is zstd-compressed.
    ///
    /// # Errors
    /// `NotFound` for a text that is no blob's id.
    pub fn path(&self, id: &str) -> Result<PathBuf> {
        Ok(self.root.join(key(id)?.as_ref()))
    }
}

/// A blob in the making.
pub struct BlobWriter {
    blobs: Blobs,
    key: Key,
    upload: Box<dyn MultipartUpload>,
    encoder: zstd::stream::write::Encoder<'static, Vec<u8>>,
    hasher: Sha256,
    bytes: u64,
}

impl BlobWriter {
    /// Bytes so far, before compression.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// `DiskFull`, or what the store says.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        for chunk in bytes.chunks(CHUNK) {
            self.hasher.update(chunk);
            self.encoder.write_all(chunk)?;
            self.bytes += chunk.len() as u64;
            if self.encoder.get_ref().len() >= PART {
                let part = std::mem::take(self.encoder.get_mut());
                self.upload.put_part(part.into()).await.map_err(from_store)?;
            }
        }
        Ok(())
    }

    /// Takes back what was written so far, at once. A writer that is dropped does so a little later.
    async fn abandon(mut self) -> Result<()> {
        self.upload.abort().await.map_err(from_store)
    }

    /// Makes the blob what it is: from here on it has its id and survives a power cut.
    ///
    /// # Errors
    /// `DiskFull`, or what the store says; then nothing is kept.
    pub async fn finish(mut self) -> Result<BlobInfo> {
        let rest = self.encoder.finish()?;
        self.upload.put_part(rest.into()).await.map_err(from_store)?;
        self.upload.complete().await.map_err(from_store)?;
        let id = hex::encode(self.hasher.finalize());
        // Also over the same content: from its time it is told that somebody has brought it just now.
        self.blobs
            .store
            .rename(&self.key, &key(&id)?)
            .await
            .map_err(from_store)?;
        Ok(BlobInfo { id, bytes: self.bytes })
    }
}

/// The place of a blob: two levels, so that no folder grows too long.
fn key(id: &str) -> Result<Key> {
    let sound = id.len() == 64 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !sound {
        return Err(Error::not_found("blob", id));
    }
    Ok(Key::from_iter([&id[..2], &format!("{id}.zst")]))
}

fn clear_left_overs(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let age = entry
            .metadata()
            .and_then(|m| m.modified())
            .ok()
            .and_then(|t| t.elapsed().ok());
        if age.is_some_and(|age| age > STALE) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A full disk is the one failure of the store that people can do something about: it keeps its own code.
fn from_store(error: object_store::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(source) = cause {
        if source
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::StorageFull)
        {
            return Error::from(io::Error::from(io::ErrorKind::StorageFull)).caused_by(error);
        }
        cause = source.source();
    }
    Error::internal(error)
}
