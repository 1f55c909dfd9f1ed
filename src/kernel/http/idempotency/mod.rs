//! Repeated requests: the first answer under an `Idempotency-Key` is kept for a day and given again.
//!
//! The key is claimed before the work, and every write of the work first notes in its own transaction that the claim took
//! effect (a `Fence`). While the first is at work, others are told to come back. A claim whose process died is taken over
//! if nothing was written, and the fence stops a first that was only slow. If something was written, nothing is done
//! twice: a repeat is told what stands in the ledger.

mod lost;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::body::whole;
use super::problem::Problem;
use super::respond::IsSecret;
use crate::kernel::access::Caller;
use crate::kernel::db::{Db, Engine, Fence, Tx, Write, sql};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::new_id;
use crate::kernel::process::DEAD_AFTER;

/// How long an answer is kept, in milliseconds.
const KEPT: i64 = 24 * 60 * 60 * 1000;
/// How often old answers are thrown away, in milliseconds.
const SWEEP: i64 = 60 * 60 * 1000;
/// The largest answer that is kept.
const MAX_ANSWER: usize = 4 << 20;
/// The headers that are given again.
const HEADERS: [&str; 4] = ["content-type", "location", "etag", "ledger-position"];

/// Stands where the headers of an answer would, if that held a secret.
const SECRET: &str = "secret";

/// What a claim's work may take beyond the time limit of a request, in milliseconds.
const SLACK: i64 = 5_000;

static SWEPT_AT: AtomicI64 = AtomicI64::new(0);

/// See the module's text.
#[derive(Clone)]
pub(super) struct Repeats {
    db: Db,
    /// This process, as claims and the registry name it.
    process: Arc<str>,
}

#[derive(Debug, sqlx::FromRow)]
struct Kept {
    request: String,
    process: Option<String>,
    request_id: Option<String>,
    took_effect: bool,
    status: Option<i64>,
    headers: Option<String>,
    body: Option<Vec<u8>>,
    created_at: i64,
}

impl Repeats {
    pub(super) fn new(db: &Db, process: &Arc<str>) -> Self {
        Self {
            db: db.clone(),
            process: process.clone(),
        }
    }

    /// Runs the request once for its key, or answers what it answered the first time.
    pub(super) async fn once(
        &self,
        caller: &Caller,
        key: String,
        request: Request,
        next: Next,
        time_limit: Duration,
    ) -> Result<Response> {
        let (parts, body) = request.into_parts();
        let bytes = whole(body).await?;
        let digest = digest(
            parts.method.as_str(),
            parts.uri.path_and_query().map_or("", |p| p.as_str()),
            &bytes,
        );
        let claim = Claim {
            // A narrow token is not answered what its owner was.
            actor: caller.voice(),
            key,
            id: new_id(),
            request_id: caller.request_id.clone(),
            lease: i64::try_from(time_limit.as_millis()).unwrap_or(i64::MAX / 4) + SLACK,
        };
        if let Some(kept) = self.claim(&claim, &digest).await? {
            return self.answer_again(kept, &claim, &digest).await;
        }
        let request = Request::from_parts(parts, Body::from(bytes));
        let this = self.clone();
        // A client that goes away must not cut the work off between its commit and the keeping of its answer.
        let work = tokio::spawn(
            async move {
                let response = tokio::time::timeout(time_limit, claim.fence().around(next.run(request))).await;
                this.settle(&claim, response.ok()).await
            }
            .in_current_span(),
        );
        work.await.map_err(Error::internal)?
    }

