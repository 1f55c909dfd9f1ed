//! Claims whose work will never answer: how they are told from those at work, and what a repeat is told instead.

use serde_json::{Value, json};

use super::{Claim, Kept, Repeats};
use crate::kernel::db::{Engine, sql};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::process::DEAD_AFTER;

/// Changes that are told of a request whose answer was lost.
const TOLD: i64 = 1_000;

/// A change of a request whose answer was lost.
#[derive(sqlx::FromRow)]
struct Made {
    kind: String,
    entity: String,
    version: i64,
    operation: String,
    txid: i64,
    position: i64,
}

impl Repeats {
    /// Will the claim's work never answer? Its process has said so or is gone, or its time is up.
    pub(super) async fn is_over(&self, kept: &Kept, claim: &Claim) -> Result<bool> {
        let now = self.db.clock().now();
        let process = kept.process.as_deref().unwrap_or_default();
        let alone = self.db.engine() == Engine::Sqlite && *process != *self.process;
        if process.is_empty() || alone || now - kept.created_at > claim.lease {
            return Ok(true);
        }
        let silent: Option<(i64,)> = sql("SELECT beat_at FROM process WHERE id = $1 AND beat_at < $2")
            .bind(process)
            .bind(now - DEAD_AFTER)
            .opt(&self.db)
            .await?;
        Ok(silent.is_some())
    }

    /// What stands of a request whose answer was lost.
    pub(super) async fn lost(&self, kept: &Kept, claim: &Claim) -> Result<Error> {
        let rows: Vec<Made> = sql("SELECT v.kind, v.entity, v.version, v.operation, v.txid, v.position \
             FROM change_set s JOIN version v ON v.set_id = s.id \
             WHERE s.request_id = $1 AND s.actor = $2 AND s.created_at >= $3 AND s.created_at <= $4 \
             ORDER BY v.txid, v.position LIMIT $5")
        .bind(kept.request_id.clone())
        .bind(&claim.actor)
        .bind(kept.created_at)
        .bind(kept.created_at + claim.lease)
        .bind(TOLD)
        .all(&self.db)
        .await?;
        let change = |row: &Made| json!({ "kind": row.kind, "id": row.entity, "version": row.version, "operation": row.operation });
        let changes: Vec<Value> = rows.iter().map(change).collect();
        let position = rows.last().map(|row| format!("{}.{}", row.txid, row.position));
        let name = |row: &Made| format!("{} {}", row.operation, row.entity);
        let named: Vec<String> = rows.iter().take(3).map(name).collect();
        let text = format!(
            "The first request with this Idempotency-Key took effect, but its answer was lost. Do not send it again. It did: {}.",
            if named.is_empty() {
                "work that is not in the ledger, such as a job".to_owned()
            } else {
                named.join(", ")
            }
        );
        let mut error = Error::new(Code::Conflict, text)
            .with("took_effect", true)
            .with("changes", changes);
        if let Some(position) = position {
            error = error.with("ledger_position", position);
        }
        Ok(error)
    }
}
