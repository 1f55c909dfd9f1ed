//! Who asks and what they may: the caller, the permission, the authorizer's port and the visibility terms.
//!
//! Deny by default. The module `access` provides the authorizer; without it anonymous callers read what is public and
//! only the local operator (command line, control socket) writes.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

mod identity;

pub use identity::{Credential, Identity};

use super::error::{Code, Error, Result};

/// The name of a right: `records.write`. Part of the API (`x-permission`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Permission(pub &'static str);

/// Allowed to everybody, signed in or not: health, the search page, errors. What it shows is filtered by visibility.
pub const OPEN: Permission = Permission("open");

/// Who is behind a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Subject {
    /// Nobody in particular.
    Anonymous,
    /// Whoever holds the setup cookie, or runs the command line on this machine.
    Operator,
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
            Subject::Token { id, .. } => format!("token:{id}"),
            Subject::System => "system".to_owned(),
        }
    }
    pub fn is_anonymous(&self) -> bool {
        self.subject == Subject::Anonymous
    }
}

/// Who may read something, and the level of a field.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Everybody.
    #[default]
    Public,
    /// Whoever is signed in.
    Members,
    /// Whoever looks after the collection.
    Restricted,
}

impl Level {
    pub const ALL: [Level; 3] = [Level::Public, Level::Members, Level::Restricted];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Members => "members",
            Self::Restricted => "restricted",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.as_str() == text)
    }
}

/// What a permission is asked about.
#[derive(Clone, Debug)]
pub enum Object<'a> {
    /// The house as a whole.
    House,
    /// A record type by name, with everything in it.
    Type(&'a str),
    /// One record.
    Record {
        id: &'a str,
        type_name: &'a str,
        visibility: Level,
    },
}

/// Which documents and levels a caller may see, as terms for the search index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Terms {
    /// Everything at this level.
    All,
    /// Documents that carry one of these terms at this level; an empty list is nothing.
    Any(Vec<String>),
}

/// A caller's view: for each level the documents whose fields of that level may be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visibility {
    pub public: Terms,
    pub members: Terms,
    pub restricted: Terms,
}

impl Visibility {
    pub fn level(&self, level: Level) -> &Terms {
        match level {
            Level::Public => &self.public,
            Level::Members => &self.members,
            Level::Restricted => &self.restricted,
        }
    }
}

