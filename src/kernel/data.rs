//! The data folder: all local state, one place. Owned by one process on SQLite, shared on PostgreSQL.
//!
//! It carries a marker of its format, so that a folder of something else is never filled by mistake, and a lock that the
//! operating system takes back by itself when a process dies.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::{Code, Error, Result};

/// The form of the folder. A program refuses folders of a later one.
const FORMAT: u32 = 1;
const MARKER: &str = "format";
const MARKER_TEXT: &str = "vitrine data folder, format ";
const LOCK: &str = "lock";
/// What may lie in a folder that has no marker yet: a fresh volume, a database that was copied in.
const HARMLESS: &[&str] = &["lost+found", LOCK, MARKER, "run", "index", "blobs"];

/// See the module's text. Holds the folder's lock while it lives.
pub struct DataDir {
    root: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens the folder, makes what is missing (0700), checks the format marker and takes the lock.
    ///
    /// # Errors
    /// A folder that cannot be written; another process that holds it; a folder of something else; a newer format.
    pub fn open(root: &Path, exclusive: bool) -> Result<Self> {
        private_folder(root).map_err(|e| unwritable(root, e))?;
        let root = root.canonicalize().map_err(|e| unwritable(root, e))?;
        check_marker(&root)?;
        let lock = lock(&root, exclusive)?;
        let data = Self { root, _lock: lock };
        for name in ["index", "blobs"] {
            data.folder(name)?;
        }
        data.run()?;
        Ok(data)
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
        private_folder(&path).map_err(|e| unwritable(&path, e))?;
        Ok(path)
    }

    /// The folder of control sockets. Whoever can enter it is the operator, so it is closed to everybody else even when
    /// somebody has opened it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn run(&self) -> Result<PathBuf> {
        let path = self.folder("run")?;
        let mode = std::fs::metadata(&path)?.permissions().mode() & 0o777;
        if mode != 0o700 {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
                .map_err(|e| unwritable(&path, e))?;
        }
        Ok(path)
    }
}

fn private_folder(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return error.into();
    }
    if path.is_file() {
        let text = format!(
            "The data folder {} is a file. Name a folder with --data or APP__DATA__DIR.",
            path.display()
        );
        return Error::new(Code::Unavailable, text).caused_by(error);
    }
    let text = format!(
        "The data folder {} cannot be written: {error}. Make it writable for this user, or name another one with --data \
         or APP__DATA__DIR.",
        path.display()
    );
    Error::new(Code::Unavailable, text).caused_by(error)
}

fn check_marker(root: &Path) -> Result<()> {
    let path = root.join(MARKER);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return write_marker(root),
        Err(e) => return Err(unwritable(root, e)),
    };
    let format: Option<u32> = text.trim().strip_prefix(MARKER_TEXT).and_then(|n| n.parse().ok());
    match format {
        Some(FORMAT) => Ok(()),
        Some(newer) => Err(Error::new(
            Code::Conflict,
            format!(
                "The data folder {} has format {newer}, but this program knows format {FORMAT}: it was made by a newer \
                 one. Use that, or another folder.",
                root.display()
            ),
        )),
        None => Err(foreign(root, MARKER)),
    }
}

fn write_marker(root: &Path) -> Result<()> {
    for entry in std::fs::read_dir(root).map_err(|e| unwritable(root, e))? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with('.') && !name.starts_with("vitrine.db") && !HARMLESS.contains(&&*name) {
            return Err(foreign(root, &name));
        }
    }
    // Written beside and renamed, so that a second process never reads half a marker.
    let beside = root.join(format!(".format.{}", std::process::id()));
    std::fs::write(&beside, format!("{MARKER_TEXT}{FORMAT}\n"))
        .and_then(|()| std::fs::rename(&beside, root.join(MARKER)))
        .map_err(|e| unwritable(root, e))
}

fn foreign(root: &Path, name: &str) -> Error {
    let text = format!(
        "The folder {} holds \"{name}\" and is not a data folder of Vitrine. Name an empty or a new one with --data or \
         APP__DATA__DIR.",
        root.display()
    );
    Error::new(Code::Conflict, text)
}

fn lock(root: &Path, exclusive: bool) -> Result<File> {
    let path = root.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|e| unwritable(root, e))?;
    let taken = if exclusive {
        file.try_lock()
    } else {
        file.try_lock_shared()
    };
    match taken {
        Ok(()) => {
            file.set_len(0).map_err(|e| unwritable(root, e))?;
            file.write_all(format!("{}\n", std::process::id()).as_bytes())
                .map_err(|e| unwritable(root, e))?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The holder's number is a help, not a need.
            let _ = file.read_to_string(&mut holder);
            let holder = holder.trim();
            let holder = if holder.is_empty() {
                "another process".to_owned()
            } else {
                format!("the process {holder}")
            };
            let text = format!(
                "The data folder {} is in use by {holder}. SQLite serves one process: stop that one, use its commands \
                 (they reach it by themselves), or set database.url to PostgreSQL for several.",
                root.display()
            );
            Err(Error::new(Code::Conflict, text).with("in_use", true))
        }
        Err(TryLockError::Error(e)) => Err(unwritable(root, e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(root: &Path, exclusive: bool) -> String {
        match DataDir::open(root, exclusive) {
            Ok(_) => panic!("the folder must be refused"),
            Err(error) => error.detail().to_owned(),
        }
    }

    #[test]
    fn a_new_folder_is_private_and_marked() {
        let parent = tempfile::tempdir().expect("a folder");
        let root = parent.path().join("house/data");
        let data = DataDir::open(&root, true).expect("a new folder");
        for folder in ["", "run", "index", "blobs"] {
            let mode = std::fs::metadata(root.join(folder))
                .expect("it is there")
                .permissions()
                .mode()
                & 0o777;
            assert_eq!(mode, 0o700, "{folder}");
        }
        drop(data);
        std::fs::set_permissions(root.join("run"), std::fs::Permissions::from_mode(0o755)).expect("opened");
        drop(DataDir::open(&root, true).expect("again"));
        let mode = std::fs::metadata(root.join("run"))
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777;
        assert_eq!(mode, 0o700);
    }

    #[test]
    fn one_process_alone_or_several_together() {
        let parent = tempfile::tempdir().expect("a folder");
        let alone = DataDir::open(parent.path(), true).expect("the first");
        let text = detail(parent.path(), true);
        assert!(
            text.contains(&std::process::id().to_string()) && text.contains("in use"),
            "{text}"
        );
        assert!(detail(parent.path(), false).contains("in use"));
        drop(alone);
        let one = DataDir::open(parent.path(), false).expect("shared");
        let two = DataDir::open(parent.path(), false).expect("shared too");
        assert!(detail(parent.path(), true).contains("in use"));
        drop((one, two));
        DataDir::open(parent.path(), true).expect("free again");
    }

    #[test]
    fn folders_of_others_and_of_later_programs_are_refused() {
        let parent = tempfile::tempdir().expect("a folder");
        std::fs::write(parent.path().join("thesis.odt"), "x").expect("a file");
        assert!(detail(parent.path(), true).contains("thesis.odt"));
        assert!(!parent.path().join(LOCK).exists());
        let parent = tempfile::tempdir().expect("a folder");
        std::fs::write(parent.path().join(MARKER), "vitrine data folder, format 9\n").expect("a file");
        assert!(detail(parent.path(), true).contains("format 9"));
    }

    #[test]
    fn a_folder_that_cannot_be_made_says_so() {
        assert!(detail(Path::new("/proc/vitrine-data"), true).contains("/proc/vitrine-data cannot be written"));
    }
}
