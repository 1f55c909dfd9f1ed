//! What of a record is worth another look once it is compared with others, as far as its writer sees them: one that is called
//! the same, an identifier of another form, a place far from where its country lies in other records, a date outside of a life. Nothing of it keeps
//! anybody from saving, and where no index answers it is left out.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Service;
use crate::contract::records::{FieldKind, RECORDS_READ, RecordType};
use crate::kernel::access::Caller;
use crate::kernel::error::{FieldIssue, Result};
use crate::kernel::geo::Area;
use crate::kernel::id::is_id;
use crate::kernel::ledger;
use crate::kernel::search::{Filter, INSIDE, PlacesRequest, Query, Search};
use crate::modules::records::model::lives::{life, meetings, outside};
use crate::modules::records::model::near::{Named, Spot, across, km, km_to, spots};
use crate::modules::records::model::warn::number;
use crate::modules::records::model::{likeness, path, shorten, twins};
use crate::modules::records::store;

/// Records with the words of a title that are compared with it.
const ALIKE: usize = 50;
/// Identifiers that show a form: the first and the last of them.
const SAMPLE: i64 = 100;
/// Records with a place that say where a country lies.
const PLACED: u64 = 5;
/// Kilometres from where on something is far, and from the middle of a place that has no parts.
const FAR: f64 = 100.0;
const COLUMNS: u32 = 40;
/// Characters of a name.
const SHORT: usize = 80;

/// A record that is looked at.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    /// As its writer sees it.
    pub definition: &'a RecordType,
    pub document: &'a Map<String, Value>,
    /// Its id, where there is one.
    pub id: Option<&'a str>,
}

fn issue(path: &str, message: String) -> FieldIssue {
    FieldIssue {
        path: path.to_owned(),
        message,
    }
}

impl Service {
    /// Everything of a draft that others make doubtful.
    pub async fn doubts(&self, search: &Search, caller: &Caller, draft: Draft<'_>) -> Vec<FieldIssue> {
        let found = [
            self.namesake(search, caller, draft).await,
            self.misformed(draft).await,
            self.misplaced(search, caller, draft).await,
            self.outlived(caller, draft).await,
        ];
        let told = |one: Result<Vec<FieldIssue>>| {
            one.inspect_err(|error| tracing::debug!(?error, "a record is not compared with others"))
                .unwrap_or_default()
        };
        found.into_iter().flat_map(told).collect()
    }

    /// Another record with the same title, or with its words in another order.
    async fn namesake(&self, search: &Search, caller: &Caller, draft: Draft<'_>) -> Result<Vec<FieldIssue>> {
        let title = draft.definition.title.as_deref();
        let leaf = title.and_then(|title| path::find(&draft.definition.fields, title));
        let Some(leaf) = leaf.filter(|leaf| leaf.field.kind == FieldKind::Text && !leaf.repeated) else {
            return Ok(Vec::new());
        };
        let text = |document: &Map<String, Value>| path::values(document, &leaf.steps).into_iter().find_map(path::text);
        let Some(own) = text(draft.document).filter(|own| !own.trim().is_empty()) else {
            return Ok(Vec::new());
        };
        let words = twins::words(&own);
        if words.chars().count() < 2 || !is_plain(&leaf.path) {
            return Ok(Vec::new());
        }
        let asked: Vec<String> = words.split(' ').map(|word| format!("{}:{word}", leaf.path)).collect();
        let query = Query {
            kind: Some(ledger::RECORD.to_owned()),
            types: vec![draft.definition.name.clone()],
            text: asked.join(" "),
            limit: ALIKE,
            visibility: self.access.filter(caller, RECORDS_READ).await?,
            ..Query::default()
        };
        let hits = search.search(query).await?.hits.into_iter().map(|hit| hit.id);
        let ids: Vec<String> = hits.filter(|other| Some(other.as_str()) != draft.id).collect();
        let mut alike = None;
        for other in self.read_many(caller, &ids).await? {
            let Some(other) = text(&other.record.document) else {
                continue;
            };
            if other == own {
                let message = "is what another record of the collection is called, too.".to_owned();
                return Ok(vec![issue(&leaf.path, message)]);
            }
            if twins::words(&other) == words {
                alike = alike.or(Some(other));
            }
        }
        let told = alike.map(|other| {
            let message = format!("has the words of another record's title: “{}”.", shorten(&other, SHORT));
            issue(&leaf.path, message)
        });
        Ok(told.into_iter().collect())
    }

