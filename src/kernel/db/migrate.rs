//! Migrations: one numbered set of plain SQL for both databases, with a down file each.
//!
//! A line `-- only: sqlite` or `-- only: postgres` starts a block for one engine, `-- all:` ends it. sqlx keeps the
//! checksum of the filtered text, so a change for one engine does not disturb the other.

use std::borrow::Cow;

use rust_embed::RustEmbed;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Connection, SqlSafeStr};

use super::error::from_sqlx;
use super::{Db, Engine, Inner};
use crate::kernel::error::{Code, Error, Result};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/migrations"]
struct Files;

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Every pending migration.
    Latest,
    /// The next pending one.
    One,
    /// Take the newest applied one back.
    Undo,
}

/// One migration and whether it is applied.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MigrationState {
    pub number: i64,
    pub name: String,
    pub applied: bool,
}

fn filtered(text: &str, engine: Engine) -> String {
    let mut keep = true;
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let marker = line.trim_start();
        if let Some(only) = marker.strip_prefix("-- only:") {
            keep = only.trim() == engine.name();
        } else if marker.starts_with("-- all:") {
            keep = true;
        } else if keep {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn migrator(engine: Engine) -> Result<Migrator> {
    let mut migrations = Vec::new();
    for path in Files::iter() {
        let Some((stem, kind)) = path
            .strip_suffix(".up.sql")
            .map(|s| (s, MigrationType::ReversibleUp))
            .or_else(|| {
                path.strip_suffix(".down.sql")
                    .map(|s| (s, MigrationType::ReversibleDown))
            })
        else {
            continue;
        };
        let broken = || Error::internal(anyhow::anyhow!("the migration {path} is not named NUMBER_NAME"));
        let (number, name) = stem.split_once('_').ok_or_else(broken)?;
        let number: i64 = number.parse().map_err(|_| broken())?;
        let file = Files::get(&path).ok_or_else(broken)?;
        let text = filtered(&String::from_utf8_lossy(&file.data), engine);
        let sql = sqlx::AssertSqlSafe(text).into_sql_str();
        migrations.push(Migration::new(
            number,
            Cow::Owned(name.replace('_', " ")),
            kind,
            sql,
            false,
        ));
    }
    Ok(Migrator::with_migrations(migrations))
}

fn explain(error: MigrateError) -> Error {
    let text = match &error {
        MigrateError::VersionMissing(number) => {
            format!(
                "The database has migration {number}, which this program does not know: it was made by a newer one. Use that, or restore a backup."
            )
        }
        MigrateError::VersionMismatch(number) => {
            format!(
                "Migration {number} was applied in another form than this program has it. Restore a backup or use the program that applied it."
            )
        }
        MigrateError::Dirty(number) => {
            format!("Migration {number} broke off half-way. Restore a backup, or repair the database and try again.")
        }
        _ => return Error::internal(error),
    };
    Error::new(Code::Conflict, text).caused_by(error)
}

async fn states<C: Migrate>(migrator: &Migrator, connection: &mut C) -> Result<Vec<MigrationState>> {
    connection
        .ensure_migrations_table(&migrator.table_name)
        .await
        .map_err(explain)?;
    let applied = connection
        .list_applied_migrations(&migrator.table_name)
        .await
        .map_err(explain)?;
    Ok(migrator
        .iter()
        .filter(|m| m.migration_type.is_up_migration())
        .map(|m| MigrationState {
            number: m.version,
            name: m.description.to_string(),
            applied: applied.iter().any(|a| a.version == m.version),
        })
        .collect())
}

async fn walk<C: Migrate>(migrator: &Migrator, connection: &mut C, step: Step) -> Result<Vec<MigrationState>> {
    let before = states(migrator, connection).await?;
    match step {
        Step::Latest => migrator.run_direct(None, connection, false).await.map_err(explain)?,
        Step::One => {
            if let Some(next) = before.iter().find(|m| !m.applied) {
                migrator
                    .run_direct(Some(next.number), connection, false)
                    .await
                    .map_err(explain)?;
            }
        }
        Step::Undo => {
            let newest = before.iter().rev().find(|m| m.applied).map(|m| m.number);
            let down = migrator
                .iter()
                .find(|m| Some(m.version) == newest && m.migration_type.is_down_migration());
            if let Some(down) = down {
                connection.lock().await.map_err(explain)?;
                let reverted = connection.revert(&migrator.table_name, down).await.map_err(explain);
                connection.unlock().await.map_err(explain)?;
                reverted?;
            }
        }
    }
    states(migrator, connection).await
}

impl Db {
    /// Moves the schema and answers every migration with its state.
    ///
    /// # Errors
    /// A migration that fails (and is rolled back); a database made by a newer program.
    pub async fn migrate(&self, step: Step) -> Result<Vec<MigrationState>> {
        let migrator = migrator(self.engine())?;
        match &*self.0 {
            Inner::Sqlite(s) => {
                s.exclusive(async |connection| walk(&migrator, connection, step).await)
                    .await
            }
            Inner::Postgres(p) => {
                // A connection of its own: a migration may take longer than any request is allowed to.
                let mut connection = p.pool()?.acquire().await.map_err(from_sqlx)?.detach();
                sqlx::query("SET statement_timeout = 0")
                    .execute(&mut connection)
                    .await
                    .map_err(from_sqlx)?;
                let states = walk(&migrator, &mut connection, step).await;
                connection.close().await.map_err(from_sqlx)?;
                states
            }
        }
    }

    /// Every migration with its state; changes nothing but makes the table of migrations where it is missing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn migrations(&self) -> Result<Vec<MigrationState>> {
        let migrator = migrator(self.engine())?;
        match &*self.0 {
            Inner::Sqlite(s) => {
                s.exclusive(async |connection| states(&migrator, connection).await)
                    .await
            }
            Inner::Postgres(p) => {
                let mut connection = p.pool()?.acquire().await.map_err(from_sqlx)?;
                states(&migrator, &mut *connection).await
            }
        }
    }
}
