//! Whether mail goes out: what `/health/ready` and `app doctor` tell about it. Speaks to no server: `app messages test` does.

use std::sync::Arc;

use async_trait::async_trait;

use super::service::Service;
use crate::contract::messages::Messages;
use crate::kernel::module::{Health, HealthCheck};

/// See the module's text.
pub(super) struct Mail(pub Arc<Service>);

#[async_trait]
impl HealthCheck for Mail {
    fn name(&self) -> &'static str {
        "mail"
    }
    async fn check(&self) -> Health {
        if !self.0.is_on() {
            return Health::Ok;
        }
        match self.0.trouble().await {
            Ok((0, _)) => Health::Ok,
            Ok((count, said)) => Health::Warning {
                reason: format!(
                    "{count} messages could not be sent; the mail server said last: {}. See /messages, and try: app messages test ADDRESS",
                    said.unwrap_or_else(|| "nothing".to_owned())
                ),
            },
            Err(error) => Health::Failed {
                reason: error.detail().to_owned(),
            },
        }
    }
}