    /// Identifiers that look otherwise than nearly all of their field.
    async fn misformed(&self, draft: Draft<'_>) -> Result<Vec<FieldIssue>> {
        let mut found = Vec::new();
        for leaf in path::identifying(draft.definition) {
            if leaf.field.kind != FieldKind::Identifier || leaf.repeated {
                continue;
            }
            let value = path::values(draft.document, &leaf.steps)
                .into_iter()
                .find_map(path::text);
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                continue;
            };
            let sample = store::some_identifiers(&self.db, &draft.definition.name, &leaf.path, SAMPLE).await?;
            if let Some(form) = likeness::otherwise(&sample, &value) {
                let message = format!(
                    "is written otherwise than nearly all others: {form}, with 9 for a digit and A for a letter."
                );
                found.push(issue(&leaf.path, message));
            }
        }
        Ok(found)
    }

    /// Places that lie far from where what is named beside them lies elsewhere.
    async fn misplaced(&self, search: &Search, caller: &Caller, draft: Draft<'_>) -> Result<Vec<FieldIssue>> {
        let mut found = Vec::new();
        for spot in spots(&draft.definition.fields, draft.document) {
            // One reason is enough, and what is named nearest says most.
            for named in spot.named.iter().rev() {
                if let Some(message) = self.far_from(search, caller, draft, &spot, named).await? {
                    found.push(issue(&spot.path, message));
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Dates before somebody was born who stands beside them, or after they had died.
    async fn outlived(&self, caller: &Caller, draft: Draft<'_>) -> Result<Vec<FieldIssue>> {
        let met = meetings(&draft.definition.fields, draft.document);
        let ids: BTreeSet<String> = met.iter().map(|one| one.person.clone()).collect();
        let ids: Vec<String> = ids.into_iter().filter(|id| is_id(id)).collect();
        let people = self.read_many(caller, &ids).await?;
        let mut found: Vec<FieldIssue> = Vec::new();
        for meeting in &met {
            let person = people.iter().find(|person| person.record.id == meeting.person);
            let Some(person) = person.filter(|_| !found.iter().any(|known| known.path == meeting.path)) else {
                continue;
            };
            let life = life(&person.stored_type.definition, &person.record.document);
            let called = shorten(&person.title(), SHORT);
            let message = match outside(meeting, &life) {
                Some((true, born)) => format!("lies before “{called}” was born, {born}."),
                Some((false, died)) => format!("lies after “{called}” had died, {died}."),
                None => continue,
            };
            found.push(issue(&meeting.path, message));
        }
        Ok(found)
    }

    async fn far_from(
        &self,
        search: &Search,
        caller: &Caller,
        draft: Draft<'_>,
        spot: &Spot,
        named: &Named,
    ) -> Result<Option<String>> {
        let mut query = Query {
            kind: Some(ledger::RECORD.to_owned()),
            types: vec![draft.definition.name.clone()],
            places: Some(PlacesRequest {
                frame: None,
                columns: COLUMNS,
            }),
            visibility: self.access.filter(caller, RECORDS_READ).await?,
            ..Query::default()
        };
        let (called, itself) = match &named.target {
            Some(target) => {
                let Some(stored) = self.find_type(target).await? else {
                    return Ok(None);
                };
                let Ok(place) = self.read(caller, &named.value).await else {
                    return Ok(None);
                };
                let is_tree = stored.definition.parent.is_some();
                let itself = own_place(&stored.definition, &place.record.document);
                if !is_tree && itself.is_none() {
                    return Ok(None);
                }
                query.filters.push(Filter {
                    field: if is_tree {
                        INSIDE.to_owned()
                    } else {
                        named.field.clone()
                    },
                    values: vec![Some(named.value.clone())],
                });
                // The middle of a land says little of its borders.
                let above = store::are_above(&self.db, std::slice::from_ref(&named.value)).await?;
                let has_parts = above.get(&named.value).is_some_and(|parts| parts.contains(&true));
                (place.title(), itself.filter(|_| !has_parts))
            }
            None if is_plain(&named.field) => {
                query.text = format!("{}:\"{}\"", named.field, named.value.replace('"', " "));
                (named.value.clone(), None)
            }
            None => return Ok(None),
        };
        let called = shorten(&called, SHORT);
        if let Some(area) = others(search.search(query).await?.places, draft.id) {
            let way = km_to(&area, spot.at);
            if way <= across(&area).max(FAR) {
                return Ok(None);
            }
            let swapped = (spot.at.1, spot.at.0);
            return Ok(Some(
                if swapped.0.abs() <= 90.0 && area.contains(swapped.0, swapped.1) {
                    format!("lies far from “{called}”. With latitude and longitude exchanged it would lie there.")
                } else {
                    format!("lies {way:.0} km from where “{called}” lies in other records.")
                },
            ));
        }
        let way = itself.map(|itself| km(itself, spot.at)).filter(|way| *way > FAR);
        Ok(way.map(|way| format!("lies {way:.0} km from “{called}” itself.")))
    }
}

/// A box around the places of the others, where they are enough.
fn others(places: Option<crate::kernel::search::Places>, own: Option<&str>) -> Option<Area> {
    let places = places?;
    let others = places
        .clusters
        .iter()
        .filter(|cluster| own.is_none() || cluster.id.as_deref() != own);
    let boxes: Vec<(u64, Area)> = others.map(|cluster| (cluster.records, cluster.area)).collect();
    if boxes.iter().map(|(records, _)| records).sum::<u64>() < PLACED {
        return None;
    }
    let corners = boxes
        .iter()
        .flat_map(|(_, area)| [(area.south, area.west), (area.north, area.east)]);
    Area::around(corners)
}

/// Where a record itself lies, by the first place of its type.
fn own_place(definition: &RecordType, document: &Map<String, Value>) -> Option<(f64, f64)> {
    let north = definition.fields.iter().find(|field| field.is_latitude())?;
    let east = definition.fields.iter().find(|field| north.is_pair(field))?;
    number(document.get(&north.name)).zip(number(document.get(&east.name)))
}

/// A path that a question can name without a second thought.
fn is_plain(path: &str) -> bool {
    path.chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
}
