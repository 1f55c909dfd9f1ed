//! Snapshots of the index in the blob store: a process that finds no index of its own starts from the newest one and
//! follows from there, instead of reading everything.
//!
//! Taken in turn by the processes of one database, beside the following; a few are kept. One that is damaged, of another
//! schema or of another database is passed over, and the index is built.

use std::fs::{self, File};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tantivy::IndexMeta;
use tokio::io::AsyncReadExt;

use super::follow::{Follower, blocking};
use super::schema::SCHEMA_VERSION;
use super::store::{self, Payload};
use super::{Inner, locked};
use crate::kernel::blobs::{BlobWriter, Blobs, Holder};
use crate::kernel::db::{Db, Write, sql};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ledger;

/// Snapshots kept: the newest, and one that somebody may be reading.
const KEPT: usize = 2;
/// How often it is looked whose turn it is.
pub(super) const LOOK: Duration = Duration::from_secs(60);
const META: &str = "meta.json";
/// What tantivy takes care of itself, so that it removes these files when they are merged.
const MANAGED: &str = ".managed.json";
const MAX_NAME: usize = 255;
const CHUNK: usize = 64 * 1024;

/// Where snapshots go, and how often one is taken.
pub(super) struct Keeper {
    pub blobs: Blobs,
    pub every: Duration,
}

/// A snapshot as the database knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub blob: String,
    pub of: Payload,
}

/// Holds the snapshots that are kept.
pub struct Snapshots(pub Db);

#[async_trait]
impl Holder for Snapshots {
    fn name(&self) -> &'static str {
        "search"
    }
    async fn holds(&self, ids: &[String]) -> Result<Vec<String>> {
        let kept = list(&self.0).await?.into_iter().map(|snapshot| snapshot.blob);
        Ok(kept.filter(|blob| ids.contains(blob)).collect())
    }
}

