//! How the kernel's own parts are: clock, disk, data folder, what holds followers back. Asked by `/health/ready` and `app doctor`.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use async_trait::async_trait;

use super::Kernel;
use super::data::DataDir;
use super::db::{Db, pick};
use super::error::Result;
use super::module::{Health, HealthCheck};
use super::process::{Orders, WEB};

/// Less free space than this deserves a look; SQLite, the index and imports all need room to work.
const LOW_DISK: u64 = 1 << 30;
/// Less than this and writes are about to fail.
const NO_DISK: u64 = 64 << 20;
/// A transaction that is older than this (seconds) holds followers back for long enough to say so.
const OLD_TRANSACTION: i64 = 10;
/// A write-ahead log beyond this deserves a look.
const LONG_LOG: u64 = 256 << 20;
/// The machine's clock may differ by this much from the database's, in milliseconds.
const CLOCK_DRIFT: i64 = 5_000;

/// The kernel's checks.
pub fn checks(kernel: &Kernel) -> Vec<Arc<dyn HealthCheck>> {
    vec![
        Arc::new(Paused(kernel.orders.clone())),
        Arc::new(ClockDrift(kernel.db.clone())),
        Arc::new(Followers(kernel.db.clone())),
        Arc::new(Disk(kernel.data.clone(), kernel.db.clone())),
        Arc::new(Folder(kernel.data.clone())),
        Arc::new(Log(kernel.db.clone())),
    ]
}

/// What this process was told to leave. Without its web it takes no requests; without the others it still answers.
struct Paused(Orders);

#[async_trait]
impl HealthCheck for Paused {
    fn name(&self) -> &'static str {
        "roles"
    }
    async fn check(&self) -> Health {
        let paused = self.0.paused();
        let reason = match paused.as_slice() {
            [] => return Health::Ok,
            [role] => format!("the {role} pauses: app start {role}"),
            roles => format!("these pause: {}. app start ROLE lets one go on", roles.join(", ")),
        };
        if self.0.is_paused(WEB) {
            Health::Failed { reason }
        } else {
            Health::Warning { reason }
        }
    }
}

/// Leases, schedules and sessions compare this machine's clock with times that others wrote.
struct ClockDrift(Db);

#[async_trait]
impl HealthCheck for ClockDrift {
    fn name(&self) -> &'static str {
        "clock"
    }
    async fn check(&self) -> Health {
        clock(&self.0).await
    }
}

/// How far the database's clock is from this machine's.
pub async fn clock(db: &Db) -> Health {
    match drift(db).await {
        Ok(drift) if drift.abs() > CLOCK_DRIFT => Health::Warning {
            reason: format!(
                "the database's clock differs from this machine's by {drift} ms: leases and schedules suffer"
            ),
        },
        Ok(_) => Health::Ok,
        Err(error) => Health::Failed {
            reason: error.detail().to_owned(),
        },
    }
}

async fn drift(db: &Db) -> Result<i64> {
    let (theirs,): (i64,) = pick(
        "SELECT CAST(strftime('%s', 'now') AS BIGINT) * 1000",
        "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
    )
    .one(db)
    .await?;
    Ok(theirs - db.clock().now())
}

/// Followers read only below the oldest open transaction of the whole server: one that hangs holds search back.
struct Followers(Db);

#[async_trait]
impl HealthCheck for Followers {
    fn name(&self) -> &'static str {
        "followers"
    }
    async fn check(&self) -> Health {
        followers(&self.0).await.unwrap_or_else(|error| Health::Failed {
            reason: error.detail().to_owned(),
        })
    }
}

#[derive(sqlx::FromRow)]
struct Holder {
    pid: i64,
    database: String,
    application: String,
    seconds: i64,
}

/// Names the transaction that holds followers back, also one of another database on the server.
///
/// # Errors
/// What the database says.
pub async fn followers(db: &Db) -> Result<Health> {
    let holder: Option<Holder> = pick(
        "SELECT 0 AS pid, '' AS database, '' AS application, 0 AS seconds WHERE FALSE",
        "SELECT CAST(pid AS BIGINT) AS pid, COALESCE(CAST(datname AS TEXT), '') AS database, \
         COALESCE(application_name, '') AS application, \
         CAST(EXTRACT(EPOCH FROM clock_timestamp() - xact_start) AS BIGINT) AS seconds FROM pg_stat_activity \
         WHERE xact_start IS NOT NULL AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL) \
         ORDER BY xact_start LIMIT 1",
    )
    .opt(db)
    .await?;
    let Some(holder) = holder.filter(|h| h.seconds >= OLD_TRANSACTION) else {
        return Ok(Health::Ok);
    };
    Ok(Health::Warning {
        reason: format!(
            "a transaction of {} s in the database {} holds search and feeds back (process {}, \"{}\"): end it, or run \
             SELECT pg_terminate_backend({})",
            holder.seconds, holder.database, holder.pid, holder.application, holder.pid
        ),
    })
}

struct Disk(Arc<DataDir>, Db);

#[async_trait]
impl HealthCheck for Disk {
    fn name(&self) -> &'static str {
        "disk"
    }
    async fn check(&self) -> Health {
        match free_bytes(&self.0) {
            _ if self.1.is_full() => Health::Failed {
                reason: "the database cannot grow: its disk is full, or a limit is reached".to_owned(),
            },
            Ok(free) if free < NO_DISK => Health::Failed {
                reason: format!("only {} MB are free", free >> 20),
            },
            Ok(free) if free < LOW_DISK => Health::Warning {
                reason: format!("only {} MB are free", free >> 20),
            },
            Ok(_) => Health::Ok,
            Err(error) => Health::Warning {
                reason: format!("the free space cannot be read: {error}"),
            },
        }
    }
}

/// Bytes that this user may still write in the data folder.
///
/// # Errors
/// What the file system says.
pub fn free_bytes(data: &DataDir) -> std::io::Result<u64> {
    let stats = rustix::fs::statvfs(data.root())?;
    Ok(stats.f_bavail.saturating_mul(stats.f_frsize))
}

struct Folder(Arc<DataDir>);

#[async_trait]
impl HealthCheck for Folder {
    fn name(&self) -> &'static str {
        "data-folder"
    }
    async fn check(&self) -> Health {
        folder(&self.0)
    }
}

/// Whether others on this machine may look into the data folder.
pub fn folder(data: &DataDir) -> Health {
    let mode = match std::fs::metadata(data.root()) {
        Ok(meta) => meta.permissions().mode() & 0o777,
        Err(error) => {
            return Health::Failed {
                reason: format!("the data folder is gone: {error}"),
            };
        }
    };
    if mode & 0o077 == 0 {
        Health::Ok
    } else {
        let place = data.root().display();
        Health::Warning {
            reason: format!("others on this machine may look into it (mode {mode:o}): chmod 700 {place}"),
        }
    }
}

/// SQLite's write-ahead log grows while somebody reads one state of the database, and shrinks when it begins anew.
struct Log(Db);

#[async_trait]
impl HealthCheck for Log {
    fn name(&self) -> &'static str {
        "write-ahead-log"
    }
    async fn check(&self) -> Health {
        match self.0.log_size() {
            Some(bytes) if bytes > LONG_LOG => Health::Warning {
                reason: format!(
                    "the database's write-ahead log has {} MB: one state has been read for long, or more is written than the disk takes. \
                     It shrinks by itself when that ends; /jobs tells what writes",
                    bytes >> 20
                ),
            },
            _ => Health::Ok,
        }
    }
}
