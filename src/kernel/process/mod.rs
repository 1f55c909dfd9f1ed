//! The registry of processes: one row for each that runs, with what it does, when it last said so and how far its
//! search index has followed the ledger. Rows of processes that ended badly are swept by the others.

mod orders;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub use orders::{Orders, ROLES, SCHEDULER, WORKER, log_level, obey, pause};

use super::db::{Db, Engine, Signal, Tx, Write, sql};
use super::error::Result;
use super::ledger::Position;

/// A process says this often that it lives.
const BEAT: Duration = Duration::from_secs(3);
/// A process that was silent for so long (milliseconds) is taken for dead.
pub const DEAD_AFTER: i64 = 10_000;
/// Its row is removed after this time, longer than any lease needs it.
const FORGET_AFTER: i64 = 120_000;
/// The index position is written at most this often.
const POSITION_EVERY: Duration = Duration::from_millis(250);

/// The role that answers requests and keeps a search index.
pub const WEB: &str = "web";

/// What a process says of itself.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    pub id: Arc<str>,
    /// `web`, `worker`, `scheduler`, `cli`.
    pub roles: Vec<String>,
    /// Queues its worker serves; none without a worker.
    pub queues: Vec<String>,
    /// Kinds of jobs its worker can run; none where it does not say.
    pub kinds: Vec<String>,
}

/// A process as the registry knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub id: String,
    pub roles: Vec<String>,
    pub queues: Vec<String>,
    pub kinds: Vec<String>,
    pub host: String,
    pub pid: i64,
    pub started_at: i64,
    pub beat_at: i64,
    pub index: Option<Position>,
    /// Roles that pause.
    pub paused: Vec<String>,
    /// What it was told to log while it runs; empty: what its settings say.
    pub log_level: String,
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: String,
    roles: String,
    queues: String,
    kinds: String,
    host: String,
    pid: i64,
    started_at: i64,
    beat_at: i64,
    index_txid: Option<i64>,
    index_position: Option<i64>,
    paused: String,
    log_level: String,
}

fn words(text: &str) -> Vec<String> {
    text.split(',').filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

impl From<Stored> for Process {
    fn from(row: Stored) -> Self {
        let index = row
            .index_txid
            .zip(row.index_position)
            .map(|(txid, position)| Position { txid, position });
        Self {
            roles: words(&row.roles),
            queues: words(&row.queues),
            kinds: words(&row.kinds),
            paused: words(&row.paused),
            log_level: row.log_level,
            id: row.id,
            host: row.host,
            pid: row.pid,
            started_at: row.started_at,
            beat_at: row.beat_at,
            index,
        }
    }
}

/// Where a process's search follower says how far it is. Cheap to clone and to call; [`run`] writes it.
#[derive(Clone)]
pub struct Watermark(Arc<watch::Sender<Option<Position>>>);

impl Default for Watermark {
    fn default() -> Self {
        Self(Arc::new(watch::channel(None).0))
    }
}

impl Watermark {
    /// The index now holds everything up to here.
    pub fn set(&self, position: Position) {
        self.0.send_if_modified(|old| {
            let is_new = *old != Some(position);
            *old = Some(position);
            is_new
        });
    }
    pub fn get(&self) -> Option<Position> {
        *self.0.borrow()
    }
}

/// Every process of the registry, also silent ones, in the order they started.
///
/// # Errors
/// What the database says.
pub async fn list(db: &Db) -> Result<Vec<Process>> {
    let rows: Vec<Stored> = sql(
        "SELECT id, roles, queues, kinds, host, pid, started_at, beat_at, index_txid, index_position, paused, log_level FROM process \
         ORDER BY started_at, id",
    )
    .all(db)
    .await?;
    Ok(rows.into_iter().map(Process::from).collect())
}

/// Those that said lately that they live.
///
/// # Errors
/// What the database says.
pub async fn alive(db: &Db) -> Result<Vec<Process>> {
    let since = db.clock().now() - DEAD_AFTER;
    Ok(list(db).await?.into_iter().filter(|p| p.beat_at >= since).collect())
}

/// Which queues living workers serve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    pub queues: Vec<String>,
    /// Those of workers that pause.
    pub paused: Vec<String>,
    /// Queues and kinds of each worker that does not pause.
    workers: Vec<(Vec<String>, Vec<String>)>,
}

impl Served {
    /// Can a worker of this queue run jobs of this kind? One that does not say what it can is believed to.
    pub fn knows(&self, queue: &str, kind: &str) -> bool {
        let of_queue = self
            .workers
            .iter()
            .filter(|(queues, _)| queues.iter().any(|q| q == queue));
        let mut kinds = of_queue.map(|(_, kinds)| kinds);
        kinds.any(|kinds| kinds.is_empty() || kinds.iter().any(|k| k == kind))
    }
}

/// Queues that a living worker serves, and those of workers that pause.
///
/// # Errors
/// What the database says.
pub async fn served_queues(db: &Db) -> Result<Served> {
    let mut served = Served::default();
    for process in alive(db).await? {
        let pauses = process.paused.iter().any(|role| role == WORKER);
        if pauses {
            served.paused.extend(process.queues);
        } else {
            served.queues.extend_from_slice(&process.queues);
            served.workers.push((process.queues, process.kinds));
        }
    }
    Ok(served)
}

