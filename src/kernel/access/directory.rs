//! What accounts and collections are called. The modules that keep them install it; without them nothing has a name.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Access, Level};
use crate::kernel::db::Tx;
use crate::kernel::error::Result;
use crate::kernel::i18n::Language;

/// An account as others may see it: to show it, and to pick it from a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Person {
    pub id: String,
    /// The name to show.
    pub name: String,
    /// The name to sign in with, unique in the house.
    pub login: String,
    /// False for an account that was switched off.
    pub active: bool,
}

/// Knows accounts by id and by name.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The accounts with these ids; ids that are not there are left out. One statement for all.
    async fn people(&self, ids: &[String]) -> Result<HashMap<String, Person>>;
    /// Is this account there and switched on? Asked inside a transaction, over its connection.
    async fn is_active_in(&self, tx: &mut Tx<'_>, id: &str) -> Result<bool>;
    /// Accounts whose name or sign-in name begins with the text, the nearest first, at most `limit`.
    async fn find(&self, text: &str, limit: usize) -> Result<Vec<Person>>;
}

/// A collection as a place where somebody has a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Collection {
    /// The name of the record type.
    pub name: String,
    /// What people call it, in English.
    pub label: String,
    /// The same by language.
    #[serde(skip)]
    pub labels: Map<String, Value>,
}

impl Collection {
    /// What people call it in a language.
    pub fn called(&self, language: Language) -> String {
        crate::kernel::ui::label(&self.labels, &self.name, language)
    }
}

/// Knows the collections.
#[async_trait]
pub trait Places: Send + Sync {
    /// Every collection, by name.
    async fn collections(&self) -> Result<Vec<Collection>>;
    /// The collection and the visibility of a record, whoever asks; `None` where there is none.
    async fn place_of(&self, record: &str) -> Result<Option<(String, Level)>>;
}

impl Access {
    /// Puts the one who knows collections in its place, while wiring.
    pub fn install_places(&self, places: Box<dyn Places>) {
        self.places.store(Some(Arc::new(places)));
    }

    /// See [`Places::collections`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn collections(&self) -> Result<Vec<Collection>> {
        match &*self.places.load() {
            Some(places) => places.collections().await,
            None => Ok(Vec::new()),
        }
    }

    /// See [`Places::place_of`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn place_of(&self, record: &str) -> Result<Option<(String, Level)>> {
        match &*self.places.load() {
            Some(places) => places.place_of(record).await,
            None => Ok(None),
        }
    }

    /// Is this account there and switched on? Without a directory every account is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_active(&self, id: &str) -> Result<bool> {
        match &*self.directory.load() {
            Some(directory) => {
                let found = directory.people(&[id.to_owned()]).await?;
                Ok(found.get(id).is_some_and(|person| person.active))
            }
            None => Ok(true),
        }
    }

    /// As [`Access::is_active`], inside a transaction.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_active_in(&self, tx: &mut Tx<'_>, id: &str) -> Result<bool> {
        match &*self.directory.load() {
            Some(directory) => directory.is_active_in(tx, id).await,
            None => Ok(true),
        }
    }

    /// Puts the directory in its place, while wiring.
    pub fn install_directory(&self, directory: Box<dyn Directory>) {
        self.directory.store(Some(Arc::new(directory)));
    }

    /// True where somebody keeps accounts, so that people can sign in.
    pub fn knows_people(&self) -> bool {
        self.directory.load().is_some()
    }

    /// See [`Directory::people`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn people(&self, ids: &[String]) -> Result<HashMap<String, Person>> {
        match &*self.directory.load() {
            Some(directory) if !ids.is_empty() => directory.people(ids).await,
            _ => Ok(HashMap::new()),
        }
    }

    /// See [`Directory::find`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn find_people(&self, text: &str, limit: usize) -> Result<Vec<Person>> {
        match &*self.directory.load() {
            Some(directory) => directory.find(text, limit).await,
            None => Ok(Vec::new()),
        }
    }
}
