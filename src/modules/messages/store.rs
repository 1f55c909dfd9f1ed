//! All SQL of the module.

use super::model::Message;
use crate::kernel::db::{Db, Exec, Filter, Tx, sql};
use crate::kernel::error::Result;

/// Writes a message down that waits.
pub(super) async fn insert(tx: &mut Tx<'_>, message: &Message, address_key: &str) -> Result<()> {
    sql("INSERT INTO message (id, address, address_key, template, language, content, state, attempts, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)")
        .bind(&message.id)
        .bind(&message.address)
        .bind(address_key)
        .bind(&message.template)
        .bind(message.language.as_deref())
        .bind(message.content.as_deref())
        .bind(&message.state)
        .bind(message.created_at)
        .bind(message.expires_at)
        .exec(tx)
        .await?;
    Ok(())
}

/// How many of a kind an address got since then.
pub(super) async fn count_since(tx: &mut Tx<'_>, address_key: &str, template: &str, since: i64) -> Result<i64> {
    let (count,): (i64,) =
        sql("SELECT COUNT(*) FROM message WHERE address_key = $1 AND template = $2 AND created_at > $3")
            .bind(address_key)
            .bind(template)
            .bind(since)
            .one(tx)
            .await?;
    Ok(count)
}

pub(super) async fn get(on: impl Into<Exec<'_>>, id: &str) -> Result<Option<Message>> {
    sql("SELECT id, address, template, language, content, state, error, attempts, created_at, sent_at, expires_at FROM message WHERE id = $1")
        .bind(id)
        .opt(on)
        .await
}

/// It was handed over: what was in it is forgotten.
pub(super) async fn sent(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    let now = tx.now();
    sql("UPDATE message SET state = 'sent', content = NULL, error = NULL, attempts = attempts + 1, sent_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .exec(tx)
        .await?;
    Ok(())
}

/// A try failed; with `state` failed it was the last one.
pub(super) async fn not_sent(tx: &mut Tx<'_>, id: &str, state: &str, error: &str) -> Result<()> {
    sql("UPDATE message SET state = $2, error = $3, attempts = attempts + 1 WHERE id = $1 AND state IN ('waiting', 'failed')")
        .bind(id)
        .bind(state)
        .bind(error)
        .exec(tx)
        .await?;
    Ok(())
}

/// Waits again. False where there is nothing left to send.
pub(super) async fn again(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    let now = tx.now();
    let rows = sql("UPDATE message SET state = 'waiting' WHERE id = $1 AND state = 'failed' AND content IS NOT NULL AND expires_at > $2")
        .bind(id)
        .bind(now)
        .exec(tx)
        .await?;
    Ok(rows == 1)
}

/// What is of no use any more is forgotten: contents whose time is over, and messages older than `before`.
pub(super) async fn prune(tx: &mut Tx<'_>, before: i64) -> Result<u64> {
    let now = tx.now();
    sql("UPDATE message SET content = NULL, state = CASE WHEN state = 'waiting' THEN 'expired' ELSE state END WHERE content IS NOT NULL AND expires_at <= $1")
        .bind(now)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM message WHERE created_at < $1 AND state <> 'waiting'")
        .bind(before)
        .exec(tx)
        .await
}

/// Messages in a state or in all, the newest first, before one of them.
pub(super) async fn list(db: &Db, state: Option<&str>, before: Option<&str>, limit: i64) -> Result<Vec<Message>> {
    Filter::new(
        "SELECT id, address, template, language, content, state, error, attempts, created_at, sent_at, expires_at FROM message",
    )
    .and_some("state = ?", state)
    .and_some("id < ?", before)
    .end("ORDER BY id DESC", limit)
    .all(db)
    .await
}

/// Everything that went or goes to an address, the newest first.
pub(super) async fn of(db: &Db, address_key: &str, limit: i64) -> Result<Vec<Message>> {
    sql("SELECT id, address, template, language, content, state, error, attempts, created_at, sent_at, expires_at FROM message \
         WHERE address_key = $1 ORDER BY id DESC LIMIT $2")
        .bind(address_key)
        .bind(limit)
        .all(db)
        .await
}

pub(super) async fn forget(tx: &mut Tx<'_>, address_key: &str) -> Result<()> {
    sql("DELETE FROM message WHERE address_key = $1")
        .bind(address_key)
        .exec(tx)
        .await?;
    Ok(())
}

/// How many stand in trouble: failed since then, or waiting after a try that failed; and what was said last.
pub(super) async fn trouble(db: &Db, since: i64) -> Result<(i64, Option<String>)> {
    let (count,): (i64,) = sql(
        "SELECT COUNT(*) FROM message WHERE (state = 'failed' AND created_at > $1) OR (state = 'waiting' AND error IS NOT NULL)",
    )
    .bind(since)
    .one(db)
    .await?;
    let last: Option<(Option<String>,)> = sql(
        "SELECT error FROM message WHERE (state = 'failed' AND created_at > $1) OR (state = 'waiting' AND error IS NOT NULL) \
         ORDER BY id DESC LIMIT 1",
    )
    .bind(since)
    .opt(db)
    .await?;
    Ok((count, last.and_then(|(error,)| error)))
}
