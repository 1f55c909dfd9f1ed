//! One job: its handler is called with the caller's rights, a panic is caught, and its limit of time is kept.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::Value;
use tracing::{Instrument, info_span};

use super::claim::Claimed;
use super::context::{JobContext, Running, Why};
use super::settle::{self, Outcome};
use super::worker::Inner;
use crate::kernel::access::Caller;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::telemetry::traces;

/// How long a handler may tidy up after its limit; then it is dropped.
const TIDY: Duration = Duration::from_secs(2);

impl Inner {
    pub async fn execute(&self, job: Claimed, running: &Arc<Running>) -> Outcome {
        let span = info_span!(
            "job",
            id = job.id,
            kind = job.kind,
            attempt = job.attempts,
            request_id = tracing::field::Empty
        );
        // A caller that cannot be read is told of where the job is called.
        let caller = serde_json::from_str::<crate::kernel::access::Caller>(&job.caller);
        if let Some(id) = caller.ok().and_then(|caller| caller.request_id) {
            span.record("request_id", id);
        }
        traces::begin(&span, || format!("job {}", job.kind), None);
        let kind = job.kind.clone();
        let begun = std::time::Instant::now();
        let answer = self.call(job, running).instrument(span).await;
        metrics::histogram!("vitrine_job_seconds", "kind" => kind.clone()).record(begun.elapsed().as_secs_f64());
        let outcome = settle::decide(running, answer);
        settle::report(&kind, running, &outcome);
        outcome
    }

    async fn call(&self, job: Claimed, running: &Arc<Running>) -> Result<Value> {
        let Some(handler) = self.handler(&job.kind) else {
            return Err(Error::internal(anyhow::anyhow!(
                "no handler runs jobs of the kind {}",
                job.kind
            )));
        };
        if running.why().is_some() {
            return Err(Error::internal(anyhow::anyhow!("stopped before it began")));
        }
        let caller: Caller = serde_json::from_str(&job.caller)?;
        let payload: Value = serde_json::from_str(&job.payload)?;
        let context = JobContext::new(running.clone(), job.kind, caller, payload);
        let run = std::panic::catch_unwind(AssertUnwindSafe(|| (handler.run)(context)));
        let answer = match run {
            Ok(future) => within(running, AssertUnwindSafe(future).catch_unwind()).await,
            Err(panic) => Err(panic),
        };
        answer.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let text = text
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            Err(Error::internal(anyhow::anyhow!("the handler panicked: {text}")))
        })
    }
}

type Answer = std::result::Result<Result<Value>, Box<dyn Any + Send>>;

/// The answer of a handler, or that it took too long.
async fn within(running: &Running, work: impl Future<Output = Answer>) -> Answer {
    let Some(limit) = running.time_limit.and_then(|ms| u64::try_from(ms).ok()) else {
        return work.await;
    };
    tokio::pin!(work);
    if let Ok(answer) = tokio::time::timeout(Duration::from_millis(limit), &mut work).await {
        return answer;
    }
    running.interrupt(Why::Late);
    let dropped = || Ok(Err(Error::new(Code::Timeout, "It did not stop at its limit of time.")));
    tokio::time::timeout(TIDY, work).await.unwrap_or_else(|_| dropped())
}
