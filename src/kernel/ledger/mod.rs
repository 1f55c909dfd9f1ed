//! The ledger: every change of everything that people curate, once, in named change sets.
//!
//! History, compare, restore, undo, audit, search and feeds read it. Followers keep a cursor `(txid, position)` and read
//! only below the horizon of transactions that are still open: `position` alone loses rows on PostgreSQL, where a later
//! number may be committed first.

mod follow;
mod history;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use follow::{count_after, follow, head, settled};
pub use history::{
    AuditLine, SetFilter, actors, audit, causes, makers, redact, redact_all, set, set_changes, set_counts, sets,
    version, versions,
};

use super::db::{Db, Engine, Signal, Tx, Val, insert_later, insert_many, pick, sql};
use super::error::{Code, Error, Result};
use super::id::new_id;

/// A place in the ledger, as clients see it in `Ledger-Position: TXID.POS`. Ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub txid: i64,
    pub position: i64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.txid, self.position)
    }
}

impl FromStr for Position {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.split_once('.').and_then(|(t, p)| {
            Some(Self {
                txid: t.parse().ok()?,
                position: p.parse().ok()?,
            })
        });
        parsed.ok_or_else(|| {
            Error::new(
                Code::BadRequest,
                format!("\"{text}\" is not a ledger position; take it from the header Ledger-Position."),
            )
        })
    }
}

/// What happened to an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    Create,
    Update,
    Delete,
    Restore,
}

impl Operation {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Restore => "restore",
        }
    }
    fn parse(text: &str) -> Result<Self> {
        [Self::Create, Self::Update, Self::Delete, Self::Restore]
            .into_iter()
            .find(|o| o.as_str() == text)
            .ok_or_else(|| Error::internal(anyhow::anyhow!("the ledger holds the unknown operation {text}")))
    }
}

/// A change set to open.
#[derive(Clone, Debug)]
pub struct NewSet<'a> {
    /// What makes it: `record.edit`, `import`, `undo` …
    pub kind: &'a str,
    /// Who: `Caller::actor()`.
    pub actor: &'a str,
    /// Why, in the person's words; may be empty.
    pub reason: &'a str,
    /// From where: the channel (`api`, `ui`, `cli`, `job`) and what belongs to it. A `request` and a `job` lead back to it.
    pub origin: serde_json::Value,
}

/// A change set as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ChangeSet {
    pub id: String,
    pub kind: String,
    pub actor: String,
    pub reason: String,
    pub origin: String,
    pub created_at: i64,
}

/// A state to append.
#[derive(Clone, Debug)]
pub struct NewVersion {
    pub entity: String,
    /// From 1, one more than the version it is based on.
    pub version: i64,
    /// What kind of entity: [`RECORD`], [`TYPE`] …
    pub kind: &'static str,
    pub operation: Operation,
    /// The whole state as JSON text; `None` for a deletion.
    pub document: Option<String>,
}

/// The kind of a record's versions.
pub const RECORD: &str = "record";
/// The kind of a record type's versions.
pub const TYPE: &str = "type";

/// The kind of what was given to somebody: a role at a place, a membership of a group.
pub const GRANT: &str = "grant";
/// The kind of a group's versions.
pub const GROUP: &str = "group";

/// The kind of an account's versions.
pub const ACCOUNT: &str = "account";
/// The kinds of what is about people and what they may.
pub const ABOUT_PEOPLE: [&str; 3] = [ACCOUNT, GRANT, GROUP];

/// Is a change set about people and what they may, by its own kind? Such sets are for auditors, and are never undone.
pub fn is_about_people(set_kind: &str) -> bool {
    set_kind.starts_with("access.") || set_kind.starts_with("account.")
}

/// One state of an entity with who, why and when.
#[derive(Clone, Debug)]
pub struct Version {
    pub entity: String,
    pub version: i64,
    pub kind: String,
    pub operation: Operation,
    pub document: Option<String>,
    pub at: Position,
    pub set: ChangeSet,
}

/// "This id changed", for followers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub at: Position,
    pub kind: String,
    pub entity: String,
    pub version: i64,
}

