//! What was given, with the names of who has it: lists for pages and programs, cut to the places where the caller gives roles.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::groups::subject as group_subject;
use super::port::{GrantService, object_of};
use crate::contract::access::{Grants, HOUSE, Role};
use crate::kernel::access::{Caller, Person};
use crate::kernel::clock::rfc3339;
use crate::kernel::db::Write;
use crate::kernel::error::{Error, Result};
use crate::kernel::i18n::Language;
use crate::modules::access::GRANTS;
use crate::modules::access::relations::store::{self, TupleRow};

/// People offered where a name could mean several.
const OFFERED: usize = 8;

/// Who has something: a person or a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Holder {
    /// `account:ID` or `group:ID#member`.
    pub subject: String,
    /// What they are called; absent for an account that nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name that a person signs in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// True for a group.
    pub is_group: bool,
    /// False for an account that is switched off or not there.
    pub active: bool,
}

/// A role that somebody has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Grant {
    /// `house` or `type:NAME`.
    pub place: String,
    pub role: Role,
    pub holder: Holder,
    /// Who gave it, as the ledger names them.
    pub given_by: String,
    /// The ledger's own short form, for pages.
    #[serde(skip)]
    pub giver: String,
    pub given_at: String,
}

/// Names of accounts and groups, for those that stand in a list.
#[derive(Debug, Default)]
pub struct Names {
    people: HashMap<String, Person>,
    groups: BTreeMap<String, String>,
}

/// The id of a subject of a kind: `account:ID`, `group:ID#member`.
pub fn id_of<'s>(subject: &'s str, kind: &str) -> Option<&'s str> {
    let rest = subject.strip_prefix(kind)?.strip_prefix(':')?;
    Some(rest.split_once('#').map_or(rest, |(id, _)| id))
}

impl Names {
    /// Who a subject is.
    pub fn holder(&self, subject: &str) -> Holder {
        let person = id_of(subject, "account").and_then(|id| self.people.get(id));
        let group = id_of(subject, "group");
        let name = match group {
            Some(id) => self.groups.get(id).cloned(),
            None => person.map(|p| p.name.clone()),
        };
        Holder {
            subject: subject.to_owned(),
            name,
            login: person.map(|p| p.login.clone()),
            is_group: group.is_some(),
            active: group.is_some() || person.is_some_and(|p| p.active),
        }
    }

    /// What an actor of the ledger is called.
    pub fn actor(&self, actor: &str) -> Option<&str> {
        let id = id_of(actor, "account")?;
        self.people.get(id).map(|p| p.name.as_str())
    }
}

impl GrantService {
    /// The names of everybody in a list of subjects.
    ///
    /// # Errors
    /// What the database says.
    pub async fn names(&self, subjects: impl IntoIterator<Item = &str>) -> Result<Names> {
        let mut ids: Vec<String> = subjects
            .into_iter()
            .filter_map(|subject| id_of(subject, "account").map(str::to_owned))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let groups = store::groups(&self.db).await?;
        Ok(Names {
            people: self.access.people(&ids).await?,
            groups: groups.into_iter().map(|group| (group.id, group.name)).collect(),
        })
    }

    /// May the caller see and give roles at this place?
    ///
    /// # Errors
    /// What the database says.
    pub async fn may_at(&self, caller: &Caller, place: &str) -> Result<bool> {
        let object = object_of(place);
        self.access.check(caller, GRANTS, &object).await
    }

    /// Roles that were given, at the places where the caller may give some.
    ///
    /// # Errors
    /// What the database says.
    pub async fn all(&self, caller: &Caller, place: Option<&str>, subject: Option<&str>) -> Result<Vec<Grant>> {
        let rows = match (place, subject) {
            (Some(place), _) => store::of_object(&self.db, place).await?,
            (None, Some(subject)) => store::around(&self.db, "", subject).await?,
            (None, None) => store::roles(&self.db).await?,
        };
        let mut seen: HashMap<String, bool> = HashMap::new();
        let mut kept: Vec<(Role, TupleRow)> = Vec::new();
        for row in rows {
            let Some(role) = Role::parse(&row.relation) else {
                continue;
            };
            if subject.is_some_and(|subject| subject != row.subject) {
                continue;
            }
            let may = match seen.get(&row.object) {
                Some(may) => *may,
                None => {
                    let may = self.may_at(caller, &row.object).await?;
                    seen.insert(row.object.clone(), may);
                    may
                }
            };
            if may {
                kept.push((role, row));
            }
        }
        let who = kept
            .iter()
            .flat_map(|(_, row)| [row.subject.as_str(), row.given_by.as_str()]);
        let names = self.names(who).await?;
        let grant = |(role, row): (Role, TupleRow)| Grant {
            holder: names.holder(&row.subject),
            given_by: names.actor(&row.given_by).unwrap_or(&row.given_by).to_owned(),
            given_at: rfc3339(row.given_at),
            giver: row.given_by,
            place: row.object,
            role,
        };
        Ok(kept.into_iter().map(grant).collect())
    }

