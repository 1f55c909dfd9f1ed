//! The control socket `run/PID.sock`: the same API as over the network, for whoever may enter the data folder.
//!
//! A socket file outlives a process that was killed; one that nobody answers is removed by the next who looks.

use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::kernel::error::{Code, Error, Result};

/// The longest path of a socket that every system takes.
const LONGEST: usize = 100;

/// A listening control socket. Its file goes when it is dropped.
pub struct ControlSocket {
    pub listener: UnixListener,
    file: SocketFile,
}

struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Gone already, or in a folder that has gone: both are what is wanted.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl ControlSocket {
    /// Listens in the folder `run`.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub async fn bind(run: &Path, process: &str) -> Result<Self> {
        let pid = std::process::id();
        let mut path = run.join(format!("{pid}.sock"));
        if path.exists() {
            if connect(&path).await.is_ok() {
                // Containers that share a folder all have number 1.
                path = run.join(format!("{pid}-{process}.sock"));
            } else {
                std::fs::remove_file(&path)?;
            }
        }
        let listener = through_short_path(&path, |short| UnixListener::bind(short)).map_err(|e| {
            Error::new(
                Code::Unavailable,
                format!("The control socket {} cannot be opened: {e}.", path.display()),
            )
            .caused_by(e)
        })?;
        Ok(Self {
            listener,
            file: SocketFile(path),
        })
    }

    pub fn path(&self) -> &Path {
        &self.file.0
    }

    /// Takes the listener for the server; the file goes when the guard is dropped.
    pub fn into_parts(self) -> (UnixListener, impl Drop + Send + 'static) {
        (self.listener, self.file)
    }
}

/// The control sockets of a data folder, newest first.
pub fn sockets(data: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(data.join("run")) else {
        return Vec::new();
    };
    let mut found: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".sock"))
        .map(|entry| (entry.metadata().and_then(|m| m.modified()).ok(), entry.path()))
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

/// Connects to a control socket.
///
/// # Errors
/// Nobody listens there any more.
pub async fn connect(path: &Path) -> std::io::Result<UnixStream> {
    let _folder;
    let short = if path.as_os_str().len() < LONGEST {
        path.to_owned()
    } else {
        let (folder, short) = shorten(path)?;
        _folder = folder;
        short
    };
    UnixStream::connect(short).await
}

fn through_short_path<T>(path: &Path, open: impl FnOnce(&Path) -> std::io::Result<T>) -> std::io::Result<T> {
    if path.as_os_str().len() < LONGEST {
        return open(path);
    }
    let (_folder, short) = shorten(path)?;
    open(&short)
}

/// A deep data folder makes longer paths than a socket may have; through the opened folder the path is short. The path
/// works while the folder is held open.
fn shorten(path: &Path) -> std::io::Result<(std::fs::File, PathBuf)> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(std::io::ErrorKind::InvalidInput.into());
    };
    let folder = std::fs::File::open(folder)?;
    let short = Path::new("/proc/self/fd")
        .join(folder.as_raw_fd().to_string())
        .join(name);
    Ok((folder, short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn deep_folders_and_dead_sockets() {
        let parent = tempfile::tempdir().expect("a folder");
        let data = parent.path().join("d".repeat(120));
        let run = data.join("run");
        std::fs::create_dir_all(&run).expect("a folder");
        let dead = run.join(format!("{}.sock", std::process::id()));
        drop(through_short_path(&dead, |p| UnixListener::bind(p)).expect("a socket"));
        assert!(dead.exists() && connect(&dead).await.is_err());
        let first = ControlSocket::bind(&run, "a").await.expect("the dead one is replaced");
        let second = ControlSocket::bind(&run, "b")
            .await
            .expect("a living one is left alone");
        assert_eq!(sockets(&data).len(), 2);
        for path in sockets(&data) {
            connect(&path).await.expect("somebody listens");
        }
        drop((first, second));
        assert_eq!(sockets(&data).len(), 0);
    }
}
