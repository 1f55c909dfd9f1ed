//! SQL of accounts.

use crate::kernel::db::{Db, Exec, Filter, Tx, sql};
use crate::kernel::error::{Error, Result};

use super::super::account::{Account, GONE};
use super::super::names::{folded, login_key};

/// What a taken name is answered with.
pub(in super::super) const TAKEN: &str = "This name, or one that looks like it, is taken. Choose another one.";
pub(in super::super) const MAIL_TAKEN: &str = "Another account has this address.";

pub(in super::super) async fn insert(tx: &mut Tx<'_>, account: &Account, password: Option<&str>) -> Result<()> {
    refuse_taken(tx, account).await?;
    let now = tx.now();
    sql("INSERT INTO account (id, version, kind, state, login, login_key, name, name_key, mail, mail_key, password, password_at, created_at, mail_confirmed_at) \
         VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
        .bind(&account.id)
        .bind(&account.kind)
        .bind(&account.state)
        .bind(&account.login)
        .bind(login_key(&account.login))
        .bind(&account.name)
        .bind(folded(&account.name))
        .bind(account.mail.as_deref())
        .bind(account.mail.as_deref().map(folded))
        .bind(password)
        .bind(password.map(|_| now))
        .bind(now)
        .bind(account.mail_confirmed_at)
        .exec(tx)
        .await?;
    Ok(())
}

/// Names and addresses belong to one account each.
async fn refuse_taken(tx: &mut Tx<'_>, account: &Account) -> Result<()> {
    tx.lock("account names").await?;
    let key = login_key(&account.login);
    let taken: Option<(String,)> = sql("SELECT id FROM account WHERE login_key = $1 AND id <> $2")
        .bind(key)
        .bind(&account.id)
        .opt(&mut *tx)
        .await?;
    if taken.is_some() {
        return Err(Error::invalid("login", TAKEN));
    }
    if let Some(mail) = &account.mail {
        let taken: Option<(String,)> = sql("SELECT id FROM account WHERE mail_key = $1 AND id <> $2")
            .bind(folded(mail))
            .bind(&account.id)
            .opt(&mut *tx)
            .await?;
        if taken.is_some() {
            return Err(Error::invalid("mail", MAIL_TAKEN));
        }
    }
    Ok(())
}

/// True where nobody has this sign-in name or one that looks like it.
pub(in super::super) async fn login_is_free(tx: &mut Tx<'_>, login: &str) -> Result<bool> {
    let taken: Option<(String,)> = sql("SELECT id FROM account WHERE login_key = $1")
        .bind(login_key(login))
        .opt(tx)
        .await?;
    Ok(taken.is_none())
}

/// The account of a mail address.
pub(in super::super) async fn with_mail(on: impl Into<Exec<'_>>, mail: &str) -> Result<Option<Account>> {
    sql("SELECT id, version, kind, state, login, name, mail, mail_confirmed_at, language, time_zone, theme, picture, password_at, created_at, seen_at FROM account WHERE mail_key = $1")
        .bind(folded(mail))
        .opt(on)
        .await
}

/// Writes everything but the password.
pub(in super::super) async fn update(tx: &mut Tx<'_>, account: &Account) -> Result<()> {
    refuse_taken(tx, account).await?;
    sql("UPDATE account SET version = version + 1, state = $2, login = $3, login_key = $4, name = $5, name_key = $6, mail = $7, mail_key = $8, \
         language = $9, time_zone = $10, theme = $11, mail_confirmed_at = $12 WHERE id = $1")
        .bind(&account.id)
        .bind(&account.state)
        .bind(&account.login)
        .bind(login_key(&account.login))
        .bind(&account.name)
        .bind(folded(&account.name))
        .bind(account.mail.as_deref())
        .bind(account.mail.as_deref().map(folded))
        .bind(account.language.as_deref())
        .bind(account.time_zone.as_deref())
        .bind(account.theme.as_deref())
        .bind(account.mail_confirmed_at)
        .exec(tx)
        .await?;
    Ok(())
}

pub(in super::super) async fn set_password(tx: &mut Tx<'_>, id: &str, password: &str) -> Result<()> {
    let now = tx.now();
    sql("UPDATE account SET password = $2, password_at = $3 WHERE id = $1")
        .bind(id)
        .bind(password)
        .bind(now)
        .exec(tx)
        .await?;
    Ok(())
}

/// A better hash of the same password, unless it has changed meanwhile.
pub(in super::super) async fn rehash(tx: &mut Tx<'_>, id: &str, old: &str, new: &str) -> Result<()> {
    sql("UPDATE account SET password = $3 WHERE id = $1 AND password = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .exec(tx)
        .await?;
    Ok(())
}

pub(in super::super) async fn seen(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    let now = tx.now();
    sql("UPDATE account SET seen_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes away who it was: the row stays for what it did.
pub(in super::super) async fn forget(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    sql("UPDATE account SET version = version + 1, state = 'deleted', login = $1, login_key = $1, name = $2, name_key = '', mail = NULL, mail_key = NULL, mail_confirmed_at = NULL, \
         language = NULL, time_zone = NULL, theme = NULL, picture = NULL, password = NULL, password_at = NULL, seen_at = NULL WHERE id = $1")
        .bind(id)
        .bind(GONE)
        .exec(tx)
        .await?;
    Ok(())
}

pub(in super::super) async fn get(on: impl Into<Exec<'_>>, id: &str) -> Result<Option<Account>> {
    sql("SELECT id, version, kind, state, login, name, mail, mail_confirmed_at, language, time_zone, theme, picture, password_at, created_at, seen_at FROM account WHERE id = $1")
        .bind(id)
        .opt(on)
        .await
}

/// The hash of an account's password.
pub(in super::super) async fn password(on: impl Into<Exec<'_>>, id: &str) -> Result<Option<String>> {
    let row: Option<(Option<String>,)> = sql("SELECT password FROM account WHERE id = $1")
        .bind(id)
        .opt(on)
        .await?;
    Ok(row.and_then(|(password,)| password))
}

/// The account of a name or an address as somebody typed it.
pub(in super::super) async fn named(on: impl Into<Exec<'_>>, given: &str) -> Result<Option<Account>> {
    let text = folded(given);
    let found: Vec<Account> = sql(
        "SELECT id, version, kind, state, login, name, mail, mail_confirmed_at, language, time_zone, theme, picture, password_at, created_at, seen_at FROM account \
         WHERE login_key = $1 OR mail_key = $2 LIMIT 2",
    )
    .bind(login_key(given))
    .bind(&text)
    .all(on)
    .await?;
    // A name that only looks like it is another one.
    let is_it = |account: &Account| {
        folded(&account.login) == text || account.mail.as_deref().map(folded).as_ref() == Some(&text)
    };
    Ok(found.into_iter().find(is_it))
}

/// Accounts by name, after a place in that order.
pub(in super::super) async fn list(
    db: &Db,
    text: Option<&str>,
    after: Option<(&str, &str)>,
    limit: i64,
) -> Result<Vec<Account>> {
    let start = text.map(folded);
    let end = start.as_ref().map(|start| format!("{start}\u{10ffff}"));
    let mut filter = Filter::new(
        "SELECT id, version, kind, state, login, name, mail, mail_confirmed_at, language, time_zone, theme, picture, password_at, created_at, seen_at FROM account",
    )
    .and("state <> ?", "deleted");
    if let (Some(start), Some(end)) = (start, end) {
        let key = login_key(&start);
        let key_end = format!("{key}\u{10ffff}");
        filter = filter.and_all(
            "((name_key >= ? AND name_key < ?) OR (login_key >= ? AND login_key < ?) OR (mail_key >= ? AND mail_key < ?))",
            vec![(&start).into(), (&end).into(), (&key).into(), (&key_end).into(), (&start).into(), (&end).into()],
        );
    }
    if let Some((name, id)) = after {
        filter = filter.and_all("(name_key, id) > (?, ?)", vec![name.into(), id.into()]);
    }
    filter.end("ORDER BY name_key, id", limit).all(db).await
}

pub(in super::super) async fn by_ids(on: impl Into<Exec<'_>>, ids: &[String]) -> Result<Vec<Account>> {
    Filter::new(
        "SELECT id, version, kind, state, login, name, mail, mail_confirmed_at, language, time_zone, theme, picture, password_at, created_at, seen_at FROM account",
    )
    .and_in("id", ids.iter().take(1000).cloned())
    .stmt()
    .all(on)
    .await
}

/// True where an account of a person was ever made.
pub(in super::super) async fn any(on: impl Into<Exec<'_>>) -> Result<bool> {
    let row: Option<(String,)> = sql("SELECT id FROM account WHERE kind = 'person' LIMIT 1")
        .opt(on)
        .await?;
    Ok(row.is_some())
}
