//! Answers questions about records: reads the question, asks the index, loads what was found and cuts it to what the
//! caller may see. The index never shows a field by itself; what is shown always comes through the port of records.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::asked::Log;
use super::fields::{NEWER, conditions, fields_of, filter, known, nearest, short, sort};
use super::promoted::ShownFirst;
use crate::contract::records::{FieldKind, RECORDS_READ, Record, Records, StoredType};
use crate::kernel::access::{Access, Caller, Level, Object};
use crate::kernel::db::Db;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::geo::{Area, Frame};
use crate::kernel::ledger::{self, Position};
use crate::kernel::search::{
    Answer, Facet, FacetRequest, Filter, Hit, Mark, Node, Places, PlacesRequest, Query, Search, Sort, excerpt,
};
use crate::kernel::ui::may_load;

/// How long an answer waits for what was just written.
const PATIENCE: Duration = Duration::from_secs(2);
/// Values counted of each facet.
const FACET_VALUES: usize = 100;
/// Fields highlighted of each record, and bytes shown of each.
const HIGHLIGHTS: usize = 6;
const HIGHLIGHT_BYTES: usize = 240;

/// A question as it comes in, every part in the words of the API.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub type_name: Option<String>,
    pub text: String,
    /// What must hold besides.
    pub tree: Option<Node>,
    /// The text is still being typed.
    pub typing: bool,
    pub facets: Vec<String>,
    /// `F:VALUE`; `F` alone is "missing".
    pub filters: Vec<String>,
    /// The same, taken apart.
    pub chosen: BTreeMap<String, Vec<Option<String>>>,
    pub sort: Option<String>,
    pub limit: usize,
    pub cursor: Option<String>,
    /// A ledger position to wait for.
    pub after: Option<Position>,
    /// Wait for everything that is written now.
    pub wait: bool,
}

/// A record that was found, cut to what the caller may see.
pub struct Item {
    pub record: Record,
    pub title: String,
    /// The address of its main image, where the browser may load it.
    pub image: Option<String>,
    /// Fields in which something was found, each in pieces with whether they are marked.
    pub highlights: Vec<(String, Vec<(String, bool)>)>,
}

/// What was found.
pub struct Found {
    pub answer: Answer,
    pub items: Vec<Item>,
    /// What a curator shows first for these words; of the first page only, and not in the total.
    pub promoted: Vec<Item>,
    /// What was waited for is not in the answer yet.
    pub behind: bool,
}

/// Where records are.
pub struct Mapped {
    pub total: u64,
    pub places: Places,
    /// Titles by id, of records that stand alone.
    pub titles: HashMap<String, String>,
}

/// The records that stand alone on the map of an answer, to be named.
pub fn alone(answer: &Answer) -> Answer {
    let clusters = answer.places.iter().flat_map(|places| &places.clusters);
    let hit = |id: &String| Hit {
        id: id.clone(),
        kind: String::new(),
        score: 0.0,
    };
    Answer {
        hits: clusters.filter_map(|cluster| cluster.id.as_ref().map(hit)).collect(),
        ..Answer::default()
    }
}

/// See the module's text.
#[derive(Clone)]
pub struct Service {
    pub search: Search,
    pub records: Arc<dyn Records>,
    pub access: Access,
    pub db: Db,
    /// Hosts whose images the browser may load.
    pub image_hosts: Arc<[String]>,
    /// Counts what is asked for.
    pub asked: Log,
    pub shown_first: Arc<ShownFirst>,
}

/// How often a question is asked again because rights changed while it was answered.
const TRIES: usize = 5;

/// Rights change faster than questions are answered.
pub(super) fn rights_change() -> Error {
    Error::new(Code::Busy, "Your rights change right now. Ask again in a moment.")
}

impl Service {
    /// Answers a question.
    ///
    /// # Errors
    /// `NotFound` for an unknown type, `Invalid` for an unknown field or a limit, and what [`Search::search`] says.
    pub async fn find(&self, caller: &Caller, asked: &Asked) -> Result<Found> {
        let types = self.types(caller, asked.type_name.as_deref()).await?;
        let fields = fields_of(&types);
        let facets = asked.facets.iter().map(|name| {
            known("facet", name, &fields)?;
            Ok(FacetRequest {
                field: name.clone(),
                limit: FACET_VALUES,
            })
        });
        let facets = facets.collect::<Result<Vec<_>>>()?;
        let behind = self.is_behind(asked).await?;
        let query = Query {
            facets,
            limit: asked.limit,
            ..self.question(caller, asked, &types, &fields).await?
        };
        let answer = self.answer(caller, query).await?;
        let items = self.items(caller, &types, &answer).await?;
        let plain = asked.tree.is_none() && asked.filters.is_empty() && asked.chosen.is_empty();
        let promoted = if plain && !asked.typing && asked.cursor.is_none() {
            self.promoted(caller, &types, &asked.text).await?
        } else {
            Vec::new()
        };
        Ok(Found {
            answer,
            items,
            promoted,
            behind,
        })
    }

