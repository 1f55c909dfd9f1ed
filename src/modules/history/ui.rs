//! The pages of change sets: everything that was changed, and what one change touched. What the caller may not see of
//! it is left out.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::Method;
use axum::routing::get;
use serde::Deserialize;
use serde_json::Value;

use super::HISTORY_READ;
use crate::contract::records::{Records, Sight};
use crate::kernel::access::{Caller, Subject};
use crate::kernel::db::Db;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Path, Query, RouteSet, Routes};
use crate::kernel::ledger::{self, Change, ChangeSet, Position, RECORD, TYPE};
use crate::kernel::ui::{Crumb, Html, Page, actor, filters, operation, plain, readable, set_name, shorten, view};

/// Change sets and changes of one page.
const SETS: i64 = 50;
const CHANGES: i64 = 100;
/// Changes of a set that are looked at to know whether the caller may see any of it.
const PROBE: i64 = 10;
/// Characters of a title.
const TITLE: usize = 120;

/// What the pages read from.
#[derive(Clone)]
pub struct Pages {
    pub db: Db,
    pub records: Arc<dyn Records>,
}

/// The routes of the pages.
pub fn routes(pages: Pages) -> Routes {
    RouteSet::new()
        .page(HISTORY_READ, Method::GET, "/changes", get(index_page))
        .page(HISTORY_READ, Method::GET, "/changes/{id}", get(show_page))
        .with_state(pages)
}

#[derive(Template)]
#[template(path = "modules/history/templates/changes.html")]
pub struct ChangesPage {
    pub page: Page,
    pub rows: Vec<SetRow>,
    pub older: Option<String>,
}

#[derive(Template)]
#[template(path = "modules/history/templates/change.html")]
pub struct ChangePage {
    pub page: Page,
    pub trail: Vec<Crumb>,
    pub id: String,
    pub what: String,
    pub reason: String,
    pub actor: String,
    pub at: i64,
    pub origin: Vec<(String, String)>,
    pub rows: Vec<ChangeRow>,
    pub next: Option<String>,
}
view!(ChangesPage, ChangePage);

pub struct SetRow {
    pub id: String,
    pub what: String,
    /// The first thing it touched, and whether there is more.
    pub first: Option<String>,
    pub others: bool,
    pub reason: String,
    pub actor: String,
    pub at: i64,
}

