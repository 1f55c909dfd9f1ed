//! Who asks and what they may: the caller, the permission, the authorizer's port and the visibility terms.
//!
//! Deny by default. [`Rules`] decides until a module installs its own authorizer; the module `accounts` knows whose secret
//! a cookie or token is. Without it nobody is known: everybody reads what is public, and only the local operator (command
//! line, control socket) writes.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

mod caller;
mod directory;
mod identity;
mod refusals;
mod rules;

pub use caller::{Caller, Subject};
pub use directory::{Collection, Directory, Person, Places};
pub use identity::{Credential, Identity};
pub use rules::{PUBLIC_READS, Rules, covers};

use self::refusals::Refusals;
use super::db::Tx;
use super::error::Result;

/// The name of a right: `records.write`. Part of the API (`x-permission`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Permission(pub &'static str);

/// Allowed to everybody, signed in or not: health, the search page, errors. What it shows is filtered by visibility.
pub const OPEN: Permission = Permission("open");

/// Look as somebody else: see what they see, and change nothing meanwhile.
pub const VIEW_AS: Permission = Permission("access.view-as");

/// How the secret of every token begins, so that those who look for leaked secrets know it, here and elsewhere.
pub const TOKEN_PREFIX: &str = "vitrine_";

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
    /// The house or any collection in it: the first question at a door, asked more closely behind it.
    Anywhere,
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
    /// Sees nothing.
    pub fn nothing() -> Self {
        let none = Terms::Any(Vec::new());
        Self {
            public: none.clone(),
            members: none.clone(),
            restricted: none,
        }
    }
    /// Sees every document of a level and below, with the fields of that level and below.
    pub fn up_to(reach: Level) -> Self {
        if reach == Level::Restricted {
            return Self {
                public: Terms::All,
                members: Terms::All,
                restricted: Terms::All,
            };
        }
        let documents = Level::ALL.into_iter().filter(|level| *level <= reach);
        let seen = Terms::Any(documents.map(|level| level.as_str().to_owned()).collect());
        let members = if reach == Level::Members {
            seen.clone()
        } else {
            Terms::Any(Vec::new())
        };
        Self {
            public: seen,
            members,
            restricted: Terms::Any(Vec::new()),
        }
    }
    pub fn level(&self, level: Level) -> &Terms {
        match level {
            Level::Public => &self.public,
            Level::Members => &self.members,
            Level::Restricted => &self.restricted,
        }
    }
    pub fn level_mut(&mut self, level: Level) -> &mut Terms {
        match level {
            Level::Public => &mut self.public,
            Level::Members => &mut self.members,
            Level::Restricted => &mut self.restricted,
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
    /// For each object the highest level of fields the caller may read, `None` where it may not do this to it. What was read
    /// before this is asked is judged by rights that are at least as new.
    async fn levels(
        &self,
        caller: &Caller,
        permission: Permission,
        objects: &[Object<'_>],
    ) -> Result<Vec<Option<Level>>> {
        let mut levels = Vec::with_capacity(objects.len());
        for object in objects {
            let may = self.check(caller, permission, object).await?;
            levels.push(if may { self.level(caller, object).await? } else { None });
        }
        Ok(levels)
    }
    /// As [`Authorizer::levels`], inside a transaction: over its connection, and by what it has changed itself.
    async fn levels_in(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        permission: Permission,
        objects: &[Object<'_>],
    ) -> Result<Vec<Option<Level>>>;
    /// What the caller may see, for lists and searches.
    async fn filter(&self, caller: &Caller, permission: Permission) -> Result<Visibility>;
    /// Takes a safeguard away, so that a test can show that it would notice: what is remembered is not asked about.
    #[cfg(feature = "testing")]
    fn go_blind(&self) {}
    /// Terms under which a record of this type and visibility is indexed at each level: `(public, members, restricted)`.
    fn terms(&self, type_name: &str, visibility: Level) -> [Vec<String>; 3];
}

/// The authorizer's place in the kernel: filled by a module, else [`Rules`].
#[derive(Clone, Default)]
pub struct Access {
    authorizer: Arc<ArcSwapOption<Box<dyn Authorizer>>>,
    identity: Arc<ArcSwapOption<Box<dyn Identity>>>,
    directory: Arc<ArcSwapOption<Box<dyn Directory>>>,
    places: Arc<ArcSwapOption<Box<dyn Places>>>,
    refusals: Arc<Refusals>,
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
            None => Rules.check(caller, permission, object).await,
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
        Err(self.refusal(caller, permission, object))
    }
    /// See [`Authorizer::level`].
    ///
    /// # Errors
    /// What the authorizer's database says.
    pub async fn level(&self, caller: &Caller, object: &Object<'_>) -> Result<Option<Level>> {
        match &*self.authorizer.load() {
            Some(authorizer) => authorizer.level(caller, object).await,
            None => Rules.level(caller, object).await,
        }
    }
    /// See [`Authorizer::levels`].
    ///
    /// # Errors
    /// What the authorizer's database says.
    pub async fn levels(
        &self,
        caller: &Caller,
        permission: Permission,
        objects: &[Object<'_>],
    ) -> Result<Vec<Option<Level>>> {
        match &*self.authorizer.load() {
            Some(authorizer) => authorizer.levels(caller, permission, objects).await,
            None => Rules.levels(caller, permission, objects).await,
        }
    }
    /// See [`Authorizer::levels_in`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn levels_in(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        permission: Permission,
        objects: &[Object<'_>],
    ) -> Result<Vec<Option<Level>>> {
        match &*self.authorizer.load() {
            Some(authorizer) => authorizer.levels_in(tx, caller, permission, objects).await,
            None => Rules.levels_in(tx, caller, permission, objects).await,
        }
    }
    /// As [`Access::levels_in`] for one object.
    ///
    /// # Errors
    /// What the database says.
    pub async fn level_in(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        permission: Permission,
        object: &Object<'_>,
    ) -> Result<Option<Level>> {
        let levels = self.levels_in(tx, caller, permission, std::slice::from_ref(object));
        Ok(levels.await?.into_iter().next().flatten())
    }
    /// As [`Access::require`], inside a transaction.
    ///
    /// # Errors
    /// `Unauthenticated` or `Forbidden`.
    pub async fn require_in(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        permission: Permission,
        object: &Object<'_>,
    ) -> Result<()> {
        if self.level_in(tx, caller, permission, object).await?.is_some() {
            return Ok(());
        }
        Err(self.refusal(caller, permission, object))
    }
    /// See [`Authorizer::go_blind`].
    #[cfg(feature = "testing")]
    pub fn go_blind(&self) {
        if let Some(authorizer) = &*self.authorizer.load() {
            authorizer.go_blind();
        }
    }
    /// See [`Authorizer::filter`].
    ///
    /// # Errors
    /// What the authorizer's database says.
    pub async fn filter(&self, caller: &Caller, permission: Permission) -> Result<Visibility> {
        match &*self.authorizer.load() {
            Some(authorizer) => authorizer.filter(caller, permission).await,
            None => Rules.filter(caller, permission).await,
        }
    }
    /// See [`Authorizer::terms`].
    pub fn terms(&self, type_name: &str, visibility: Level) -> [Vec<String>; 3] {
        match &*self.authorizer.load() {
            Some(authorizer) => authorizer.terms(type_name, visibility),
            None => Rules.terms(type_name, visibility),
        }
    }
}
