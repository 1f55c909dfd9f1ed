//! Settings of those who say who somebody is: one table for each, `[accounts.providers.NAME]`.
//!
//! `default.toml` explains the table once, under the name `NAME`; each provider that is named somewhere takes its defaults
//! from there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use toml::Table;

use super::rules::{Issues, ROLES};
use super::secret::Secret;
use super::{Config, DEFAULT};
use crate::kernel::error::{Error, Result};
use crate::kernel::fetch::Place;

const TABLE: &str = "accounts.providers.";
/// What stands in `default.toml` for the name.
const ANY: &str = "NAME";

/// Somebody who says who somebody is. Each key stands with its meaning in `config/default.toml`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// `oidc` or `github`.
    pub kind: String,
    pub label: String,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Secret,
    /// A file that holds the secret instead; already read into `client_secret`.
    pub client_secret_file: String,
    pub scopes: Vec<String>,
    /// `yes`, `invited` or `no`.
    pub create: String,
    pub mail_domains: Vec<String>,
    pub trust_mail: bool,
    pub groups_claim: String,
    pub roles: Vec<String>,
    pub second_factor: Vec<String>,
    pub sign_out: bool,
    pub private_addresses: bool,
    pub ca_file: String,
    pub timeout_seconds: u64,
}

impl Provider {
    /// One that nobody has set anything of, to start from.
    ///
    /// # Errors
    /// Never in practice: the file of defaults is part of the program.
    pub fn unset() -> Result<Self> {
        let defaults: Table = DEFAULT.parse().map_err(Error::internal)?;
        let table = defaults
            .get("accounts")
            .and_then(|accounts| accounts.get("providers")?.get(ANY))
            .cloned();
        let table = table.ok_or_else(|| Error::internal(anyhow::anyhow!("{TABLE}{ANY} has no defaults")))?;
        table.try_into().map_err(Error::internal)
    }

    /// Which group has which role.
    pub fn role_rules(&self) -> Vec<RoleRule> {
        self.roles.iter().filter_map(|text| RoleRule::read(text)).collect()
    }
}

/// A role that the members of a group have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRule {
    /// As the provider calls it; `*` is everybody.
    pub group: String,
    pub role: String,
    /// `house` or `type:NAME`.
    pub place: String,
}

impl RoleRule {
    /// Reads `GROUP = ROLE` or `GROUP = ROLE in COLLECTION`.
    fn read(text: &str) -> Option<Self> {
        let (group, given) = text.rsplit_once('=')?;
        let (role, place) = match given.trim().split_once(" in ") {
            Some((role, collection)) => (role.trim(), format!("type:{}", collection.trim())),
            None => (given.trim(), "house".to_owned()),
        };
        let whole = place == "house";
        let fits = whole || !matches!(role, "administrator" | "operator");
        let named = !group.trim().is_empty() && place != "type:";
        (named && fits && ROLES.contains(&role)).then(|| Self {
            group: group.trim().to_owned(),
            role: role.to_owned(),
            place,
        })
    }
}

/// A name that a provider can have: it stands in addresses and in the environment.
fn is_name(name: &str) -> bool {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    (1..=32).contains(&name.len()) && name.bytes().all(fine) && !name.contains("__") && name != "name"
}

/// The key under which `default.toml` explains a key.
pub fn explained_as(key: &str) -> String {
    match key.strip_prefix(TABLE).and_then(|rest| rest.split_once('.')) {
        Some((name, leaf)) if is_name(name) => format!("{TABLE}{ANY}.{leaf}"),
        _ => key.to_owned(),
    }
}

/// True for the keys that only explain.
pub(super) fn explains(key: &str) -> bool {
    key.strip_prefix(TABLE)
        .and_then(|rest| rest.strip_prefix(ANY))
        .is_some_and(|rest| rest.starts_with('.'))
}

pub(super) fn is_of_provider(key: &str) -> bool {
    key.starts_with(TABLE)
}

/// The beginnings of the keys of every provider that is named among `keys`: `accounts.providers.museum.`
pub(super) fn named<'k>(keys: impl Iterator<Item = &'k String>) -> BTreeSet<String> {
    keys.filter_map(|key| {
        let (name, _) = key.strip_prefix(TABLE)?.split_once('.')?;
        Some(format!("{TABLE}{name}."))
    })
    .collect()
}

