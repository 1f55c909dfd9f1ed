//! The jobs of the module: one for each message, and forgetting what is of no use.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model::ATTEMPTS;
use super::service::Service;
use crate::kernel::jobs::{JobHandler, NewJob};
use crate::kernel::schedule::Schedule;

/// The kinds of job and the schedule; stored.
const SEND: &str = "messages.send";
const PRUNE: &str = "messages.prune";

/// Which message. What is in it stands in its own row, so that it can be forgotten.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    message: String,
}

/// The job that sends a message.
pub(super) fn sending(id: &str) -> NewJob {
    NewJob::new(SEND, json!({ "message": id }))
        .unique_key(format!("message/{id}"))
        .max_attempts(ATTEMPTS)
}

pub(super) fn handlers(service: &Arc<Service>) -> Vec<JobHandler> {
    let (sends, prunes) = (service.clone(), service.clone());
    vec![
        JobHandler::new(SEND, move |context| {
            let service = sends.clone();
            async move {
                let order: Order = context.payload()?;
                let state = service.attempt(&context, &order.message).await?;
                Ok(json!({ "state": state.as_str() }))
            }
        }),
        JobHandler::new(PRUNE, move |_| {
            let service = prunes.clone();
            async move { Ok(json!({ "forgotten": service.forget_expired().await? })) }
        }),
    ]
}

/// Contents whose time is over go within the hour.
pub(super) fn schedule() -> Schedule {
    Schedule::new(PRUNE, "25 * * * *", || NewJob::new(PRUNE, Value::Null))
}