/// Decides. Replaced as a whole by the module that knows accounts.
#[async_trait]
pub trait Authorizer: Send + Sync {
    /// May the caller do this?
    async fn check(&self, caller: &Caller, permission: Permission, object: &Object<'_>) -> Result<bool>;
    /// The highest level of fields the caller may read of an object that it may read at all; `None` if it may not.
    async fn level(&self, caller: &Caller, object: &Object<'_>) -> Result<Option<Level>>;
    /// What the caller may see, for lists and searches.
    async fn filter(&self, caller: &Caller, permission: Permission) -> Result<Visibility>;
    /// Terms under which a record of this type and visibility is indexed at each level: `(public, members, restricted)`.
    fn terms(&self, type_name: &str, visibility: Level) -> [Vec<String>; 3];
}

/// The authorizer's place in the kernel: filled by the module `access`, else the small rule of the module's text.
#[derive(Clone, Default)]
pub struct Access {
    authorizer: Arc<ArcSwapOption<Box<dyn Authorizer>>>,
    identity: Arc<ArcSwapOption<Box<dyn Identity>>>,
}

impl Access {
    /// Puts the authorizer in its place, while wiring.
    pub fn install(&self, authorizer: Box<dyn Authorizer>) {
        self.authorizer.store(Some(Arc::new(authorizer)));
    }
    /// May the caller do this?
    ///
    /// # Errors
    /// What the authorizer's database says.
    pub async fn check(&self, caller: &Caller, permission: Permission, object: &Object<'_>) -> Result<bool> {
        match &*self.authorizer.load() {
            Some(authorizer) => authorizer.check(caller, permission, object).await,
            None => Fallback.check(caller, permission, object).await,
        }
    }
    /// As [`Access::check`], with the error to answer: 401 for anonymous callers, else 403.
    ///
    /// # Errors
    /// `Unauthenticated` or `Forbidden`.
    pub async fn require(&self, caller: &Caller, permission: Permission, object: &Object<'_>) -> Result<()> {
        if self.check(caller, permission, object).await? {
            return Ok(());
        }
        if caller.is_anonymous() {
            return Err(Error::new(
                Code::Unauthenticated,
                format!(
                    "This needs the permission {}. Sign in, or send a token: Authorization: Bearer …",
                    permission.0
                ),
            ));
        }
        Err(Error::new(
            Code::Forbidden,
            format!("This needs the permission {}, which you do not have.", permission.0),
        ))
    }
    /// See [`Authorizer::level`].
    ///
    /// # Errors
    /// What the authorizer's database says.
    pub async fn level(&self, caller: &Caller, object: &Object<'_>) -> Result<Option<Level>> {
        match &*self.authorizer.load() {
            Some(authorizer) => authorizer.level(caller, object).await,
            None => Fallback.level(caller, object).await,
        }
    }
    /// See [`Authorizer::filter`].
    ///
    /// # Errors
    /// What the authorizer's database says.
    pub async fn filter(&self, caller: &Caller, permission: Permission) -> Result<Visibility> {
        match &*self.authorizer.load() {
            Some(authorizer) => authorizer.filter(caller, permission).await,
            None => Fallback.filter(caller, permission).await,
        }
    }
    /// See [`Authorizer::terms`].
    pub fn terms(&self, type_name: &str, visibility: Level) -> [Vec<String>; 3] {
        match &*self.authorizer.load() {
            Some(authorizer) => authorizer.terms(type_name, visibility),
            None => Fallback.terms(type_name, visibility),
        }
    }
}

/// Anonymous reads what is public; the operator and the house do everything; a token does what its scope names.
pub struct Fallback;

impl Fallback {
    /// The highest level a subject reads of records of a visibility; `None` if it may not see them.
    fn reach(subject: &Subject) -> Level {
        match subject {
            Subject::Anonymous => Level::Public,
            Subject::Operator | Subject::System => Level::Restricted,
            Subject::Token { scope, .. } => {
                if scope.iter().any(|s| s == "*" || s == "records.restricted") {
                    Level::Restricted
                } else {
                    Level::Members
                }
            }
        }
    }
}

#[async_trait]
impl Authorizer for Fallback {
    async fn check(&self, caller: &Caller, permission: Permission, object: &Object<'_>) -> Result<bool> {
        let visible = match object {
            Object::Record { visibility, .. } => *visibility <= Self::reach(&caller.subject),
            Object::House | Object::Type(_) => true,
        };
        let held = permission == OPEN
            || match &caller.subject {
                Subject::Operator | Subject::System => true,
                Subject::Token { scope, .. } => {
                    scope.iter().any(|s| s == "*" || s == permission.0) || permission.0.ends_with(".read")
                }
                Subject::Anonymous => {
                    permission.0.ends_with(".read") && permission.0 != "operations.read" && permission.0 != "jobs.read"
                }
            };
        Ok(visible && held)
    }
    async fn level(&self, caller: &Caller, object: &Object<'_>) -> Result<Option<Level>> {
        let reach = Self::reach(&caller.subject);
        Ok(match object {
            Object::Record { visibility, .. } if *visibility > reach => None,
            _ => Some(reach),
        })
    }
    async fn filter(&self, caller: &Caller, _permission: Permission) -> Result<Visibility> {
        let nothing = Terms::Any(Vec::new());
        Ok(match Self::reach(&caller.subject) {
            Level::Public => Visibility {
                public: Terms::Any(vec!["public".to_owned()]),
                members: nothing.clone(),
                restricted: nothing,
            },
            Level::Members => {
                let terms = Terms::Any(vec!["public".to_owned(), "members".to_owned()]);
                Visibility {
                    public: terms.clone(),
                    members: terms,
                    restricted: nothing,
                }
            }
            Level::Restricted => Visibility {
                public: Terms::All,
                members: Terms::All,
                restricted: Terms::All,
            },
        })
    }
    fn terms(&self, _type_name: &str, visibility: Level) -> [Vec<String>; 3] {
        // A document carries the term of its own visibility at every level of its fields; who may see a level is said by
        // the caller's view.
        let term = vec![visibility.as_str().to_owned()];
        [term.clone(), term.clone(), term]
    }
}
