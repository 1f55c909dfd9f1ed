//! SQL of identities: who people are to providers, sign-ins under way, what sessions came from, roles that came from groups.

use crate::kernel::db::{Exec, Tx, sql};
use crate::kernel::error::Result;

/// A row of the table `account_identity`.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in super::super) struct Identity {
    pub id: String,
    pub account_id: String,
    pub issuer: String,
    pub subject: String,
    pub label: String,
    pub created_at: i64,
    pub used_at: i64,
}

/// A row of the table `provider_flow`, without its digest.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in super::super) struct Flow {
    pub browser: String,
    pub address: String,
    pub provider: String,
    pub nonce: String,
    pub verifier: String,
    pub target: String,
    pub account_id: Option<String>,
    pub expires_at: i64,
}

/// What a session came from.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in super::super) struct Tie {
    pub identity_id: String,
    pub provider_session: Option<String>,
    pub id_token: Option<String>,
}

pub(in super::super) async fn insert(tx: &mut Tx<'_>, identity: &Identity) -> Result<()> {
    sql(
        "INSERT INTO account_identity (id, account_id, issuer, subject, label, created_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&identity.id)
    .bind(&identity.account_id)
    .bind(&identity.issuer)
    .bind(&identity.subject)
    .bind(&identity.label)
    .bind(identity.created_at)
    .bind(identity.used_at)
    .exec(tx)
    .await?;
    Ok(())
}

pub(in super::super) async fn find(on: impl Into<Exec<'_>>, issuer: &str, subject: &str) -> Result<Option<Identity>> {
    sql("SELECT id, account_id, issuer, subject, label, created_at, used_at FROM account_identity WHERE issuer = $1 AND subject = $2")
        .bind(issuer)
        .bind(subject)
        .opt(on)
        .await
}

/// The identities of an account, oldest first.
pub(in super::super) async fn of(on: impl Into<Exec<'_>>, account: &str) -> Result<Vec<Identity>> {
    sql("SELECT id, account_id, issuer, subject, label, created_at, used_at FROM account_identity WHERE account_id = $1 ORDER BY id")
        .bind(account)
        .all(on)
        .await
}

pub(in super::super) async fn touch(tx: &mut Tx<'_>, id: &str, label: &str) -> Result<()> {
    let now = tx.now();
    sql("UPDATE account_identity SET used_at = $2, label = $3 WHERE id = $1")
        .bind(id)
        .bind(now)
        .bind(label)
        .exec(tx)
        .await?;
    Ok(())
}

pub(in super::super) async fn remove(tx: &mut Tx<'_>, account: &str, id: &str) -> Result<bool> {
    let rows = sql("DELETE FROM account_identity WHERE id = $1 AND account_id = $2")
        .bind(id)
        .bind(account)
        .exec(tx)
        .await?;
    Ok(rows > 0)
}

/// Forgets who an account is to others: it is deleted.
pub(in super::super) async fn drop_all(tx: &mut Tx<'_>, account: &str) -> Result<()> {
    sql("DELETE FROM provider_flow WHERE account_id = $1")
        .bind(account)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM provider_role WHERE account_id = $1")
        .bind(account)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM account_identity WHERE account_id = $1")
        .bind(account)
        .exec(tx)
        .await?;
    Ok(())
}

/// Writes a sign-in down; answers how many of this network are under way.
pub(in super::super) async fn begin(tx: &mut Tx<'_>, digest: &str, flow: &Flow) -> Result<i64> {
    let now = tx.now();
    sql("DELETE FROM provider_flow WHERE expires_at <= $1")
        .bind(now)
        .exec(&mut *tx)
        .await?;
    sql(
        "INSERT INTO provider_flow (digest, browser, address, provider, nonce, verifier, target, account_id, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(digest)
    .bind(&flow.browser)
    .bind(&flow.address)
    .bind(&flow.provider)
    .bind(&flow.nonce)
    .bind(&flow.verifier)
    .bind(&flow.target)
    .bind(flow.account_id.as_deref())
    .bind(flow.expires_at)
    .exec(&mut *tx)
    .await?;
    let (count,): (i64,) = sql("SELECT COUNT(*) FROM provider_flow WHERE address = $1")
        .bind(&flow.address)
        .one(tx)
        .await?;
    Ok(count)
}

/// Uses a sign-in up: exactly one of those who try gets it.
pub(in super::super) async fn take(tx: &mut Tx<'_>, digest: &str) -> Result<Option<Flow>> {
    sql("DELETE FROM provider_flow WHERE digest = $1 \
         RETURNING browser, address, provider, nonce, verifier, target, account_id, expires_at")
    .bind(digest)
    .opt(tx)
    .await
}

/// Notes what a session came from.
pub(in super::super) async fn tie(tx: &mut Tx<'_>, session_digest: &str, tie: &Tie) -> Result<()> {
    sql("UPDATE session SET identity_id = $2, provider_session = $3, id_token = $4 WHERE digest = $1")
        .bind(session_digest)
        .bind(&tie.identity_id)
        .bind(tie.provider_session.as_deref())
        .bind(tie.id_token.as_deref())
        .exec(tx)
        .await?;
    Ok(())
}

pub(in super::super) async fn tie_of(on: impl Into<Exec<'_>>, session_digest: &str) -> Result<Option<Tie>> {
    sql("SELECT identity_id, provider_session, id_token FROM session WHERE digest = $1 AND identity_id IS NOT NULL")
        .bind(session_digest)
        .opt(on)
        .await
}

/// What a session of this account that waits for its second step came from.
pub(in super::super) async fn tie_of_half(tx: &mut Tx<'_>, session_digest: &str, account: &str) -> Result<Option<Tie>> {
    sql("SELECT identity_id, provider_session, id_token FROM session \
         WHERE digest = $1 AND account_id = $2 AND NOT whole AND identity_id IS NOT NULL")
    .bind(session_digest)
    .bind(account)
    .opt(tx)
    .await
}

/// The issuer of an identity.
pub(in super::super) async fn issuer_of(on: impl Into<Exec<'_>>, id: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = sql("SELECT issuer FROM account_identity WHERE id = $1")
        .bind(id)
        .opt(on)
        .await?;
    Ok(row.map(|(issuer,)| issuer))
}

/// Ends the sessions of a subject that were opened before a time.
pub(in super::super) async fn end_of_subject(tx: &mut Tx<'_>, issuer: &str, subject: &str, before: i64) -> Result<u64> {
    sql("DELETE FROM session WHERE created_at < $3 AND identity_id IN \
         (SELECT id FROM account_identity WHERE issuer = $1 AND subject = $2)")
    .bind(issuer)
    .bind(subject)
    .bind(before)
    .exec(tx)
    .await
}

/// Ends what came from a session at the provider; of a subject, where one is named, also what came from a session that has
/// no name.
pub(in super::super) async fn end_of_session(
    tx: &mut Tx<'_>,
    issuer: &str,
    subject: Option<&str>,
    session: &str,
    before: i64,
) -> Result<u64> {
    match subject {
        Some(subject) => {
            sql(
                "DELETE FROM session WHERE created_at < $4 AND (provider_session = $3 OR provider_session IS NULL) \
                 AND identity_id IN (SELECT id FROM account_identity WHERE issuer = $1 AND subject = $2)",
            )
            .bind(issuer)
            .bind(subject)
            .bind(session)
            .bind(before)
            .exec(tx)
            .await
        }
        None => {
            sql("DELETE FROM session WHERE created_at < $3 AND provider_session = $2 \
                 AND identity_id IN (SELECT id FROM account_identity WHERE issuer = $1)")
            .bind(issuer)
            .bind(session)
            .bind(before)
            .exec(tx)
            .await
        }
    }
}

/// The roles that an account has because of groups: provider, role, place.
pub(in super::super) async fn roles(on: impl Into<Exec<'_>>, account: &str) -> Result<Vec<(String, String, String)>> {
    sql("SELECT provider, role, place FROM provider_role WHERE account_id = $1")
        .bind(account)
        .all(on)
        .await
}

pub(in super::super) async fn note_role(
    tx: &mut Tx<'_>,
    account: &str,
    provider: &str,
    role: &str,
    place: &str,
) -> Result<()> {
    sql(
        "INSERT INTO provider_role (account_id, provider, role, place) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (account_id, provider, role, place) DO NOTHING",
    )
    .bind(account)
    .bind(provider)
    .bind(role)
    .bind(place)
    .exec(tx)
    .await?;
    Ok(())
}

pub(in super::super) async fn drop_role(
    tx: &mut Tx<'_>,
    account: &str,
    provider: &str,
    role: &str,
    place: &str,
) -> Result<()> {
    sql("DELETE FROM provider_role WHERE account_id = $1 AND provider = $2 AND role = $3 AND place = $4")
        .bind(account)
        .bind(provider)
        .bind(role)
        .bind(place)
        .exec(tx)
        .await?;
    Ok(())
}
