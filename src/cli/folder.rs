//! A folder handed over as one file: a tar archive, written while it is read. Archives of collections are often unpacked
//! before somebody thinks of importing them.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::kernel::error::{Error, Result};

const BLOCK: u64 = 512;
/// Files that a folder may have, and folders in folders.
const MAX_FILES: usize = 500;
const MAX_DEPTH: usize = 4;

type Content = Box<dyn AsyncRead + Send + Sync + Unpin>;

/// The files of a folder and of those in it, hidden ones and links left out, as a tar archive.
///
/// # Errors
/// `invalid` for a folder with no files, with too many, or with one that changes while it is read.
pub async fn packed(folder: &Path) -> Result<Content> {
    let mut files = Vec::new();
    find(folder, MAX_DEPTH, &mut files)?;
    if files.is_empty() {
        return Err(Error::invalid(
            "FILE",
            format!("the folder {} has no files", folder.display()),
        ));
    }
    files.sort();
    let mut whole: Content = Box::new(tokio::io::empty());
    for path in files {
        let name = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        let file = File::open(&path).await?;
        let bytes = file.metadata().await?.len();
        let padding = bytes.next_multiple_of(BLOCK) - bytes;
        let head = Cursor::new(head(&name, bytes));
        let padding = tokio::io::repeat(0).take(padding);
        whole = Box::new(whole.chain(head).chain(file.take(bytes)).chain(padding));
    }
    Ok(Box::new(whole.chain(tokio::io::repeat(0).take(BLOCK * 2))))
}

fn find(folder: &Path, deep: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() && deep > 0 {
            find(&entry.path(), deep - 1, files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
        if files.len() > MAX_FILES {
            let words = format!("the folder {} has more than {MAX_FILES} files", folder.display());
            return Err(Error::invalid("FILE", words));
        }
    }
    Ok(())
}

/// The head of a file, after one with its name where that is too long for the head itself.
fn head(name: &str, bytes: u64) -> Vec<u8> {
    let mut out = Vec::new();
    if name.len() > 100 {
        out.extend(block("././@LongLink", name.len() as u64, b'L'));
        out.extend_from_slice(name.as_bytes());
        out.resize(out.len().next_multiple_of(BLOCK as usize), 0);
    }
    out.extend(block(name, bytes, b'0'));
    out
}

fn block(name: &str, bytes: u64, kind: u8) -> [u8; BLOCK as usize] {
    let mut block = [0u8; BLOCK as usize];
    let shown = &name.as_bytes()[..name.len().min(100)];
    block[..shown.len()].copy_from_slice(shown);
    block[100..108].copy_from_slice(b"0000644\0");
    if bytes < 1 << 33 {
        block[124..136].copy_from_slice(format!("{bytes:011o}\0").as_bytes());
    } else {
        block[128..136].copy_from_slice(&bytes.to_be_bytes());
        block[124] = 0x80;
    }
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_becomes_a_tar_archive() {
        let folder = tempfile::tempdir().unwrap();
        let long = format!("inner/{}.txt", "n".repeat(120));
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        std::fs::write(folder.path().join("meta.xml"), "<archive/>").unwrap();
        std::fs::write(folder.path().join(".hidden"), "x").unwrap();
        std::fs::write(folder.path().join(&long), "y".repeat(600)).unwrap();
        let mut content = Vec::new();
        packed(folder.path())
            .await
            .unwrap()
            .read_to_end(&mut content)
            .await
            .unwrap();
        // Head of the long name, the name, its head, two blocks; head and block of the other; two empty blocks.
        assert_eq!(content.len(), 512 * 9);
        assert_eq!(content[156], b'L');
        assert_eq!(&content[512..512 + long.len()], long.as_bytes());
        let other = &content[512 * 5..];
        assert_eq!(
            (&other[..8], &other[124..135]),
            (b"meta.xml".as_slice(), b"00000000012".as_slice())
        );
        assert_eq!(&other[512..522], b"<archive/>");
        let empty = tempfile::tempdir().unwrap();
        assert!(packed(empty.path()).await.is_err());
    }
}
