//! What accounts are called. The module that keeps them installs it; without it nobody has a name.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;

use super::Access;
use crate::kernel::error::Result;

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
    /// Accounts whose name or sign-in name begins with the text, the nearest first, at most `limit`.
    async fn find(&self, text: &str, limit: usize) -> Result<Vec<Person>>;
}

impl Access {
    /// Puts the directory in its place, while wiring.
    pub fn install_directory(&self, directory: Box<dyn Directory>) {
        self.directory.store(Some(Arc::new(directory)));
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
