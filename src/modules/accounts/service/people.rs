//! What those who look after accounts do: invite, switch off and on, hand out links, give roles, delete.

use super::super::account::{Account, Checks, PERSON, SERVICE};
use super::super::{recorded, store};
use super::{LinkKind, Service};
use crate::contract::access::Role;
use crate::contract::accounts::{AccountInfo, AccountLink, AccountState, CreatedAccount, HeldRole, NewAccount};
use crate::kernel::access::{Caller, Subject};
use crate::kernel::db::{Signal, Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::Visitor;
use crate::kernel::i18n::Language;
use crate::kernel::id::is_id;

/// What is to become of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Change {
    Disable,
    Enable,
    Delete,
}

fn role_of(held: &HeldRole) -> Result<Role> {
    Role::parse(&held.role).ok_or_else(|| {
        let known: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        let given: String = held.role.chars().take(60).collect();
        Error::invalid(
            "role",
            format!("\"{given}\" is no role. Roles are: {}.", known.join(", ")),
        )
    })
}

impl Service {
    /// The roles that an account was given by itself.
    pub(super) async fn roles_of(&self, account: &Account) -> Result<Vec<HeldRole>> {
        let Some(grants) = &self.grants else {
            return Ok(Vec::new());
        };
        let held = grants.roles_of(&account.subject()).await?;
        let held = held.into_iter().map(|(role, place)| HeldRole {
            role: role.as_str().to_owned(),
            place,
        });
        Ok(held.collect())
    }

    /// The roles that an account has, by itself or by its groups.
    pub(super) async fn roles_held(&self, account: &Account) -> Result<Vec<Role>> {
        let Some(grants) = &self.grants else {
            return Ok(Vec::new());
        };
        let held = grants.held_by(&account.subject()).await?;
        Ok(held.into_iter().map(|(role, _)| role).collect())
    }

    /// The collections as places where somebody has a role, with what they are called in a language.
    pub(in super::super) async fn places(&self, language: Language) -> Result<Vec<(String, String)>> {
        let collections = self.access.collections().await?;
        let named = collections
            .iter()
            .map(|one| (format!("type:{}", one.name), one.called(language)));
        Ok(named.collect())
    }

    pub(super) async fn told(&self, account: &Account) -> Result<AccountInfo> {
        let mut info = account.info();
        info.roles = self.roles_of(account).await?;
        Ok(info)
    }

    /// As [`Service::told`], with the groups it was put into.
    pub(super) async fn told_whole(&self, account: &Account) -> Result<AccountInfo> {
        let mut info = self.told(account).await?;
        if let Some(grants) = &self.grants {
            info.groups = grants.groups_of(&account.subject()).await?;
        }
        Ok(info)
    }

    /// Accounts by name, and where to go on.
    pub(in super::super) async fn list(
        &self,
        caller: &Caller,
        text: Option<&str>,
        after: Option<&str>,
        limit: i64,
    ) -> Result<(Vec<AccountInfo>, Option<String>)> {
        self.require_manager(caller).await?;
        let bad = || Error::new(Code::BadRequest, "The page marker \"after\" is not one of this list.");
        let after = match after {
            Some(text) => {
                let bytes = hex::decode(text).map_err(|_| bad())?;
                Some(serde_json::from_slice::<(String, String)>(&bytes).map_err(|_| bad())?)
            }
            None => None,
        };
        let place = after.as_ref().map(|(name, id)| (name.as_str(), id.as_str()));
        let found = store::accounts::list(&self.db, text.filter(|t| !t.trim().is_empty()), place, limit + 1).await?;
        let more = i64::try_from(found.len()).unwrap_or(0) > limit;
        let mut items = Vec::with_capacity(found.len());
        let mut last = None;
        for account in found.iter().take(usize::try_from(limit).unwrap_or(0)) {
            items.push(self.told(account).await?);
            last = Some(account);
        }
        let next = last.filter(|_| more).map(|last| {
            let place = serde_json::json!([super::super::names::folded(&last.name), last.id]);
            hex::encode(place.to_string())
        });
        Ok((items, next))
    }

    /// One account for whoever looks after them. Found by its id or its sign-in name.
    pub(in super::super) async fn one(&self, caller: &Caller, id: &str) -> Result<Account> {
        self.require_manager(caller).await?;
        let found = if is_id(id) {
            store::accounts::get(&self.db, id).await?
        } else if id.len() <= 512 {
            store::accounts::named(&self.db, id).await?
        } else {
            None
        };
        found
            .filter(|account| account.state() != AccountState::Deleted)
            .ok_or_else(|| Error::not_found("account", &id.chars().take(60).collect::<String>()))
    }