/// A change as it is read: place, kind, entity, version.
type ChangeRow = (i64, i64, String, String, i64);

impl From<ChangeRow> for Change {
    fn from((txid, position, kind, entity, version): ChangeRow) -> Self {
        Self {
            at: Position { txid, position },
            kind,
            entity,
            version,
        }
    }
}

/// Opens a change set; versions are appended to it, in this and in later transactions.
///
/// # Errors
/// What the database says.
pub async fn open_set(tx: &mut Tx<'_>, new: &NewSet<'_>) -> Result<String> {
    let id = new_id();
    let now = tx.now();
    let named = |name: &str| new.origin.get(name).and_then(serde_json::Value::as_str);
    let row: Vec<Val> = vec![
        (&id).into(),
        new.kind.into(),
        new.actor.into(),
        new.reason.into(),
        (&new.origin).into(),
        now.into(),
        named("request").into(),
        named("job").into(),
    ];
    let columns = &[
        "id",
        "kind",
        "actor",
        "reason",
        "origin",
        "created_at",
        "request_id",
        "job_id",
    ];
    insert_later(tx, "change_set", columns, "", vec![row]).await?;
    Ok(id)
}

/// Appends states to a change set and wakes followers after the commit. Answers the place of the last one.
///
/// # Errors
/// `Conflict` when a version exists already: somebody else was faster.
pub async fn append(tx: &mut Tx<'_>, set_id: &str, versions: Vec<NewVersion>) -> Result<Position> {
    let first = tx.positions(versions.len());
    let count = versions.len() as i64;
    let mut rows = Vec::with_capacity(versions.len());
    for (offset, v) in versions.into_iter().enumerate() {
        let mut row: Vec<Val> = vec![
            v.entity.into(),
            v.version.into(),
            v.kind.into(),
            set_id.into(),
            v.operation.as_str().into(),
            Val::Text(v.document),
        ];
        if let Some(first) = first {
            row.extend([Val::from(0i64), Val::from(first + offset as i64)]);
        }
        rows.push(row);
    }
    tx.signal(Signal::Ledger);
    if let Some(first) = first {
        let columns = &[
            "entity",
            "version",
            "kind",
            "set_id",
            "operation",
            "document",
            "txid",
            "position",
        ];
        insert_later(tx, "version", columns, "", rows).await?;
        return Ok(Position {
            txid: 0,
            position: first + count - 1,
        });
    }
    insert_many(
        tx,
        "version",
        &["entity", "version", "kind", "set_id", "operation", "document"],
        "",
        rows,
    )
    .await?;
    let (txid, position): (i64, i64) = pick(
        "SELECT 0, 0",
        "SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), currval('ledger_position')",
    )
    .one(tx)
    .await?;
    Ok(Position { txid, position })
}

/// Which database this is, so that a follower notices when it looks at another one.
///
/// # Errors
/// What the database says.
pub async fn identity(db: &Db) -> Result<String> {
    let stored: Option<(String,)> = sql("SELECT value FROM fact WHERE name = 'database'").opt(db).await?;
    let name = match stored {
        Some((id,)) => id,
        None => {
            db.write(super::db::Write::interactive("ledger.identity"), |tx| {
                Box::pin(async move {
                    sql("INSERT INTO fact (name, value) VALUES ('database', $1) ON CONFLICT DO NOTHING")
                        .bind(new_id())
                        .exec(tx)
                        .await
                })
            })
            .await?;
            let (id,): (String,) = sql("SELECT value FROM fact WHERE name = 'database'").one(db).await?;
            id
        }
    };
    if db.engine() == Engine::Sqlite {
        return Ok(name);
    }
    let (cluster,): (String,) = pick(
        "SELECT ''",
        "SELECT CAST(system_identifier AS TEXT) || '/' || CAST((SELECT oid FROM pg_database WHERE datname = current_database()) AS TEXT) FROM pg_control_system()",
    )
    .one(db)
    .await?;
    Ok(format!("{name}/{cluster}"))
}