    /// Claims the key for this request; answers what stands there if somebody has it.
    async fn claim(&self, claim: &Claim, digest: &str) -> Result<Option<Kept>> {
        let alone = self.db.engine() == Engine::Sqlite;
        let claimed = self
            .db
            .write(Write::interactive("idempotency.claim"), |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    let rows = sql(
                        "INSERT INTO idempotency (caller, key, request, status, headers, body, created_at, claim, process, request_id, took_effect) \
                         VALUES ($1, $2, $3, NULL, NULL, NULL, $4, $6, $7, $8, FALSE) \
                         ON CONFLICT (caller, key) DO UPDATE SET request = excluded.request, status = NULL, headers = NULL, body = NULL, \
                         created_at = excluded.created_at, claim = excluded.claim, process = excluded.process, \
                         request_id = excluded.request_id, took_effect = FALSE \
                         WHERE idempotency.created_at < $5 OR (idempotency.status IS NULL AND NOT idempotency.took_effect \
                         AND idempotency.request = excluded.request \
                         AND (idempotency.created_at < $9 OR ($10 AND idempotency.process IS DISTINCT FROM excluded.process) \
                         OR EXISTS (SELECT 1 FROM process p WHERE p.id = idempotency.process AND p.beat_at < $11)))",
                    )
                    .bind(&claim.actor)
                    .bind(&claim.key)
                    .bind(digest)
                    .bind(now)
                    .bind(now - KEPT)
                    .bind(&claim.id)
                    .bind(&*self.process)
                    .bind(claim.request_id.clone())
                    .bind(now - claim.lease)
                    .bind(alone)
                    .bind(now - DEAD_AFTER)
                    .exec(&mut *tx)
                    .await?;
                    if rows > 0 { Ok(None) } else { read(tx, claim).await }
                })
            })
            .await?;
        self.sweep().await;
        Ok(claimed)
    }

    /// Keeps the answer, or frees the key where nothing was done: our failure, too busy, out of time.
    async fn settle(&self, claim: &Claim, response: Option<Response>) -> Result<Response> {
        let Some(response) = response else {
            self.free(claim).await?;
            return Err(Error::new(
                Code::Timeout,
                "The answer was not ready in time; send it again with the same key.",
            ));
        };
        let status = response.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            self.free(claim).await?;
            return Ok(response);
        }
        let problem = response.extensions().get::<Problem>().cloned();
        let is_secret = response.extensions().get::<IsSecret>().is_some();
        let (mut parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.map_err(Error::internal)?;
        let mut headers = Map::new();
        for name in HEADERS {
            if let Some(value) = parts.headers.get(name).and_then(|value| value.to_str().ok()) {
                headers.insert(name.to_owned(), json!(value));
            }
        }
        let kept = (!is_secret && bytes.len() <= MAX_ANSWER).then_some(&bytes[..]);
        if is_secret {
            headers = Map::from_iter([(SECRET.to_owned(), json!(true))]);
        }
        self.keep(claim, status, &Value::Object(headers), kept).await?;
        if let Some(problem) = problem {
            parts.extensions.insert(problem);
        }
        Ok(Response::from_parts(parts, Body::from(bytes)))
    }

    async fn keep(&self, claim: &Claim, status: StatusCode, headers: &Value, body: Option<&[u8]>) -> Result<()> {
        self.db
            .write(Write::interactive("idempotency.keep"), |tx| {
                Box::pin(async move {
                    sql("UPDATE idempotency SET status = $1, headers = $2, body = $3 WHERE caller = $4 AND key = $5 AND claim = $6")
                        .bind(i64::from(status.as_u16()))
                        .bind(headers)
                        .bind(body)
                        .bind(&claim.actor)
                        .bind(&claim.key)
                        .bind(&claim.id)
                        .exec(tx)
                        .await
                })
            })
            .await?;
        Ok(())
    }

    /// Lets the next one try where nothing was written; where something was, nobody is at work on it any more.
    async fn free(&self, claim: &Claim) -> Result<()> {
        self.db
            .write(Write::interactive("idempotency.free"), |tx| {
                Box::pin(async move {
                    sql("DELETE FROM idempotency WHERE caller = $1 AND key = $2 AND claim = $3 AND status IS NULL AND NOT took_effect")
                        .bind(&claim.actor)
                        .bind(&claim.key)
                        .bind(&claim.id)
                        .exec(&mut *tx)
                        .await?;
                    sql("UPDATE idempotency SET process = '' WHERE caller = $1 AND key = $2 AND claim = $3")
                        .bind(&claim.actor)
                        .bind(&claim.key)
                        .bind(&claim.id)
                        .exec(tx)
                        .await
                })
            })
            .await?;
        Ok(())
    }

    async fn answer_again(&self, kept: Kept, claim: &Claim, digest: &str) -> Result<Response> {
        if kept.request != digest {
            return Err(Error::invalid(
                "",
                "This Idempotency-Key was used for another request. Take a new key for each request.",
            ));
        }
        if kept.status.is_some() {
            return replay(kept);
        }
        if kept.took_effect && self.is_over(&kept, claim).await? {
            return Err(self.lost(&kept, claim).await?);
        }
        Err(at_work())
    }

    /// Throws old answers away, now and then. What cannot be thrown away today goes tomorrow.
    async fn sweep(&self) {
        let now = self.db.clock().now();
        let before = SWEPT_AT.load(Ordering::Relaxed);
        let due = now - before > SWEEP;
        if !due
            || SWEPT_AT
                .compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        let swept = self.db.write(Write::bulk("idempotency.sweep"), |tx| {
            Box::pin(async move {
                sql("DELETE FROM idempotency WHERE created_at < $1")
                    .bind(now - KEPT)
                    .exec(tx)
                    .await
            })
        });
        if let Err(error) = swept.await {
            tracing::warn!(%error, "old answers to repeated requests could not be thrown away");
        }
    }
}