    pub(in super::super) async fn show(&self, caller: &Caller, id: &str) -> Result<AccountInfo> {
        let account = self.one(caller, id).await?;
        self.told_whole(&account).await
    }

    /// Makes an account; a person's gets a link to choose the password with.
    pub(in super::super) async fn create(&self, caller: &Caller, new: &NewAccount) -> Result<CreatedAccount> {
        self.require_manager(caller).await?;
        let mut checks = Checks::default();
        let (login, name) = (checks.login(&new.login), checks.name(&new.name));
        let mail = new.mail.as_deref().and_then(|mail| checks.mail(mail));
        self.check_address(&mut checks, mail.as_deref().filter(|mail| !mail.is_empty()));
        checks.done()?;
        let roles = new
            .roles
            .iter()
            .map(|held| Ok((role_of(held)?, held.place.as_str())))
            .collect::<Result<Vec<_>>>()?;
        let (kind, state) = if new.service {
            (SERVICE, AccountState::Active)
        } else {
            (PERSON, AccountState::Invited)
        };
        let account = self.new_account(kind, state, login, name, mail);
        let (each, roles) = (&account, &roles);
        self.db
            .write(Write::interactive("accounts.create"), |tx| {
                Box::pin(async move {
                    store::accounts::insert(tx, each, None).await?;
                    recorded::changed(tx, caller, each, "created").await?;
                    for (role, place) in roles {
                        self.give(tx, caller, each, *role, place).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        tracing::info!(account.id = %account.id, actor = caller.actor(), "an account was made");
        let (mut link, mut mailed_to) = (None, None);
        if account.mail.is_some() && self.can_mail() && !new.service {
            mailed_to = match self.mail_password_link(caller, &account, LinkKind::Invite).await {
                Ok(to) => Some(to),
                Err(error) if error.code() == Code::TooMany => None,
                Err(error) => return Err(error),
            };
        }
        if mailed_to.is_none() && !new.service {
            link = Some(self.make_link(&account, LinkKind::Invite).await?);
        }
        Ok(CreatedAccount {
            account: self.told(&account).await?,
            link,
            mailed_to,
        })
    }

    async fn give(&self, tx: &mut Tx<'_>, caller: &Caller, account: &Account, role: Role, place: &str) -> Result<()> {
        let grants = self.grants.as_ref().ok_or_else(no_roles)?;
        grants.grant(tx, caller, &account.subject(), role, place).await
    }

    /// Gives a role or takes it away.
    pub(in super::super) async fn set_role(
        &self,
        caller: &Caller,
        id: &str,
        held: &HeldRole,
        given: bool,
    ) -> Result<AccountInfo> {
        let account = self.one(caller, id).await?;
        let role = role_of(held)?;
        let grants = self.grants.as_ref().ok_or_else(no_roles)?;
        let (subject, place) = (&account.subject(), held.place.as_str());
        if !given && role == Role::Administrator {
            self.keep_one_administrator(caller, &account).await?;
        }
        self.db
            .write(Write::interactive("accounts.role"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Access);
                    match given {
                        true => grants.grant(tx, caller, subject, role, place).await,
                        false => grants.revoke(tx, caller, subject, role, place).await,
                    }
                })
            })
            .await?;
        tracing::info!(account.id = %account.id, actor = caller.actor(), role = role.as_str(), given, "a role was changed");
        self.told(&account).await
    }

    /// Nobody locks themselves out by mistake; the operator of the machine can always make another administrator.
    async fn keep_one_administrator(&self, caller: &Caller, account: &Account) -> Result<()> {
        let own = matches!(&caller.subject, Subject::Account { id, .. } if *id == account.id);
        if own {
            let text = "This is your own account. Let another administrator do it, so that one is left.";
            return Err(Error::new(Code::Conflict, text));
        }
        Ok(())
    }

    /// A link to choose a new password with. Until it is used the old password works.
    pub(in super::super) async fn link_for(&self, caller: &Caller, id: &str) -> Result<AccountLink> {
        let (account, kind) = self.for_link(caller, id).await?;
        let link = self.make_link(&account, kind).await?;
        tracing::info!(account.id = %account.id, actor = caller.actor(), "a link to choose a password was made");
        Ok(link)
    }

    /// As [`Service::link_for`], mailed to the account's address, which is answered.
    pub(in super::super) async fn mail_link_for(&self, caller: &Caller, id: &str) -> Result<String> {
        let (account, kind) = self.for_link(caller, id).await?;
        let to = self.mail_password_link(caller, &account, kind).await?;
        tracing::info!(account.id = %account.id, actor = caller.actor(), "a link to choose a password was mailed");
        Ok(to)
    }

    /// An account that somebody may make a link for, and what kind it is.
    async fn for_link(&self, caller: &Caller, id: &str) -> Result<(Account, LinkKind)> {
        let account = self.one(caller, id).await?;
        self.may_touch(caller, &account).await?;
        let kind = match account.state() {
            AccountState::Invited => LinkKind::Invite,
            AccountState::Active if !account.is_service() => LinkKind::Reset,
            _ => {
                return Err(Error::new(
                    Code::Conflict,
                    "This account never signs in or is switched off: it needs no link.",
                ));
            }
        };
        Ok((account, kind))
    }

    /// A token that does not hold everything must not take over accounts that do.
    async fn may_touch(&self, caller: &Caller, account: &Account) -> Result<()> {
        let narrow = match &caller.subject {
            Subject::Token { scope, .. } | Subject::Account { scope: Some(scope), .. } => {
                !scope.iter().any(|s| s == "*")
            }
            _ => false,
        };
        if narrow && !self.roles_held(account).await?.is_empty() {
            let text = "This token is narrower than the account's roles. Sign in, or take a token for everything (*).";
            return Err(Error::new(Code::Forbidden, text));
        }
        Ok(())
    }

    /// Begins the second step anew for somebody who lost device and recovery codes.
    pub(in super::super) async fn reset_factor(&self, caller: &Caller, id: &str) -> Result<()> {
        let account = self.one(caller, id).await?;
        self.may_touch(caller, &account).await?;
        self.remove_factor(caller, &account, &Visitor::default()).await
    }

    /// Is there an administrator who can come in, as far as that must stay so? The operator of the machine can always make
    /// another one.
    async fn is_administered(&self, tx: &mut Tx<'_>, caller: &Caller) -> Result<bool> {
        match &self.grants {
            Some(grants) if !matches!(caller.subject, Subject::Operator | Subject::System) => {
                grants.is_administered(tx).await
            }
            _ => Ok(false),
        }
    }

    /// Everything that opened the account, and who it was.
    async fn forget(&self, tx: &mut Tx<'_>, caller: &Caller, account: &Account) -> Result<()> {
        store::tokens::revoke_all(tx, &account.id).await?;
        store::factors::remove(tx, &account.id).await?;
        store::passkeys::remove_all(tx, &account.id).await?;
        store::pictures::remove(tx, &account.id).await?;
        if let (Some(messages), Some(mail)) = (&self.messages, &account.mail) {
            messages.forget(tx, mail).await?;
        }
        self.forget_elsewhere(tx, &account.id).await?;
        recorded::deleted(tx, caller, account).await?;
        store::identities::drop_all(tx, &account.id).await?;
        if let Some(grants) = &self.grants {
            grants.forget(tx, caller, &account.subject()).await?;
        }
        store::accounts::forget(tx, &account.id).await
    }

    /// Switches an account off or on, or deletes it. Sessions end at once; what it did stays.
    pub(in super::super) async fn change(&self, caller: &Caller, id: &str, change: Change) -> Result<()> {
        let account = self.one(caller, id).await?;
        if change != Change::Enable {
            self.keep_one_administrator(caller, &account).await?;
        }
        let state = match (change, account.password_at.is_some() || account.is_service()) {
            (Change::Enable, true) => AccountState::Active,
            (Change::Enable, false) => AccountState::Invited,
            _ => AccountState::Disabled,
        };
        let mut changed = account.clone();
        state.as_str().clone_into(&mut changed.state);
        let (account, changed) = (&account, &changed);
        self.db
            .write(Write::interactive("accounts.state"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Access);
                    if change == Change::Enable {
                        store::accounts::update(tx, changed).await?;
                        return recorded::changed(tx, caller, changed, "enabled").await;
                    }
                    let had_one = self.is_administered(tx, caller).await?;
                    store::sessions::end_all(tx, &account.id, None).await?;
                    store::links::drop_all(tx, &account.id).await?;
                    if change == Change::Disable {
                        store::accounts::update(tx, changed).await?;
                        recorded::changed(tx, caller, changed, "disabled").await?;
                    } else {
                        self.forget(tx, caller, account).await?;
                    }
                    if had_one && !self.is_administered(tx, caller).await? {
                        let text =
                            "Nobody could come in as administrator any more. Give the role to somebody else first.";
                        return Err(Error::new(Code::Conflict, text));
                    }
                    Ok(())
                })
            })
            .await?;
        tracing::info!(account.id = %account.id, actor = caller.actor(), change = ?change, "an account was changed");
        Ok(())
    }
}

fn no_roles() -> Error {
    Error::new(
        Code::Unavailable,
        "This build has no roles: it was made without the module access.",
    )
}
