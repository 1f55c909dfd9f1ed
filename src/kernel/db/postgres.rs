//! PostgreSQL: READ COMMITTED, retry on serialization failures and deadlocks only, short transactions, notifications.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::error::{away, from_sqlx, wants_retry};
use super::signal::{Signal, Signals};
use super::tx::TxConn;
use super::write::{Write, attempt};
use super::{Db, Options, Tx};
use crate::kernel::clock::Clock;
use crate::kernel::error::{Code, Error, Result};

const LIMIT: Duration = Duration::from_secs(1);
const ATTEMPTS: u32 = 8;
/// A connection that was not used for so long may be gone.
const IDLE: Duration = Duration::from_millis(500);
/// The server is away when the listener gets no connection for so long.
const RECONNECT: Duration = Duration::from_millis(500);
/// The notification channel of every Vitrine process on this database.
const CHANNEL: &str = "vitrine";

pub(super) struct Postgres {
    pool: PgPool,
    /// The listener's own connection.
    ears: PgPool,
    /// False from the moment the listener loses its connection until it has one again: nobody waits for a connection that
    /// cannot come.
    answers: Arc<AtomicBool>,
    pub signals: Signals,
    pub clock: Clock,
    pub full: AtomicBool,
    notify: mpsc::UnboundedSender<Signal>,
}

/// Why there is no first connection. The pool tries again until its time is up and then says no more than that.
async fn why_not(connect: &PgConnectOptions, error: sqlx::Error, patience: Duration) -> Error {
    let error = match error {
        sqlx::Error::PoolTimedOut => match tokio::time::timeout(patience, PgConnection::connect_with(connect)).await {
            Ok(Err(error)) => error,
            _ => error,
        },
        other => other,
    };
    refusal(connect, error)
}

/// What the server, or its absence, says to somebody who has just written its address down.
fn refusal(connect: &PgConnectOptions, error: sqlx::Error) -> Error {
    let (place, user) = (
        format!("{}:{}", connect.get_host(), connect.get_port()),
        connect.get_username(),
    );
    let code = match &error {
        sqlx::Error::Database(db) => db.code().unwrap_or_default().into_owned(),
        _ => String::new(),
    };
    let name = connect.get_database().unwrap_or(user);
    let text = match (&*code, &error) {
        ("3D000", _) => {
            format!(
                "PostgreSQL at {place} has no database \"{name}\". Make it (createdb {name}), or name another one in database.url."
            )
        }
        ("28P01" | "28000", _) => {
            format!(
                "PostgreSQL at {place} does not let \"{user}\" in. Check the user and the password in database.url."
            )
        }
        ("53300", _) => {
            format!(
                "PostgreSQL at {place} has no connection left. Raise its max_connections, or lower database.connections."
            )
        }
        (_, sqlx::Error::Io(cause)) => {
            format!(
                "PostgreSQL at {place} cannot be reached ({}). Check that it runs and that database.url names it.",
                cause.kind()
            )
        }
        (_, sqlx::Error::PoolTimedOut) => {
            format!("PostgreSQL at {place} did not answer in time. Check that it runs and that database.url names it.")
        }
        _ => return from_sqlx(error),
    };
    Error::new(Code::Unavailable, text).caused_by(error)
}

impl Postgres {
    pub async fn open(url: &str, clock: Clock, signals: Signals, options: &Options) -> Result<Self> {
        let connect = PgConnectOptions::from_str(url)
            .map_err(|e| {
                Error::new(
                    Code::BadRequest,
                    "database.url is not a PostgreSQL address: postgres://user@host/name",
                )
                .caused_by(e)
            })?
            .application_name("vitrine")
            .options([
                ("idle_in_transaction_session_timeout", "10s"),
                ("lock_timeout", "5s"),
                ("statement_timeout", "30s"),
            ]);
        let pool = PgPoolOptions::new()
            .max_connections(options.readers.max(2))
            .acquire_timeout(Duration::from_millis(options.wait_ms))
            // Asking whether it is still there costs as much as a small query: only one that was idle is asked.
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(connect.clone())
            .await;
        let pool = match pool {
            Ok(pool) => pool,
            Err(error) => return Err(why_not(&connect, error, Duration::from_millis(options.wait_ms)).await),
        };
        let (version,): (String,) = sqlx::query_as("SHOW server_version_num")
            .fetch_one(&pool)
            .await
            .map_err(from_sqlx)?;
        if version.parse::<u32>().is_ok_and(|n| n < 150_000) {
            return Err(Error::new(
                Code::Unavailable,
                format!("PostgreSQL 15 or newer is needed; this server is {}.", version),
            ));
        }
        let (notify, inbox) = mpsc::unbounded_channel();
        let answers = Arc::new(AtomicBool::new(true));
        // One's own signals were raised already: heard again they would only make everybody look twice.
        let own: Arc<str> = format!("by:{}", hex::encode(crate::kernel::crypto::random::<8>())).into();
        tokio::spawn(announce(pool.clone(), own.clone(), inbox));
        let ears = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(RECONNECT)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(connect);
        tokio::spawn(listen(ears.clone(), own, signals.clone(), answers.clone()));
        Ok(Self {
            pool,
            ears,
            answers,
            signals,
            clock,
            full: AtomicBool::new(false),
            notify,
        })
    }

