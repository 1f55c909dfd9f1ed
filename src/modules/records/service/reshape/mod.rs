//! A change of a type that moves the values of its records. The type first becomes what holds both what was and what will be,
//! then record after record moves in short transactions, then the type becomes what it is to be. All of it is one change set.

mod job;
mod look;

use serde::{Deserialize, Serialize};
use serde_json::json;

pub use self::look::Prospect;
use super::collection::ordered;
use super::types::{Values, stale_type};
use super::{Because, Service};
use crate::contract::records::RECORDS_WRITE;
use crate::kernel::access::Object;
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs;
use crate::modules::records::model::reshape::{Plan, Reshape};
use crate::modules::records::store;

/// The kind of the job; stored, never renamed.
pub const RESHAPE: &str = "records.reshape";
/// Records that are told.
const TOLD: usize = 20;

/// Which change of which type.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Order {
    #[serde(rename = "type")]
    type_name: String,
    type_id: String,
    /// The version that was changed, and the one of the type while values move.
    base: i64,
    interim: i64,
    step: Reshape,
    /// There is a field for what was written.
    rest: bool,
    set_id: String,
}

/// A record that cannot move.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Refusal {
    pub id: String,
    pub title: String,
    pub why: String,
}

impl Service {
    /// Begins a change of a type that stands at version `base`. Answers the job.
    ///
    /// # Errors
    /// `Invalid` where it does not fit the type, `Stale` where somebody changed it, `Forbidden` without the right to.
    pub async fn reshape(&self, why: &Because<'_>, name: &str, base: i64, step: &Reshape) -> Result<String> {
        let standing = self.need_type(name).await?;
        self.require_whole(why.caller, name).await?;
        self.access
            .require(why.caller, RECORDS_WRITE, &Object::Type(name))
            .await?;
        if standing.version != base {
            return Err(stale_type(&standing, base));
        }
        let whole = Plan::of(&standing.definition, step, true)?;
        let prospect = self.prospect_of_reshape(&standing, &whole, &str::to_owned).await?;
        let rest = prospect.is_cut || prospect.aside > 0;
        let plan = &Plan::of(&standing.definition, step, rest)?;
        self.check_unopened(name, step).await?;
        let type_id = &standing.id;
        let outcome = self.db.write(Write::interactive("types.reshape"), |tx| {
            Box::pin(async move {
                let held = store::type_head(&mut *tx, name).await?;
                if held.is_none_or(|head| head.version != base) {
                    return Err(Error::new(Code::Stale, String::new()));
                }
                let set_id = why.open(tx, "type.reshape").await?;
                let written = self.put_type_as(tx, &set_id, &plan.interim, Values::Move).await?;
                let order = Order {
                    type_name: name.to_owned(),
                    type_id: type_id.clone(),
                    base,
                    interim: written.stored.version,
                    step: step.clone(),
                    rest,
                    set_id,
                };
                jobs::enqueue(tx, why.caller, ordered(RESHAPE, name, json!(order))).await
            })
        });
        match outcome.await {
            Err(error) if error.code() == Code::Stale => Err(stale_type(&*self.need_type(name).await?, base)),
            other => other,
        }
    }

    /// A field that opens by itself is named by that, so it keeps its name until then.
    async fn check_unopened(&self, name: &str, step: &Reshape) -> Result<()> {
        for field in step.fields() {
            let object = format!("type:{name}#{field}");
            if !store::embargoes(&self.db, Some(object.as_str()), None, 1)
                .await?
                .is_empty()
            {
                let text = format!("\"{field}\" is to open by itself at a date. End that first, then change it.");
                return Err(Error::new(Code::Conflict, text));
            }
        }
        Ok(())
    }
}
