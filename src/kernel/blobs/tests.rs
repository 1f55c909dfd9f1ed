//! Blobs are their content, once and whole; nothing goes that somebody holds or has just brought.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::SystemTime;

use async_trait::async_trait;

use super::*;

fn blobs() -> (tempfile::TempDir, Blobs) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::local(folder.path().join("blobs")).unwrap();
    (folder, blobs)
}

#[tokio::test]
async fn a_blob_is_its_content_once() {
    let (_folder, blobs) = blobs();
    let content: Vec<u8> = (0..3_000_000u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let first = blobs.put_stream(content.as_slice(), u64::MAX).await.unwrap();
    let second = blobs.put_stream(content.as_slice(), u64::MAX).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(first.bytes, content.len() as u64);
    assert!(blobs.exists(&first.id).await.unwrap() && blobs.path(&first.id).unwrap().exists());
    let mut reader = blobs.open(&first.id).await.unwrap();
    let mut back = Vec::new();
    reader.read_to_end(&mut back).unwrap();
    assert!(back == content);
    let streamed: Vec<io::Result<Bytes>> =
        futures_util::StreamExt::collect(blobs.stream(&first.id).await.unwrap()).await;
    assert!(streamed.into_iter().flat_map(|p| p.unwrap().to_vec()).eq(content));
    assert_eq!(std::fs::read_dir(blobs.root.join("tmp")).unwrap().count(), 0);
    assert!(!blobs.release(&first.id).await.unwrap(), "it was brought just now");
    age(&blobs, &first.id);
    assert!(blobs.release(&first.id).await.unwrap());
    assert!(!blobs.release(&first.id).await.unwrap());
    assert_eq!(blobs.open(&first.id).await.err().unwrap().code(), Code::NotFound);
}

#[tokio::test]
async fn half_a_blob_is_none() {
    let (_folder, blobs) = blobs();
    let mut writer = blobs.writer().await.unwrap();
    writer.write(b"half").await.unwrap();
    drop(writer);
    let left = || std::fs::read_dir(blobs.root.join("tmp")).unwrap().count();
    // What is dropped is cleared away by another thread.
    while left() > 0 {
        tokio::task::yield_now().await;
    }
    let refused = blobs.put_stream(&b"too long"[..], 4).await.unwrap_err();
    assert_eq!(refused.code(), Code::TooLarge);
    assert_eq!(left(), 0);
    for odd in ["", "../../etc/passwd", &"Z".repeat(64)] {
        assert_eq!(blobs.open(odd).await.err().unwrap().code(), Code::NotFound);
    }
}

#[test]
fn a_full_disk_keeps_its_code() {
    let full = object_store::Error::Generic {
        store: "local",
        source: Box::new(io::Error::from(io::ErrorKind::StorageFull)),
    };
    assert_eq!(from_store(full).code(), Code::DiskFull);
}

/// As if it had been brought long ago.
fn age(blobs: &Blobs, id: &str) {
    let file = std::fs::File::options()
        .write(true)
        .open(blobs.path(id).unwrap())
        .unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
}

/// Holds what it is told to, and does something each time it is asked.
#[derive(Default)]
struct Keeper {
    held: Mutex<HashSet<String>>,
    /// Brings these bytes again when it is asked for the first time.
    brings: Mutex<Option<(Blobs, &'static [u8])>>,
    /// Holds everything from the second question on.
    grabs: bool,
    asked: Mutex<usize>,
}

#[async_trait]
impl Holder for Keeper {
    fn name(&self) -> &'static str {
        "keeper"
    }
    async fn holds(&self, ids: &[String]) -> Result<Vec<String>> {
        *self.asked.lock().unwrap() += 1;
        let brings = self.brings.lock().unwrap().take();
        if let Some((blobs, content)) = brings {
            blobs.put_stream(content, u64::MAX).await?;
        }
        if self.grabs && *self.asked.lock().unwrap() > 1 {
            return Ok(ids.to_vec());
        }
        let held = self.held.lock().unwrap();
        Ok(ids.iter().filter(|id| held.contains(*id)).cloned().collect())
    }
}

#[tokio::test]
async fn what_is_brought_while_it_goes_stays() {
    let (_folder, blobs) = blobs();
    let id = blobs.put_stream(&b"teapot"[..], u64::MAX).await.unwrap().id;
    age(&blobs, &id);
    let keeper = Arc::new(Keeper::default());
    *keeper.brings.lock().unwrap() = Some((blobs.clone(), b"teapot"));
    blobs.hold(keeper.clone());
    // Nobody held it, but while that was asked somebody brought the same bytes.
    assert!(!blobs.release(&id).await.unwrap());
    assert!(blobs.exists(&id).await.unwrap());
    assert!(!blobs.release(&id).await.unwrap(), "it is new again");
    age(&blobs, &id);
    keeper.held.lock().unwrap().insert(id.clone());
    assert!(!blobs.release(&id).await.unwrap(), "somebody holds it");
    keeper.held.lock().unwrap().clear();
    assert!(blobs.release(&id).await.unwrap());
    assert!(!blobs.exists(&id).await.unwrap());
}

#[tokio::test]
async fn what_is_referred_to_while_it_goes_stays() {
    let (_folder, blobs) = blobs();
    let id = blobs.put_stream(&b"teapot"[..], u64::MAX).await.unwrap().id;
    age(&blobs, &id);
    blobs.hold(Arc::new(Keeper {
        grabs: true,
        ..Keeper::default()
    }));
    assert!(!blobs.release(&id).await.unwrap());
    assert!(blobs.exists(&id).await.unwrap());
    assert_eq!(std::fs::read_dir(blobs.root.join("trash")).unwrap().count(), 0);
}

#[tokio::test]
async fn the_broom_takes_what_nobody_holds() {
    let (folder, blobs) = blobs();
    let mut ids = Vec::new();
    for word in ["held", "orphan", "new"] {
        ids.push(blobs.put_stream(word.as_bytes(), u64::MAX).await.unwrap().id);
    }
    age(&blobs, &ids[0]);
    age(&blobs, &ids[1]);
    let keeper = Arc::new(Keeper::default());
    keeper.held.lock().unwrap().insert(ids[0].clone());
    blobs.hold(keeper);
    let swept = blobs.sweep(|| Ok(())).await.unwrap();
    assert_eq!((swept.removed, swept.kept), (1, 2));
    assert!(!blobs.exists(&ids[1]).await.unwrap());
    // Who reads one that is aside at this moment has it.
    let aside = blobs.root.join("trash").join(format!("{}.y", ids[0]));
    std::fs::rename(blobs.path(&ids[0]).unwrap(), aside).unwrap();
    blobs.open(&ids[0]).await.unwrap();
    assert!(blobs.exists(&ids[0]).await.unwrap());
    // A process that died between two steps left one aside: it is back with the next start.
    let aside = blobs.root.join("trash").join(format!("{}.x", ids[0]));
    std::fs::rename(blobs.path(&ids[0]).unwrap(), aside).unwrap();
    let again = Blobs::local(folder.path().join("blobs")).unwrap();
    assert!(again.exists(&ids[0]).await.unwrap());
}
