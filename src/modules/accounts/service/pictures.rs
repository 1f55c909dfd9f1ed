//! The picture of an account: brought by its owner, seen by whoever is signed in.

use super::super::account::Account;
use super::super::{picture, recorded, store};
use super::Service;
use crate::kernel::access::{Caller, Subject};
use crate::kernel::db::Write;
use crate::kernel::error::{Error, Result};
use crate::kernel::id::{is_id, new_id};

impl Service {
    /// Gives the caller's account a picture in the place of the one before. Answers the account as it is now.
    pub(in super::super) async fn set_picture(&self, caller: &Caller, given: &[u8]) -> Result<Account> {
        let mut me = self.me(caller).await?;
        let clean = picture::cleaned(given).map_err(|message| Error::invalid("picture", message))?;
        let version = new_id();
        me.picture = Some(version.clone());
        let (account, version, clean) = (&me, &version, &clean);
        self.db
            .write(Write::interactive("accounts.picture"), |tx| {
                Box::pin(async move {
                    store::pictures::put(tx, &account.id, version, clean.kind, &clean.content).await?;
                    recorded::changed(tx, caller, account, "picture").await
                })
            })
            .await?;
        Ok(me)
    }

    /// Takes the picture of the caller's account away. Answers the account as it is now.
    pub(in super::super) async fn remove_picture(&self, caller: &Caller) -> Result<Account> {
        let mut me = self.me(caller).await?;
        me.picture = None;
        let account = &me;
        self.db
            .write(Write::interactive("accounts.picture"), |tx| {
                Box::pin(async move {
                    if store::pictures::remove(tx, &account.id).await? {
                        recorded::changed(tx, caller, account, "picture").await?;
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(me)
    }

    /// The picture of an account, for whoever has an account, too.
    pub(in super::super) async fn picture_of(&self, caller: &Caller, id: &str) -> Result<store::pictures::Picture> {
        let missing = || Error::not_found("picture", &id.chars().take(60).collect::<String>());
        let is_somebody = matches!(caller.subject, Subject::Account { .. } | Subject::Operator);
        if !is_somebody || !is_id(id) {
            return Err(missing());
        }
        store::pictures::of(&self.db, id).await?.ok_or_else(missing)
    }
}
