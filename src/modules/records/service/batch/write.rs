//! A step of a batch inside its transaction: asks once more who may, looks at what unique values and links stand on, writes
//! what is left in a handful of statements, and keeps what became of each record.

use std::collections::HashMap;

use super::consider::{Case, FORBIDDEN, Verdict};
use super::{Item, permission};
use crate::contract::records::StoredType;
use crate::contract::undo::WhyLeft;
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::db::Tx;
use crate::kernel::error::{Code, Error, Result};
use crate::modules::records::model::rule::Rule;
use crate::modules::records::service::restore::{self, Put, Wish};
use crate::modules::records::service::trees::{Ranked, misranked};
use crate::modules::records::service::{Rules, Service};

/// What became of an item, under its stored name and in words.
pub(super) type Outcome<'c> = (&'c Item, &'static str, String);

/// Why a record has to stay as it is, under its stored name and in words.
pub(super) struct Barred {
    pub name: &'static str,
    pub why: String,
}

/// A step to write.
pub(super) struct Step<'a> {
    pub caller: &'a Caller,
    pub rule: &'a Rule,
    pub stored: &'a StoredType,
    pub cases: &'a [Case],
}

fn again() -> Error {
    let text = "A record of this step was changed at the same time. The step is tried again.";
    Error::new(Code::Busy, text)
}

impl Service {
    /// Which cases have to stay as they are, beyond what was said of each by itself.
    pub(super) async fn barred(&self, tx: &mut Tx<'_>, step: &Step<'_>) -> Result<HashMap<String, Barred>> {
        let rules = Rules::of(&step.stored.definition);
        let wishes: Vec<Wish> = step
            .cases
            .iter()
            .filter_map(|case| wish(&rules, &case.verdict))
            .collect();
        if wishes.is_empty() {
            return Ok(HashMap::new());
        }
        let facts = restore::facts(tx, &wishes).await?;
        let mut left = restore::settle(&wishes, &facts);
        let puts = step.cases.iter().filter_map(|case| match &case.verdict {
            Verdict::Put(put) => Some(&**put),
            _ => None,
        });
        let puts: Vec<&Put> = puts.collect();
        let definition = &step.stored.definition;
        restore::circles_of(tx, definition, &puts, &mut left).await?;
        let ranked: Vec<Ranked<'_>> = puts
            .iter()
            .map(|put| Ranked {
                id: Some(&put.row.id),
                before: put.was.as_ref(),
                document: &put.state.document,
            })
            .collect();
        let mut barred: HashMap<String, Barred> = HashMap::new();
        for (at, issue) in misranked(tx, definition, &ranked).await? {
            let why = issue.message;
            barred.insert(puts[at].row.id.clone(), Barred { name: "refused", why });
        }
        for (id, why) in left {
            let name = if why == WhyLeft::InUse { "in-use" } else { "refused" };
            let why = words(why).to_owned();
            barred.insert(id, Barred { name, why });
        }
        Ok(barred)
    }

