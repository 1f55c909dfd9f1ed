//! Groups of accounts, and of groups. A role that a group has is its members'.

use serde::{Deserialize, Serialize};

use super::lists::{Holder, id_of};
use super::port::{GrantService, shown};
use super::written::group_changed;
use crate::contract::access::Grants;
use crate::kernel::access::{Caller, Object};
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::{is_id, new_id};
use crate::modules::access::relations::Change;
use crate::modules::access::relations::graph::Tuple;
use crate::modules::access::relations::store::{self, GroupRow};
use crate::modules::access::{GRANTS, MANAGE};

const MAX_NAME: usize = 100;
const MAX_DESCRIPTION: usize = 500;
/// The relation of those in a group.
const MEMBER: &str = "member";

/// A group to make or to change.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupText {
    /// Unique, whatever the case of its letters.
    pub name: String,
    #[serde(default)]
    pub description: String,
}

/// A group.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub description: String,
    /// As it stands in grants: `group:ID#member`.
    pub subject: String,
    /// Those who were put into it, people and groups.
    pub members: Vec<Holder>,
}

/// How a group is told from others: letters, whatever their case, and single spaces.
fn key_of(name: &str) -> String {
    name.to_lowercase()
}

fn checked(text: &GroupText) -> Result<(String, String)> {
    let name = text.name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err(Error::invalid("name", "is missing."));
    }
    if name.chars().count() > MAX_NAME {
        return Err(Error::invalid("name", format!("has more than {MAX_NAME} characters.")));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::invalid("name", "holds characters that cannot be seen."));
    }
    let description = text.description.trim().to_owned();
    if description.chars().count() > MAX_DESCRIPTION {
        let text = format!("has more than {MAX_DESCRIPTION} characters.");
        return Err(Error::invalid("description", text));
    }
    Ok((name, description))
}

fn taken(name: &str) -> Error {
    let text = format!("There is a group \"{}\" already. Choose another name.", shown(name));
    Error::new(Code::Conflict, text)
}

/// The object of a group.
pub fn object(id: &str) -> String {
    format!("group:{id}")
}

/// A group's members as a subject.
pub fn subject(id: &str) -> String {
    format!("group:{id}#{MEMBER}")
}

impl GrantService {
    /// Every group with its members, by name.
    ///
    /// # Errors
    /// `Forbidden`; what the database says.
    pub async fn groups(&self, caller: &Caller) -> Result<Vec<Group>> {
        self.access.require(caller, GRANTS, &Object::Anywhere).await?;
        let state = self.relations.state().await?;
        let rows = store::groups(&self.db).await?;
        let members = |row: &GroupRow| -> Vec<String> {
            let holders = state.graph.holders(&object(&row.id), MEMBER);
            let all = holders.into_iter().flat_map(|h| h.single.iter().chain(&h.sets));
            all.cloned().collect()
        };
        let lists: Vec<Vec<String>> = rows.iter().map(members).collect();
        let names = self.names(lists.iter().flatten().map(String::as_str)).await?;
        let group = |(row, list): (GroupRow, Vec<String>)| Group {
            subject: subject(&row.id),
            id: row.id,
            name: row.name,
            description: row.description,
            members: list.iter().map(|subject| names.holder(subject)).collect(),
        };
        Ok(rows.into_iter().zip(lists).map(group).collect())
    }

    /// A group.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`.
    pub async fn group(&self, caller: &Caller, id: &str) -> Result<Group> {
        let all = self.groups(caller).await?;
        let found = all.into_iter().find(|group| group.id == id);
        found.ok_or_else(|| Error::not_found("group", &shown(id)))
    }

