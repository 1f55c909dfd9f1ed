//! Relation tuples: stored beside what they speak of, held in memory, and never older than what is decided with them.
//!
//! On SQLite memory follows each commit. On PostgreSQL a decision that rests on tuples asks, in one statement, how often they
//! have changed, and gets them where memory is behind. Changes of memory are numbered: one that comes out of turn means reading
//! again. Inside a transaction the same is asked over its own connection.

pub mod engine;
pub mod graph;
pub mod lists;
pub mod store;

#[cfg(all(test, feature = "testing"))]
mod tests;

use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use self::graph::{Graph, Tuple};
use super::schema::Schema;
use crate::kernel::db::{Db, Engine, Signal, Tx};
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
#[derive(Debug, Default)]
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
    /// Trusted whatever changes, to see that tests notice.
    #[cfg(feature = "testing")]
    is_blind: bool,
}

impl Memory {
    #[cfg(feature = "testing")]
    fn is_blind(&self) -> bool {
        self.is_blind
    }
    #[cfg(not(feature = "testing"))]
    fn is_blind(&self) -> bool {
        false
    }
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

    /// Takes the safeguard away: from now on what is remembered is trusted, whatever changes.
    #[cfg(feature = "testing")]
    pub fn go_blind(&self) {
        self.memory.write().unwrap_or_else(PoisonError::into_inner).is_blind = true;
    }

    fn memory(&self) -> std::sync::RwLockReadGuard<'_, Memory> {
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered, unless this process knows of something newer; and whether it needs no asking.
    fn held(&self) -> (Option<Arc<State>>, bool) {
        let memory = self.memory();
        let is_blind = memory.is_blind();
        let state = memory.state.clone();
        let state = state.filter(|state| is_blind || state.epoch >= memory.newest);
        (state, is_blind || self.db.engine() == Engine::Sqlite)
    }

    /// The tuples, at least as new as everything that was committed and answered before this was called.
    ///
    /// # Errors
    /// What the database says.
    pub async fn state(&self) -> Result<Arc<State>> {
        match self.held() {
            (Some(state), true) => Ok(state),
            (Some(state), false) => self.read(Some(state)).await,
            (None, _) => {
                // One of those who find nothing reads everything, the others wait for it.
                let _one = self.reading.lock().await;
                match self.held() {
                    (Some(state), true) => Ok(state),
                    (held, _) => self.read(held).await,
                }
            }
        }
    }

    /// The tuples as they were less than a second ago: for what only shows or hides a way, and is asked again behind it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn glance(&self) -> Result<Arc<State>> {
        let sure = self.memory().sure.is_some_and(|at| at.elapsed() < GLANCE);
        match self.held() {
            (Some(state), _) if sure => Ok(state),
            _ => self.state().await,
        }
    }

    /// The tuples as a transaction sees them, with what it has changed itself; over its own connection, since a second one
    /// may not be had. Also answers whether they are what everybody sees.
    ///
    /// # Errors
    /// What the database says.
    pub async fn state_in(&self, tx: &mut Tx<'_>) -> Result<(Arc<State>, bool)> {
        let (held, _) = self.held();
        let known = held.as_ref().map_or(0, |state| state.epoch);
        let (epoch, tuples) = store::since(tx, known).await?;
        Ok(match held {
            Some(state) if state.epoch == epoch => (state, true),
            _ => (Arc::new(State::of(epoch, tuples)), false),
        })
    }

    /// Asks for what changed since a state, until nothing was committed meanwhile.
    async fn read(&self, mut held: Option<Arc<State>>) -> Result<Arc<State>> {
        loop {
            let known = held.as_ref().map_or(0, |state| state.epoch);
            let (epoch, tuples) = store::since(&self.db, known).await?;
            let state = match held.take().filter(|state| state.epoch == epoch) {
                Some(state) => state,
                None => Arc::new(State::of(epoch, tuples)),
            };
            let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
            if epoch >= memory.newest {
                memory.newest = epoch;
                memory.sure = Some(Instant::now());
                memory.state = Some(state.clone());
                return Ok(state);
            }
            held.clone_from(&memory.state);
        }
    }

    /// Writes a change in the transaction of what it speaks of; memory follows the commit. What stands already, or not any
    /// more, is no change. Answers what was one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn write(&self, tx: &mut Tx<'_>, change: &Change, by: &str) -> Result<Change> {
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
        tx.signal(Signal::Access);
        let (memory, kept) = (self.memory.clone(), done.clone());
        tx.after_commit(move || follow(&memory, epoch, &kept));
        Ok(done)
    }
}

impl Change {
    /// Nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.taken.is_empty()
    }
}

impl State {
    fn of(epoch: i64, tuples: Vec<Tuple>) -> Self {
        let mut graph = Graph::default();
        tuples.into_iter().for_each(|tuple| graph.insert(&tuple));
        Self { epoch, graph }
    }
}

/// Brings memory to `epoch`; if it does not stand right before it, whoever asks next reads it again.
fn follow(memory: &RwLock<Memory>, epoch: i64, change: &Change) {
    let mut memory = memory.write().unwrap_or_else(PoisonError::into_inner);
    if memory.is_blind() {
        return;
    }
    memory.newest = memory.newest.max(epoch);
    let Some(state) = memory.state.as_ref().filter(|state| state.epoch + 1 == epoch) else {
        return;
    };
    let mut graph = state.graph.clone();
    change.taken.iter().for_each(|tuple| graph.remove(tuple));
    change.put.iter().for_each(|tuple| graph.insert(tuple));
    memory.state = Some(Arc::new(State { epoch, graph }));
}
