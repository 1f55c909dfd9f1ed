//! Folders of one run, sizes on disk and the memory of a process.

use std::path::Path;

use anyhow::{Context, Result};

/// Bytes of all files below a folder.
pub fn size(path: &Path) -> u64 {
    let Ok(meta) = std::fs::symlink_metadata(path) else {
        return 0;
    };
    if meta.is_file() {
        return meta.len();
    }
    std::fs::read_dir(path)
        .map(|all| all.flatten().map(|e| size(&e.path())).sum())
        .unwrap_or(0)
}

/// Kilobytes of one line of a process's status: `VmHWM`, `RssAnon`.
pub fn memory(pid: u32, line: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("the process's status")?;
    let found = status.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':'));
    let text = found.with_context(|| format!("no {line} in the status"))?;
    text.trim()
        .trim_end_matches("kB")
        .trim()
        .parse()
        .context("a number of kilobytes")
}
