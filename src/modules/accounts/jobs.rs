//! Jobs of the module: a link for a lost password, and forgetting what has ended.

use std::sync::Arc;

use serde_json::{Value, json};

use super::service::{Lost, Service};
use crate::kernel::jobs::{JobHandler, NewJob};
use crate::kernel::schedule::Schedule;

/// The kinds of job and the schedule; stored.
const LOST: &str = "accounts.lost";
const PRUNE: &str = "accounts.prune";

/// Looks whether somebody is called so, and mails them a link.
pub(super) fn lost(name: &str) -> NewJob {
    let lost = Lost { name: name.to_owned() };
    NewJob::new(LOST, json!(lost))
}

pub(super) fn handlers(service: &Arc<Service>) -> Vec<JobHandler> {
    let (mails, prunes) = (service.clone(), service.clone());
    vec![
        JobHandler::new(LOST, move |context| {
            let service = mails.clone();
            async move { service.mail_lost(&context).await.map(|_| Value::Null) }
        }),
        JobHandler::new(PRUNE, move |_| {
            let service = prunes.clone();
            async move { Ok(json!({ "forgotten": service.prune().await? })) }
        }),
    ]
}

/// Once a night.
pub(super) fn schedule() -> Schedule {
    Schedule::new(PRUNE, "40 3 * * *", || NewJob::new(PRUNE, Value::Null))
}
