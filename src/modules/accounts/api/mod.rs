//! JSON: who am I, accounts, tokens, sessions.

mod people;
mod tokens;

use std::sync::Arc;

use super::service::Service;
use crate::kernel::http::Routes;

pub(super) fn routes(service: &Arc<Service>) -> Routes {
    tokens::routes(service.clone()).merge(people::routes(service.clone()))
}