    /// The pool, while the server answers.
    ///
    /// # Errors
    /// `Unavailable` at once while it does not.
    pub fn pool(&self) -> Result<&PgPool> {
        if self.answers.load(Ordering::Relaxed) {
            Ok(&self.pool)
        } else {
            Err(away())
        }
    }

    pub async fn close(&self) {
        self.ears.close().await;
        self.pool.close().await;
    }

    pub async fn write<'e, T, F>(&'e self, db: &'e Db, how: Write, f: F) -> Result<T>
    where
        T: Send,
        F: for<'t> Fn(&'t mut Tx<'e>) -> futures_util::future::BoxFuture<'t, Result<T>> + Send + Sync,
    {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.once(db, how, &f).await {
                Err(error) if tries < ATTEMPTS && wants_retry(&error) => {
                    debug!(write = how.name, tries, "the database asks to try again");
                    metrics::counter!("vitrine_db_retries_total").increment(1);
                    let [random] = crate::kernel::crypto::random::<1>();
                    super::write::pause(Duration::from_millis(u64::from(tries) * 5 + u64::from(random) / 16)).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn once<'e, T, F>(&'e self, db: &'e Db, how: Write, f: &F) -> Result<T>
    where
        T: Send,
        F: for<'t> Fn(&'t mut Tx<'e>) -> futures_util::future::BoxFuture<'t, Result<T>> + Send + Sync,
    {
        let begun = self.pool()?.begin().await.map_err(from_sqlx)?;
        let mut tx = Tx::new(TxConn::Postgres(begun), db.clone());
        let value = attempt(&mut tx, how, LIMIT, f).await?;
        let Tx {
            conn, after, signals, ..
        } = tx;
        if let TxConn::Postgres(begun) = conn {
            begun.commit().await.map_err(from_sqlx)?;
        }
        for run in after {
            run();
        }
        for signal in signals {
            self.signals.raise(signal);
            // The receiver lives as long as the pool; a closed one means the process is ending.
            let _ = self.notify.send(signal);
        }
        Ok(value)
    }
}

/// Tells the other processes, one notification for all that is waiting: a `NOTIFY` inside each transaction would make
/// commits queue behind one lock.
async fn announce(pool: PgPool, own: Arc<str>, mut inbox: mpsc::UnboundedReceiver<Signal>) {
    while let Some(first) = inbox.recv().await {
        let mut names = vec![&*own, first.name()];
        while let Ok(more) = inbox.try_recv() {
            if !names.contains(&more.name()) {
                names.push(more.name());
            }
        }
        let sent = sqlx::query("SELECT pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(names.join(" "))
            .execute(&pool)
            .await;
        if let Err(error) = sent {
            if pool.is_closed() {
                return;
            }
            warn!(%error, "other processes were not woken; they look by themselves within two seconds");
        }
    }
}

/// Hears the other processes, and notices when the server goes away or comes back. After a lost connection everything is
/// raised once, since something may have been missed.
async fn listen(pool: PgPool, own: Arc<str>, signals: Signals, answers: Arc<AtomicBool>) {
    while !pool.is_closed() {
        if let Err(error) = hear(&pool, &own, &signals, &answers).await {
            if answers.swap(false, Ordering::Relaxed) && !pool.is_closed() {
                warn!(%error, "the database does not answer; waiting for it");
            }
            super::write::pause(Duration::from_millis(200)).await;
        }
    }
}

async fn hear(pool: &PgPool, own: &str, signals: &Signals, answers: &AtomicBool) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.ignore_pool_close_event(false);
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    if !answers.swap(true, Ordering::Relaxed) {
        tracing::info!("the database answers again");
    }
    Signal::ALL.iter().for_each(|s| signals.raise(*s));
    // None: the connection is gone. A new listener finds out whether the server is.
    while let Some(notification) = listener.try_recv().await? {
        let said = notification.payload();
        if !said.starts_with(own) {
            said.split(' ').filter_map(Signal::parse).for_each(|s| signals.raise(s));
        }
    }
    Ok(())
}
