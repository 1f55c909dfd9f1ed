//! SQL of taking changes back: which states a change set made, what stood before them, who points at whom.

use std::collections::HashMap;

use crate::kernel::db::{Db, Filter, Tx, sql};
use crate::kernel::error::Result;

/// A state that a change set made.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Made {
    pub entity: String,
    pub version: i64,
    pub kind: String,
    pub operation: String,
}

/// A state with its content.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Stood {
    pub entity: String,
    pub version: i64,
    pub operation: String,
    pub document: Option<String>,
}

/// The states a change set made of these entities. Found by entity: the sets of imports are long.
pub async fn made(tx: &mut Tx<'_>, set_id: &str, entities: &[String]) -> Result<Vec<Made>> {
    Filter::new("SELECT entity, version, kind, operation FROM version")
        .and_in("entity", entities)
        .and("set_id || '' = ?", set_id)
        .stmt()
        .all(tx)
        .await
}

/// The content of the states a change set made of these entities.
pub async fn made_whole(tx: &mut Tx<'_>, set_id: &str, entities: &[String]) -> Result<Vec<Stood>> {
    Filter::new("SELECT entity, version, operation, document FROM version")
        .and_in("entity", entities)
        .and("set_id || '' = ?", set_id)
        .stmt()
        .all(tx)
        .await
}

/// The state before each state that a change set made of these entities.
pub async fn before(tx: &mut Tx<'_>, set_id: &str, entities: &[String]) -> Result<Vec<Stood>> {
    Filter::new(
        "SELECT b.entity, b.version, b.operation, b.document \
         FROM version m JOIN version b ON b.entity = m.entity AND b.version = m.version - 1",
    )
    .and_in("m.entity", entities)
    .and("m.set_id || '' = ?", set_id)
    .stmt()
    .all(tx)
    .await
}

/// How many live records point at each of these, themselves left out.
pub async fn pointed_at(tx: &mut Tx<'_>, ids: &[String]) -> Result<HashMap<String, i64>> {
    let rows: Vec<(String, i64)> = Filter::new(
        "SELECT l.to_id, COUNT(DISTINCT l.from_id) FROM link l JOIN record r ON r.id = l.from_id AND r.state = 'live' AND l.from_id <> l.to_id",
    )
    .and_in("l.to_id", ids)
    .end("GROUP BY l.to_id ORDER BY l.to_id", ids.len() as i64)
    .all(tx)
    .await?;
    Ok(rows.into_iter().collect())
}

/// `(from, to)` of the links that lead from these live records.
pub async fn links_from(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<(String, String)>> {
    Filter::new("SELECT DISTINCT l.from_id, l.to_id FROM link l")
        .and_in("l.from_id", ids)
        .stmt()
        .all(tx)
        .await
}

/// What taking a change set back would do to each record it touched; types by their kind.
pub async fn prospect(db: &Db, set_id: &str, most: i64) -> Result<Vec<(String, String)>> {
    sql("SELECT w.entity, CASE \
           WHEN w.kind <> 'record' THEN w.kind \
           WHEN r.id IS NULL THEN 'gone' \
           WHEN r.state = 'deleted' AND (b.entity IS NULL OR b.operation = 'delete') THEN 'already' \
           WHEN r.state = 'live' AND COALESCE(c.document = b.document, FALSE) THEN 'already' \
           WHEN r.version <> w.version AND NOT (r.state = 'deleted' AND w.operation = 'delete') \
             AND NOT (r.state = 'live' AND COALESCE(c.document = w.document, FALSE)) THEN 'changed-since' \
           WHEN b.entity IS NULL OR b.operation = 'delete' THEN 'removed' \
           WHEN b.document IS NULL THEN 'redacted' \
           WHEN r.state = 'deleted' THEN 'revived' \
           ELSE 'reverted' END AS fate \
         FROM (SELECT m.entity, m.version, m.kind, m.operation, m.document, \
                 (SELECT MIN(f.version) FROM version f WHERE f.entity = m.entity AND f.set_id || '' = m.set_id) AS first \
               FROM version m WHERE m.set_id = $1 \
                 AND NOT EXISTS (SELECT 1 FROM version x WHERE x.entity = m.entity AND x.version > m.version AND x.set_id || '' = m.set_id) \
               ORDER BY m.position LIMIT $2) AS w \
         LEFT JOIN record r ON r.id = w.entity \
         LEFT JOIN version b ON b.entity = w.entity AND b.version = w.first - 1 \
         LEFT JOIN version c ON c.entity = r.id AND c.version = r.version")
        .bind(set_id)
        .bind(most)
        .all(db)
        .await
}
