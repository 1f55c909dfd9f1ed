//! Repeated requests: the first answer under an `Idempotency-Key` is kept for a day and given again.
//!
//! The key is claimed before the work. While the first is at work, others are told to come back; a claim whose process
//! died is not taken over, since its work may stand: that is said instead of doing it twice.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::body::whole;
use super::problem::Problem;
use crate::kernel::access::Caller;
use crate::kernel::db::{Db, Tx, Write, sql};
use crate::kernel::error::{Code, Error, Result};

/// How long an answer is kept, in milliseconds.
const KEPT: i64 = 24 * 60 * 60 * 1000;
/// How often old answers are thrown away, in milliseconds.
const SWEEP: i64 = 60 * 60 * 1000;
/// The largest answer that is kept.
const MAX_ANSWER: usize = 4 << 20;
/// The headers that are given again.
const HEADERS: [&str; 4] = ["content-type", "location", "etag", "ledger-position"];

static SWEPT_AT: AtomicI64 = AtomicI64::new(0);

/// See the module's text.
#[derive(Clone)]
pub(super) struct Repeats(Db);

#[derive(Debug, sqlx::FromRow)]
struct Kept {
    request: String,
    status: Option<i64>,
    headers: Option<String>,
    body: Option<Vec<u8>>,
    created_at: i64,
}

impl Repeats {
    pub(super) fn new(db: Db) -> Self {
        Self(db)
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
        let actor = caller.actor();
        if let Some(kept) = self.claim(&actor, &key, &digest).await? {
            return answer_again(kept, &digest, time_limit, self.0.clock().now());
        }
        let request = Request::from_parts(parts, Body::from(bytes));
        let this = self.clone();
        // A client that goes away must not cut the work off between its commit and the keeping of its answer.
        let work = tokio::spawn(
            async move {
                let response = tokio::time::timeout(time_limit, next.run(request)).await;
                this.settle(&actor, &key, response.ok()).await
            }
            .in_current_span(),
        );
        work.await.map_err(Error::internal)?
    }

    /// Claims the key for this request; answers what stands there if somebody has it.
    async fn claim(&self, actor: &str, key: &str, digest: &str) -> Result<Option<Kept>> {
        let claimed = self
            .0
            .write(Write::interactive("idempotency.claim"), |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    let rows = sql(
                        "INSERT INTO idempotency (caller, key, request, status, headers, body, created_at) VALUES ($1, $2, $3, NULL, NULL, NULL, $4) \
                         ON CONFLICT (caller, key) DO UPDATE SET request = excluded.request, status = NULL, headers = NULL, body = NULL, \
                         created_at = excluded.created_at WHERE idempotency.created_at < $5",
                    )
                    .bind(actor)
                    .bind(key)
                    .bind(digest)
                    .bind(now)
                    .bind(now - KEPT)
                    .exec(&mut *tx)
                    .await?;
                    if rows > 0 { Ok(None) } else { read(tx, actor, key).await }
                })
            })
            .await?;
        self.sweep().await;
        Ok(claimed)
    }

    /// Keeps the answer, or frees the key where nothing was done: our failure, too busy, out of time.
    async fn settle(&self, actor: &str, key: &str, response: Option<Response>) -> Result<Response> {
        let Some(response) = response else {
            self.free(actor, key).await?;
            return Err(Error::new(
                Code::Timeout,
                "The answer was not ready in time; send it again with the same key.",
            ));
        };
        let status = response.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            self.free(actor, key).await?;
            return Ok(response);
        }
        let problem = response.extensions().get::<Problem>().cloned();
        let (mut parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.map_err(Error::internal)?;
        let mut headers = Map::new();
        for name in HEADERS {
            if let Some(value) = parts.headers.get(name).and_then(|value| value.to_str().ok()) {
                headers.insert(name.to_owned(), json!(value));
            }
        }
        self.keep(actor, key, status, &Value::Object(headers), &bytes).await?;
        if let Some(problem) = problem {
            parts.extensions.insert(problem);
        }
        Ok(Response::from_parts(parts, Body::from(bytes)))
    }

    async fn keep(&self, actor: &str, key: &str, status: StatusCode, headers: &Value, bytes: &Bytes) -> Result<()> {
        let body = (bytes.len() <= MAX_ANSWER).then_some(&bytes[..]);
        self.0
            .write(Write::interactive("idempotency.keep"), |tx| {
                Box::pin(async move {
                    sql("UPDATE idempotency SET status = $1, headers = $2, body = $3 WHERE caller = $4 AND key = $5")
                        .bind(i64::from(status.as_u16()))
                        .bind(headers)
                        .bind(body)
                        .bind(actor)
                        .bind(key)
                        .exec(tx)
                        .await
                })
            })
            .await?;
        Ok(())
    }

    async fn free(&self, actor: &str, key: &str) -> Result<()> {
        self.0
            .write(Write::interactive("idempotency.free"), |tx| {
                Box::pin(async move {
                    sql("DELETE FROM idempotency WHERE caller = $1 AND key = $2 AND status IS NULL")
                        .bind(actor)
                        .bind(key)
                        .exec(tx)
                        .await
                })
            })
            .await?;
        Ok(())
    }

    /// Throws old answers away, now and then. What cannot be thrown away today goes tomorrow.
    async fn sweep(&self) {
        let now = self.0.clock().now();
        let before = SWEPT_AT.load(Ordering::Relaxed);
        let due = now - before > SWEEP;
        if !due
            || SWEPT_AT
                .compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        let swept = self.0.write(Write::bulk("idempotency.sweep"), |tx| {
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

async fn read(tx: &mut Tx<'_>, actor: &str, key: &str) -> Result<Option<Kept>> {
    let kept = sql("SELECT request, status, headers, body, created_at FROM idempotency WHERE caller = $1 AND key = $2")
        .bind(actor)
        .bind(key)
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

fn answer_again(kept: Kept, digest: &str, time_limit: Duration, now: i64) -> Result<Response> {
    if kept.request != digest {
        return Err(Error::invalid(
            "",
            "This Idempotency-Key was used for another request. Take a new key for each request.",
        ));
    }
    let Some(status) = kept.status else {
        let longest = 2 * i64::try_from(time_limit.as_millis()).unwrap_or(i64::MAX / 4);
        if now - kept.created_at > longest {
            let text = "The first request with this Idempotency-Key was cut off. Look whether it took effect; if not, send it with a new key.";
            return Err(Error::new(Code::Conflict, text));
        }
        return Err(at_work());
    };
    let Some(body) = kept.body else {
        let text = "The first request with this Idempotency-Key took effect; its answer was too large to be kept.";
        return Err(Error::new(Code::Conflict, text));
    };
    let mut response = Body::from(body).into_response();
    let status = u16::try_from(status)
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok());
    *response.status_mut() =
        status.ok_or_else(|| Error::internal(anyhow::anyhow!("a kept answer has no right status")))?;
    let headers: Map<String, Value> = serde_json::from_str(kept.headers.as_deref().unwrap_or("{}"))?;
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
