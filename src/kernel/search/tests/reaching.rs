//! A change that reaches others on the real ledger of both engines: all of them are read again, however many there are, and
//! also when the process ends in the middle.

use std::sync::atomic::AtomicUsize;

use super::*;
use crate::both;
use crate::kernel::db::Write;
use crate::kernel::ledger::{self, NewSet, NewVersion, Operation};
use crate::kernel::testing::TestDb;

both!(all_that_is_reached_is_read_again);

const LONG: Duration = Duration::from_secs(60);
/// More than are read in a step.
const MANY: usize = 2_600;

/// One record that half of the others point at; each of those is pointed at by one more.
#[derive(Default)]
struct Chain {
    /// What every record says now.
    word: AtomicUsize,
}

fn id(n: usize) -> String {
    format!("r{n:05}")
}

#[async_trait]
impl IndexSource for Chain {
    fn kind(&self) -> &'static str {
        ledger::RECORD
    }
    async fn load(&self, ids: &[String]) -> Result<Vec<Document>> {
        let word = self.word.load(Ordering::SeqCst);
        let one = |id: &String| Document {
            title: format!("word{word}"),
            ..document(id)
        };
        Ok(ids.iter().map(one).collect())
    }
    async fn page(&self, after: Option<&str>, limit: i64) -> Result<Vec<String>> {
        let all = (0..=MANY).map(id);
        let rest = all.filter(|id| after.is_none_or(|after| id.as_str() > after));
        Ok(rest.take(limit as usize).collect())
    }
    async fn reached(&self, changes: &[(String, i64)]) -> Result<Vec<Reached>> {
        let top = changes.iter().filter(|(changed, _)| *changed == id(0));
        Ok(top
            .map(|(id, _)| Reached {
                id: id.clone(),
                deep: true,
            })
            .collect())
    }
    async fn pointing(&self, to: &str, after: &str, limit: i64) -> Result<Vec<(String, bool)>> {
        let number: usize = to[1..].parse().unwrap();
        let half = MANY / 2;
        let found: Vec<String> = match number {
            0 => (1..=half).map(id).collect(),
            n if n <= half => vec![id(n + half)],
            _ => Vec::new(),
        };
        let found = found.into_iter().filter(|id| id.as_str() > after);
        Ok(found.take(limit as usize).map(|id| (id, true)).collect())
    }
}

struct House {
    search: Search,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl House {
    fn open(db: &TestDb, chain: &Arc<Chain>) -> Self {
        let search = Search::open(db.folder(), &settings(), Clock::system()).unwrap();
        let stop = CancellationToken::new();
        let task = search.start(vec![chain.clone()], db, stop.clone()).unwrap();
        Self { search, stop, task }
    }

    async fn total(&self, word: &str) -> u64 {
        self.search
            .search(everything(word))
            .await
            .map_or(0, |answer| answer.total)
    }

    /// Until all say so. Each commit moves the place on.
    async fn all_say(&self, word: &str) {
        let mut commits = self.search.positions().unwrap();
        let wait = async {
            loop {
                commits.mark_unchanged();
                if self.total(word).await == MANY as u64 + 1 {
                    return;
                }
                commits.changed().await.unwrap();
            }
        };
        tokio::time::timeout(LONG, wait).await.expect("all are read again");
    }
}

async fn change(db: &TestDb, version: i64) -> Position {
    db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            let new = NewSet {
                kind: "test",
                actor: "system",
                reason: "",
                origin: serde_json::json!({}),
            };
            let set = ledger::open_set(tx, &new).await?;
            let version = NewVersion {
                entity: id(0),
                version,
                kind: ledger::RECORD,
                operation: Operation::Update,
                document: Some("{}".to_owned()),
            };
            ledger::append(tx, &set, vec![version]).await
        })
    })
    .await
    .unwrap()
}

async fn all_that_is_reached_is_read_again(db: TestDb) {
    let chain = Arc::new(Chain::default());
    let house = House::open(&db, &chain);
    house.all_say("word0").await;
    chain.word.store(1, Ordering::SeqCst);
    change(&db, 1).await;
    house.all_say("word1").await;
    // The process ends as soon as the change itself is there; what it reaches is read by the next one.
    chain.word.store(2, Ordering::SeqCst);
    let at = change(&db, 2).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    house.stop.cancel();
    house.task.await.unwrap();
    drop(house.search);
    let house = House::open(&db, &chain);
    house.all_say("word2").await;
    house.stop.cancel();
    house.task.await.unwrap();
}