    /// The values of a field under a question, those with a text in them.
    ///
    /// # Errors
    /// As of [`Service::find`].
    pub async fn values(&self, caller: &Caller, asked: &Asked, field: &str, held: &str, limit: usize) -> Result<Facet> {
        let types = self.types(caller, asked.type_name.as_deref()).await?;
        let fields = fields_of(&types);
        known("field", field, &fields)?;
        let query = Query {
            facets: vec![FacetRequest::holding(field, held, limit)],
            sort: Sort::Created { descending: true },
            ..self.question(caller, asked, &types, &fields).await?
        };
        let answer = self.answer(caller, query).await?;
        Ok(answer.facets.into_iter().next().unwrap_or_default())
    }

    /// The dates or numbers of a field under a question, by steps of tens; only those of the years shown.
    ///
    /// # Errors
    /// As of [`Service::find`].
    pub async fn timeline(
        &self,
        caller: &Caller,
        asked: &Asked,
        field: &str,
        shown: Option<(i64, i64)>,
        columns: usize,
    ) -> Result<Facet> {
        let types = self.types(caller, asked.type_name.as_deref()).await?;
        let fields = fields_of(&types);
        known("field", field, &fields)?;
        let query = Query {
            facets: vec![FacetRequest::timeline(field, shown, columns)],
            sort: Sort::Created { descending: true },
            ..self.question(caller, asked, &types, &fields).await?
        };
        let answer = self.answer(caller, query).await?;
        Ok(answer.facets.into_iter().next().unwrap_or_default())
    }

    /// Where the records of a question are, in a box or wherever they are.
    ///
    /// # Errors
    /// As of [`Service::find`].
    pub async fn map(&self, caller: &Caller, asked: &Asked, area: Option<Area>, columns: u32) -> Result<Mapped> {
        let types = self.types(caller, asked.type_name.as_deref()).await?;
        let fields = fields_of(&types);
        let query = Query {
            area,
            places: Some(PlacesRequest {
                frame: area.map(|area| Frame::around(&area, 0.0)),
                columns,
            }),
            sort: Sort::Created { descending: true },
            ..self.question(caller, asked, &types, &fields).await?
        };
        let answer = self.answer(caller, query).await?;
        let named = self.items(caller, &types, &alone(&answer)).await?;
        let places = answer
            .places
            .ok_or_else(|| Error::internal(anyhow::anyhow!("a map that was asked for is missing")))?;
        Ok(Mapped {
            total: answer.total,
            places,
            titles: named.into_iter().map(|item| (item.record.id, item.title)).collect(),
        })
    }

    /// The question to the index, without what is counted and how many are wanted.
    async fn question(
        &self,
        caller: &Caller,
        asked: &Asked,
        types: &[(Arc<StoredType>, Level)],
        fields: &BTreeMap<String, FieldKind>,
    ) -> Result<Query> {
        let mut filters = asked
            .filters
            .iter()
            .map(|text| filter(text, fields))
            .collect::<Result<Vec<_>>>()?;
        for (field, values) in &asked.chosen {
            known("filters", field, fields)?;
            filters.push(Filter {
                field: field.clone(),
                values: values.clone(),
            });
        }
        if let Some(tree) = &asked.tree {
            conditions(tree, "where", fields)?;
        }
        let names = types.iter().map(|(stored, _)| stored.definition.name.clone());
        Ok(Query {
            kind: Some(ledger::RECORD.to_owned()),
            types: names.filter(|_| asked.type_name.is_some()).collect(),
            text: asked.text.clone(),
            tree: asked.tree.clone(),
            typing: asked.typing,
            filters,
            sort: sort(asked.sort.as_deref(), fields)?,
            newer: asked.sort.as_deref() == Some(NEWER),
            cursor: asked.cursor.clone(),
            visibility: self.access.filter(caller, RECORDS_READ).await?,
            ..Query::default()
        })
    }