/// All snapshots, the newest first.
pub(super) async fn list(db: &Db) -> Result<Vec<Snapshot>> {
    let stored: Option<(String,)> = sql("SELECT value FROM fact WHERE name = 'search.snapshots'")
        .opt(db)
        .await?;
    // A list of another version of the program is no list: what it names is only derived.
    Ok(stored
        .and_then(|(text,)| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

/// Whether it is this process's turn. Only one of all gets it within the time.
async fn is_turn(db: &Db, now: i64, every: Duration) -> Result<bool> {
    let before = now - i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    let turn = db.write(Write::interactive("search.snapshot"), |tx| {
        Box::pin(async move {
            let mine: Option<(String,)> = sql("INSERT INTO fact (name, value) VALUES ('search.snapshot', $1) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value \
                 WHERE CAST(fact.value AS BIGINT) <= $2 RETURNING value")
            .bind(now.to_string())
            .bind(before)
            .opt(tx)
            .await?;
            Ok(mine.is_some())
        })
    });
    turn.await
}

/// Takes a snapshot if it is this process's turn and there is something new. `meta` keeps its files from being removed.
pub(super) async fn take(inner: Arc<Inner>, db: Db, path: PathBuf, meta: IndexMeta) -> Result<()> {
    let Some(keeper) = inner.keeper.get() else {
        return Ok(());
    };
    let of: Option<Payload> = meta.payload.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let Some(of) = of.filter(|of| !of.database.is_empty()) else {
        return Ok(());
    };
    let newest = list(&db).await?.into_iter().next();
    if newest.is_some_and(|newest| newest.of == of) || !is_turn(&db, inner.clock.now(), keeper.every).await? {
        return Ok(());
    }
    let mut writer = keeper.blobs.writer().await?;
    let mut managed = vec![META.to_owned()];
    for file in meta.list_segment_files() {
        // Not every segment has each kind of file.
        if let Ok(mut content) = tokio::fs::File::open(path.join(&file)).await {
            let name = file.to_string_lossy().into_owned();
            let length = content.metadata().await?.len();
            head(&mut writer, &name, length).await?;
            let (mut chunk, mut left) = (vec![0; CHUNK], length);
            while left > 0 {
                let read = content.read(&mut chunk).await?;
                if read == 0 {
                    return Err(Error::internal(anyhow::anyhow!("{name} became shorter")));
                }
                writer.write(&chunk[..read]).await?;
                left = left.saturating_sub(read as u64);
            }
            managed.push(name);
        }
    }
    for (name, text) in [
        (MANAGED, serde_json::to_vec(&managed)?),
        (META, serde_json::to_vec(&meta)?),
    ] {
        head(&mut writer, name, text.len() as u64).await?;
        writer.write(&text).await?;
    }
    let blob = writer.finish().await?.id;
    let (at, taken) = (of.at(), blob.clone());
    let dropped = put_first(&db, Snapshot { blob, of }).await?;
    for old in dropped {
        keeper.blobs.release(&old).await?;
    }
    tracing::info!(blob = taken, position = %at, "a snapshot of the search index was taken");
    Ok(())
}

/// A name and a length go before each content.
async fn head(writer: &mut BlobWriter, name: &str, length: u64) -> Result<()> {
    let mut head = u16::try_from(name.len())
        .map_err(Error::internal)?
        .to_be_bytes()
        .to_vec();
    head.extend(name.as_bytes());
    head.extend(length.to_be_bytes());
    writer.write(&head).await
}

/// Puts a snapshot before all others; answers with the blobs that are not kept any more.
async fn put_first(db: &Db, newest: Snapshot) -> Result<Vec<String>> {
    let newest = &newest;
    db.write(Write::interactive("search.snapshots"), |tx| {
        Box::pin(async move {
            tx.lock("search.snapshots").await?;
            let stored: Option<(String,)> = sql("SELECT value FROM fact WHERE name = 'search.snapshots'")
                .opt(&mut *tx)
                .await?;
            let known: Vec<Snapshot> = stored
                .and_then(|(text,)| serde_json::from_str(&text).ok())
                .unwrap_or_default();
            let mut all = vec![newest.clone()];
            all.extend(known);
            let kept: Vec<Snapshot> = all.iter().take(KEPT).cloned().collect();
            sql("INSERT INTO fact (name, value) VALUES ('search.snapshots', $1) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .bind(serde_json::to_string(&kept)?)
            .exec(tx)
            .await?;
            let dropped = all.into_iter().skip(KEPT).map(|old| old.blob);
            Ok(dropped
                .filter(|blob| kept.iter().all(|kept| kept.blob != *blob))
                .collect())
        })
    })
    .await
}

impl Follower {
    /// Puts the newest snapshot that fits in the place of the index; false where there is none.
    pub(super) async fn restore(&self, database: &str) -> Result<bool> {
        let Some(keeper) = self.inner.keeper.get() else {
            return Ok(false);
        };
        let head = ledger::head(&self.db).await?;
        for snapshot in list(&self.db).await? {
            let fits = |of: &Payload| of.schema == SCHEMA_VERSION && of.database == database && of.at() <= head;
            if !fits(&snapshot.of) {
                continue;
            }
            let content = keeper.blobs.open(&snapshot.blob).await;
            let (inner, blob) = (self.inner.clone(), snapshot.blob.clone());
            let put = match content {
                Ok(content) => blocking(move || put_in_place(&inner, content, &blob)).await,
                Err(error) => Err(error),
            };
            match put {
                Ok(()) => {
                    tracing::info!(blob = snapshot.blob, position = %snapshot.of.at(), "the search index starts from a snapshot");
                    return Ok(true);
                }
                Err(error) => {
                    tracing::warn!(blob = snapshot.blob, %error, "a snapshot of the search index cannot be used");
                }
            }
        }
        Ok(false)
    }
}

/// Unpacks a snapshot beside everything and makes it the index in use, if it is whole.
fn put_in_place(inner: &Inner, content: Box<dyn Read + Send>, blob: &str) -> Result<()> {
    let mut slot = locked(&inner.slot);
    slot.heal()?;
    let path = slot.fresh()?;
    let unpacked = unpack(content, blob, &path).and_then(|()| {
        store::open(&path, &inner.fields)
            .map(drop)
            .ok_or_else(|| Error::new(Code::Internal, "It is no index of this version."))
    });
    match unpacked {
        Ok(()) => slot.switch(&path),
        Err(error) => {
            fs::remove_dir_all(&path)?;
            Err(error)
        }
    }
}

fn unpack(content: Box<dyn Read + Send>, blob: &str, folder: &Path) -> Result<()> {
    let mut content = Hashed {
        content,
        hash: Sha256::new(),
    };
    let damaged = || Error::new(Code::Internal, "It is damaged.");
    loop {
        let mut short = [0; 2];
        // The end is where no further name begins.
        match content.read(&mut short)? {
            0 => break,
            1 => content.read_exact(&mut short[1..])?,
            _ => {}
        }
        let mut name = vec![0; usize::from(u16::from_be_bytes(short)).min(MAX_NAME)];
        content.read_exact(&mut name)?;
        let mut length = [0; 8];
        content.read_exact(&mut length)?;
        let length = u64::from_be_bytes(length);
        let name = String::from_utf8(name).map_err(|_| damaged())?;
        // Files of an index stand beside one another; any other name would lead elsewhere.
        let sound = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        if !sound || name.is_empty() || name == ".." || name == "." {
            return Err(damaged());
        }
        let mut file = File::create(folder.join(&name))?;
        if std::io::copy(&mut (&mut content).take(length), &mut file)? != length {
            return Err(damaged());
        }
        file.flush()?;
        file.sync_all()?;
    }
    if hex::encode(content.hash.finalize()) != blob {
        return Err(damaged());
    }
    Ok(())
}

/// Computes what the content's id must be.
struct Hashed {
    content: Box<dyn Read + Send>,
    hash: Sha256,
}

impl Read for Hashed {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.content.read(into)?;
        self.hash.update(&into[..read]);
        Ok(read)
    }
}
