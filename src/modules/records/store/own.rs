//! What somebody keeps for themselves about a type: how its table looks, and what new records begin with. No part of the
//! ledger: nobody else sees it.

use crate::kernel::db::{Db, Tx, sql};
use crate::kernel::error::Result;

/// What new records of a type begin with, under a name.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Template {
    pub id: String,
    pub owner: String,
    #[sqlx(rename = "type")]
    pub type_name: String,
    pub name: String,
    pub entered: String,
    pub created_at: i64,
}

pub async fn look(db: &Db, owner: &str, type_name: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = sql("SELECT look FROM table_look WHERE owner = $1 AND type = $2")
        .bind(owner)
        .bind(type_name)
        .opt(db)
        .await?;
    Ok(row.map(|(look,)| look))
}

pub async fn put_look(tx: &mut Tx<'_>, owner: &str, type_name: &str, look: &str) -> Result<()> {
    let now = tx.now();
    sql(
        "INSERT INTO table_look (owner, type, look, changed_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (owner, type) DO UPDATE SET look = excluded.look, changed_at = excluded.changed_at",
    )
    .bind(owner)
    .bind(type_name)
    .bind(look)
    .bind(now)
    .exec(tx)
    .await?;
    Ok(())
}

pub async fn drop_look(tx: &mut Tx<'_>, owner: &str, type_name: &str) -> Result<()> {
    sql("DELETE FROM table_look WHERE owner = $1 AND type = $2")
        .bind(owner)
        .bind(type_name)
        .exec(tx)
        .await?;
    Ok(())
}

/// Type and look of everything somebody keeps.
pub async fn looks_of(db: &Db, owner: &str) -> Result<Vec<(String, String)>> {
    sql("SELECT type, look FROM table_look WHERE owner = $1 ORDER BY type")
        .bind(owner)
        .all(db)
        .await
}

pub async fn templates(db: &Db, owner: &str, type_name: &str, limit: i64) -> Result<Vec<Template>> {
    sql("SELECT id, owner, type, name, entered, created_at FROM entry_template WHERE owner = $1 AND type = $2 ORDER BY id LIMIT $3")
        .bind(owner)
        .bind(type_name)
        .bind(limit)
        .all(db)
        .await
}

pub async fn templates_of(db: &Db, owner: &str) -> Result<Vec<Template>> {
    sql("SELECT id, owner, type, name, entered, created_at FROM entry_template WHERE owner = $1 ORDER BY type, id")
        .bind(owner)
        .all(db)
        .await
}

/// Keeps a template; one of the same name is written over.
pub async fn put_template(tx: &mut Tx<'_>, template: &Template) -> Result<()> {
    sql(
        "INSERT INTO entry_template (id, owner, type, name, entered, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (owner, type, name) DO UPDATE SET entered = excluded.entered",
    )
    .bind(&template.id)
    .bind(&template.owner)
    .bind(&template.type_name)
    .bind(&template.name)
    .bind(&template.entered)
    .bind(template.created_at)
    .exec(tx)
    .await?;
    Ok(())
}

/// Answers how many there were.
pub async fn drop_template(tx: &mut Tx<'_>, owner: &str, type_name: &str, id: &str) -> Result<u64> {
    sql("DELETE FROM entry_template WHERE id = $1 AND owner = $2 AND type = $3")
        .bind(id)
        .bind(owner)
        .bind(type_name)
        .exec(tx)
        .await
}

/// Forgets everything that somebody keeps.
pub async fn forget_owner(tx: &mut Tx<'_>, owner: &str) -> Result<()> {
    sql("DELETE FROM table_look WHERE owner = $1")
        .bind(owner)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM entry_template WHERE owner = $1")
        .bind(owner)
        .exec(tx)
        .await?;
    Ok(())
}

/// Forgets what people keep about a type.
pub async fn forget_kept(tx: &mut Tx<'_>, type_name: &str) -> Result<()> {
    sql("DELETE FROM table_look WHERE type = $1")
        .bind(type_name)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM entry_template WHERE type = $1")
        .bind(type_name)
        .exec(tx)
        .await?;
    Ok(())
}
