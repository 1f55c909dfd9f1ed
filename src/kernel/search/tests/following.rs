//! The follower on the real ledger of both engines.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::*;
use crate::both;
use crate::kernel::db::{Write, sql};
use crate::kernel::ledger::{self, NewSet, NewVersion, Operation};
use crate::kernel::testing::TestDb;

const LONG: Duration = Duration::from_secs(30);

/// Records that exist only for this test.
#[derive(Default)]
struct Shelf(Mutex<BTreeMap<String, Document>>);

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
        let shelf = self.0.lock().unwrap();
        let after = after.unwrap_or_default();
        Ok(shelf
            .keys()
            .filter(|id| id.as_str() > after)
            .take(limit as usize)
            .cloned()
            .collect())
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
        let search = Search::open(db.folder(), &settings(), Clock::system()).unwrap();
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
    a_rebuild_answers_all_the_while
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

async fn a_rebuild_answers_all_the_while(db: TestDb) {
    let house = House::open(db, Arc::default());
    let at = house.write(&[("a", 1, Some("teapot")), ("b", 1, Some("cup"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    // Something the ledger never told of is put right by a rebuild only.
    house.shelf.0.lock().unwrap().remove("b");
    let search = house.search.clone();
    let rebuilding = tokio::spawn(async move { search.rebuild().await });
    while !rebuilding.is_finished() {
        assert!(house.total("teapot").await == 1);
        tokio::task::yield_now().await;
    }
    rebuilding.await.unwrap().unwrap();
    assert_eq!(house.total("").await, 1);
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
