//! "Why can they see this?": for a person or nobody in particular, and the house, a collection or a record, the way of relations
//! that leads there, or that none does.

pub mod api;
pub mod ui;

use serde::Serialize;

use super::grants::{GrantService, Holder, object_of, shown};
use super::relations::engine::{Engine, Step};
use super::relations::graph::Tuple;
use super::relations::store;
use super::rights::profile::{OF_COLLECTION, OF_MAKER, RECORD};
use super::{GRANTS, MANAGE};
use crate::contract::access::HOUSE;
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Error, Result};
use crate::kernel::ledger;

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `house` or `type:NAME`.
    pub place: String,
    /// The record and its visibility, where one is asked about.
    pub record: Option<(String, Level)>,
}

/// One reason of the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Reason {
    #[serde(flatten)]
    pub step: Step,
    /// Who stands in the relation, for a stored one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// What the object is called: a collection or a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_name: Option<String>,
    /// Who gave it, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_at: Option<String>,
    /// Who gave it in the ledger's own short form, for pages.
    #[serde(skip)]
    pub giver: String,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Why {
    /// `house` or `type:NAME`; a record is looked at in its collection.
    pub place: String,
    /// The visibility of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Level>,
    /// The permission that was asked about: of a record that its level is seen.
    pub permission: String,
    /// Absent for nobody in particular.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Holder>,
    pub allowed: bool,
    /// The highest level of fields they read there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// How it follows, from the permission to the person; empty where it does not.
    pub way: Vec<Reason>,
}

impl GrantService {
    /// What an address or an id of somebody's speaks of: `house`, `type:NAME`, `record:ID`.
    ///
    /// # Errors
    /// `Invalid` for anything else, `NotFound` for a record that is not there; `Forbidden` where the caller gives no roles.
    pub async fn target(&self, caller: &Caller, text: &str) -> Result<Target> {
        let target = match text.split_once(':') {
            None if text == HOUSE => Target {
                place: HOUSE.to_owned(),
                record: None,
            },
            Some(("type", name)) if self.access.collections().await?.iter().any(|c| c.name == name) => Target {
                place: text.to_owned(),
                record: None,
            },
            Some(("type", name)) => {
                return Err(Error::invalid(
                    "object",
                    format!("there is no collection \"{}\".", shown(name)),
                ));
            }
            Some(("record", id)) => {
                // One that is not for the caller's eyes is not there for them, whichever of both is so.
                self.access.require(caller, GRANTS, &Object::Anywhere).await?;
                let hidden = || Error::not_found("record", &shown(id));
                let (name, level) = self.access.place_of(id).await?.ok_or_else(hidden)?;
                if !self.access.check(caller, GRANTS, &Object::Type(&name)).await? {
                    self.access.refused(caller, GRANTS, &Object::Type(&name));
                    return Err(hidden());
                }
                Target {
                    place: format!("type:{name}"),
                    record: Some((id.to_owned(), level)),
                }
            }
            _ => {
                let text = format!("is \"house\", \"type:NAME\" or \"record:ID\", not \"{}\".", shown(text));
                return Err(Error::invalid("object", text));
            }
        };
        let needed = if target.place == HOUSE { MANAGE } else { GRANTS };
        self.access.require(caller, needed, &object_of(&target.place)).await?;
        Ok(target)
    }

    /// Why somebody may do this, or that they may not. `subject` is `account:ID`; nobody in particular without it.
    ///
    /// # Errors
    /// An unknown permission; what the database says.
    pub async fn why(&self, target: &Target, permission: Option<&str>, subject: Option<&str>) -> Result<Why> {
        let permission = match (permission, &target.record) {
            (Some(permission), _) => permission.to_owned(),
            (None, Some((_, level))) => format!("see.{}", level.as_str()),
            (None, None) => "see.restricted".to_owned(),
        };
        let schema = &self.relations.schema;
        let kind = super::schema::type_of(&target.place);
        if schema.find(kind, &permission).is_none() {
            let text = format!(
                "there is no \"{}\" here. GET /api/permissions lists them.",
                shown(&permission)
            );
            return Err(Error::invalid("permission", text));
        }
        if let Some(subject) = subject
            && (!subject.starts_with("account:") || subject.contains('#'))
        {
            let text = format!("is \"account:ID\" or left out, not \"{}\".", shown(subject));
            return Err(Error::invalid("subject", text));
        }
        let active = match subject.and_then(|s| s.strip_prefix("account:")) {
            Some(id) => self.access.is_active(id).await?,
            None => false,
        };
        // One that is switched off may what nobody in particular may.
        let asked = subject.filter(|_| active);
        let (object, given) = self.question(target, &permission).await?;
        let state = self.relations.state().await?;
        let (way, level) = {
            let mut engine = Engine::with(schema, &state.graph, &given, asked);
            let mut levels = Level::ALL.into_iter().rev();
            let level = levels.find(|level| engine.check(&target.place, &format!("see.{}", level.as_str())));
            (engine.explain(&object, &permission), level)
        };
        let visibility = target.record.as_ref().map(|(_, level)| *level);
        let is_seen = visibility.is_none_or(|visibility| Some(visibility) <= level);
        let allowed = way.is_some() && is_seen;
        let names = self.names(subject).await?;
        Ok(Why {
            place: target.place.clone(),
            visibility,
            permission,
            who: subject.map(|subject| names.holder(subject)),
            allowed,
            level,
            way: self.reasons(way.filter(|_| allowed).unwrap_or_default()).await?,
        })
    }

