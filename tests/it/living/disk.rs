//! The disk is full in the middle of an import: it says so, reading goes on, and once there is room it goes on to its end
//! by itself. On a small file system where one may be mounted; always with a limit on how large files may become.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use vitrine::kernel::clock::Clock;
use vitrine::kernel::db::{Db, Options, sql};

use super::client::Client;
use super::server::Place;

const ROWS: usize = 8_000;
/// What is left when it is full, in bytes.
const LEFT: u64 = 3 << 20;

/// A file system of its own, gone with the test.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=256m,mode=0700", "tmpfs"])
            .arg(at)
            .output();
        mounted.is_ok_and(|m| m.status.success()).then(|| Self(at.to_owned()))
    }

    fn fill(&self) -> PathBuf {
        let stats = rustix::fs::statvfs(&self.0).unwrap();
        let ballast = self.0.join("ballast");
        std::fs::write(&ballast, vec![1; (stats.f_bavail * stats.f_frsize - LEFT) as usize]).unwrap();
        ballast
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: what still has a file open there ends with the test.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Nobody is left in the dark: health says it, a write says it, reading goes on and the import is not given up.
async fn says_that_it_is_full(client: &Client, import: &str, record: &str) {
    client
        .until("/health/ready", |status, body| {
            status == 503 && body.to_string().contains("cannot grow")
        })
        .await;
    // A small write may still find a place that a failed one has left.
    let refused = loop {
        let (status, _, body) = client.note("no room").await;
        if status != 201 {
            break (status, body["code"].clone());
        }
    };
    assert_eq!(refused, (507, "disk-full".into()));
    assert_eq!(client.get(record).await.0, 200, "reading goes on");
    let state = client.get(import).await.2["state"].clone();
    assert!(state == "running" || state == "waiting", "{state}");
}

/// Every row once, no page torn.
async fn all_is_well(data: &Path) {
    let db = Db::open("sqlite:", data, Clock::system(), Options::default())
        .await
        .unwrap();
    let (answer,): (String,) = sql("PRAGMA integrity_check").one(&db).await.unwrap();
    assert_eq!(answer, "ok");
    let rows: Vec<(i64, i64)> = sql("SELECT COUNT(*), MAX(version) FROM record WHERE type = 'part'")
        .all(&db)
        .await
        .unwrap();
    assert_eq!(rows, [(ROWS as i64, 1)]);
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(folder.path()) else {
        println!("skipped: no file system may be mounted here; the limit on files tells the same story");
        return;
    };
    let place = Place::new(&folder.path().join("house"), None);
    let served = place.serve();
    let client = Client::new(&place, &served);
    let record = client.first_note().await;
    client.until("/health/ready", |status, _| status == 200).await;
    let ballast = small.fill();
    let import = client.import(ROWS).await;
    says_that_it_is_full(&client, &import, &record).await;
    std::fs::remove_file(ballast).unwrap();
    client.imported(&import, ROWS).await;
    client.until("/health/ready", |status, _| status == 200).await;
    assert_eq!(served.stop(), Some(0));
    all_is_well(&place.data).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_may_not_grow_are_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut place = Place::new(&folder.path().join("house"), None);
    let token = place.clone();
    token.fine(&["token", "list"]);
    // Soft, so that it can be lifted; without the signal, as on a full disk.
    let limited = "trap '' XFSZ; ulimit -S -f 5000; exec \"$@\"";
    place.through = ["/bin/bash", "-c", limited, "bash"].map(str::to_owned).to_vec();
    let served = place.serve();
    let client = Client::new(&token, &served);
    let record = client.first_note().await;
    let import = client.import(ROWS).await;
    says_that_it_is_full(&client, &import, &record).await;
    let lifted = Command::new("prlimit")
        .args(["--fsize=unlimited", "--pid", &served.child.id().to_string()])
        .status();
    assert!(lifted.unwrap().success());
    client.imported(&import, ROWS).await;
    client.until("/health/ready", |status, _| status == 200).await;
    assert_eq!(client.note("room").await.0, 201);
    assert_eq!(served.stop(), Some(0));
    all_is_well(&place.data).await;
}