/// A right to work on the request of a key.
struct Claim {
    actor: String,
    key: String,
    id: String,
    request_id: Option<String>,
    /// How long it lasts, in milliseconds.
    lease: i64,
}

impl Claim {
    fn fence(&self) -> Fence {
        let statement = sql("UPDATE idempotency SET took_effect = TRUE WHERE caller = $1 AND key = $2 AND claim = $3 AND status IS NULL")
            .bind(&self.actor)
            .bind(&self.key)
            .bind(&self.id);
        Fence {
            statement,
            closed: at_work,
        }
    }
}

async fn read(tx: &mut Tx<'_>, claim: &Claim) -> Result<Option<Kept>> {
    let kept = sql("SELECT request, process, request_id, took_effect, status, headers, body, created_at FROM idempotency WHERE caller = $1 AND key = $2")
        .bind(&claim.actor)
        .bind(&claim.key)
        .opt(tx)
        .await?;
    // Freed between the two statements: on PostgreSQL somebody else's failure may end here.
    match kept {
        Some(kept) => Ok(Some(kept)),
        None => Err(at_work()),
    }
}

fn at_work() -> Error {
    Error::new(
        Code::Conflict,
        "The first request with this Idempotency-Key is still at work. Ask again in a moment.",
    )
    .with("retry_after", 1)
}

fn replay(kept: Kept) -> Result<Response> {
    let headers: Map<String, Value> = serde_json::from_str(kept.headers.as_deref().unwrap_or("{}"))?;
    let Some(body) = kept.body else {
        let text = if headers.contains_key(SECRET) {
            "The first request with this Idempotency-Key took effect. Its answer held a secret, which is shown once and kept \
             nowhere. If it did not arrive, revoke what was made and make another with a new key."
        } else {
            "The first request with this Idempotency-Key took effect; its answer was too large to be kept."
        };
        return Err(Error::new(Code::Conflict, text).with("took_effect", true));
    };
    let mut response = Body::from(body).into_response();
    let status = kept.status.and_then(|status| u16::try_from(status).ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    *response.status_mut() =
        status.ok_or_else(|| Error::internal(anyhow::anyhow!("a kept answer has no right status")))?;
    for (name, value) in &headers {
        let name = HeaderName::try_from(name.as_str()).map_err(Error::internal)?;
        let value = HeaderValue::from_str(value.as_str().unwrap_or_default()).map_err(Error::internal)?;
        response.headers_mut().insert(name, value);
    }
    response.headers_mut().insert(
        HeaderName::from_static("idempotency-replayed"),
        HeaderValue::from_static("true"),
    );
    Ok(response)
}

fn digest(method: &str, target: &str, body: &[u8]) -> String {
    let mut hasher = Sha256::new();
    for piece in [method.as_bytes(), target.as_bytes()] {
        hasher.update((piece.len() as u64).to_le_bytes());
        hasher.update(piece);
    }
    hasher.update(body);
    hex::encode(hasher.finalize())
}
