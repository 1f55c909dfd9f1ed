//! Accounts as they are kept, and what is checked before one is made or changed. No I/O; time is an argument.

use super::names;
use super::password;
use crate::contract::accounts::{AccountInfo, AccountState};
use crate::kernel::access::Person;
use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Error, FieldIssue, Result};

/// What stands for the name of a deleted account.
pub(super) const GONE: &str = "Deleted account";

/// A row of the table `account` without its password.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Account {
    pub id: String,
    pub version: i64,
    pub kind: String,
    pub state: String,
    pub login: String,
    pub name: String,
    pub mail: Option<String>,
    /// When its owner showed that mail arrives there.
    pub mail_confirmed_at: Option<i64>,
    pub language: Option<String>,
    pub time_zone: Option<String>,
    pub theme: Option<String>,
    /// Which picture it has, as it stands in its address.
    pub picture: Option<String>,
    pub password_at: Option<i64>,
    pub created_at: i64,
    pub seen_at: Option<i64>,
}

impl Account {
    pub(super) fn state(&self) -> AccountState {
        AccountState::parse(&self.state).unwrap_or(AccountState::Disabled)
    }

    pub(super) fn is_active(&self) -> bool {
        self.state() == AccountState::Active
    }

    pub(super) fn is_service(&self) -> bool {
        self.kind == SERVICE
    }

    /// Where its picture is. Another picture has another address, so that browsers may keep each.
    pub(super) fn picture_path(&self) -> Option<String> {
        let version = self.picture.as_ref()?;
        Some(format!("/people/{}/picture?v={version}", self.id))
    }

    /// How grants and the ledger name it.
    pub(super) fn subject(&self) -> String {
        format!("account:{}", self.id)
    }

    pub(super) fn person(self) -> Person {
        Person {
            active: self.is_active(),
            id: self.id,
            name: self.name,
            login: self.login,
        }
    }

    pub(super) fn info(&self) -> AccountInfo {
        AccountInfo {
            id: self.id.clone(),
            kind: self.kind.clone(),
            state: self.state(),
            login: self.login.clone(),
            name: self.name.clone(),
            mail: self.mail.clone(),
            mail_confirmed: self.mail_confirmed_at.is_some(),
            created_at: rfc3339(self.created_at),
            seen_at: self.seen_at.map(rfc3339),
            picture: self.picture_path(),
            roles: Vec::new(),
            groups: Vec::new(),
        }
    }
}

/// The kinds of account.
pub(super) const PERSON: &str = "person";
pub(super) const SERVICE: &str = "service";

/// Words that a person's password must not be made of.
pub(super) fn own_words<'a>(login: &'a str, name: &'a str, mail: Option<&'a str>, site: &'a str) -> [&'a str; 4] {
    [login, name, mail.unwrap_or_default(), site]
}

/// Collects what is wrong, each with its field.
#[derive(Default)]
pub(super) struct Checks(Vec<FieldIssue>);

impl Checks {
    pub(super) fn wrong(&mut self, path: &str, message: impl Into<String>) {
        self.0.push(FieldIssue {
            path: path.to_owned(),
            message: message.into(),
        });
    }
    fn kept(&mut self, path: &str, checked: Result<String, &'static str>) -> String {
        checked.unwrap_or_else(|message| {
            self.wrong(path, message);
            String::new()
        })
    }
    pub(super) fn login(&mut self, given: &str) -> String {
        self.kept("login", names::login(given))
    }
    pub(super) fn name(&mut self, given: &str) -> String {
        self.kept("name", names::name(given))
    }
    /// An empty address is none.
    pub(super) fn mail(&mut self, given: &str) -> Option<String> {
        (!given.trim().is_empty()).then(|| self.kept("mail", names::mail(given)))
    }
    pub(super) fn password(&mut self, path: &str, given: &str, own: &[&str]) {
        if let Some(message) = password::problem(given, own) {
            self.wrong(path, message);
        }
    }
    pub(super) fn time_zone(&mut self, given: &str) -> Option<String> {
        let given = given.trim();
        if given.is_empty() {
            return None;
        }
        let found = (given.len() <= 64)
            .then(|| jiff::tz::TimeZone::get(given).ok())
            .flatten();
        let Some(name) = found.as_ref().and_then(jiff::tz::TimeZone::iana_name) else {
            self.wrong(
                "time_zone",
                "A place of the time zone list, such as Europe/Vienna or UTC.",
            );
            return None;
        };
        Some(name.to_owned())
    }
    pub(super) fn theme(&mut self, given: &str) -> Option<String> {
        match given {
            "" => None,
            "light" | "dark" => Some(given.to_owned()),
            _ => {
                self.wrong("theme", "light, dark or empty.");
                None
            }
        }
    }
    pub(super) fn language(&mut self, given: &str) -> Option<String> {
        let given = given.trim();
        if given.is_empty() {
            return None;
        }
        if given.len() > 35 || !given.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            self.wrong("language", "A language tag such as en or de-AT.");
            return None;
        }
        Some(given.to_owned())
    }
    pub(super) fn done(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid_fields(self.0))
        }
    }
}
