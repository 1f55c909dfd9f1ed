//! What somebody keeps for themselves about a type: how its table looks, and templates for new records. It says nothing that
//! its owner may not see: fields that are hidden or gone by now are left out where it is used.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Service;
use crate::contract::accounts::AccountKeeper;
use crate::kernel::access::{Caller, Subject};
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::new_id;
use crate::modules::records::store::{self, Template};

/// Templates of one type, characters of a name, and bytes of what one holds.
const MOST: i64 = 50;
const NAME: usize = 80;
const BYTES: usize = 200_000;
/// Bytes of a look.
const LOOK: usize = 20_000;

/// How a table looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    /// Paths of fields, in their order; empty: as the type says.
    pub columns: Vec<String>,
    /// In pixels, by path.
    pub widths: BTreeMap<String, u16>,
    pub sort: String,
}

/// Under which name what somebody keeps is theirs; nobody in particular keeps nothing.
fn owner_of(caller: &Caller) -> Option<String> {
    let somebody = !matches!(caller.subject, Subject::Anonymous | Subject::System);
    somebody.then(|| caller.actor())
}

fn need_owner(caller: &Caller) -> Result<String> {
    owner_of(caller).ok_or_else(|| Error::new(Code::Unauthenticated, "Sign in to keep this."))
}

impl Service {
    /// How the caller likes the table of a type; nothing where they never said.
    pub async fn look_of(&self, caller: &Caller, type_name: &str) -> Result<Option<Look>> {
        let Some(owner) = owner_of(caller) else { return Ok(None) };
        let text = store::look(&self.db, &owner, type_name).await?;
        // What another version of the program kept and this one does not understand is as if it were not there.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Keeps it, or forgets it where there is nothing to keep.
    pub async fn keep_look(&self, caller: &Caller, type_name: &str, look: &Look) -> Result<()> {
        let owner = &need_owner(caller)?;
        let text = &serde_json::to_string(look)?;
        if text.len() > LOOK {
            return Err(Error::invalid("column", "are more than a table can show."));
        }
        let empty = *look == Look::default();
        let write = self.db.write(Write::interactive("records.look"), |tx| {
            Box::pin(async move {
                if empty {
                    store::drop_look(tx, owner, type_name).await
                } else {
                    store::put_look(tx, owner, type_name, text).await
                }
            })
        });
        write.await
    }

    /// The caller's templates of a type, with what a form shows of each.
    pub async fn templates(
        &self,
        caller: &Caller,
        type_name: &str,
    ) -> Result<Vec<(String, String, Map<String, Value>)>> {
        let Some(owner) = owner_of(caller) else {
            return Ok(Vec::new());
        };
        let kept = store::templates(&self.db, &owner, type_name, MOST).await?;
        let read = |kept: Template| {
            let entered = serde_json::from_str(&kept.entered).unwrap_or_default();
            (kept.id, kept.name, entered)
        };
        Ok(kept.into_iter().map(read).collect())
    }

    /// Keeps what a form shows as a template; one of the same name is written over. Answers its id.
    pub async fn keep_template(
        &self,
        caller: &Caller,
        type_name: &str,
        name: &str,
        entered: &Map<String, Value>,
    ) -> Result<String> {
        let owner = need_owner(caller)?;
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
            let text = format!("is a name of 1 to {NAME} characters.");
            return Err(Error::invalid("template", text));
        }
        let entered = serde_json::to_string(entered)?;
        if entered.len() > BYTES {
            let text = format!("holds at most {BYTES} bytes. Empty the long texts first.");
            return Err(Error::invalid("template", text));
        }
        let known = store::templates(&self.db, &owner, type_name, MOST).await?;
        let same = known.iter().find(|one| one.name == name).map(|one| one.id.clone());
        if same.is_none() && known.len() as i64 >= MOST {
            let text = format!(
                "would be the {}th; you keep {MOST} of a type. Delete one first.",
                MOST + 1
            );
            return Err(Error::invalid("template", text));
        }
        let template = &Template {
            id: new_id(),
            owner,
            type_name: type_name.to_owned(),
            name,
            entered,
            created_at: self.db.clock().now(),
        };
        let write = self.db.write(Write::interactive("records.template"), |tx| {
            Box::pin(async move { store::put_template(tx, template).await })
        });
        write.await?;
        Ok(same.unwrap_or_else(|| template.id.clone()))
    }

    /// Deletes one of the caller's templates.
    pub async fn drop_template(&self, caller: &Caller, type_name: &str, id: &str) -> Result<()> {
        let owner = &need_owner(caller)?;
        let write = self.db.write(Write::interactive("records.template"), |tx| {
            Box::pin(async move { store::drop_template(tx, owner, type_name, id).await })
        });
        if write.await? == 0 {
            return Err(Error::not_found("template", &super::super::model::shorten(id, 60)));
        }
        Ok(())
    }
}

#[async_trait]
impl AccountKeeper for Service {
    async fn forget_account(&self, tx: &mut Tx<'_>, account: &str) -> Result<()> {
        store::forget_owner(tx, &format!("account:{account}")).await
    }

    async fn kept_for(&self, account: &str) -> Result<(&'static str, Value)> {
        let owner = format!("account:{account}");
        let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let looks = store::looks_of(&self.db, &owner).await?.into_iter();
        let tables = looks.map(|(name, look)| json!({ "type": name, "look": parsed(&look) }));
        let templates = store::templates_of(&self.db, &owner).await?.into_iter();
        let templates =
            templates.map(|one| json!({ "type": one.type_name, "name": one.name, "entered": parsed(&one.entered) }));
        let tables: Vec<Value> = tables.collect();
        let templates: Vec<Value> = templates.collect();
        Ok(("collections", json!({ "tables": tables, "templates": templates })))
    }
}
