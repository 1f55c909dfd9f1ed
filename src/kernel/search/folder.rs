//! Where the index lies: `index/N` in the data folder, N the first number that no other process holds.
//!
//! Each build has a folder of its own beside the others; the file `current` names the one in use, so that a new build
//! takes over in one step. Everything here can be deleted at any time and is built again.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::new_id;

/// Processes with an index on one data folder.
const MAX_SLOTS: u32 = 64;

/// One process's place. The lock goes with it.
pub(super) struct Slot {
    path: PathBuf,
    lock: Lock,
}

/// A file that is locked. Let go of in so many words: a child that has just been started may still have the file open.
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // With the file closed the lock is gone in any case, a moment later.
        let _ = self.0.unlock();
    }
}

impl Slot {
    /// Takes the first free place.
    ///
    /// # Errors
    /// A folder that cannot be written; `Unavailable` when all places are taken.
    pub fn take(root: &Path) -> Result<Self> {
        for number in 0..MAX_SLOTS {
            if let Some(slot) = Self::lock(root.join("index").join(number.to_string()))? {
                return Ok(slot);
            }
        }
        Err(Error::new(
            Code::Unavailable,
            format!(
                "All {MAX_SLOTS} places for a search index in {} are taken.",
                root.display()
            ),
        ))
    }

    fn lock(path: PathBuf) -> Result<Option<Self>> {
        fs::create_dir_all(&path)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { path, lock: Lock(lock) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(source.into()),
        }
    }

    /// Makes the folder and its lock again after somebody deleted them.
    ///
    /// # Errors
    /// What the file system says; `Unavailable` when another process was faster.
    pub fn heal(&mut self) -> Result<()> {
        if self.path.join("lock").exists() {
            return Ok(());
        }
        match Self::lock(self.path.clone())? {
            Some(slot) => self.lock = slot.lock,
            None => {
                return Err(Error::new(
                    Code::Unavailable,
                    "Another process took the folder of the search index.",
                ));
            }
        }
        Ok(())
    }

    /// The build in use.
    pub fn current(&self) -> Option<PathBuf> {
        let name = fs::read_to_string(self.path.join("current")).ok()?;
        let name = name.trim();
        // The name is ours; anything else that got into the file must not lead elsewhere.
        let ours = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        Some(self.path.join(name)).filter(|path| ours && path.is_dir())
    }

    /// A new, empty folder for a build.
    ///
    /// # Errors
    /// What the file system says.
    pub fn fresh(&self) -> Result<PathBuf> {
        let path = self.path.join(new_id());
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Makes a build the one in use and removes all others.
    ///
    /// # Errors
    /// What the file system says.
    pub fn switch(&self, build: &Path) -> Result<()> {
        let name = build
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let next = self.path.join("current.next");
        fs::write(&next, format!("{name}\n"))?;
        File::open(&next)?.sync_all()?;
        fs::rename(&next, self.path.join("current"))?;
        self.clean(Some(build));
        Ok(())
    }

    /// Removes builds that are not in use: what an interrupted build left behind.
    pub fn clean(&self, keep: Option<&Path>) {
        let Ok(entries) = fs::read_dir(&self.path) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir()
                && Some(path.as_path()) != keep
                && let Err(error) = fs::remove_dir_all(&path)
            {
                tracing::warn!(path = %path.display(), %error, "an old search index could not be removed");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_although_a_child_still_has_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let slot = Slot::take(folder.path()).unwrap();
        let (path, child) = (slot.path.clone(), slot.lock.0.try_clone().unwrap());
        assert_ne!(Slot::take(folder.path()).unwrap().path, path);
        drop(slot);
        assert_eq!(Slot::take(folder.path()).unwrap().path, path);
        drop(child);
    }
}
