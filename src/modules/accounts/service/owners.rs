//! Owners of accounts, for modules that keep or send something for them: where mail reaches them, and that one is gone.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use serde_json::Value;

use super::super::store;
use super::Service;
use crate::contract::accounts::{AccountKeeper, AccountState, Mailbox, Owners};
use crate::kernel::db::Tx;
use crate::kernel::error::Result;
use crate::kernel::i18n::Language;

impl Service {
    /// Tells everybody who keeps something for accounts, in the transaction of the deletion.
    pub(super) async fn forget_elsewhere(&self, tx: &mut Tx<'_>, account: &str) -> Result<()> {
        for keeper in self.keepers() {
            keeper.forget_account(tx, account).await?;
        }
        Ok(())
    }

    /// What others keep for an account, by name.
    pub(super) async fn kept_elsewhere(&self, account: &str) -> Result<Vec<(&'static str, Value)>> {
        let mut kept = Vec::new();
        for keeper in self.keepers() {
            kept.push(keeper.kept_for(account).await?);
        }
        Ok(kept)
    }

    fn keepers(&self) -> Vec<Arc<dyn AccountKeeper>> {
        self.keepers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Owners for Service {
    async fn mailbox(&self, account: &str) -> Result<Option<Mailbox>> {
        let found = store::accounts::get(&self.db, account).await?;
        let Some(account) = found.filter(|account| account.state == AccountState::Active.as_str()) else {
            return Ok(None);
        };
        let to = self.reached_at(&account).map(str::to_owned);
        Ok(to.map(|to| Mailbox {
            to,
            language: account
                .language
                .filter(|tag| Language::find(tag).is_some())
                .or_else(|| Some(self.language.tag().to_owned())),
            name: account.name,
            login: account.login,
        }))
    }

    fn keep_accounts(&self, keeper: Arc<dyn AccountKeeper>) {
        self.keepers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(keeper);
    }
}
