//! What a change of a type would make of the records there are, beforehand. Nothing is written.

use super::{Refusal, TOLD};
use crate::contract::records::StoredType;
use crate::kernel::access::Caller;
use crate::kernel::error::Result;
use crate::kernel::ui::{Difference, differences};
use crate::modules::records::model::reshape::{Moved, Plan, Reshape};
use crate::modules::records::model::shape;
use crate::modules::records::service::Service;

/// Records looked at, in pages.
const MOST_LOOKED: i64 = 20_000;
const LOOK: i64 = 500;

/// What a change would do.
#[derive(Clone, Debug, Default)]
pub struct Prospect {
    pub changed: i64,
    pub unchanged: i64,
    /// Values of which is kept what was written.
    pub aside: i64,
    pub refused: i64,
    /// Records looked at.
    pub looked: i64,
    /// There are more than were looked at.
    pub is_cut: bool,
    /// The first of them.
    pub told: Vec<Told>,
    pub refusals: Vec<Refusal>,
}

/// A record before and after.
#[derive(Clone, Debug)]
pub struct Told {
    pub id: String,
    pub title: String,
    pub differences: Vec<Difference>,
}

impl Service {
    /// What a change would do to the records there are. Nothing is written.
    ///
    /// # Errors
    /// `Invalid` where it does not fit the type, `Forbidden` for who may not change it.
    pub async fn look_at_reshape(
        &self,
        caller: &Caller,
        name: &str,
        step: &Reshape,
        label: &(dyn Fn(&str) -> String + Send + Sync),
    ) -> Result<Prospect> {
        let standing = self.need_type(name).await?;
        self.require_whole(caller, name).await?;
        let plan = Plan::of(&standing.definition, step, true)?;
        self.prospect_of_reshape(&standing, &plan, label).await
    }

    pub(super) async fn prospect_of_reshape(
        &self,
        standing: &StoredType,
        plan: &Plan,
        label: &(dyn Fn(&str) -> String + Send + Sync),
    ) -> Result<Prospect> {
        let mut prospect = Prospect::default();
        let (mut after, system) = (None::<String>, Caller::system());
        let definition = &standing.definition;
        loop {
            let page = self
                .page_whole(&system, &definition.name, after.as_deref(), LOOK)
                .await?;
            let Some(last) = page.last() else { return Ok(prospect) };
            if prospect.looked >= MOST_LOOKED {
                prospect.is_cut = true;
                return Ok(prospect);
            }
            after = Some(last.id.clone());
            for record in page {
                prospect.looked += 1;
                let title = || shape::title(definition, &record.document);
                match plan.apply(&record.document) {
                    Ok(None) => prospect.unchanged += 1,
                    Ok(Some(Moved { document, aside })) => {
                        prospect.changed += 1;
                        prospect.aside += aside as i64;
                        if prospect.told.len() < TOLD {
                            prospect.told.push(Told {
                                title: title(),
                                differences: differences(&record.document, &document, |path| label(path)),
                                id: record.id,
                            });
                        }
                    }
                    Err(why) => {
                        prospect.refused += 1;
                        if prospect.refusals.len() < TOLD {
                            prospect.refusals.push(Refusal {
                                title: title(),
                                id: record.id,
                                why,
                            });
                        }
                    }
                }
            }
        }
    }
}
