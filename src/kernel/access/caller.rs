//! Who asks: nobody in particular, somebody with an account, a program, the operator of the machine, the house itself. Plain
//! data; stored with each job, which runs with these rights.

use serde::{Deserialize, Serialize};

/// Who is behind a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Subject {
    /// Nobody in particular.
    Anonymous,
    /// Whoever holds the setup cookie, or runs the command line on this machine.
    Operator,
    /// Somebody with an account, a person or a service. What it may follows from its roles; `scope`, a list of permissions,
    /// narrows that further where a token speaks for the account, and is `None` for a session.
    Account {
        id: String,
        /// As it was called when it asked; for pages and logs, never for a decision.
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<Vec<String>>,
    },
    /// A program with a token; its scope is a list of permissions, `*` for all.
    Token {
        id: String,
        name: String,
        scope: Vec<String>,
    },
    /// The house itself: schedules, upkeep.
    System,
}

/// Who asks. Stored with each job, which runs with these rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub subject: Subject,
    /// The request or command that this is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Caller {
    pub fn anonymous() -> Self {
        Self {
            subject: Subject::Anonymous,
            request_id: None,
        }
    }
    pub fn operator() -> Self {
        Self {
            subject: Subject::Operator,
            request_id: None,
        }
    }
    pub fn system() -> Self {
        Self {
            subject: Subject::System,
            request_id: None,
        }
    }
    /// How the ledger and logs name the caller.
    pub fn actor(&self) -> String {
        match &self.subject {
            Subject::Anonymous => "anonymous".to_owned(),
            Subject::Operator => "operator".to_owned(),
            Subject::Account { id, .. } => format!("account:{id}"),
            Subject::Token { id, .. } => format!("token:{id}"),
            Subject::System => "system".to_owned(),
        }
    }
    pub fn is_anonymous(&self) -> bool {
        self.subject == Subject::Anonymous
    }
    /// Who asks and with how much: the same for those who are answered alike.
    pub fn voice(&self) -> String {
        match &self.subject {
            Subject::Account { scope: Some(scope), .. } => format!("{} {}", self.actor(), scope.join(" ")),
            _ => self.actor(),
        }
    }
    /// Is what another caller had made this one's, too? The same somebody's, and not by a token that is narrower than what it
    /// was made with.
    pub fn owns(&self, made_by: &Self) -> bool {
        let is_whole = |scope: &[String]| scope.iter().any(|entry| entry == "*");
        match (&self.subject, &made_by.subject) {
            (
                Subject::Account { id, scope, .. },
                Subject::Account {
                    id: other, scope: with, ..
                },
            ) => id == other && (scope == with || scope.as_deref().is_none_or(is_whole)),
            _ => self.actor() == made_by.actor(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somebody(id: &str, scope: Option<&[&str]>) -> Caller {
        Caller {
            subject: Subject::Account {
                id: id.to_owned(),
                name: id.to_owned(),
                scope: scope.map(|scope| scope.iter().map(|entry| (*entry).to_owned()).collect()),
            },
            request_id: None,
        }
    }

    #[test]
    fn a_narrow_token_owns_what_it_made_and_no_more() {
        let (session, all) = (somebody("ada", None), somebody("ada", Some(&["*"])));
        let narrow = somebody("ada", Some(&["records.read"]));
        let other = somebody("ada", Some(&["records.write"]));
        for (caller, made_by, owns) in [
            (&session, &session, true),
            (&session, &narrow, true),
            (&all, &session, true),
            (&narrow, &narrow, true),
            (&narrow, &session, false),
            (&narrow, &all, false),
            (&narrow, &other, false),
            (&somebody("eve", None), &session, false),
            (&Caller::operator(), &Caller::operator(), true),
            (&Caller::operator(), &session, false),
        ] {
            assert_eq!(caller.owns(made_by), owns, "{caller:?} {made_by:?}");
        }
        assert_ne!(narrow.voice(), session.voice());
        assert_eq!(session.voice(), "account:ada");
    }
}
