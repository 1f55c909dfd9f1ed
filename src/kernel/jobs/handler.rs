//! What runs a kind of job.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::JobContext;
use crate::kernel::error::Result;

type Run = dyn Fn(JobContext) -> BoxFuture<'static, Result<Value>> + Send + Sync;

/// What runs a kind of job. The kind is stored with each job: never rename it.
///
/// A handler that answers `Ok` has done its work. One that stops early because `cancel` fired answers an error
/// ([`JobContext::check`] makes it); the worker knows why it fired and stores `cancelled` or puts the job back. Errors
/// that another try cannot cure (wrong input, not allowed, not there) fail the job at once, all others are tried again.
#[derive(Clone)]
pub struct JobHandler {
    pub kind: &'static str,
    pub run: Arc<Run>,
}

impl JobHandler {
    pub fn new<F, Fut>(kind: &'static str, run: F) -> Self
    where
        F: Fn(JobContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Value>> + Send + 'static,
    {
        Self {
            kind,
            run: Arc::new(move |context| Box::pin(run(context))),
        }
    }
}
