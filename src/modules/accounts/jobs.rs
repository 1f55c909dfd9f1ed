//! Jobs of the module: a link for a lost password or for an account of one's own, and forgetting what has ended.

use std::sync::Arc;

use serde_json::{Value, json};

use super::service::{Asked, Service};
use crate::kernel::jobs::{JobHandler, NewJob};
use crate::kernel::schedule::Schedule;

/// The kinds of job and the schedule; stored.
const LOST: &str = "accounts.lost";
const SIGN_UP: &str = "accounts.sign-up";
const PRUNE: &str = "accounts.prune";

/// Looks whether somebody is called so, and mails them a link.
pub(super) fn lost(ask: &str) -> NewJob {
    NewJob::new(LOST, json!(Asked { ask: ask.to_owned() }))
}

/// Looks whether an address has an account, and mails a link to it.
pub(super) fn sign_up(ask: &str) -> NewJob {
    NewJob::new(SIGN_UP, json!(Asked { ask: ask.to_owned() }))
}

pub(super) fn handlers(service: &Arc<Service>) -> Vec<JobHandler> {
    let (mails, offers, prunes) = (service.clone(), service.clone(), service.clone());
    vec![
        JobHandler::new(LOST, move |context| {
            let service = mails.clone();
            async move { service.mail_lost(&context).await.map(|()| Value::Null) }
        }),
        JobHandler::new(SIGN_UP, move |context| {
            let service = offers.clone();
            async move { service.mail_sign_up(&context).await.map(|()| Value::Null) }
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
