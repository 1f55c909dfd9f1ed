//! The port: roles given and taken inside the transaction of what they belong to.

use std::sync::Arc;

use async_trait::async_trait;

use super::lists::id_of;
use crate::contract::access::{Grants, HOUSE, Role};
use crate::kernel::access::{Access, Caller, Object, Permission};
use crate::kernel::db::{Db, Tx};
use crate::kernel::error::{Error, Result};
use crate::modules::access::relations::engine::Engine;
use crate::modules::access::relations::graph::Tuple;
use crate::modules::access::relations::{Change, Relations, store};
use crate::modules::access::schema::type_of;
use crate::modules::access::{GRANTS, MANAGE};

/// See the module's text.
#[derive(Clone)]
pub struct GrantService {
    pub db: Db,
    pub access: Access,
    pub relations: Arc<Relations>,
}

/// The object that a permission is asked about at a place.
pub fn object_of(place: &str) -> Object<'_> {
    match place.split_once(':') {
        Some(("type", name)) => Object::Type(name),
        _ => Object::House,
    }
}

impl GrantService {
    /// May the caller give or take this role here?
    ///
    /// # Errors
    /// A role or a subject that does not fit the place; `Forbidden` and `Unauthenticated`.
    pub async fn require(&self, by: &Caller, subject: &str, role: Role, place: &str) -> Result<()> {
        let needed = self.needed(subject, role, place)?;
        self.access.require(by, needed, &object_of(place)).await
    }

    /// As [`GrantService::require`], inside a transaction.
    async fn require_in(&self, tx: &mut Tx<'_>, by: &Caller, subject: &str, role: Role, place: &str) -> Result<()> {
        let needed = self.needed(subject, role, place)?;
        self.access.require_in(tx, by, needed, &object_of(place)).await
    }

    /// What whoever gives or takes a role needs there; or why nobody can have it there.
    fn needed(&self, subject: &str, role: Role, place: &str) -> Result<Permission> {
        if !matches!(type_of(place), "type" | HOUSE) {
            let text = format!("is \"house\" or \"type:NAME\", not \"{}\".", shown(place));
            return Err(Error::invalid("place", text));
        }
        if role.is_of_house() && place != HOUSE {
            let text = format!(
                "The role {} is one of the house as a whole, not of a collection.",
                role.as_str()
            );
            return Err(Error::invalid("role", text));
        }
        if let Err(why) = self.relations.schema.admits(place, role.as_str(), subject) {
            return Err(Error::invalid("subject", format!("cannot have that role: {why}.")));
        }
        Ok(if role.is_of_house() { MANAGE } else { GRANTS })
    }
}

/// The beginning of what somebody sent, for a message.
pub fn shown(text: &str) -> String {
    text.chars().take(80).collect::<String>().escape_debug().to_string()
}

/// Tells the log, once it stands.
pub(super) fn told(by: &Caller, done: &Change) {
    let line = |what: &'static str, tuple: &Tuple| {
        tracing::info!(
            actor = by.actor(),
            subject = tuple.subject,
            role = tuple.relation,
            place = tuple.object,
            what
        );
    };
    done.put.iter().for_each(|tuple| line("a role was given", tuple));
    done.taken.iter().for_each(|tuple| line("a role was taken away", tuple));
}

#[async_trait]
impl Grants for GrantService {
    async fn grant(&self, tx: &mut Tx<'_>, by: &Caller, subject: &str, role: Role, place: &str) -> Result<()> {
        self.require_in(tx, by, subject, role, place).await?;
        let change = Change {
            put: vec![Tuple::new(place, role.as_str(), subject)],
            taken: Vec::new(),
        };
        self.apply(tx, by, "access.grant", &change).await
    }

    async fn revoke(&self, tx: &mut Tx<'_>, by: &Caller, subject: &str, role: Role, place: &str) -> Result<()> {
        self.require_in(tx, by, subject, role, place).await?;
        let change = Change {
            put: Vec::new(),
            taken: vec![Tuple::new(place, role.as_str(), subject)],
        };
        self.apply(tx, by, "access.revoke", &change).await
    }

    async fn forget(&self, tx: &mut Tx<'_>, by: &Caller, subject_or_place: &str) -> Result<()> {
        let rows = store::around(&mut *tx, subject_or_place, subject_or_place).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let taken = rows
            .iter()
            .map(|row| Tuple::new(&row.object, &row.relation, &row.subject));
        let change = Change {
            put: Vec::new(),
            taken: taken.collect(),
        };
        self.apply(tx, by, "access.forget", &change).await
    }

    async fn is_administered(&self, tx: &mut Tx<'_>) -> Result<bool> {
        self.lock_administrators(&mut *tx).await?;
        let (state, _) = self.relations.state_in(&mut *tx).await?;
        self.has_administrator(tx, &state).await
    }

    async fn roles_of(&self, subject: &str) -> Result<Vec<(Role, String)>> {
        let rows = store::around(&self.db, "", subject).await?;
        let roles = rows
            .into_iter()
            .filter_map(|row| Some((Role::parse(&row.relation)?, row.object)));
        Ok(roles.collect())
    }

    async fn groups_of(&self, subject: &str) -> Result<Vec<String>> {
        let rows = store::around(&self.db, "", subject).await?;
        let ids: Vec<&str> = rows.iter().filter_map(|row| id_of(&row.object, "group")).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let groups = store::groups(&self.db).await?.into_iter();
        let own = groups.filter(|group| ids.contains(&group.id.as_str()));
        Ok(own.map(|group| group.name).collect())
    }

    async fn held_by(&self, subject: &str) -> Result<Vec<(Role, String)>> {
        let state = self.relations.state().await?;
        let mut engine = Engine::new(&self.relations.schema, &state.graph, Some(subject));
        let places = state.graph.places_of(subject).into_iter();
        let mut held = Vec::new();
        for place in places.filter(|place| matches!(type_of(place), "type" | HOUSE)) {
            for role in Role::ALL {
                if engine.check(place, role.as_str()) {
                    held.push((role, place.to_owned()));
                }
            }
        }
        Ok(held)
    }
}
