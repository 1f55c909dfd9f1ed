//! The statements over tuples, groups and the count of their changes.

use super::graph::Tuple;
use crate::kernel::db::{Db, Exec, Tx, sql};
use crate::kernel::error::Result;

/// A tuple with who gave it and when.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TupleRow {
    pub object: String,
    pub relation: String,
    pub subject: String,
    pub given_by: String,
    pub given_at: i64,
}

/// How often tuples have changed, and every tuple where that is not `known`. One statement, so that both are of one moment.
pub async fn since(on: impl Into<Exec<'_>>, known: i64) -> Result<(i64, Vec<Tuple>)> {
    let rows: Vec<(i64, String, String, String)> = sql(
        "SELECT epoch, '' AS object, '' AS relation, '' AS subject FROM access_epoch WHERE id = 1 \
         UNION ALL SELECT CAST(0 AS BIGINT), object, relation, subject FROM relation_tuple \
         WHERE (SELECT epoch FROM access_epoch WHERE id = 1) <> $1",
    )
    .bind(known)
    .all(on)
    .await?;
    let (mut epoch, mut tuples) = (0, Vec::new());
    for (count, object, relation, subject) in rows {
        if count > 0 {
            epoch = count;
        } else {
            tuples.push(Tuple {
                object,
                relation,
                subject,
            });
        }
    }
    Ok((epoch, tuples))
}

/// Counts a change. Whoever does so waits for others that do, so that changes are in one order.
pub async fn advance(tx: &mut Tx<'_>) -> Result<i64> {
    let (epoch,): (i64,) = sql("UPDATE access_epoch SET epoch = epoch + 1 WHERE id = 1 RETURNING epoch")
        .one(tx)
        .await?;
    Ok(epoch)
}

/// Puts a tuple; 0 where it stands already.
pub async fn insert(tx: &mut Tx<'_>, object: &str, relation: &str, subject: &str, by: &str) -> Result<u64> {
    let now = tx.now();
    sql(
        "INSERT INTO relation_tuple (object, relation, subject, given_by, given_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (object, relation, subject) DO NOTHING",
    )
    .bind(object)
    .bind(relation)
    .bind(subject)
    .bind(by)
    .bind(now)
    .exec(tx)
    .await
}

/// Takes a tuple away; 0 where it does not stand.
pub async fn delete(tx: &mut Tx<'_>, object: &str, relation: &str, subject: &str) -> Result<u64> {
    sql("DELETE FROM relation_tuple WHERE object = $1 AND relation = $2 AND subject = $3")
        .bind(object)
        .bind(relation)
        .bind(subject)
        .exec(tx)
        .await
}

/// The tuples in which something stands, as object or as subject.
pub async fn around(on: impl Into<Exec<'_>>, object: &str, subject: &str) -> Result<Vec<TupleRow>> {
    sql(
        "SELECT object, relation, subject, given_by, given_at FROM relation_tuple WHERE object = $1 OR subject = $2 \
         ORDER BY object, relation, subject",
    )
    .bind(object)
    .bind(subject)
    .all(on)
    .await
}

/// The tuples of an object with who gave them, in order of their giving.
pub async fn of_object(on: impl Into<Exec<'_>>, object: &str) -> Result<Vec<TupleRow>> {
    sql(
        "SELECT object, relation, subject, given_by, given_at FROM relation_tuple WHERE object = $1 \
         ORDER BY given_at, subject, relation",
    )
    .bind(object)
    .all(on)
    .await
}

/// Every tuple but those of groups, with who gave it.
pub async fn roles(db: &Db) -> Result<Vec<TupleRow>> {
    sql(
        "SELECT object, relation, subject, given_by, given_at FROM relation_tuple WHERE relation <> 'member' \
         ORDER BY object, subject, relation",
    )
    .all(db)
    .await
}

/// A group of accounts.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct GroupRow {
    pub id: String,
    pub name: String,
    pub description: String,
    pub created_at: i64,
}

/// Every group, by name.
pub async fn groups(on: impl Into<Exec<'_>>) -> Result<Vec<GroupRow>> {
    sql("SELECT id, name, description, created_at FROM access_group ORDER BY key")
        .all(on)
        .await
}

/// A group by id.
pub async fn group(on: impl Into<Exec<'_>>, id: &str) -> Result<Option<GroupRow>> {
    sql("SELECT id, name, description, created_at FROM access_group WHERE id = $1")
        .bind(id)
        .opt(on)
        .await
}

/// Makes a group; 0 where one is called so.
pub async fn insert_group(tx: &mut Tx<'_>, group: &GroupRow, key: &str) -> Result<u64> {
    sql(
        "INSERT INTO access_group (id, name, key, description, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (key) DO NOTHING",
    )
    .bind(&group.id)
    .bind(&group.name)
    .bind(key)
    .bind(&group.description)
    .bind(group.created_at)
    .exec(tx)
    .await
}

/// Whether another group is called so.
pub async fn is_taken(on: impl Into<Exec<'_>>, key: &str, but: &str) -> Result<bool> {
    let (count,): (i64,) = sql("SELECT COUNT(*) FROM access_group WHERE key = $1 AND id <> $2")
        .bind(key)
        .bind(but)
        .one(on)
        .await?;
    Ok(count > 0)
}

/// Calls a group otherwise; 0 where it is not there.
pub async fn rename_group(tx: &mut Tx<'_>, id: &str, name: &str, key: &str, description: &str) -> Result<u64> {
    sql("UPDATE access_group SET name = $2, key = $3, description = $4 WHERE id = $1")
        .bind(id)
        .bind(name)
        .bind(key)
        .bind(description)
        .exec(tx)
        .await
}

/// Deletes a group; 0 where it is not there. Its tuples are taken away by themselves.
pub async fn delete_group(tx: &mut Tx<'_>, id: &str) -> Result<u64> {
    sql("DELETE FROM access_group WHERE id = $1").bind(id).exec(tx).await
}
