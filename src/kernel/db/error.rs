//! What the databases say, in the house's words.

use crate::kernel::error::{Code, Error};

/// Maps a database error by kind; names of constraints do not exist on SQLite.
pub fn from_sqlx(error: sqlx::Error) -> Error {
    use sqlx::error::ErrorKind;
    match &error {
        sqlx::Error::PoolTimedOut => Error::new(
            Code::Busy,
            "No database connection came free in time. Try again in a moment.",
        )
        .caused_by(error),
        sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Tls(_) => {
            unavailable(error)
        }
        sqlx::Error::Database(db) => {
            let code = db.code().unwrap_or_default().into_owned();
            match db.kind() {
                ErrorKind::UniqueViolation => {
                    Error::new(Code::Conflict, "Something with the same key exists already.").caused_by(error)
                }
                ErrorKind::ForeignKeyViolation => Error::new(
                    Code::Conflict,
                    "Something else refers to this, or what it refers to is gone.",
                )
                .caused_by(error),
                // PostgreSQL: 53100 disk full, 57P0x shutting down, 08xxx connection. SQLite: 13 full, 778 and 4874 a file
                // that may not grow (a quota, a limit of the process).
                _ if matches!(&*code, "53100" | "13" | "778" | "4874") => Error::new(
                    Code::DiskFull,
                    "The disk of the database is full, or its file may not grow. Free some space; nothing was written.",
                )
                .caused_by(error),
                // PostgreSQL: a text with a NUL, which it cannot hold, as a value or only to look for.
                _ if &*code == "22021" => Error::new(
                    Code::Invalid,
                    "A text holds the character NUL (U+0000), which cannot be stored. Take it out and send it again.",
                )
                .caused_by(error),
                _ if code.starts_with("57P") || code.starts_with("08") => unavailable(error),
                _ => Error::internal(error),
            }
        }
        _ => Error::internal(error),
    }
}

/// The database is not there.
pub(super) fn away() -> Error {
    Error::new(
        Code::Unavailable,
        "The database does not answer. It is tried again; so should you, in a moment.",
    )
}

fn unavailable(error: sqlx::Error) -> Error {
    away().caused_by(error)
}

/// True where PostgreSQL asks for the transaction to be tried again: serialization failure or deadlock.
pub(super) fn wants_retry(error: &Error) -> bool {
    let source = error.source().and_then(|s| s.downcast_ref::<sqlx::Error>());
    match source {
        Some(sqlx::Error::Database(db)) => matches!(db.code().as_deref(), Some("40001" | "40P01")),
        _ => false,
    }
}
