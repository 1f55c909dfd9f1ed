//! The port: roles given and taken inside the transaction of what they belong to.

use std::sync::Arc;

use async_trait::async_trait;

use crate::contract::access::{Grants, HOUSE, Role};
use crate::kernel::access::{Access, Caller, Object, Subject};
use crate::kernel::db::{Db, Tx};
use crate::kernel::error::{Code, Error, Result};
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
        let needed = if role.is_of_house() { MANAGE } else { GRANTS };
        self.access.require(by, needed, &object_of(place)).await
    }

    /// Whoever is the last administrator stays one, unless the operator of the machine says otherwise.
    async fn keep_one(&self, tx: &mut Tx<'_>, by: &Caller, role: Role) -> Result<()> {
        let is_above = matches!(by.subject, Subject::Operator | Subject::System);
        if role != Role::Administrator || is_above {
            return Ok(());
        }
        if store::count(&mut *tx, HOUSE, role.as_str()).await? == 0 {
            let text = "Nobody would be administrator any more. Give the role to somebody else first.";
            return Err(Error::new(Code::Conflict, text));
        }
        Ok(())
    }
}

/// The beginning of what somebody sent, for a message.
pub fn shown(text: &str) -> String {
    text.chars().take(80).collect::<String>().escape_debug().to_string()
}

fn told(what: &'static str, by: &Caller, tuple: &Tuple) {
    tracing::info!(
        actor = by.actor(),
        subject = tuple.subject,
        role = tuple.relation,
        place = tuple.object,
        what
    );
}

#[async_trait]
impl Grants for GrantService {
    async fn grant(&self, tx: &mut Tx<'_>, by: &Caller, subject: &str, role: Role, place: &str) -> Result<()> {
        self.require(by, subject, role, place).await?;
        let tuple = Tuple::new(place, role.as_str(), subject);
        let change = Change {
            put: vec![tuple.clone()],
            taken: Vec::new(),
        };
        if self.relations.write(tx, &change, &by.actor()).await? {
            let by = by.clone();
            tx.after_commit(move || told("a role was given", &by, &tuple));
        }
        Ok(())
    }

    async fn revoke(&self, tx: &mut Tx<'_>, by: &Caller, subject: &str, role: Role, place: &str) -> Result<()> {
        self.require(by, subject, role, place).await?;
        let tuple = Tuple::new(place, role.as_str(), subject);
        let change = Change {
            put: Vec::new(),
            taken: vec![tuple.clone()],
        };
        if self.relations.write(tx, &change, &by.actor()).await? {
            self.keep_one(tx, by, role).await?;
            let by = by.clone();
            tx.after_commit(move || told("a role was taken away", &by, &tuple));
        }
        Ok(())
    }

    async fn forget(&self, tx: &mut Tx<'_>, subject_or_place: &str) -> Result<()> {
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
        self.relations.write(tx, &change, "system").await.map(|_| ())
    }

    async fn roles_of(&self, subject: &str) -> Result<Vec<(Role, String)>> {
        let rows = store::around(&self.db, "", subject).await?;
        let roles = rows
            .into_iter()
            .filter_map(|row| Some((Role::parse(&row.relation)?, row.object)));
        Ok(roles.collect())
    }
}
