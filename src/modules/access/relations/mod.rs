//! Relation tuples: stored beside what they speak of, held in memory, and never older than what is decided with them.
//!
//! On SQLite memory follows each commit. On PostgreSQL a decision that rests on tuples first asks how often they have changed;
//! if memory is behind, the tuples are read again. Changes of memory are numbered: one that comes out of turn means reading again.

pub mod engine;
pub mod graph;
pub mod store;

#[cfg(all(test, feature = "testing"))]
mod tests;

use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use self::graph::{Graph, Tuple};
use super::schema::Schema;
use crate::kernel::db::{Db, Engine, Signal, Snapshot, Tx};
use crate::kernel::error::{Error, Result};

const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/models/access.schema"));

static HOUSE: LazyLock<Result<Arc<Schema>, String>> = LazyLock::new(|| {
    Schema::parse(SCHEMA)
        .map(Arc::new)
        .map_err(|fault| format!("assets/models/access.schema, {fault}"))
});

/// The house's own schema.
///
/// # Errors
/// What is wrong with its text, with the place.
pub fn house_schema() -> Result<Arc<Schema>> {
    HOUSE.clone().map_err(|fault| Error::internal(anyhow::anyhow!(fault)))
}

/// Tuples as they stood after so many changes.
#[derive(Debug)]
pub struct State {
    pub epoch: i64,
    pub graph: Graph,
}

/// What a transaction does to tuples.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub put: Vec<Tuple>,
    pub taken: Vec<Tuple>,
}

/// See the module's text.
pub struct Relations {
    pub schema: Arc<Schema>,
    db: Db,
    memory: Arc<RwLock<Memory>>,
    reading: Mutex<()>,
}

/// What this process knows of tuples.
#[derive(Default)]
struct Memory {
    /// The newest change that this process has committed or read.
    newest: i64,
    state: Option<Arc<State>>,
    /// When the state was last known to be today's.
    sure: Option<Instant>,
}

/// How long a glance may trust a state of tuples that others can change.
const GLANCE: Duration = Duration::from_millis(800);

impl Relations {
    /// # Errors
    /// A schema that is not right.
    pub fn new(db: Db) -> Result<Self> {
        Ok(Self {
            schema: house_schema()?,
            db,
            memory: Arc::default(),
            reading: Mutex::new(()),
        })
    }

    fn memory(&self) -> std::sync::RwLockReadGuard<'_, Memory> {
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> Option<Arc<State>> {
        let memory = self.memory();
        memory.state.clone().filter(|state| state.epoch >= memory.newest)
    }

    /// The tuples, at least as new as everything that was committed and answered before this was called.
    ///
    /// # Errors
    /// What the database says.
    pub async fn state(&self) -> Result<Arc<State>> {
        match self.held() {
            Some(state) if self.db.engine() == Engine::Sqlite => Ok(state),
            Some(state) if state.epoch == store::epoch(&self.db).await? => {
                self.memory.write().unwrap_or_else(PoisonError::into_inner).sure = Some(Instant::now());
                Ok(state)
            }
            _ => self.read().await,
        }
    }

    /// The tuples as they were less than a second ago: for what only shows or hides a way, and is asked again behind it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn glance(&self) -> Result<Arc<State>> {
        let sure = self.memory().sure.is_some_and(|at| at.elapsed() < GLANCE);
        match self.held() {
            Some(state) if sure => Ok(state),
            _ => self.state().await,
        }
    }

    /// Reads every tuple, one reader at a time.
    async fn read(&self) -> Result<Arc<State>> {
        let _one = self.reading.lock().await;
        loop {
            let mut snapshot = self.db.snapshot().await?;
            let epoch = store::epoch(&mut snapshot).await?;
            let held = self.held().filter(|state| state.epoch == epoch);
            let state = match held {
                Some(state) => state,
                None => Arc::new(State {
                    epoch,
                    graph: read_all(&mut snapshot).await?,
                }),
            };
            drop(snapshot);
            let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
            // What was committed while this was read is read once more.
            if epoch >= memory.newest {
                memory.newest = epoch;
                memory.sure = Some(Instant::now());
                memory.state = Some(state.clone());
                return Ok(state);
            }
        }
    }

    /// Writes a change in the transaction of what it speaks of; memory follows the commit. What stands already, or not any
    /// more, is no change. Answers whether anything changed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn write(&self, tx: &mut Tx<'_>, change: &Change, by: &str) -> Result<bool> {
        // First the count: whoever writes tuples at the same time waits here, and both see what the other left.
        let epoch = store::advance(tx).await?;
        let mut done = Change::default();
        for tuple in &change.taken {
            if store::delete(tx, &tuple.object, &tuple.relation, &tuple.subject).await? > 0 {
                done.taken.push(tuple.clone());
            }
        }
        for tuple in &change.put {
            if store::insert(tx, &tuple.object, &tuple.relation, &tuple.subject, by).await? > 0 {
                done.put.push(tuple.clone());
            }
        }
        let changed = !done.put.is_empty() || !done.taken.is_empty();
        tx.signal(Signal::Access);
        let memory = self.memory.clone();
        tx.after_commit(move || follow(&memory, epoch, &done));
        Ok(changed)
    }
}

async fn read_all(snapshot: &mut Snapshot) -> Result<Graph> {
    let mut graph = Graph::default();
    for (object, relation, subject) in store::all(snapshot).await? {
        graph.insert(&Tuple {
            object,
            relation,
            subject,
        });
    }
    Ok(graph)
}

/// Brings memory to `epoch`; if it does not stand right before it, whoever asks next reads it again.
fn follow(memory: &RwLock<Memory>, epoch: i64, change: &Change) {
    let mut memory = memory.write().unwrap_or_else(PoisonError::into_inner);
    memory.newest = memory.newest.max(epoch);
    let Some(state) = memory.state.as_ref().filter(|state| state.epoch + 1 == epoch) else {
        return;
    };
    let mut graph = state.graph.clone();
    change.taken.iter().for_each(|tuple| graph.remove(tuple));
    change.put.iter().for_each(|tuple| graph.insert(tuple));
    memory.state = Some(Arc::new(State { epoch, graph }));
}