    /// Asks the index by rights that hold when it has answered, too: who lost one meanwhile is answered by what is left.
    pub(super) async fn answer(&self, caller: &Caller, mut query: Query) -> Result<Answer> {
        for _ in 0..TRIES {
            let answer = self.search.search(query.clone()).await?;
            let now = self.access.filter(caller, RECORDS_READ).await?;
            if now == query.visibility {
                return Ok(answer);
            }
            query.visibility = now;
        }
        Err(rights_change())
    }

    /// Waits for what the caller wants to see; true if it took too long.
    async fn is_behind(&self, asked: &Asked) -> Result<bool> {
        let mut wanted = asked.after;
        if asked.wait {
            wanted = wanted.max(Some(ledger::head(&self.db).await?));
        }
        match wanted {
            Some(position) => Ok(!self.search.wait_for(position, PATIENCE).await?),
            None => Ok(false),
        }
    }

    /// The type asked for, or all, each with the level of fields the caller sees in general.
    ///
    /// # Errors
    /// `NotFound` for an unknown type.
    pub async fn types(&self, caller: &Caller, name: Option<&str>) -> Result<Vec<(Arc<StoredType>, Level)>> {
        let mut types = Vec::new();
        for stored in self.records.record_types().await? {
            let object = Object::Type(&stored.definition.name);
            if let Some(level) = self.access.level(caller, &object).await? {
                types.push((stored, level));
            }
        }
        let Some(name) = name else { return Ok(types) };
        let names: Vec<String> = types.iter().map(|(stored, _)| stored.definition.name.clone()).collect();
        types.retain(|(stored, _)| stored.definition.name == name);
        if types.is_empty() {
            let hint =
                nearest(name, names.iter()).map_or_else(String::new, |near| format!(" Did you mean \"{near}\"?"));
            return Err(Error::new(
                Code::NotFound,
                format!("type: there is no type \"{}\".{hint}", short(name)),
            ));
        }
        Ok(types)
    }

    /// The records of an answer in its order, cut to what the caller may see of each.
    ///
    /// # Errors
    /// What the port of records says.
    pub async fn items(
        &self,
        caller: &Caller,
        types: &[(Arc<StoredType>, Level)],
        answer: &Answer,
    ) -> Result<Vec<Item>> {
        let ids: Vec<String> = answer.hits.iter().map(|hit| hit.id.clone()).collect();
        let by_name: HashMap<&str, &StoredType> = types
            .iter()
            .map(|(stored, _)| (stored.definition.name.as_str(), stored.as_ref()))
            .collect();
        let mut items = Vec::with_capacity(ids.len());
        for mut record in self.records.get_many(caller, &ids).await? {
            let Some(stored) = by_name.get(record.type_name.as_str()) else {
                continue;
            };
            let object = Object::Record {
                id: &record.id,
                type_name: &record.type_name,
                visibility: record.visibility,
            };
            let Some(level) = self.access.level(caller, &object).await? else {
                continue;
            };
            record.document = self.records.cut(&stored.definition, level, record.document);
            let title = self.records.title(&stored.definition, &record.document);
            let image = self.records.image(&stored.definition, &record.document);
            let image = image.filter(|address| may_load(address, &self.image_hosts));
            let mut highlights = Vec::new();
            marked("", &record.document, &answer.marks, &mut highlights);
            items.push(Item {
                record,
                title,
                image,
                highlights,
            });
        }
        Ok(items)
    }
}

/// Where something that was looked for stands in a document that is cut already.
fn marked(path: &str, document: &Map<String, Value>, marks: &[Mark], found: &mut Vec<(String, Vec<(String, bool)>)>) {
    for (name, value) in document {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        mark_value(&path, value, marks, found);
    }
}

fn mark_value(path: &str, value: &Value, marks: &[Mark], found: &mut Vec<(String, Vec<(String, bool)>)>) {
    if found.len() >= HIGHLIGHTS || marks.is_empty() {
        return;
    }
    match value {
        Value::String(text) => {
            found.extend(excerpt(text, marks, HIGHLIGHT_BYTES).map(|pieces| (path.to_owned(), pieces)));
        }
        Value::Array(values) => values.iter().for_each(|value| mark_value(path, value, marks, found)),
        Value::Object(group) => marked(path, group, marks, found),
        _ => {}
    }
}
