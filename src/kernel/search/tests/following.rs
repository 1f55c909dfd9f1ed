//! The follower on the real ledger of both engines.

mod rebuilding;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::store::Payload;
use super::*;
use crate::both;
use crate::kernel::db::{Write, sql};
use crate::kernel::ledger::{self, NewSet, NewVersion, Operation};
use crate::kernel::testing::TestDb;

const LONG: Duration = Duration::from_secs(30);

/// Records that exist only for this test. As long as the third part says so there is always one more to read.
#[derive(Default)]
struct Shelf(Mutex<BTreeMap<String, Document>>, Mutex<Vec<Shape>>, AtomicBool);

#[async_trait]
impl IndexSource for Shelf {
    fn kind(&self) -> &'static str {
        ledger::RECORD
    }
    async fn load(&self, ids: &[String]) -> Result<Vec<Document>> {
        let shelf = self.0.lock().unwrap();
        Ok(ids.iter().filter_map(|id| shelf.get(id).cloned()).collect())
    }
    async fn page(&self, after: Option<&str>, limit: i64) -> Result<Vec<String>> {
        if let (Some(after), true) = (after, self.2.load(Ordering::Relaxed)) {
            return Ok(vec![format!("{after}~")]);
        }
        let shelf = self.0.lock().unwrap();
        let after = after.unwrap_or_default();
        Ok(shelf
            .keys()
            .filter(|id| id.as_str() > after)
            .take(limit as usize)
            .cloned()
            .collect())
    }
    async fn types(&self) -> Result<Types> {
        let shapes = self.1.lock().unwrap().clone();
        Ok(Types {
            shapes,
            ..Types::default()
        })
    }
}

