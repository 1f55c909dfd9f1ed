//! The rules in their first form, until a module that knows accounts installs its own: everybody reads what is public, a token does what its scope names, the operator and
//! the house do everything. No database: a check costs less than a microsecond.

use async_trait::async_trait;

use super::{Authorizer, Caller, Level, OPEN, Object, Permission, Subject, Visibility};
use crate::kernel::db::Tx;
use crate::kernel::error::Result;

/// The scope entry that lets a token read restricted fields and records.
const RESTRICTED: Permission = Permission("records.restricted");

/// The rights everybody holds, signed in or not; what they show is cut to what is visible. All others are given.
pub const PUBLIC_READS: &[Permission] = &[
    Permission("records.read"),
    Permission("types.read"),
    Permission("search.read"),
    Permission("history.read"),
    Permission("exchange.export"),
];

/// See the module's text.
pub struct Rules;

/// True where a scope names a permission: by its name, by its area (`records.*`) or all (`*`). To write includes to delete.
pub fn covers(scope: &[String], permission: &str) -> bool {
    scope.iter().any(|entry| {
        entry == "*"
            || entry == permission
            || (entry == "records.write" && permission == "records.delete")
            || entry
                .strip_suffix('*')
                .is_some_and(|area| area.ends_with('.') && permission.starts_with(area))
    })
}

/// The highest level a subject reads.
fn reach(subject: &Subject) -> Level {
    match subject {
        Subject::Anonymous => Level::Public,
        Subject::Operator | Subject::System => Level::Restricted,
        Subject::Token { scope, .. } if covers(scope, RESTRICTED.0) => Level::Restricted,
        Subject::Token { .. } | Subject::Account { .. } => Level::Members,
    }
}

fn holds(subject: &Subject, permission: Permission) -> bool {
    if permission == OPEN || PUBLIC_READS.contains(&permission) {
        return true;
    }
    match subject {
        Subject::Operator | Subject::System => true,
        Subject::Token { scope, .. } => covers(scope, permission.0),
        // Without a module that knows roles nobody has one.
        Subject::Anonymous | Subject::Account { .. } => false,
    }
}

#[async_trait]
impl Authorizer for Rules {
    async fn check(&self, caller: &Caller, permission: Permission, object: &Object<'_>) -> Result<bool> {
        let visible = match object {
            Object::Record { visibility, .. } => *visibility <= reach(&caller.subject),
            Object::House | Object::Anywhere | Object::Type(_) => true,
        };
        Ok(visible && holds(&caller.subject, permission))
    }

    async fn level(&self, caller: &Caller, object: &Object<'_>) -> Result<Option<Level>> {
        let reach = reach(&caller.subject);
        Ok(match object {
            Object::Record { visibility, .. } if *visibility > reach => None,
            _ => Some(reach),
        })
    }

    async fn levels_in(
        &self,
        _tx: &mut Tx<'_>,
        caller: &Caller,
        permission: Permission,
        objects: &[Object<'_>],
    ) -> Result<Vec<Option<Level>>> {
        self.levels(caller, permission, objects).await
    }

    async fn filter(&self, caller: &Caller, permission: Permission) -> Result<Visibility> {
        if !holds(&caller.subject, permission) {
            return Ok(Visibility::nothing());
        }
        Ok(Visibility::up_to(reach(&caller.subject)))
    }

    fn terms(&self, _type_name: &str, visibility: Level) -> [Vec<String>; 3] {
        // A document carries the term of its own visibility at every level of its fields; who may see a level is said by
        // the caller's view.
        let term = vec![visibility.as_str().to_owned()];
        [term.clone(), term.clone(), term]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(scope: &[&str]) -> Subject {
        Subject::Token {
            id: "t".to_owned(),
            name: "t".to_owned(),
            scope: scope.iter().map(|s| (*s).to_owned()).collect(),
        }
    }

    #[track_caller]
    fn check(subject: &Subject, permission: &'static str, want: bool) {
        assert_eq!(holds(subject, Permission(permission)), want, "{subject:?} {permission}");
    }

    #[test]
    fn deny_by_default() {
        check(&Subject::Anonymous, "open", true);
        check(&Subject::Anonymous, "records.read", true);
        check(&Subject::Anonymous, "records.write", false);
        check(&Subject::Anonymous, "jobs.read", false);
        check(&Subject::Anonymous, "anything.read", false);
        check(&token(&[]), "records.write", false);
        check(&token(&["records.write"]), "records.write", true);
        check(&token(&["records.write"]), "jobs.read", false);
        check(&token(&["records.*"]), "records.write", true);
        check(&token(&["records.*"]), "recordsx.write", false);
        check(&token(&["rec*"]), "records.write", false);
        check(&token(&["*"]), "access.tokens", true);
        check(&Subject::Operator, "access.tokens", true);
    }

    #[test]
    fn what_is_seen_follows_the_scope() {
        assert_eq!(reach(&Subject::Anonymous), Level::Public);
        assert_eq!(reach(&token(&["records.write"])), Level::Members);
        assert_eq!(reach(&token(&["records.*"])), Level::Restricted);
        assert_eq!(reach(&Subject::Operator), Level::Restricted);
    }
}