/// What a key of the explanation is called for one provider.
pub(super) fn for_one(explained: &str, start: &str) -> Option<String> {
    let leaf = explained.strip_prefix(TABLE)?.strip_prefix(ANY)?.strip_prefix('.')?;
    Some(format!("{start}{leaf}"))
}

/// Forgets what only explains.
pub(super) fn drop_explanation(config: &mut Config) {
    config
        .accounts
        .providers
        .retain(|name, _| !name.eq_ignore_ascii_case(ANY));
}

/// Refuses what cannot work or is unsafe.
pub(super) fn check(config: &Config, issues: &mut Issues) {
    for (name, provider) in &config.accounts.providers {
        let key = |leaf: &str| format!("{TABLE}{name}.{leaf}");
        for (leaf, value, allowed) in [
            ("kind", &provider.kind, ["oidc", "github", ""].as_slice()),
            ("create", &provider.create, ["yes", "invited", "no"].as_slice()),
        ] {
            if value.is_empty() || !allowed.contains(&value.as_str()) {
                let allowed: Vec<&str> = allowed.iter().copied().filter(|a| !a.is_empty()).collect();
                issues.add(
                    &key(leaf),
                    format!("is \"{value}\", but must be one of {}", allowed.join(", ")),
                );
            }
        }
        let is_github = provider.kind == "github";
        if provider.client_id.is_empty() {
            issues.add(
                &key("client_id"),
                "is needed: the provider gives it when this house is registered there",
            );
        }
        if is_github && provider.client_secret.is_empty() {
            issues.add(&key("client_secret"), "is needed: GitHub gives it with the client id");
        }
        if !(is_github && provider.issuer.is_empty()) {
            check_issuer(&key("issuer"), &provider.issuer, config.http.allow_plain, issues);
        }
        for text in provider.roles.iter().filter(|text| RoleRule::read(text).is_none()) {
            let message = format!(
                "\"{text}\" is not understood: write \"GROUP = ROLE\", or \"GROUP = ROLE in COLLECTION\" for a role of one \
                 collection; roles are {}",
                ROLES.join(", ")
            );
            issues.add(&key("roles"), message);
        }
        for domain in provider.mail_domains.iter().filter(|domain| !is_domain(domain)) {
            let message = format!("\"{domain}\" is no domain; write what stands behind the @: museum.example");
            issues.add(&key("mail_domains"), message);
        }
        for scope in &provider.scopes {
            if scope.is_empty() || !scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\') {
                issues.add(&key("scopes"), format!("\"{scope}\" is no scope; one word for each"));
            }
        }
        issues.between(&key("timeout_seconds"), provider.timeout_seconds, 1, 60);
    }
}

fn check_issuer(key: &str, issuer: &str, allow_plain: bool, issues: &mut Issues) {
    match Place::read(issuer) {
        Ok(place) if place.secure || place.is_local() || allow_plain => {
            if issuer.contains('?') {
                issues.add(key, format!("is {issuer}; an issuer has no \"?\""));
            }
        }
        Ok(_) => issues.add(
            key,
            format!("is {issuer}: who somebody is would travel unprotected. Use https://"),
        ),
        Err(fault) => issues.add(key, fault.to_string()),
    }
}

fn is_domain(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read() {
        let rule = |text: &str| RoleRule::read(text).map(|r| (r.group, r.role, r.place));
        let of = |g: &str, r: &str, p: &str| Some((g.to_owned(), r.to_owned(), p.to_owned()));
        assert_eq!(rule("/staff = editor"), of("/staff", "editor", "house"));
        assert_eq!(
            rule("cn=a,ou=b = viewer in specimen"),
            of("cn=a,ou=b", "viewer", "type:specimen")
        );
        assert_eq!(rule("*=viewer"), of("*", "viewer", "house"));
        for bad in [
            "editor",
            " = editor",
            "x = king",
            "x = administrator in specimen",
            "x = editor in ",
        ] {
            assert_eq!(rule(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_and_keys() {
        assert_eq!(
            explained_as("accounts.providers.museum.issuer"),
            "accounts.providers.NAME.issuer"
        );
        assert_eq!(
            explained_as("accounts.providers.My Museum.issuer"),
            "accounts.providers.My Museum.issuer"
        );
        assert_eq!(explained_as("http.bind"), "http.bind");
        assert!(explains("accounts.providers.NAME.kind") && !explains("accounts.providers.x.kind"));
        assert!(Provider::unset().unwrap().client_secret.is_empty());
    }
}