    /// Gives a role, or takes it away, as a write of its own. What is given is given to somebody, at a place that is there.
    ///
    /// # Errors
    /// What is wrong with it; `Forbidden`, `Conflict`.
    pub async fn change(&self, by: &Caller, subject: &str, role: Role, place: &str, give: bool) -> Result<()> {
        self.require(by, subject, role, place).await?;
        if give {
            self.is_there(subject, place).await?;
        }
        let write = if give {
            Write::interactive("access.grant")
        } else {
            Write::interactive("access.revoke")
        };
        self.db
            .write(write, |tx| {
                Box::pin(async move {
                    if give {
                        self.grant(tx, by, subject, role, place).await
                    } else {
                        self.revoke(tx, by, subject, role, place).await
                    }
                })
            })
            .await
    }

    /// The places where the caller gives roles, the house first, with what they are called in a language.
    pub async fn own_places(
        &self,
        caller: &Caller,
        language: Language,
    ) -> Result<Vec<(String, String, Option<String>)>> {
        let mut places = Vec::new();
        if self.may_at(caller, HOUSE).await? {
            places.push((HOUSE.to_owned(), String::new(), None));
        }
        for collection in self.access.collections().await? {
            let place = format!("type:{}", collection.name);
            if self.may_at(caller, &place).await? {
                let href = format!("/types/{}", collection.name);
                places.push((place, collection.called(language), Some(href)));
            }
        }
        places.sort_by(|a, b| in_order(&a.0, &b.0));
        Ok(places)
    }

    /// Whom a name could mean: groups and people, one alone where it is called exactly so.
    pub async fn meant(&self, text: &str) -> Result<Vec<Holder>> {
        let wanted = text.trim().to_lowercase();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut subjects: Vec<String> = Vec::new();
        let mut exact: Vec<String> = Vec::new();
        for group in store::groups(&self.db).await? {
            let name = group.name.to_lowercase();
            let list = if name == wanted { &mut exact } else { &mut subjects };
            if name.contains(&wanted) {
                list.push(group_subject(&group.id));
            }
        }
        for person in self.access.find_people(text.trim(), OFFERED).await? {
            let is_exact = person.login.to_lowercase() == wanted || person.name.to_lowercase() == wanted;
            let list = if is_exact { &mut exact } else { &mut subjects };
            list.push(format!("account:{}", person.id));
        }
        let found = if exact.len() == 1 {
            exact
        } else {
            exact.into_iter().chain(subjects).collect()
        };
        let names = self.names(found.iter().map(String::as_str)).await?;
        Ok(found
            .iter()
            .take(OFFERED)
            .map(|subject| names.holder(subject))
            .collect())
    }

    async fn is_there(&self, subject: &str, place: &str) -> Result<()> {
        if let Some(name) = place.strip_prefix("type:")
            && !self.access.collections().await?.iter().any(|known| known.name == name)
        {
            let text = format!("there is no collection \"{}\".", super::shown(name));
            return Err(Error::invalid("place", text));
        }
        let names = self.names([subject]).await?;
        if names.holder(subject).name.is_none() {
            let text = format!("nobody is \"{}\". GET /api/groups lists groups.", super::shown(subject));
            return Err(Error::invalid("subject", text));
        }
        Ok(())
    }
}

/// The house first, then collections by name.
pub fn in_order(a: &str, b: &str) -> std::cmp::Ordering {
    (a != HOUSE).cmp(&(b != HOUSE)).then_with(|| a.cmp(b))
}