/// How far each living web process has indexed; `None` for one that has just started.
///
/// # Errors
/// What the database says.
pub async fn watermarks(db: &Db) -> Result<Vec<(String, Option<Position>)>> {
    let web = alive(db)
        .await?
        .into_iter()
        .filter(|p| p.roles.iter().any(|r| r == WEB));
    Ok(web.map(|p| (p.id, p.index)).collect())
}

/// Waits until every living web process has indexed up to `position`, or for `limit`. Answers whether they have.
///
/// # Errors
/// What the database says.
pub async fn wait_indexed(db: &Db, position: Position, limit: Duration) -> Result<bool> {
    let mut moved = db.signals().subscribe(Signal::Progress);
    let wait = async {
        loop {
            moved.borrow_and_update();
            if watermarks(db)
                .await?
                .iter()
                .all(|(_, at)| at.is_some_and(|at| at >= position))
            {
                return Ok(());
            }
            // A lost wake-up is made good by the time limit.
            let _ = tokio::time::timeout(Duration::from_millis(500), moved.changed()).await;
        }
    };
    match tokio::time::timeout(limit, wait).await {
        Ok(outcome) => outcome.map(|()| true),
        Err(_) => Ok(false),
    }
}

/// Writes the process's row. [`run`] does it too; before that, so that a worker that starts at once is known.
///
/// # Errors
/// What the database says.
pub async fn register(db: &Db, me: &Registration) -> Result<()> {
    // On SQLite there is one process: whoever else stands here has ended.
    let keep = if db.engine() == Engine::Sqlite {
        i64::MAX
    } else {
        db.clock().now() - FORGET_AFTER
    };
    sweep_and_beat(db, me, keep).await
}

async fn sweep_and_beat(db: &Db, me: &Registration, keep: i64) -> Result<()> {
    // Beats of a clock that was ahead and has been set back are of processes that are gone: the others beat anew.
    let ahead = db.clock().now() + FORGET_AFTER;
    db.write(Write::interactive("process.beat"), |tx| {
        Box::pin(async move {
            sql("DELETE FROM process WHERE (beat_at < $1 OR beat_at > $3) AND id <> $2")
                .bind(keep)
                .bind(&*me.id)
                .bind(ahead)
                .exec(&mut *tx)
                .await?;
            insert(tx, me).await
        })
    })
    .await
}

async fn insert(tx: &mut Tx<'_>, me: &Registration) -> Result<()> {
    let now = tx.now();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    sql(
        "INSERT INTO process (id, roles, queues, host, pid, started_at, beat_at, kinds) VALUES ($1, $2, $3, $4, $5, $6, $6, $7) \
         ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at",
    )
    .bind(&*me.id)
    .bind(me.roles.join(","))
    .bind(me.queues.join(","))
    .bind(host)
    .bind(i64::from(std::process::id()))
    .bind(now)
    .bind(me.kinds.join(","))
    .exec(tx)
    .await?;
    Ok(())
}

/// Says that this process lives, writes its index position when it moves, hears its orders and sweeps the dead, until
/// `stop`; then removes the row.
pub async fn run(db: Db, me: Registration, watermark: Watermark, orders: Orders, stop: CancellationToken) {
    if let Err(error) = register(&db, &me).await {
        warn!(?error, "this process cannot register; trying again");
    }
    let mut positions = watermark.0.subscribe();
    positions.mark_changed();
    let mut told = db.signals().subscribe(Signal::Orders);
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut pace = tokio::time::interval(POSITION_EVERY);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let written = tokio::select! {
            () = stop.cancelled() => break,
            // A lost wake-up is made good with the next beat.
            _ = beat.tick() => match sweep_and_beat(&db, &me, db.clock().now() - FORGET_AFTER).await {
                Ok(()) => obey(&db, &me.id, &orders).await,
                failed => failed,
            },
            _ = told.changed() => obey(&db, &me.id, &orders).await,
            changed = async { pace.tick().await; positions.changed().await } => {
                if changed.is_err() {
                    break;
                }
                let position = *positions.borrow_and_update();
                let written = write_position(&db, &me.id, position).await;
                if written.is_err() {
                    positions.mark_changed();
                }
                written
            }
        };
        if let Err(error) = written {
            warn!(?error, "this process cannot say that it lives; trying again");
        }
    }
    if let Err(error) = remove(&db, &me.id).await {
        warn!(?error, "this process stays in the registry until another sweeps it");
    }
}

async fn write_position(db: &Db, id: &str, position: Option<Position>) -> Result<()> {
    let Some(position) = position else { return Ok(()) };
    db.write(Write::bulk("process.position"), |tx| {
        Box::pin(async move {
            tx.signal(Signal::Progress);
            sql("UPDATE process SET index_txid = $2, index_position = $3 WHERE id = $1")
                .bind(id)
                .bind(position.txid)
                .bind(position.position)
                .exec(tx)
                .await
                .map(drop)
        })
    })
    .await
}

/// Takes a process out of the registry.
///
/// # Errors
/// What the database says.
pub async fn remove(db: &Db, id: &str) -> Result<()> {
    db.write(Write::interactive("process.remove"), |tx| {
        Box::pin(async move {
            sql("DELETE FROM process WHERE id = $1")
                .bind(id)
                .exec(tx)
                .await
                .map(drop)
        })
    })
    .await
}
