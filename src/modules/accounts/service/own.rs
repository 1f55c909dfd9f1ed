//! What people do with their own account: profile, address, password, a copy of their data.

use base64::Engine as _;
use serde_json::{Value, json};

use super::super::account::{Account, Checks, own_words};
use super::super::{recorded, store};
use super::{LIST_MAX, Service};
use crate::contract::accounts::AccountInfo;
use crate::contract::messages::Template;
use crate::kernel::access::Caller;
use crate::kernel::clock::rfc3339;
use crate::kernel::db::{Signal, Write};
use crate::kernel::error::Result;
use crate::kernel::http::Visitor;
use crate::kernel::ledger;

/// What the form of the profile sends.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ProfileForm {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub language: String,
    #[serde(default)]
    pub time_zone: String,
    #[serde(default)]
    pub theme: String,
}

/// A path of ours to go to after signing in; another site's address, or a page that leads nowhere, is the start page.
pub(in super::super) fn own_path(given: &str) -> &str {
    let inside = given.starts_with('/') && !given.starts_with("//") && given.len() <= 2000;
    let plain = !given
        .bytes()
        .any(|b| b == b'\\' || b.is_ascii_control() || !b.is_ascii());
    let path = given.split(['?', '#']).next().unwrap_or_default();
    let doors = ["/sign-in", "/sign-out", "/sign-up", "/setup", "/welcome", "/confirm"];
    let is_door = doors.iter().any(|door| {
        path.strip_prefix(door)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if inside && plain && !is_door { given } else { "/" }
}

impl Service {
    /// The caller's account with its roles.
    pub(in super::super) async fn my_account(&self, caller: &Caller) -> Result<AccountInfo> {
        let me = self.me(caller).await?;
        self.told_whole(&me).await
    }

    async fn save(&self, caller: &Caller, account: &Account) -> Result<()> {
        self.db
            .write(Write::interactive("accounts.save"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Access);
                    store::accounts::update(tx, account).await?;
                    recorded::changed(tx, caller, account, "profile").await
                })
            })
            .await
    }

    /// Answers the account as it is now.
    pub(in super::super) async fn set_profile(&self, caller: &Caller, form: &ProfileForm) -> Result<Account> {
        let mut me = self.me(caller).await?;
        let mut checks = Checks::default();
        me.name = checks.name(&form.name);
        me.language = checks.language(&form.language);
        me.time_zone = checks.time_zone(&form.time_zone);
        me.theme = checks.theme(&form.theme);
        checks.done()?;
        self.save(caller, &me).await?;
        Ok(me)
    }

    /// Changes the password; every other session ends.
    pub(in super::super) async fn set_password(
        &self,
        caller: &Caller,
        secret: &str,
        old: &str,
        new: &str,
        visitor: &Visitor,
    ) -> Result<()> {
        let me = self.me(caller).await?;
        let mut checks = Checks::default();
        checks.password(
            "new_password",
            new,
            &own_words(&me.login, &me.name, me.mail.as_deref(), self.site()),
        );
        checks.done()?;
        self.prove_again(&me, secret, ("current_password", old), visitor)
            .await?;
        let hash = self.hash(new).await?;
        let this = self.session_of(secret).await?.map(|session| session.id);
        let (me, id, hash, this) = (&me, &me.id, &hash, &this);
        self.db
            .write(Write::interactive("accounts.password"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Access);
                    store::accounts::set_password(tx, id, hash).await?;
                    store::links::drop_all(tx, id).await?;
                    store::sessions::end_all(tx, id, this.as_deref()).await?;
                    recorded::changed(tx, caller, me, "password").await?;
                    self.tell(tx, caller, me, Template::PasswordChanged, Vec::new(), visitor)
                        .await
                })
            })
            .await?;
        tracing::info!(account.id = %id, "the password was changed");
        Ok(())
    }

    /// Everything that is kept about the caller's account, without secrets.
    pub(in super::super) async fn export(&self, caller: &Caller) -> Result<Value> {
        let me = self.me(caller).await?;
        let sessions: Vec<Value> = self
            .own_sessions(caller)
            .await?
            .iter()
            .map(|s| json!({"since": rfc3339(s.created_at), "used": rfc3339(s.used_at), "address": s.address, "browser": s.agent}))
            .collect();
        let tokens = store::tokens::of(&self.db, &me.id, LIST_MAX).await?;
        let tokens = tokens
            .iter()
            .map(super::super::model::Token::info)
            .collect::<Result<Vec<_>>>()?;
        let passkeys: Vec<Value> = self
            .passkeys_of(&me)
            .await?
            .iter()
            .map(|p| json!({"name": p.name, "since": rfc3339(p.created_at), "used": p.used_at.map(rfc3339)}))
            .collect();
        let links: Vec<Value> = store::links::of(&self.db, &me.id, self.now())
            .await?
            .iter()
            .map(|(kind, mail, made, ends)| json!({"for": kind, "mailed_to": mail, "made": rfc3339(*made), "until": rfc3339(*ends)}))
            .collect();
        let messages = match (&self.messages, &me.mail) {
            (Some(messages), Some(mail)) => messages.of(mail).await?,
            _ => Vec::new(),
        };
        let changes: Vec<Value> = ledger::versions(&self.db, &me.subject(), None, LIST_MAX)
            .await?
            .iter()
            .map(|v| json!({"at": rfc3339(v.set.created_at), "what": v.set.kind, "by": v.set.actor}))
            .collect();
        let factor = self.factor(&me.id).await?;
        let linked: Vec<Value> = store::identities::of(&self.db, &me.id)
            .await?
            .iter()
            .map(|i| json!({"issuer": i.issuer, "subject": i.subject, "known_as": i.label, "since": rfc3339(i.created_at), "used": rfc3339(i.used_at)}))
            .collect();
        let picture = store::pictures::of(&self.db, &me.id).await?.map(|picture| {
            let content = base64::engine::general_purpose::STANDARD.encode(&picture.content);
            json!({"kind": picture.kind, "since": rfc3339(picture.created_at), "base64": content})
        });
        let mut all = json!({
            "account": self.told_whole(&me).await?,
            "mail_confirmed_at": me.mail_confirmed_at.map(rfc3339),
            "language": me.language,
            "time_zone": me.time_zone,
            "theme": me.theme,
            "picture": picture,
            "password_changed_at": me.password_at.map(rfc3339),
            "second_factor": factor.and_then(|factor| factor.confirmed_at).map(rfc3339),
            "recovery_codes_left": self.codes_left(&me).await?,
            "passkeys": passkeys,
            "linked_sign_ins": linked,
            "sessions": sessions,
            "tokens": tokens,
            "links": links,
            "messages": messages,
            "changes": changes,
        });
        for (name, kept) in self.kept_elsewhere(&me.id).await? {
            all[name] = kept;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_in_the_house() {
        for good in ["/", "/records/1?x=1#y", "/search?q=%2F%2Fevil.example", "/sign-input"] {
            assert_eq!(own_path(good), good);
        }
        for bad in [
            "",
            "x",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil",
            "/a\nSet-Cookie: x",
            "/a\tb",
            "/ä",
            "javascript:alert(1)",
            "/sign-in",
            "/sign-in?to=/",
            "/sign-out",
            "/sign-up/1",
            "/setup/1",
            "/welcome/1",
            "/confirm/1",
        ] {
            assert_eq!(own_path(bad), "/", "{bad:?}");
        }
    }
}
