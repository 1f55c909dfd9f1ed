//! Which records are meant: those of a list, or everything that a question finds. Either way only live records of one type
//! that the caller sees, each once.

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Batches;
use crate::contract::records::{RECORDS_READ, RecordType};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::is_id;
use crate::kernel::ledger;
use crate::kernel::search::{Filter, INSIDE, MAX_LIMIT, Query, Sort};
use crate::modules::records::model::{hint, path, shorten};
use crate::modules::records::store;

/// Records of one batch, and those of a list.
const MOST: usize = 100_000;
const MOST_NAMED: usize = 10_000;
/// Records whose heads are read at once.
const STEP: usize = 1_000;
/// How long a question waits for what was written last.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which records of a type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    #[serde(rename = "type")]
    pub type_name: String,
    /// What to search for, as in the search box.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub q: String,
    /// `FIELD:VALUE`, as in a search; `FIELD` alone is "not given".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<String>,
    /// These records and no others; at most 10,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Everything that is found but these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Really every record of the type, where nothing narrows it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// The page that they were chosen on: a path such as `/types/object/table?q=clay`. Its pages lead back there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
}

/// Bytes of the address of a page.
const ADDRESS: usize = 8_000;

/// Whether this leads to a list of records of this house.
fn is_list(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let table = path
        .strip_prefix("/types/")
        .and_then(|rest| rest.strip_suffix("/table"));
    let known = path == "/search" || table.is_some_and(|name| !name.is_empty() && !name.contains('/'));
    known && address.len() <= ADDRESS && address.chars().all(|c| c.is_ascii_graphic())
}

impl Batches {
    /// The records with the versions they stand at, in the order they were named or made.
    pub(super) async fn found(
        &self,
        caller: &Caller,
        selection: &Selection,
        seen: &RecordType,
    ) -> Result<Vec<(String, i64)>> {
        if !selection.from.is_empty() && !is_list(&selection.from) {
            return Err(Error::invalid("from", "is not the path of a list of records."));
        }
        for (at, ids) in [("ids", &selection.ids), ("without", &selection.without)] {
            if ids.len() > MOST_NAMED {
                let text = format!(
                    "names {} records; at most {MOST_NAMED} are named one by one. Say them as a search.",
                    ids.len()
                );
                return Err(Error::invalid(at, text));
            }
            if let Some(odd) = ids.iter().find(|id| !is_id(id)) {
                return Err(Error::invalid(
                    at,
                    format!("\"{}\" is not the id of a record.", shorten(odd, 60)),
                ));
            }
        }
        let ids = if selection.ids.is_empty() {
            self.searched(caller, selection, seen).await?
        } else {
            selection.ids.clone()
        };
        let mut taken: HashSet<&str> = selection.without.iter().map(String::as_str).collect();
        let ids: Vec<String> = ids.iter().filter(|id| taken.insert(id)).cloned().collect();
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(STEP) {
            found.extend(self.standing(caller, &seen.name, some).await?);
        }
        Ok(found)
    }

    /// Those of these records that are live, of the type and in sight.
    async fn standing(&self, caller: &Caller, name: &str, ids: &[String]) -> Result<Vec<(String, i64)>> {
        let heads = store::stands(&self.service.db, name, ids).await?;
        let mut parts: Vec<(&String, Level, i64)> = Vec::with_capacity(heads.len());
        for id in ids {
            if let Some((visibility, version)) = heads.get(id)
                && let Some(level) = Level::parse(visibility)
            {
                parts.push((id, level, *version));
            }
        }
        let mut objects = Vec::with_capacity(parts.len());
        for (id, visibility, _) in &parts {
            objects.push(Object::Record {
                id,
                type_name: name,
                visibility: *visibility,
            });
        }
        let levels = self.service.access.levels(caller, RECORDS_READ, &objects).await?;
        let seen = parts.iter().zip(levels).filter(|(_, level)| level.is_some());
        Ok(seen.map(|((id, _, version), _)| ((*id).clone(), *version)).collect())
    }

    async fn searched(&self, caller: &Caller, selection: &Selection, seen: &RecordType) -> Result<Vec<String>> {
        let narrow = !selection.q.trim().is_empty() || !selection.filter.is_empty();
        if !narrow && !selection.all {
            let text = "says nothing: name ids, a search, or \"all\": true for every record of the type.";
            return Err(Error::invalid("q", text));
        }
        let head = ledger::head(&self.service.db).await?;
        if !self.search.wait_for(head, PATIENCE).await? {
            let text = "The search is still reading what was written last. Try again in a moment.";
            return Err(Error::new(Code::Busy, text));
        }
        let filters = selection
            .filter
            .iter()
            .map(|text| filter(text, seen))
            .collect::<Result<Vec<_>>>()?;
        let mut ids = Vec::new();
        let mut cursor = None;
        loop {
            let query = Query {
                kind: Some(ledger::RECORD.to_owned()),
                types: vec![seen.name.clone()],
                text: selection.q.clone(),
                filters: filters.clone(),
                sort: Sort::Created { descending: false },
                limit: MAX_LIMIT,
                cursor: cursor.clone(),
                visibility: self.service.access.filter(caller, RECORDS_READ).await?,
                ..Query::default()
            };
            let answer = self.search.search(query).await?;
            if let (None, Some(hint)) = (&cursor, answer.hints.first()) {
                // A page may guess what was meant; a batch must not.
                return Err(Error::invalid("q", hint.clone()));
            }
            if answer.total > MOST as u64 {
                let text = format!(
                    "finds {} records; a batch takes at most {MOST}. Narrow it.",
                    answer.total
                );
                return Err(Error::invalid("q", text));
            }
            ids.extend(answer.hits.into_iter().map(|hit| hit.id));
            match answer.next {
                Some(next) => cursor = Some(next),
                None => return Ok(ids),
            }
        }
    }
}

/// `FIELD:VALUE`, where a field's own name may have colons; `FIELD` or `FIELD:` is "not given".
pub fn filter(text: &str, seen: &RecordType) -> Result<Filter> {
    let leaves = path::leaves(&seen.fields);
    if let Some((INSIDE, above)) = text.split_once(':')
        && !leaves.iter().any(|leaf| leaf.path == INSIDE)
    {
        return Ok(Filter {
            field: INSIDE.to_owned(),
            values: vec![Some(above.to_owned())],
        });
    }
    let fits = |path: &str| {
        let rest = text.strip_prefix(path)?;
        (rest.is_empty() || rest.starts_with(':')).then(|| rest.strip_prefix(':').unwrap_or(rest).to_owned())
    };
    let known = leaves
        .iter()
        .filter_map(|leaf| Some((leaf.path.as_str(), fits(&leaf.path)?)));
    let Some((field, value)) = known.max_by_key(|(path, _)| path.len()) else {
        let name = text.split(':').next().unwrap_or(text);
        let hint = hint(name, leaves.iter().map(|leaf| leaf.path.as_str()));
        let text = format!("There is no field \"{}\" here.{hint}", shorten(name, 60));
        return Err(Error::invalid("filter", text));
    };
    Ok(Filter {
        field: field.to_owned(),
        values: vec![Some(value).filter(|value| !value.is_empty())],
    })
}
