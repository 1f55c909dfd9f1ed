//! Which program this is, and whether it and a database fit together.
//!
//! Migrations expand before they contract, so a database may be ahead of the program; it stores the oldest program that
//! may still use it.

use super::db::{Db, Engine, MigrationState, Step, Write, sql};
use super::error::{Code, Error, Result};

/// `0.1.0`
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit it was built from; "unknown" outside a checkout.
pub const COMMIT: &str = env!("VITRINE_COMMIT");
/// `0.1.0 (COMMIT)`
pub const VERSION_WITH_COMMIT: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("VITRINE_COMMIT"), ")");

/// The oldest program that may use a database that this one has migrated. Raised together with a migration that
/// contracts.
const OLDEST: &str = "0.1.0";
const OLDEST_FACT: &str = "oldest_program";

/// Moves the schema, and notes which programs may use it from now on.
///
/// # Errors
/// A migration that fails; a database of a newer program.
pub async fn migrate(db: &Db, step: Step) -> Result<Vec<MigrationState>> {
    refuse_newer(db, &db.migrations().await?).await?;
    let states = db.migrate(step).await?;
    if has_facts(&states) && step != Step::Undo {
        let noted = oldest(db).await?;
        if noted.as_deref().is_none_or(|noted| parts(noted) < parts(OLDEST)) {
            db.write(Write::interactive("program.note"), |tx| {
                Box::pin(async move {
                    sql("INSERT INTO fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
                        .bind(OLDEST_FACT)
                        .bind(OLDEST)
                        .exec(tx)
                        .await
                })
            })
            .await?;
        }
    }
    Ok(states)
}

/// Makes sure that the database has what this program needs. SQLite is migrated by itself; PostgreSQL only where that
/// was asked for, since other processes may be using it.
///
/// # Errors
/// Pending migrations on PostgreSQL; a database of a newer program.
pub async fn admit(db: &Db, may_migrate: bool) -> Result<()> {
    let states = db.migrations().await?;
    refuse_newer(db, &states).await?;
    let pending = states.iter().filter(|m| !m.applied).count();
    if pending == 0 {
        return Ok(());
    }
    if db.engine() == Engine::Postgres && !may_migrate {
        return Err(Error::new(
            Code::Conflict,
            format!(
                "The database lacks {pending} of {} migrations. Run `app migrate latest`, or start with --migrate.",
                states.len()
            ),
        ));
    }
    migrate(db, Step::Latest).await?;
    tracing::info!(migrations = pending, "the database was brought up to date");
    Ok(())
}

async fn refuse_newer(db: &Db, states: &[MigrationState]) -> Result<()> {
    if !has_facts(states) {
        return Ok(());
    }
    match oldest(db).await? {
        Some(noted) if parts(&noted) > parts(VERSION) => Err(Error::new(
            Code::Conflict,
            format!(
                "This database needs program {noted} or newer; this is {VERSION}. Use a newer program, or restore a \
                 backup that was made before it was migrated."
            ),
        )),
        _ => Ok(()),
    }
}

/// The facts live in the first migration.
fn has_facts(states: &[MigrationState]) -> bool {
    states.first().is_some_and(|first| first.applied)
}

async fn oldest(db: &Db) -> Result<Option<String>> {
    let row: Option<(String,)> = sql("SELECT value FROM fact WHERE name = $1")
        .bind(OLDEST_FACT)
        .opt(db)
        .await?;
    Ok(row.map(|(value,)| value))
}

/// Numbers compare as numbers: 0.10.0 is newer than 0.9.0.
fn parts(version: &str) -> Vec<u64> {
    version
        .split(['.', '-', '+'])
        .map_while(|part| part.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(parts("0.10.0") > parts("0.9.9"));
        assert!(parts("1.0.0") > parts("0.99.0"));
        assert_eq!(parts("0.1.0"), parts("0.1.0"));
    }
}
