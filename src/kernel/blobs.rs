//! Blobs: imported files, reports, exports, snapshots. Kept by digest, zstd-compressed, in a folder (later: S3).

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;

use super::error::Result;

/// The blob store. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    #[expect(dead_code, reason = "filled in with the room")]
    store: Arc<dyn ObjectStore>,
    #[expect(dead_code, reason = "filled in with the room")]
    root: PathBuf,
}

impl Blobs {
    /// Blobs in a local folder.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn local(folder: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let store =
            object_store::local::LocalFileSystem::new_with_prefix(&folder).map_err(super::error::Error::internal)?;
        Ok(Self {
            store: Arc::new(store),
            root: folder,
        })
    }
}