    /// The object to ask about, and what comes with the question: a record's collection and who made it. What is not said
    /// of records by themselves is asked of their collection.
    async fn question(&self, target: &Target, permission: &str) -> Result<(String, Vec<Tuple>)> {
        let Some((id, _)) = &target.record else {
            return Ok((target.place.clone(), Vec::new()));
        };
        if self.relations.schema.find(RECORD, permission).is_none() {
            return Ok((target.place.clone(), Vec::new()));
        }
        let object = format!("{RECORD}:{id}");
        let mut given = vec![Tuple::new(&object, OF_COLLECTION, &target.place)];
        let makers = ledger::makers(&self.db, &[id]).await?;
        let maker = makers.get(id).filter(|maker| maker.starts_with("account:"));
        given.extend(maker.map(|maker| Tuple::new(&object, OF_MAKER, maker)));
        Ok((object, given))
    }

    async fn reasons(&self, steps: Vec<Step>) -> Result<Vec<Reason>> {
        let mut rows = Vec::new();
        for step in &steps {
            if let Step::Tuple { object, .. } = step {
                rows.extend(store::of_object(&self.db, object).await?);
            }
        }
        let who = rows
            .iter()
            .flat_map(|row| [row.subject.as_str(), row.given_by.as_str()]);
        let given = steps.iter().filter_map(|step| match step {
            Step::Tuple { subject, .. } => Some(subject.as_str()),
            _ => None,
        });
        let names = self.names(who.chain(given)).await?;
        let collections = self.access.collections().await?;
        let reason = |step: Step| {
            let object = match &step {
                Step::Name { object, .. } | Step::Tuple { object, .. } => Some(object.as_str()),
                Step::Anyone | Step::Members => None,
            };
            let object_name = object.and_then(|object| match object.split_once(':') {
                Some(("type", name)) => collections.iter().find(|c| c.name == name).map(|c| c.label.clone()),
                Some(_) => names.holder(&format!("{object}#member")).name,
                None => None,
            });
            let row = match &step {
                Step::Tuple {
                    object,
                    relation,
                    subject,
                } => rows
                    .iter()
                    .find(|row| row.object == *object && row.relation == *relation && row.subject == *subject),
                _ => None,
            };
            let holder = match &step {
                Step::Tuple { subject, .. } => Some(names.holder(subject)),
                _ => None,
            };
            Reason {
                holder,
                given_by: row.map(|row| names.actor(&row.given_by).unwrap_or(&row.given_by).to_owned()),
                given_at: row.map(|row| rfc3339(row.given_at)),
                giver: row.map(|row| row.given_by.clone()).unwrap_or_default(),
                object_name,
                step,
            }
        };
        Ok(steps.into_iter().map(reason).collect())
    }

    /// Everybody with an account who has this permission at a place by a role of their own or of a group.
    ///
    /// # Errors
    /// What the database says.
    pub async fn everybody_with(&self, place: &str, permission: &str) -> Result<Vec<Holder>> {
        let state = self.relations.state().await?;
        let schema = &self.relations.schema;
        let all = super::relations::lists::list_subjects(schema, &state.graph, place, permission, "account");
        let names = self.names(all.iter().map(String::as_str)).await?;
        let holders = all.iter().map(|subject| names.holder(subject));
        Ok(holders.filter(|holder| holder.active).collect())
    }

    /// The collections at which an account has a permission, of those with roles; and whether it has it in the house.
    ///
    /// # Errors
    /// What the database says.
    pub async fn places_with(&self, subject: &str, permission: &str) -> Result<(Vec<String>, bool)> {
        let id = subject.strip_prefix("account:").unwrap_or_default();
        let active = self.access.is_active(id).await?;
        let state = self.relations.state().await?;
        let (schema, subject) = (&self.relations.schema, Some(subject).filter(|_| active));
        let all = super::relations::lists::list_objects(schema, &state.graph, subject, "type", permission);
        let everywhere = Engine::new(schema, &state.graph, subject).check(HOUSE, permission);
        Ok((all, everywhere))
    }

    /// What a permission at a place is made of, as a tree with those who stand in it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tree(&self, place: &str, permission: &str) -> Result<Option<super::relations::lists::Tree>> {
        let state = self.relations.state().await?;
        Ok(super::relations::lists::expand(
            &self.relations.schema,
            &state.graph,
            place,
            permission,
        ))
    }
}