struct House {
    db: TestDb,
    shelf: Arc<Shelf>,
    search: Search,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl House {
    fn open(db: TestDb, shelf: Arc<Shelf>) -> Self {
        Self::open_with(db, shelf, false)
    }

    fn open_with(db: TestDb, shelf: Arc<Shelf>, snapshots: bool) -> Self {
        let search = Search::open(db.folder(), &settings(), Clock::system()).unwrap();
        if snapshots {
            let blobs = Blobs::local(db.folder().join("blobs")).unwrap();
            search.keep_snapshots(blobs, Duration::ZERO);
        }
        let stop = CancellationToken::new();
        let task = search.start(vec![shelf.clone()], &db, stop.clone()).unwrap();
        Self {
            db,
            shelf,
            search,
            stop,
            task,
        }
    }

    /// Writes or, with `None`, removes entities in one transaction.
    async fn write(&self, changes: &[(&str, i64, Option<&str>)]) -> Position {
        for (id, version, word) in changes {
            let mut shelf = self.shelf.0.lock().unwrap();
            match word {
                Some(word) => {
                    let title = (*word).to_owned();
                    shelf.insert(
                        (*id).to_owned(),
                        Document {
                            title,
                            version: *version,
                            ..document(id)
                        },
                    )
                }
                None => shelf.remove(*id),
            };
        }
        let db = &*self.db;
        db.write(Write::interactive("test"), |tx| {
            Box::pin(async move {
                let new = NewSet {
                    kind: "test",
                    actor: "system",
                    reason: "",
                    origin: serde_json::json!({}),
                };
                let set = ledger::open_set(tx, &new).await?;
                let versions = changes.iter().map(|(id, version, _)| NewVersion {
                    entity: (*id).to_owned(),
                    version: *version,
                    kind: ledger::RECORD,
                    operation: Operation::Update,
                    document: Some("{}".to_owned()),
                });
                ledger::append(tx, &set, versions.collect()).await
            })
        })
        .await
        .unwrap()
    }

    async fn total(&self, text: &str) -> u64 {
        self.search.search(everything(text)).await.unwrap().total
    }

    async fn close(self) -> (TestDb, Arc<Shelf>) {
        self.stop.cancel();
        self.task.await.unwrap();
        (self.db, self.shelf)
    }
}

both!(
    what_is_written_is_found,
    a_restart_goes_on_and_another_database_starts_anew,
    a_deleted_folder_heals_itself,
    a_process_without_an_index_starts_from_a_snapshot,
    a_stricter_level_holds_at_once
);

async fn what_is_written_is_found(db: TestDb) {
    let house = House::open(db, Arc::default());
    let at = house.write(&[("a", 1, Some("teapot")), ("b", 1, Some("cup"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    assert_eq!((house.total("teapot").await, house.total("").await), (1, 2));
    // The same entity several times in one batch, and one that is gone.
    let at = house.write(&[("a", 2, Some("first")), ("b", 2, None)]).await;
    let at = at.max(house.write(&[("a", 3, Some("second"))]).await);
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    assert_eq!((house.total("second").await, house.total("").await), (1, 1));
    assert!(house.search.search(everything("")).await.unwrap().position >= at);
    let never = Position {
        txid: i64::MAX,
        position: 1,
    };
    assert!(!house.search.wait_for(never, Duration::from_millis(1)).await.unwrap());
    house.close().await;
}

async fn a_restart_goes_on_and_another_database_starts_anew(db: TestDb) {
    let house = House::open(db, Arc::default());
    let at = house.write(&[("a", 1, Some("teapot"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    let built = *house.search.inner().unwrap().built.borrow();
    assert_eq!(built.builds, 1);
    let (db, shelf) = house.close().await;
    let house = House::open(db, shelf);
    let at = house.write(&[("b", 1, Some("cup"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    assert_eq!(house.total("").await, 2);
    assert_eq!(house.search.inner().unwrap().built.borrow().builds, 0);
    let (db, shelf) = house.close().await;
    db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            sql("UPDATE fact SET value = 'other' WHERE name = 'database'")
                .exec(tx)
                .await
        })
    })
    .await
    .unwrap();
    shelf.0.lock().unwrap().remove("a");
    let house = House::open(db, shelf);
    let at = house.write(&[("c", 1, Some("cup"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    assert_eq!((house.total("").await, house.total("teapot").await), (2, 0));
    house.close().await;
}

async fn a_deleted_folder_heals_itself(db: TestDb) {
    let house = House::open(db, Arc::default());
    let at = house.write(&[("a", 1, Some("teapot"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    let mut built = house.search.inner().unwrap().built.subscribe();
    built.mark_unchanged();
    std::fs::remove_dir_all(house.db.folder().join("index")).unwrap();
    built.changed().await.unwrap();
    let at = house.write(&[("b", 1, Some("cup"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    assert_eq!(house.total("").await, 2);
    house.close().await;
}

async fn a_process_without_an_index_starts_from_a_snapshot(db: TestDb) {
    // Until the newest snapshot has got that far.
    let taken = async |house: &House, at: Position| loop {
        let list = snapshot::list(&house.db).await.unwrap();
        if list.first().is_some_and(|newest| newest.of.at() >= at) {
            return list;
        }
        tokio::task::yield_now().await;
    };
    let house = House::open_with(db, Arc::default(), true);
    let mut list = Vec::new();
    for n in 1..=4 {
        let at = house.write(&[("a", n, Some("teapot")), ("b", n, None)]).await;
        assert!(house.search.wait_for(at, LONG).await.unwrap());
        list = taken(&house, at).await;
    }
    let (db, shelf) = house.close().await;
    let blobs = Blobs::local(db.folder().join("blobs")).unwrap();
    assert_eq!(list.len(), 2, "older ones are removed");
    for known in &list {
        assert!(blobs.exists(&known.blob).await.unwrap());
    }
    // A new machine: what the ledger never told of shows that it did not read everything.
    std::fs::remove_dir_all(db.folder().join("index")).unwrap();
    let mut extra = document("z");
    extra.title = "teapot".to_owned();
    shelf.0.lock().unwrap().insert("z".to_owned(), extra);
    let house = House::open_with(db, shelf, true);
    let at = house.write(&[("c", 1, Some("cup"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    assert_eq!((house.total("teapot").await, house.total("cup").await), (1, 1));
    assert_eq!(house.search.inner().unwrap().built.borrow().builds, 0);
    let list = taken(&house, at).await;
    let (db, shelf) = house.close().await;
    // A damaged one is passed over, one of another schema too; then everything is read.
    std::fs::write(blobs.path(&list[0].blob).unwrap(), b"nothing that anybody wrote").unwrap();
    let other = Payload {
        schema: 0,
        ..list[1].of.clone()
    };
    let list = [
        list[0].clone(),
        snapshot::Snapshot {
            blob: list[1].blob.clone(),
            of: other,
        },
    ];
    let text = serde_json::to_string(&list).unwrap();
    let text = text.as_str();
    db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            sql("UPDATE fact SET value = $1 WHERE name = 'search.snapshots'")
                .bind(text)
                .exec(tx)
                .await
        })
    })
    .await
    .unwrap();
    std::fs::remove_dir_all(db.folder().join("index")).unwrap();
    let house = House::open_with(db, shelf, true);
    let at = house.write(&[("d", 1, Some("cup"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    assert_eq!((house.total("teapot").await, house.total("cup").await), (2, 2));
    assert_eq!(house.search.inner().unwrap().built.borrow().builds, 1);
    house.close().await;
}

async fn a_stricter_level_holds_at_once(db: TestDb) {
    let house = House::open(db, Arc::default());
    let at = house.write(&[("a", 1, Some("teapot"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    let ask = async |text: &str, reach| {
        let query = question(text, Visibility::up_to(reach));
        house.search.search(query).await.unwrap().total
    };
    assert_eq!(ask("teapot", Level::Public).await, 1);
    // The index has not heard of it, and never will here.
    *house.shelf.1.lock().unwrap() = vec![Shape {
        type_name: "object".to_owned(),
        term: "object@strict".to_owned(),
        strictest: Level::Restricted,
    }];
    assert_eq!(ask("teapot", Level::Public).await, 0);
    assert_eq!(ask("teapot", Level::Members).await, 0);
    assert_eq!(ask("teapot", Level::Restricted).await, 1);
    let begun = Begun {
        text: "tea".to_owned(),
        kind: None,
        types: vec![],
        fields: vec![],
        limit: 5,
        visibility: Visibility::up_to(Level::Public),
    };
    assert_eq!(house.search.suggest(begun).await.unwrap().ids, [""; 0]);
    house.close().await;
}

#[tokio::test]
async fn a_process_without_an_index_says_so() {
    let search = Search::default();
    assert_eq!(
        search.search(everything("")).await.unwrap_err().code(),
        Code::Unavailable
    );
    assert_eq!(search.rebuild().await.unwrap_err().code(), Code::Unavailable);
    assert!(!search.is_kept());
}

#[test]
fn each_process_takes_a_place_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let first = Search::open(folder.path(), &settings(), Clock::fixed(0)).unwrap();
    let second = Search::open(folder.path(), &settings(), Clock::fixed(0)).unwrap();
    assert!(folder.path().join("index/1/lock").is_file());
    drop((first, second));
    let _third = Search::open(folder.path(), &settings(), Clock::fixed(0)).unwrap();
    assert!(!folder.path().join("index/2").exists());
}
