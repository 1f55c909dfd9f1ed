//! PostgreSQL: READ COMMITTED, retry on serialization failures and deadlocks only, short transactions, notifications.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::error::{from_sqlx, wants_retry};
use super::signal::{Signal, Signals};
use super::tx::TxConn;
use super::write::{Write, attempt};
use super::{Db, Options, Tx};
use crate::kernel::clock::Clock;
use crate::kernel::error::{Code, Error, Result};

const LIMIT: Duration = Duration::from_secs(1);
const ATTEMPTS: u32 = 8;
/// The notification channel of every Vitrine process on this database.
const CHANNEL: &str = "vitrine";

pub(super) struct Postgres {
    pub pool: PgPool,
    pub signals: Signals,
    pub clock: Clock,
    notify: mpsc::UnboundedSender<Signal>,
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
            .connect_with(connect)
            .await
            .map_err(from_sqlx)?;
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
        tokio::spawn(announce(pool.clone(), inbox));
        tokio::spawn(listen(pool.clone(), signals.clone()));
        Ok(Self {
            pool,
            signals,
            clock,
            notify,
        })
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
        let begun = self.pool.begin().await.map_err(from_sqlx)?;
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
async fn announce(pool: PgPool, mut inbox: mpsc::UnboundedReceiver<Signal>) {
    while let Some(first) = inbox.recv().await {
        let mut names = vec![first.name()];
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

/// Hears the other processes. After a lost connection everything is raised once, since something may have been missed.
async fn listen(pool: PgPool, signals: Signals) {
    while !pool.is_closed() {
        match PgListener::connect_with(&pool).await {
            Ok(mut listener) => {
                listener.ignore_pool_close_event(false);
                if listener.listen(CHANNEL).await.is_ok() {
                    Signal::ALL.iter().for_each(|s| signals.raise(*s));
                    while let Ok(notification) = listener.recv().await {
                        notification
                            .payload()
                            .split(' ')
                            .filter_map(Signal::parse)
                            .for_each(|s| signals.raise(s));
                    }
                }
            }
            Err(error) => debug!(%error, "waiting for the database"),
        }
        super::write::pause(Duration::from_millis(500)).await;
    }
}