    /// Makes a group without members. Answers its id.
    ///
    /// # Errors
    /// What is wrong with its name; `Conflict` where one is called so.
    pub async fn create_group(&self, by: &Caller, text: &GroupText) -> Result<String> {
        self.access.require(by, MANAGE, &Object::House).await?;
        let (name, description) = checked(text)?;
        let row = GroupRow {
            id: new_id(),
            name,
            description,
            created_at: self.db.clock().now(),
        };
        let row = &row;
        self.db
            .write(Write::interactive("access.group"), |tx| {
                Box::pin(async move {
                    if store::insert_group(tx, row, &key_of(&row.name)).await? == 0 {
                        return Err(taken(&row.name));
                    }
                    group_changed(tx, by, &row.id, Some(row)).await
                })
            })
            .await?;
        tracing::info!(group.id = %row.id, actor = by.actor(), "a group was made");
        Ok(row.id.clone())
    }

    /// Calls a group otherwise.
    ///
    /// # Errors
    /// As for making one; `NotFound`.
    pub async fn rename_group(&self, by: &Caller, id: &str, text: &GroupText) -> Result<()> {
        self.access.require(by, MANAGE, &Object::House).await?;
        let (name, description) = &checked(text)?;
        let key = &key_of(name);
        self.db
            .write(Write::interactive("access.group-name"), |tx| {
                Box::pin(async move {
                    tx.lock("access.group").await?;
                    if store::is_taken(&mut *tx, key, id).await? {
                        return Err(taken(name));
                    }
                    if store::rename_group(tx, id, name, key, description).await? == 0 {
                        return Err(Error::not_found("group", &shown(id)));
                    }
                    let row = store::group(&mut *tx, id).await?;
                    group_changed(tx, by, id, row.as_ref()).await
                })
            })
            .await
    }

    /// Deletes a group. What its members had by it, they have no more.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`.
    pub async fn delete_group(&self, by: &Caller, id: &str) -> Result<()> {
        self.access.require(by, MANAGE, &Object::House).await?;
        let (object, subject) = (&object(id), &subject(id));
        self.db
            .write(Write::interactive("access.group-end"), |tx| {
                Box::pin(async move {
                    // What it has ends first, while it has a name.
                    self.forget(tx, by, object).await?;
                    self.forget(tx, by, subject).await?;
                    if store::delete_group(tx, id).await? == 0 {
                        return Err(Error::not_found("group", &shown(id)));
                    }
                    group_changed(tx, by, id, None).await
                })
            })
            .await?;
        tracing::info!(group.id = %id, actor = by.actor(), "a group was deleted");
        Ok(())
    }

    /// Puts somebody into a group, or takes them out.
    ///
    /// # Errors
    /// `NotFound`; a subject that is nobody; `Conflict` for a group that holds this one.
    pub async fn change_member(&self, by: &Caller, id: &str, who: &str, put: bool) -> Result<()> {
        self.access.require(by, MANAGE, &Object::House).await?;
        if !is_id(id) || store::group(&self.db, id).await?.is_none() {
            return Err(Error::not_found("group", &shown(id)));
        }
        let tuple = Tuple::new(&object(id), MEMBER, who);
        if let Err(why) = self.relations.schema.admits(&tuple.object, MEMBER, who) {
            return Err(Error::invalid("subject", format!("cannot be in a group: {why}.")));
        }
        if put {
            self.may_be_in(id, who).await?;
        }
        let mut change = Change::default();
        let side = if put { &mut change.put } else { &mut change.taken };
        side.push(tuple);
        let change = &change;
        self.db
            .write(Write::interactive("access.member"), |tx| {
                Box::pin(async move { self.apply(tx, by, "access.member", change).await })
            })
            .await
    }

    async fn may_be_in(&self, id: &str, who: &str) -> Result<()> {
        if self.names([who]).await?.holder(who).name.is_none() {
            return Err(Error::invalid("subject", format!("nobody is \"{}\".", shown(who))));
        }
        if let Some(other) = id_of(who, "group") {
            let state = self.relations.state().await?;
            if other == id || state.graph.places_of(&subject(id)).contains(object(other).as_str()) {
                let text = "That group holds this one already, so this one cannot hold it.";
                return Err(Error::new(Code::Conflict, text));
            }
        }
        Ok(())
    }
}
