//! Tokens: what is right in them. No I/O; time is an argument.

use crate::contract::accounts::{NewToken, TokenInfo};
use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Error, FieldIssue, Result};

/// A setup link works this long, in milliseconds.
pub(super) const LINK_LIFE: i64 = DAY;
pub(super) const DAY: i64 = 24 * 60 * 60 * 1000;
/// How exactly the last use is kept, in milliseconds.
pub(super) const USE_STEP: i64 = 60 * 1000;

/// The start of every token's secret.
pub(super) use crate::kernel::access::TOKEN_PREFIX as SECRET_PREFIX;

/// A row of the table `token` without the digest.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Token {
    pub id: String,
    pub name: String,
    pub scope: String,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub used_at: Option<i64>,
    pub revoked_at: Option<i64>,
    /// For whom it speaks; none: for itself.
    pub account_id: Option<String>,
}

impl Token {
    /// True where its secret opens something at `now`.
    pub(super) fn is_live(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    pub(super) fn scope(&self) -> Result<Vec<String>> {
        Ok(serde_json::from_str(&self.scope)?)
    }

    pub(super) fn info(&self) -> Result<TokenInfo> {
        Ok(TokenInfo {
            id: self.id.clone(),
            name: self.name.clone(),
            scope: self.scope()?,
            created_at: rfc3339(self.created_at),
            expires_at: self.expires_at.map(rfc3339),
            used_at: self.used_at.map(rfc3339),
            revoked_at: self.revoked_at.map(rfc3339),
            account_id: self.account_id.clone(),
        })
    }
}

/// Checks a token to be made; answers it trimmed.
pub(super) fn checked(new: &NewToken) -> Result<NewToken> {
    let mut issues = Vec::new();
    let mut wrong = |path: String, message: &str| {
        issues.push(FieldIssue {
            path,
            message: message.to_owned(),
        })
    };
    let name = new.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 200 {
        wrong("name".to_owned(), "Say in 1 to 200 characters what the token is for.");
    }
    if new.scope.len() > 100 {
        wrong(
            "scope".to_owned(),
            "At most 100 permissions; records.* stands for all of an area.",
        );
    }
    for (index, entry) in new.scope.iter().enumerate() {
        if !is_scope(entry) {
            wrong(
                format!("scope.{index}"),
                "Write a permission such as records.write, records.* or *.",
            );
        }
    }
    if new.days.is_some_and(|days| !(1..=3650).contains(&days)) {
        wrong("days".to_owned(), "1 to 3650 days.");
    }
    if issues.is_empty() {
        let mut scope = new.scope.clone();
        scope.sort_unstable();
        scope.dedup();
        Ok(NewToken {
            name,
            scope,
            days: new.days,
        })
    } else {
        Err(Error::invalid_fields(issues))
    }
}

fn is_scope(entry: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.len() <= 50 && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    entry == "*"
        || entry
            .split_once('.')
            .is_some_and(|(area, verb)| word(area) && (verb == "*" || word(verb)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, scope: &[&str], days: Option<u32>, want: &[&str]) {
        let scope = scope.iter().map(|s| (*s).to_owned()).collect();
        let paths: Vec<String> = match checked(&NewToken {
            name: name.to_owned(),
            scope,
            days,
        }) {
            Ok(_) => Vec::new(),
            Err(error) => error.fields().iter().map(|issue| issue.path.clone()).collect(),
        };
        assert_eq!(paths, want);
    }

    #[test]
    fn tokens_are_checked() {
        check("loader", &["records.write", "types.*", "*"], Some(30), &[]);
        check(" ", &["records"], Some(0), &["name", "scope.0", "days"]);
        check(
            "x",
            &["rec*", "a.b.c", "*.read", ""],
            None,
            &["scope.0", "scope.1", "scope.2", "scope.3"],
        );
    }
}