    /// Writes a step as part of a change set that `open` opens when something is to be written. Answers what became of
    /// each item, and how many changed.
    pub(super) async fn write_step<'c>(
        &self,
        tx: &mut Tx<'_>,
        step: &Step<'c>,
        set: &str,
        barred: &HashMap<String, Barred>,
    ) -> Result<(Vec<Outcome<'c>>, i64)> {
        let mut rights: HashMap<Level, Option<Level>> = HashMap::new();
        let (mut outcomes, mut removed, mut put) = (Vec::with_capacity(step.cases.len()), Vec::new(), Vec::new());
        for case in step.cases {
            let (row, then) = match &case.verdict {
                Verdict::Unchanged => {
                    outcomes.push((&case.item, "unchanged", String::new()));
                    continue;
                }
                Verdict::Refused(why) => {
                    outcomes.push((&case.item, "refused", why.clone()));
                    continue;
                }
                Verdict::Remove(row) => (&**row, row.level()?),
                Verdict::Put(one) => (&one.row, one.state.visibility),
            };
            let mut may = true;
            for visibility in [row.level()?, then] {
                may &= self
                    .may_in(tx, step, &mut rights, (&row.id, visibility), case.level)
                    .await?;
            }
            if !may {
                outcomes.push((&case.item, "refused", FORBIDDEN.to_owned()));
                continue;
            }
            if let Some(Barred { name, why }) = barred.get(&case.item.record_id) {
                outcomes.push((&case.item, *name, why.clone()));
                continue;
            }
            outcomes.push((&case.item, "changed", String::new()));
            match &case.verdict {
                Verdict::Remove(row) => removed.push((**row).clone()),
                Verdict::Put(one) => put.push((**one).clone()),
                Verdict::Unchanged | Verdict::Refused(_) => {}
            }
        }
        let changed = (removed.len() + put.len()) as i64;
        if !removed.is_empty() && self.remove(tx, set, removed).await?.is_none() {
            return Err(again());
        }
        let types = HashMap::from([(
            step.stored.definition.name.clone(),
            std::sync::Arc::new(step.stored.clone()),
        )]);
        restore::write(tx, set, put, &types).await?;
        Ok((outcomes, changed))
    }

    /// May the caller still do this? Rights are given at collections, so they are asked once for each visibility; who may not
    /// whoever made it is asked about this record.
    async fn may_in(
        &self,
        tx: &mut Tx<'_>,
        step: &Step<'_>,
        rights: &mut HashMap<Level, Option<Level>>,
        (id, visibility): (&str, Level),
        considered: Option<Level>,
    ) -> Result<bool> {
        let needed = permission(step.rule);
        let record = |id| Object::Record {
            id,
            type_name: &step.stored.definition.name,
            visibility,
        };
        let whoever_made_it = match rights.get(&visibility) {
            Some(level) => *level,
            None => {
                let level = self.access.level_in(&mut *tx, step.caller, needed, &record("")).await?;
                rights.insert(visibility, level);
                level
            }
        };
        let level = match whoever_made_it {
            Some(level) => Some(level),
            None => self.access.level_in(tx, step.caller, needed, &record(id)).await?,
        };
        // Who sees less than when this was considered is asked again by what is left.
        match level {
            Some(level) if considered.is_some_and(|before| level < before) => Err(again()),
            found => Ok(found.is_some()),
        }
    }
}

/// Does somebody change the type meanwhile? Then everything is considered once more.
pub(super) fn same_type(now: Option<&StoredType>, stored: &StoredType) -> Result<()> {
    if now.is_some_and(|now| now.version == stored.version) {
        Ok(())
    } else {
        Err(again())
    }
}

fn wish(rules: &Rules<'_>, verdict: &Verdict) -> Option<Wish> {
    match verdict {
        Verdict::Remove(row) => Some(Wish {
            id: row.id.clone(),
            type_name: row.type_name.clone(),
            is_removed: true,
            ..Wish::default()
        }),
        Verdict::Put(put) => Some(wanted(rules, put)),
        Verdict::Unchanged | Verdict::Refused(_) => None,
    }
}

/// Links that stand already are not judged: the change is not about them.
fn wanted(rules: &Rules<'_>, put: &Put) -> Wish {
    let old = put.was.as_ref().map(|was| rules.links(was)).unwrap_or_default();
    let links = rules.links(&put.state.document).into_iter();
    let new = links.filter(|pair| !old.contains(pair));
    Wish {
        id: put.row.id.clone(),
        type_name: put.row.type_name.clone(),
        is_removed: false,
        identifiers: rules.identifiers(&put.state.document),
        links: new
            .map(|(field, to)| (to, rules.target(&field).map(str::to_owned)))
            .collect(),
    }
}

/// Why a record stays, in words.
pub(in crate::modules::records::service) fn words(why: WhyLeft) -> &'static str {
    match why {
        WhyLeft::InUse => "Other records point at it.",
        WhyLeft::Taken => "A value that only one record may have belongs to another one.",
        WhyLeft::Cycle => "It would hang below itself.",
        WhyLeft::LinkLost => "It would point at a record that is not there.",
        _ => "It cannot be changed.",
    }
}
