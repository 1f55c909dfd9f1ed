//! What keeps blobs: whoever refers to some is a holder and is asked before one goes.
//!
//! A blob is written before anything refers to it, and the same bytes may be brought at any moment. So only what was
//! brought long enough ago goes; it is put aside first, and put back if it turns out to be new or held by then.

use std::path::Path;
use std::sync::PoisonError;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{Arc, Blobs, from_store, key};
use crate::kernel::error::Result;
use crate::kernel::id::new_id;

/// From the writing of a blob to the commit of what refers to it there is less time than this.
const GRACE: Duration = Duration::from_secs(3600);
const ASIDE: &str = "trash";
/// Blobs that holders are asked about at once.
const MANY: usize = 200;

/// Somebody who refers to blobs.
#[async_trait]
pub trait Holder: Send + Sync {
    /// Stable: a house that knows of a holder which this program lacks does not sweep.
    fn name(&self) -> &'static str;
    /// Those of these blobs that it refers to, as the database stands now.
    async fn holds(&self, ids: &[String]) -> Result<Vec<String>>;
}

/// What a sweep came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub removed: u64,
    pub kept: u64,
}

impl Blobs {
    /// Asks this one, too, before a blob goes. While wiring.
    pub fn hold(&self, holder: Arc<dyn Holder>) {
        self.holders
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(holder);
    }

    /// Who holds blobs, by name.
    pub fn holders(&self) -> Vec<&'static str> {
        self.all().iter().map(|holder| holder.name()).collect()
    }

    fn all(&self) -> Vec<Arc<dyn Holder>> {
        self.holders.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Removes a blob that nobody holds, unless it is new; a sweep finds it then. Answers whether it is gone by this.
    ///
    /// # Errors
    /// What the store or a holder says; the blob is kept then.
    pub async fn release(&self, id: &str) -> Result<bool> {
        let (id, place) = (&[id.to_owned()], key(id)?);
        if !self.is_old(&place).await? || self.loose(id).await?.is_empty() {
            return Ok(false);
        }
        self.remove(&id[0], &place).await
    }

    /// Removes every blob that nobody holds and that is not new. `go_on` is asked now and then.
    ///
    /// # Errors
    /// As [`Blobs::release`], and what `go_on` says.
    pub async fn sweep(&self, go_on: impl Fn() -> Result<()>) -> Result<Swept> {
        let mut swept = Swept::default();
        let mut all = self.store.list(None);
        let mut old = Vec::with_capacity(MANY);
        loop {
            let next = all.try_next().await.map_err(from_store)?;
            let is_end = next.is_none();
            if let Some(found) = next
                && let Some(id) = id_of(&found.location)
            {
                swept.kept += 1;
                if is_before_grace(found.last_modified.into()) {
                    old.push(id);
                }
            }
            if old.len() >= MANY || (is_end && !old.is_empty()) {
                go_on()?;
                for id in self.loose(&old).await? {
                    if self.remove(&id, &key(&id)?).await? {
                        swept.removed += 1;
                        swept.kept -= 1;
                    }
                }
                old.clear();
            }
            if is_end {
                return Ok(swept);
            }
        }
    }

    /// Puts a blob aside and looks once more before it is gone for good.
    async fn remove(&self, id: &str, place: &Key) -> Result<bool> {
        let aside = Key::from_iter([ASIDE, &format!("{id}.{}", new_id())]);
        match self.store.rename(place, &aside).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            other => other.map_err(from_store)?,
        }
        // Whoever brings these bytes from here on puts them in their place anew.
        let goes = match self.is_old(&aside).await {
            Ok(true) => self.loose(&[id.to_owned()]).await.map(|loose| !loose.is_empty()),
            other => other,
        };
        let done = match goes {
            Ok(true) => self.store.delete(&aside).await,
            _ => self.store.rename(&aside, place).await,
        };
        match done {
            // A start of another process has brought it back already; the next sweep deals with it.
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            other => other.map_err(from_store)?,
        }
        goes
    }

    /// Puts back a blob that is aside at this moment: whoever reads it holds it, and is only a step ahead of the answer.
    pub(super) async fn fetch_back(&self, id: &str, place: &Key) -> Result<bool> {
        let mut aside = self.store.list(Some(&Key::from(ASIDE)));
        while let Some(found) = aside.try_next().await.map_err(from_store)? {
            if found.location.filename().is_some_and(|name| name.starts_with(id)) {
                return match self.store.rename(&found.location, place).await {
                    // It is back already, or gone for good.
                    Err(object_store::Error::NotFound { .. }) => Ok(true),
                    other => other.map(|()| true).map_err(from_store),
                };
            }
        }
        Ok(false)
    }

    /// Was it brought long enough ago, so that whoever brought it refers to it by now?
    async fn is_old(&self, place: &Key) -> Result<bool> {
        match self.store.head(place).await {
            Ok(meta) => Ok(is_before_grace(meta.last_modified.into())),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(from_store(error)),
        }
    }

    /// Those of these blobs that nobody holds.
    async fn loose(&self, ids: &[String]) -> Result<Vec<String>> {
        let mut loose = ids.to_vec();
        for holder in self.all() {
            if loose.is_empty() {
                break;
            }
            let held = holder.holds(&loose).await?;
            loose.retain(|id| !held.contains(id));
        }
        Ok(loose)
    }
}

/// A time in the future is a clock that was set back: it counts as new.
fn is_before_grace(time: SystemTime) -> bool {
    time.elapsed().is_ok_and(|age| age > GRACE)
}

/// The blob that lies here, if one does.
fn id_of(place: &Key) -> Option<String> {
    let id = place.filename()?.strip_suffix(".zst")?;
    (key(id).ok()? == *place).then(|| id.to_owned())
}

/// Puts back what a process had put aside that died before it had decided.
pub(super) fn bring_back(folder: &Path) -> Result<()> {
    let trash = folder.join(ASIDE);
    std::fs::create_dir_all(&trash)?;
    for entry in std::fs::read_dir(trash)? {
        let entry = entry?;
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.split('.').next());
        if let Some(place) = id.and_then(|id| key(id).ok()) {
            match std::fs::rename(entry.path(), folder.join(place.as_ref())) {
                // Another process was faster.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
    }
    Ok(())
}