pub struct ChangeRow {
    pub title: String,
    pub href: Option<String>,
    /// Key of what happened.
    pub what: &'static str,
    pub version: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Older {
    #[serde(default)]
    before: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    #[serde(default)]
    after: Option<String>,
}

async fn index_page(State(pages): State<Pages>, page: Page, Query(older): Query<Older>) -> Result<Html<ChangesPage>> {
    let sets = ledger::sets(&pages.db, older.before.as_deref(), SETS).await?;
    let last = sets
        .last()
        .filter(|_| sets.len() as i64 == SETS)
        .map(|set| set.id.clone());
    let all = sees_all(&page.caller);
    let mut probes = Vec::with_capacity(sets.len());
    for set in &sets {
        let most = if all { 2 } else { PROBE };
        probes.push(ledger::set_changes(&pages.db, &set.id, Position::default(), most).await?);
    }
    let seen = pages.seen(&page, &probes.concat()).await?;
    let mut rows = Vec::with_capacity(sets.len());
    for (set, changes) in sets.iter().zip(&probes) {
        let mut titles = changes.iter().filter_map(|change| seen.get(&change.entity));
        let first = titles.next().map(|(title, _)| shorten(title, TITLE));
        // What touches nothing that the caller may see is not there.
        if all || first.is_some() {
            rows.push(SetRow {
                id: set.id.clone(),
                what: set_name(page.language, &set.kind),
                others: titles.next().is_some(),
                first,
                reason: reason(&page.caller, set),
                actor: actor(page.language, &set.actor),
                at: set.created_at,
            });
        }
    }
    Ok(Html(ChangesPage {
        rows,
        older: last.map(|id| format!("/changes?before={id}")),
        page,
    }))
}

async fn show_page(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Query(asked): Query<After>,
) -> Result<Html<ChangePage>> {
    let nothing = || Error::not_found("change set", &shorten(&id, 60));
    let set = ledger::set(&pages.db, &id).await?.ok_or_else(nothing)?;
    let after: Position = asked.after.as_deref().map(str::parse).transpose()?.unwrap_or_default();
    let changes = ledger::set_changes(&pages.db, &id, after, CHANGES).await?;
    let rows = pages.rows(&page, &changes).await?;
    if rows.is_empty()
        && !sees_all(&page.caller)
        && pages
            .rows(&page, &first_changes(&pages.db, &set).await?)
            .await?
            .is_empty()
    {
        return Err(nothing());
    }
    let last = changes
        .last()
        .filter(|_| changes.len() as i64 == CHANGES)
        .map(|change| change.at);
    let language = page.language;
    let what = set_name(language, &set.kind);
    Ok(Html(ChangePage {
        trail: vec![
            Crumb::to(language.text("changes.title"), "/changes"),
            Crumb::here(what.clone()),
        ],
        what,
        reason: reason(&page.caller, &set),
        actor: actor(language, &set.actor),
        at: set.created_at,
        origin: origin(&page, &set),
        next: last.map(|at| format!("/changes/{id}?after={at}")),
        id,
        rows,
        page,
    }))
}

/// Enough of a set to know whether the caller may see any of it.
async fn first_changes(db: &Db, set: &ChangeSet) -> Result<Vec<Change>> {
    ledger::set_changes(db, &set.id, Position::default(), PROBE).await
}

/// Whoever looks after the house sees sets that touch nothing, too.
fn sees_all(caller: &Caller) -> bool {
    matches!(caller.subject, Subject::Operator | Subject::System)
}

/// Why, in the words of whoever did it: for those who are known here.
fn reason(caller: &Caller, set: &ChangeSet) -> String {
    if caller.is_anonymous() {
        String::new()
    } else {
        set.reason.clone()
    }
}

/// From where, for those who are known here.
fn origin(page: &Page, set: &ChangeSet) -> Vec<(String, String)> {
    if page.caller.is_anonymous() {
        return Vec::new();
    }
    let origin: Value = serde_json::from_str(&set.origin).unwrap_or_default();
    let pairs = origin.as_object().into_iter().flatten();
    pairs
        .filter_map(|(name, value)| Some((readable(name), plain(value, page.language)?)))
        .collect()
}

impl Pages {
    /// What changes touched, as far as the caller may see it: title and address by id.
    async fn seen(&self, page: &Page, changes: &[Change]) -> Result<HashMap<String, (String, Option<String>)>> {
        let records = changes.iter().filter(|c| c.kind == RECORD);
        let mut records: Vec<String> = records.map(|c| c.entity.clone()).collect();
        records.sort_unstable();
        records.dedup();
        let mut seen = HashMap::new();
        let sights = self.records.sights(&page.caller, &records).await?;
        let by_id: HashMap<&str, &Sight> = sights.iter().map(|sight| (sight.id.as_str(), sight)).collect();
        for record in self.records.get_many(&page.caller, &records).await? {
            let Some(sight) = by_id.get(record.id.as_str()) else {
                continue;
            };
            let definition = &sight.stored_type.definition;
            let document = self.records.cut(definition, sight.level, record.document);
            let title = self.records.title(definition, &document);
            if !title.trim().is_empty() {
                let href = format!("/records/{}", record.id);
                seen.insert(record.id, (title, Some(href)));
            }
        }
        for sight in sights {
            let href = (!sight.deleted).then(|| format!("/records/{}", sight.id));
            seen.entry(sight.id.clone()).or_insert((sight.id, href));
        }
        if changes.iter().any(|c| c.kind == TYPE) {
            for stored in self.records.record_types().await? {
                let name = stored.definition.name.clone();
                seen.insert(stored.id.clone(), (name.clone(), Some(format!("/types/{name}"))));
            }
        }
        Ok(seen)
    }

    /// The changes as far as the caller may see what they touch.
    async fn rows(&self, page: &Page, changes: &[Change]) -> Result<Vec<ChangeRow>> {
        let seen = self.seen(page, changes).await?;
        let mut rows = Vec::with_capacity(changes.len());
        for change in changes {
            let Some((title, href)) = seen.get(&change.entity) else {
                continue;
            };
            let version = ledger::version(&self.db, &change.entity, change.version).await?;
            let what = version.map_or("operation.update", |v| operation(v.operation));
            rows.push(ChangeRow {
                title: shorten(title, TITLE),
                href: href.clone(),
                what,
                version: change.version,
            });
        }
        Ok(rows)
    }
}
