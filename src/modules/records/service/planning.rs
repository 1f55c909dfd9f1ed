//! Types as text: what giving definitions to the house would change, and giving them, as one change set. Done twice, the
//! second time changes nothing.

use super::types::TypeWritten;
use super::{Because, Service};
use crate::contract::records::{Field, FieldKind, RecordType, TYPES_WRITE};
use crate::kernel::access::{Caller, Object};
use crate::kernel::db::Write;
use crate::kernel::error::{Error, FieldIssue, Result};
use crate::modules::records::model::definition;
use crate::modules::records::model::difference::{Differs, differences};
use crate::modules::records::store;

/// Types that are given at once.
const MOST: usize = 200;

/// What would become of one type.
#[derive(Clone, Debug)]
pub struct TypePlan {
    pub name: String,
    /// `create`, `change` or `same`.
    pub action: &'static str,
    pub differences: Vec<Differs>,
    /// What stands in the way.
    pub issues: Vec<FieldIssue>,
    /// Records that would not keep the new rules; they stay as they are.
    pub misfits: i64,
}

impl Service {
    /// Says what these definitions would change. Nothing is written.
    ///
    /// # Errors
    /// `Forbidden` for a type that the caller may not change.
    pub async fn plan_types(&self, caller: &Caller, definitions: &[RecordType]) -> Result<Vec<TypePlan>> {
        self.may_give(caller, definitions).await?;
        let mut plans = Vec::with_capacity(definitions.len());
        for definition in definitions {
            let mut plan = TypePlan {
                name: definition.name.clone(),
                action: "create",
                differences: Vec::new(),
                issues: definition::check(definition),
                misfits: 0,
            };
            if let Some(stored) = self.find_type(&definition.name).await? {
                plan.differences = differences(&stored.definition, definition)?;
                plan.action = if stored.definition == *definition {
                    "same"
                } else {
                    "change"
                };
                if plan.action == "change" && plan.issues.is_empty() {
                    if store::has_records(&self.db, &definition.name, true).await? {
                        plan.issues = definition::check_change(&stored.definition, definition);
                    }
                    plan.misfits = self.misfits(&stored.definition, definition).await?.count;
                }
            }
            plan.issues.extend(self.lost_targets(definition, definitions).await?);
            plans.push(plan);
        }
        Ok(plans)
    }

    /// Gives these definitions to the house, all or none.
    ///
    /// # Errors
    /// What [`Service::plan_types`] names as issues, each with the type it is about.
    pub async fn apply_types(&self, why: &Because<'_>, definitions: &[RecordType]) -> Result<Vec<TypeWritten>> {
        let plans = self.plan_types(why.caller, definitions).await?;
        let issues = plans.iter().flat_map(|plan| {
            plan.issues.iter().map(|issue| FieldIssue {
                path: format!("{}.{}", plan.name, issue.path),
                message: issue.message.clone(),
            })
        });
        let issues: Vec<FieldIssue> = issues.collect();
        if !issues.is_empty() {
            return Err(Error::invalid_fields(issues));
        }
        let wanted: Vec<&RecordType> = definitions
            .iter()
            .zip(&plans)
            .filter_map(|(definition, plan)| (plan.action != "same").then_some(definition))
            .collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        for definition in &wanted {
            self.identify(definition, &|| Ok(())).await?;
        }
        let wanted = &wanted;
        let write = self.db.write(Write::interactive("types.apply"), |tx| {
            Box::pin(async move {
                let set = why.open(tx, "type.apply").await?;
                // Types may lead to each other: those that are new first come without what leads to others.
                for definition in wanted {
                    if store::type_head(&mut *tx, &definition.name).await?.is_none()
                        && let Some(bare) = without_links(definition)
                    {
                        self.put_type_in(tx, &set, &bare).await?;
                    }
                }
                let mut written = Vec::with_capacity(wanted.len());
                for definition in wanted {
                    written.push(self.put_type_in(tx, &set, definition).await?);
                }
                Ok(written)
            })
        });
        write.await
    }

    async fn may_give(&self, caller: &Caller, definitions: &[RecordType]) -> Result<()> {
        if definitions.is_empty() || definitions.len() > MOST {
            return Err(Error::invalid("types", format!("names 1 to {MOST} types.")));
        }
        for (at, definition) in definitions.iter().enumerate() {
            let name = &definition.name;
            if definitions[..at].iter().any(|other| other.name == *name) {
                return Err(Error::invalid("types", format!("names \"{name}\" twice.")));
            }
            if self.find_type(name).await?.is_some() {
                self.require_whole(caller, name).await?;
            } else {
                self.access.require(caller, TYPES_WRITE, &Object::Type(name)).await?;
            }
        }
        Ok(())
    }

    /// Links to types that are neither there nor given.
    async fn lost_targets(&self, definition: &RecordType, given: &[RecordType]) -> Result<Vec<FieldIssue>> {
        let mut issues = Vec::new();
        for leaf in crate::modules::records::model::path::linking(definition) {
            let target = leaf.field.target.as_deref().unwrap_or_default();
            let ships = super::shipped().iter().any(|type_| type_.name == target)
                && super::shipped().iter().any(|type_| type_.name == definition.name);
            if target.is_empty() || ships || given.iter().any(|other| other.name == target) {
                continue;
            }
            if self.find_type(target).await?.is_none() {
                issues.push(FieldIssue {
                    path: leaf.path,
                    message: format!("leads to the type \"{target}\", which does not exist. Make that type first."),
                });
            }
        }
        Ok(issues)
    }
}

/// The type without fields that lead to others, if it has some and something is left.
fn without_links(definition: &RecordType) -> Option<RecordType> {
    fn keep(fields: &mut Vec<Field>, own: &str) -> bool {
        let before = fields.len();
        fields.retain(|field| field.kind != FieldKind::Link || field.target.as_deref() == Some(own));
        let mut cut = fields.len() < before;
        for field in fields.iter_mut() {
            cut |= keep(&mut field.fields, own);
        }
        fields.retain(|field| field.kind != FieldKind::Group || !field.fields.is_empty());
        cut
    }
    let mut bare = definition.clone();
    let cut = keep(&mut bare.fields, &definition.name);
    (cut && definition::check(&bare).is_empty()).then_some(bare)
}
